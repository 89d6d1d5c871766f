#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace sweep {

// Removes the file or folder at `path`, including folders that were made read-only. Follows no
// link. False when something is left.
bool RemoveTree(const std::string& path);

// The folder for temporary files. NotFound, naming the variable, when TMPDIR (or TMP, TEMP,
// TEMPDIR) does not name a folder.
absl::StatusOr<std::string> TemporaryFolder();

// A folder of this process's own inside another, named by a prefix and six random characters. Its
// file `lock` is locked as long as this object lives; the destructor removes both. Making such a
// folder also cleans up after killed processes: first the processes marked with their folders
// (KillMarked), then the files. A leftover folder is known by a lock that nobody holds, or by being
// empty without a lock.
class OwnedFolder {
 public:
  // PermissionDenied or similar, naming the folder.
  static absl::StatusOr<std::unique_ptr<OwnedFolder>> Make(const std::string& parent,
                                                           const std::string& prefix);
  // Makes the folder in TemporaryFolder().
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
