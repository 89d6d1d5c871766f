#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace sweep {

struct BackupOptions {
  std::string database;
  std::string file;  // the copy; its blobs go into "<file>.blobs"
  // Receives a line every few seconds while the backup runs.
  std::function<void(const std::string&)> progress = nullptr;
  // Called often. When it returns true, the backup ends with Cancelled.
  std::function<bool()> is_cancelled = nullptr;
};

struct BackupResult {
  std::int64_t size_bytes = 0;  // of the database's copy
  std::int64_t blobs = 0;
  // Blobs that the database refers to but that are missing or damaged. The copy lacks them.
  std::vector<std::string> faults;
};

// Copies a database as it was at one moment, also while a coordinator uses it, and the blobs that
// it refers to. Blobs become hard links where the file system allows it. The original is only read.
// The copy gets its name after all of it is on the disk; an error or an interruption leaves nothing
// behind. AlreadyExists when the name is taken; NotFound when there is no database.
absl::StatusOr<BackupResult> BackUp(const BackupOptions& options);

}  // namespace sweep
