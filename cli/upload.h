#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/connection.h"
#include "cli/spec_input.h"

namespace sweep::cli {

struct Upload {
  std::string name;             // "sha256:…", the data set's path for every worker
  std::int64_t size_bytes = 0;  // of the files
  std::int64_t sent_bytes = 0;  // of the pieces that the coordinator lacked
};

// Stores the four IDX files of `folder` at the coordinator, in pieces. What it has already, of an
// upload that was broken off or of other data, is not sent again. Reads the files several times and
// keeps one piece in memory. FailedPrecondition, naming the file, when one is missing, is no IDX
// file or changes meanwhile.
absl::StatusOr<Upload> UploadData(Connection& connection, const std::string& folder);

// Uploads the data of a sweep file whose path is a folder of this machine, and replaces the path by
// the data set's name. InvalidArgument for other data; does nothing for data that is uploaded.
// `say` is told what has been done.
absl::Status UploadDataOf(Connection& connection,
                          const std::function<void(const std::string&)>& say, SweepInput* input);

}  // namespace sweep::cli
