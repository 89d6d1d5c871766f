#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "coordinator/store/database_file.h"
#include "coordinator/store/file_lock.h"

namespace sweep {

// The exclusive right to use a database: a lock on "<database>.lock", and one on the database
// itself for those who reach it by a name beside which there is another lock file. The lock file
// stays, and holds the process id and the address of the last holder, for those who find it locked.
// Thread-safe.
class LockFile {
 public:
  struct Options {
    // Held by a client for the time of its questions.
    bool momentary = false;
    // How long to wait for a momentary holder.
    absl::Duration patience = absl::ZeroDuration();
  };

  // FailedPrecondition "database 'x' is in use by another coordinator at HOST:PORT (pid N)", or
  // when the file has several names; PermissionDenied when a file cannot be created.
  static absl::StatusOr<std::unique_ptr<LockFile>> Acquire(const DatabaseFile& database,
                                                           const Options& options);
  ~LockFile();
  LockFile(const LockFile&) = delete;
  LockFile& operator=(const LockFile&) = delete;

  // The open file on the database that has its lock. Not to be closed.
  int database_fd() const { return database_lock_->fd(); }

  absl::Status Publish(const std::string& address);
  // Removes what Acquire created, for a database that cannot be used after all.
  void Discard();

  // The address that the holder has published. NotFound when nobody holds the lock; Unavailable
  // when the holder has not published one yet.
  static absl::StatusOr<std::string> FindHolder(const DatabaseFile& database);
  // For one who reads the file without a coordinator. FailedPrecondition when what is found by
  // this name is not all of it: the file has several names, or is served under another one, and
  // the write-ahead log lies beside that. Not in a process that has the database open.
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
