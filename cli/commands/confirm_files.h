#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/spec/sweep_spec.h"

namespace sweep::cli {

// A sweep file that is written to a folder of its own, with the network and program files that it
// names. These are stored with the sweep that it was made from, and are written beside it.

// False for a pipe or a device, which other files cannot lie beside.
bool HasFolder(const std::string& file);

// The network files that `file` cannot name as the sweep did, since that leads out of its folder
// ("../nets/mine.yaml") to where no such file is: the names that they get instead ("mine.yaml").
std::map<std::string, std::string> NamesInside(const std::string& file, const SweepSource& source);

// Writes what is not there yet, and answers with the paths that it has written. With nothing
// written AlreadyExists when another file is in the place of one of them, or `file` itself is to
// be, and InvalidArgument when one is hidden or would be written through a link out of the folder.
absl::StatusOr<std::vector<std::string>> WriteFilesBeside(const std::string& file,
                                                          const SweepSource& source);

}  // namespace sweep::cli
