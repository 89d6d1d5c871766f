#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "common/spec/sweep_spec.h"

namespace sweep {

// The sweep file with another `name`; all other bytes are unchanged. `text` must parse.
// FailedPrecondition when the name cannot be replaced where it stands, such as an alias.
absl::StatusOr<std::string> WithSweepName(const std::string& text, const std::string& name);

// The sweep file with another `path` of its data set; all other bytes are unchanged. `text` must
// parse and have such a path. FailedPrecondition as for WithSweepName.
absl::StatusOr<std::string> WithDatasetPath(const std::string& text, const std::string& path);

// The source of a stored sweep under another name, with the same meaning. A seed that was derived
// from the old name is written into the file.
absl::StatusOr<SweepSource> RenamedSource(const SweepSource& stored, const std::string& digest,
                                          const std::string& name);

// "night-2", "night-3", …: the name of a copy, cut to the longest allowed name.
std::string NumberedName(const std::string& name, int number);

}  // namespace sweep
