#pragma once

#include <cstddef>
#include <string>

#include "absl/status/statusor.h"

namespace sweep {

// A file that a trainer has named to be kept, open for reading. What a program names is not
// trusted: only a regular file below its own folder is taken, reached without a link, and nothing
// that is read of it can block or go on for ever. Open, it stays what it was when its name is given
// to another file. Movable; closed with this.
class ArtifactFile {
 public:
  static constexpr std::size_t kMostBytes = std::size_t{64} << 20;  // the contract's limit

  // A relative path is relative to `folder`. NotFound, InvalidArgument or OutOfRange, naming the
  // path and why it is not taken; never a status that is worth another try.
  static absl::StatusOr<ArtifactFile> Open(const std::string& folder, const std::string& path);
  ArtifactFile(ArtifactFile&& other) noexcept;
  ArtifactFile& operator=(ArtifactFile&& other) noexcept;
  ~ArtifactFile();

  // All of it, as long as it was when the reading began.
  absl::StatusOr<std::string> Read() const;
  const std::string& path() const { return path_; }

 private:
  ArtifactFile(int fd, std::string path);

  int fd_ = -1;
  std::string path_;
};

}  // namespace sweep
