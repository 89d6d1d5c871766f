#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "common/spec/sweep_spec.h"

namespace sweep {

// The sweep file with another name in its `name`, and every other byte as it was. `text` is one
// that parses. FailedPrecondition when the name is written in a way that cannot be replaced, such
// as an alias.
absl::StatusOr<std::string> WithSweepName(const std::string& text, const std::string& name);

// The stored sweep under another name: its source, in which all but the name means what it meant.
// Where the file leaves the seed to be drawn from the name, the old one is written into it.
absl::StatusOr<SweepSource> RenamedSource(const SweepSource& stored, const std::string& digest,
                                          const std::string& name);

// "night-2", "night-3", …: the name of a copy, cut to what a name may have.
std::string NumberedName(const std::string& name, int number);

}  // namespace sweep
