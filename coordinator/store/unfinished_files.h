#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coordinator/store/file_lock.h"

namespace sweep {

// The names under which a backup is made, "<file>.unfinished-backup-<8 digits>" with what SQLite
// and the blobs put beside it; what is left of it goes with the object. A lock on the file shows
// others that somebody is making it.
class UnfinishedFiles {
 public:
  // Makes the file, empty.
  static absl::StatusOr<std::unique_ptr<UnfinishedFiles>> Make(const std::string& file);
  ~UnfinishedFiles();
  UnfinishedFiles(const UnfinishedFiles&) = delete;
  UnfinishedFiles& operator=(const UnfinishedFiles&) = delete;

  const std::string& file() const { return file_; }
  std::string blobs() const;

  // Removes what killed backups have left in a folder: those that nobody holds the lock of. How
  // many there were.
  static int RemoveAbandoned(const std::string& folder);

 private:
  UnfinishedFiles(std::string file, std::unique_ptr<FileLock> lock);
  const std::string file_;
  const std::unique_ptr<FileLock> lock_;
};

}  // namespace sweep
