#pragma once

#include <optional>

namespace sweep {

// The commands of sweep-coordinator that make keys and tokens, instead of serving: `init DIR`,
// `token add NAME`, `token list` and `token revoke NAME`. Each prints its result and returns the
// exit code; nothing when the command line is none of them.
std::optional<int> RunSecurityCommand(int argc, char** argv);

}  // namespace sweep
