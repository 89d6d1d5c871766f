#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace sweep {

// Removes what lies at `path`, also where folders were made read-only. Follows no link. False when
// something is left.
bool RemoveTree(const std::string& path);

// The folder for temporary files. NotFound, naming the variable, when TMPDIR (or TMP, TEMP,
// TEMPDIR) names none.
absl::StatusOr<std::string> TemporaryFolder();

// A folder of this process's own below another, named by a prefix and six random characters. It
// holds a file `lock` that is locked as long as this object lives, and goes with it. What a process
// that was killed has left, which is known by a lock that nobody holds, or by having no lock and
// being empty, goes when another one makes such a folder: first the processes that it had marked
// (KillMarked), then the files.
class OwnedFolder {
 public:
  // PermissionDenied or the like, naming the folder.
  static absl::StatusOr<std::unique_ptr<OwnedFolder>> Make(const std::string& parent,
                                                           const std::string& prefix);
  // In the folder for temporary files.
  static absl::StatusOr<std::unique_ptr<OwnedFolder>> MakeTemporary(const std::string& prefix);
  ~OwnedFolder();
  OwnedFolder(const OwnedFolder&) = delete;
  OwnedFolder& operator=(const OwnedFolder&) = delete;

  const std::string& path() const { return path_; }

 private:
  OwnedFolder(std::string path, int lock_fd) : path_(std::move(path)), lock_fd_(lock_fd) {}

  const std::string path_;
  const int lock_fd_;
};

}  // namespace sweep
