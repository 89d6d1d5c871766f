#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace sweep {

struct BackupOptions {
  std::string database;
  std::string file;  // the copy; its blobs come to lie in "<file>.blobs"
  // Called with a line now and then while it takes long.
  std::function<void(const std::string&)> progress = nullptr;
  // Asked all the time; true ends the backup with Cancelled.
  std::function<bool()> is_cancelled = nullptr;
};

struct BackupResult {
  std::int64_t size_bytes = 0;  // of the database's copy
  std::int64_t blobs = 0;
  // Blobs that the database refers to and that are not whole; the copy has them not.
  std::vector<std::string> faults;
};

// Copies a database, whether a coordinator uses it or not, as it was at one moment, with the blobs
// that it refers to: hard links on the same file system. Only reads the original. The copy appears
// under its name when all of it is on the disk; an error or an interruption leaves nothing there.
// AlreadyExists when something has that name; NotFound when there is no database.
absl::StatusOr<BackupResult> BackUp(const BackupOptions& options);

}  // namespace sweep
