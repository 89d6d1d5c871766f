#pragma once

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"

namespace sweep {

// A file that a trainer asks to keep, open for reading. The name comes from a program and is not
// trusted: only a regular file below the program's own folder, reached without a link, is accepted,
// and reading it can neither block nor go on for ever. The open file stays the same when its name
// is given to another file. Movable; the destructor closes it.
class ArtifactFile {
 public:
  static constexpr std::size_t kMostBytes = std::size_t{64} << 20;  // the contract's limit

  // A relative path is relative to `folder`. NotFound, InvalidArgument or OutOfRange, naming the
  // path and the reason; never a status that is retryable.
  static absl::StatusOr<ArtifactFile> Open(const std::string& folder, const std::string& path);
  ArtifactFile(ArtifactFile&& other) noexcept;
  ArtifactFile& operator=(ArtifactFile&& other) noexcept;
  ~ArtifactFile();

  // The whole file, up to its length at the start of the read.
  absl::StatusOr<std::string> Read() const;
  const std::string& path() const { return path_; }

 private:
  ArtifactFile(int fd, std::string path);

  int fd_ = -1;
  std::string path_;
};

}  // namespace sweep
