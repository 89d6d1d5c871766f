#pragma once

#include <sys/types.h>
#include <time.h>

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/base/mutex.h"
#include "coordinator/store/database_file.h"
#include "coordinator/store/file_lock.h"

namespace sweep {

// Whether the files of a database that is served are still those that their names lead to, and
// nobody else has written into them. What is written into a file that was deleted is gone with this
// process, beside one that was replaced another coordinator may write, and one that was copied over
// is a mixture of two. The write-ahead log, its index and the blobs' folder count from when they
// are seen first. Thread-safe.
class ServedFiles {
 public:
  // While the database's lock is held, whose open file on the database is `fd`: another one must
  // not be opened and closed here, since that drops SQLite's own locks.
  ServedFiles(const DatabaseFile& database, int fd);

  // OK, or Unavailable, naming the file that was deleted, replaced or written to. It is OK again
  // when that very file is back, as after it was moved away by mistake. A few microseconds.
  absl::Status Check();
  // False once another program has written into the database.
  bool IsContentOurs();
  // For one who closes the last connection, with which SQLite removes the log and its index.
  void ForgetLog();

  // While it lives, the database is written to and its log cut by this process: a checkpoint.
  class OwnWrite {
   public:
    explicit OwnWrite(ServedFiles* files);
    ~OwnWrite();
    OwnWrite(const OwnWrite&) = delete;
    OwnWrite& operator=(const OwnWrite&) = delete;

   private:
    ServedFiles* const files_;  // null: nothing to tell
  };

 private:
  // What changes with every write into the database: outside of checkpoints, nothing does.
  struct Content {
    off_t size = 0;
    timespec changed{};
    std::array<char, 100> head{};  // SQLite's header, which counts the changes
  };
  struct File {
    const char* what;
    std::string path;
    std::optional<FileId> id;
  };
  Content Look() const;
  absl::Status CheckContent() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const DatabaseFile database_;
  const int fd_;
  Mutex mutex_;
  std::vector<File> files_ ABSL_GUARDED_BY(mutex_);
  int own_writes_ ABSL_GUARDED_BY(mutex_) = 0;
  Content content_ ABSL_GUARDED_BY(mutex_);  // after the last own write
  off_t log_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace sweep
