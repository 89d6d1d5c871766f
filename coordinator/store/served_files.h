#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/base/mutex.h"
#include "coordinator/store/database_file.h"
#include "coordinator/store/file_lock.h"

namespace sweep {

// Whether the files of a database that is served are still those that their names lead to. What is
// written into a file that was deleted is gone with this process, and beside one that was replaced
// another coordinator may write. The write-ahead log, its index and the blobs' folder count from
// when they are seen first. Thread-safe.
class ServedFiles {
 public:
  // While the database's lock is held.
  explicit ServedFiles(const DatabaseFile& database);

  // OK, or Unavailable, naming the file that was deleted or replaced. It is OK again when that
  // very file is back, as after it was moved away by mistake. A few microseconds.
  absl::Status Check();
  // For one who closes the last connection, with which SQLite removes the log and its index.
  void ForgetLog();

 private:
  struct File {
    const char* what;
    std::string path;
    std::optional<FileId> id;
  };
  const DatabaseFile database_;
  Mutex mutex_;
  std::vector<File> files_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sweep
