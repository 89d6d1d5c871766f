#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coordinator/store/file_lock.h"

namespace sweep {

// The temporary files of a backup: "<file>.unfinished-backup-<8 digits>", and beside it SQLite's
// files and the blobs. The destructor removes what is left. A lock on the file marks it as in use.
class UnfinishedFiles {
 public:
  // Creates the empty file.
  static absl::StatusOr<std::unique_ptr<UnfinishedFiles>> Make(const std::string& file);
  ~UnfinishedFiles();
  UnfinishedFiles(const UnfinishedFiles&) = delete;
  UnfinishedFiles& operator=(const UnfinishedFiles&) = delete;

  const std::string& file() const { return file_; }
  std::string blobs() const;

  // Removes the files of killed backups, which are not locked, from a folder. Returns the number of
  // such backups.
  static int RemoveAbandoned(const std::string& folder);

 private:
  UnfinishedFiles(std::string file, std::unique_ptr<FileLock> lock);
  const std::string file_;
  const std::unique_ptr<FileLock> lock_;
};

}  // namespace sweep
