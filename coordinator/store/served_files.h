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

// Checks that the open files of a database are still the ones at their paths and that no other
// program has written into them. Writes into a deleted file are lost when the process ends; another
// coordinator may write into a file that replaced ours; a file that was overwritten by a copy mixes
// two databases. The write-ahead log, its index and the blobs' folder are checked once they exist.
// Thread-safe.
class ServedFiles {
 public:
  // `fd` is the open file of the database's lock. This class opens no descriptor of its own, since
  // closing one would drop SQLite's locks. Requires that the lock is held.
  ServedFiles(const DatabaseFile& database, int fd);

  // Unavailable when a file was deleted, replaced or written to; the message names it. OK again
  // when the same file is back, for example after it was moved by mistake. Takes microseconds.
  absl::Status Check();
  // False after another program has written into the database.
  bool IsContentOurs();
  // Call before the last connection is closed: SQLite then removes the log and its index.
  void ForgetLog();

  // Exists while this process writes into the database and truncates its log: a checkpoint.
  class OwnWrite {
   public:
    explicit OwnWrite(ServedFiles* files);
    ~OwnWrite();
    OwnWrite(const OwnWrite&) = delete;
    OwnWrite& operator=(const OwnWrite&) = delete;

   private:
    ServedFiles* const files_;  // null for a database in memory
  };

 private:
  // Differs after every write into the database. It changes only during checkpoints.
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
  Content content_ ABSL_GUARDED_BY(mutex_);  // after this process last wrote
  off_t log_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace sweep
