#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace sweep {

// The exclusive right to use a database: a lock on "<database>.lock" that the kernel drops when the
// process ends, however it ends. The file itself stays, and holds the process id and the address
// of the last holder, for those who find it locked. Thread-safe.
class LockFile {
 public:
  // FailedPrecondition "database 'x' is in use by another coordinator at HOST:PORT (pid N)";
  // PermissionDenied when the file cannot be created.
  static absl::StatusOr<std::unique_ptr<LockFile>> Acquire(const std::string& database);
  ~LockFile();
  LockFile(const LockFile&) = delete;
  LockFile& operator=(const LockFile&) = delete;

  absl::Status Publish(const std::string& address);

  // The address that the holder has published. NotFound when nobody holds the lock; Unavailable
  // when the holder has not published one yet.
  static absl::StatusOr<std::string> FindHolder(const std::string& database);

 private:
  LockFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  const int fd_;
  const std::string path_;
};

}  // namespace sweep
