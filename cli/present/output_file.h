#pragma once

#include <fstream>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace sweep::cli {

// A file that is written completely or not at all: it gets a temporary name, and Commit syncs and
// renames it. Without Commit nothing is left. A pipe or a device is written to directly. Used by
// one thread.
class OutputFile {
 public:
  // PermissionDenied, NotFound, …, naming the path, when the file cannot be created.
  static absl::StatusOr<std::unique_ptr<OutputFile>> Create(const std::string& path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  std::ostream& stream() { return stream_; }
  // Fails, naming the path, after a failed write, such as on a full disk; the old file stays.
  absl::Status Commit();

 private:
  OutputFile() = default;
  std::string path_;
  std::string temporary_;  // "" once renamed, and for a pipe or device
  std::ofstream stream_;
};

}  // namespace sweep::cli
