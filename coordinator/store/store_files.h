#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/mutex.h"
#include "coordinator/store/database_file.h"
#include "coordinator/store/lock_file.h"
#include "coordinator/store/served_files.h"
#include "coordinator/store/store_load.h"

namespace sweep {

// The files of a store: where they lie, whether they are still its own, and where the process that
// has them open can be reached. A store in memory has none. Thread-safe.
class StoreFiles {
 public:
  // In memory.
  StoreFiles() = default;
  // Of a database that is open.
  StoreFiles(DatabaseFile file, std::unique_ptr<LockFile> lock);

  // Of the write-ahead log's file; 0 in memory.
  std::int64_t LogBytes() const;
  // Where the blobs of this database lie; "" for one in memory.
  std::string BlobFolder() const { return file_ ? file_->blobs() : ""; }
  // OK, or Unavailable when one of the database's files was deleted or replaced: what lies there
  // now may belong to somebody else.
  absl::Status Check() { return served_ ? served_->Check() : absl::OkStatus(); }
  // Publishes where this process can be reached, for those who find the file in use.
  absl::Status PublishAddress(const std::string& address);
  // The address that the holder of `path` has published; NotFound when nobody holds it.
  static absl::StatusOr<std::string> FindHolder(const std::string& path);

  // --- for the store itself ---
  // Null in memory.
  const DatabaseFile* database() const { return file_ ? &*file_ : nullptr; }
  ServedFiles* served() { return served_ ? &*served_ : nullptr; }
  // Publishes an address that has found no room on the disk.
  void PublishAgain();
  // What was copied over the database is sound by itself, but not with this log.
  void PutLogAside() const;
  // Sets the bytes.
  void Measure(StoreLoad* load) const;

 private:
  const std::optional<DatabaseFile> file_;
  const std::unique_ptr<LockFile> lock_;  // null in memory
  std::optional<ServedFiles> served_;
  Mutex mutex_;
  std::string unpublished_ ABSL_GUARDED_BY(mutex_);  // an address that found no room
};

}  // namespace sweep
