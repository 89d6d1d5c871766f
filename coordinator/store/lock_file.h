#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "coordinator/store/database_file.h"
#include "coordinator/store/file_lock.h"

namespace sweep {

// The exclusive right to use a database. It is a lock on "<database>.lock" and one on the database
// itself, since a database with several names would have a lock file beside each. The lock file is
// not removed. It contains the last holder's process id and address, for processes that find it
// locked. Thread-safe.
class LockFile {
 public:
  struct Options {
    // True for a client that holds the lock only while it makes its requests.
    bool momentary = false;
    // How long to wait for such a client.
    absl::Duration patience = absl::ZeroDuration();
  };

  // FailedPrecondition "database 'x' is in use by another coordinator at HOST:PORT (pid N)", or
  // when the file has several names; PermissionDenied when a file cannot be created.
  static absl::StatusOr<std::unique_ptr<LockFile>> Acquire(const DatabaseFile& database,
                                                           const Options& options);
  ~LockFile();
  LockFile(const LockFile&) = delete;
  LockFile& operator=(const LockFile&) = delete;

  // The descriptor of the database whose lock is held. Do not close it.
  int database_fd() const { return database_lock_->fd(); }

  absl::Status Publish(const std::string& address);
  // Removes the files that Acquire created, after the database turned out to be unusable.
  void Discard();

  // The address that the holder has published. NotFound when the lock is free; Unavailable when the
  // holder has not published one yet.
  static absl::StatusOr<std::string> FindHolder(const DatabaseFile& database);
  // Checks whether the file may be read without its coordinator. FailedPrecondition when the
  // database has several names, or a coordinator serves it under another one: the write-ahead log
  // is beside that name. Must not be called by a process that has the database open.
  static absl::Status MayRead(const DatabaseFile& database);

 private:
  LockFile(DatabaseFile database, bool momentary, std::unique_ptr<FileLock> lock);
  absl::Status WriteHolder(const std::string& address);
  absl::Status LockDatabase();

  const DatabaseFile database_;
  const bool momentary_;
  std::unique_ptr<FileLock> lock_;
  std::unique_ptr<FileLock> database_lock_;
  FileId database_id_;
  bool lock_is_new_ = false;
  bool database_is_new_ = false;
};

}  // namespace sweep
