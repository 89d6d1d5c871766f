#pragma once

#include <fstream>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace sweep::cli {

// A file that is there whole or not at all: written beside its place under another name, synced and
// renamed by Commit. Without Commit nothing is left. A pipe or a device is written to as it is.
// Used by one thread.
class OutputFile {
 public:
  // PermissionDenied, NotFound, …, naming the path, when it cannot be written there.
  static absl::StatusOr<std::unique_ptr<OutputFile>> Create(const std::string& path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  std::ostream& stream() { return stream_; }
  // Names the path when a write has failed, such as on a full disk; then the old file stays.
  absl::Status Commit();

 private:
  OutputFile() = default;
  std::string path_;
  std::string temporary_;  // "" once renamed, and for what cannot be replaced
  std::ofstream stream_;
};

}  // namespace sweep::cli
