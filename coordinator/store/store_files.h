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

// The files of a store: their paths, whether they are still the ones it opened, and the address of
// the process that has them open. A store in memory has no files. Thread-safe.
class StoreFiles {
 public:
  // In memory.
  StoreFiles() = default;
  // Of a database that is open.
  StoreFiles(DatabaseFile file, std::unique_ptr<LockFile> lock);

  // Of the write-ahead log's file; 0 in memory.
  std::int64_t LogBytes() const;
  // The folder of the blobs; "" in memory.
  std::string BlobFolder() const { return file_ ? file_->blobs() : ""; }
  // Unavailable when a file was deleted or replaced: the file at its path may belong to somebody
  // else.
  absl::Status Check() { return served_ ? served_->Check() : absl::OkStatus(); }
  // Publishes the address of this process, for others that find the file in use.
  absl::Status PublishAddress(const std::string& address);
  // The address that the holder of `path` has published; NotFound when it is not in use.
  static absl::StatusOr<std::string> FindHolder(const std::string& path);

  // --- for the store itself ---
  // Null in memory.
  const DatabaseFile* database() const { return file_ ? &*file_ : nullptr; }
  ServedFiles* served() { return served_ ? &*served_ : nullptr; }
  // Publishes again an address for which the disk was full.
  void PublishAgain();
  // Renames the log after another file was copied over the database: the two do not match.
  void PutLogAside() const;
  // Sets the sizes in `load`.
  void Measure(StoreLoad* load) const;

 private:
  const std::optional<DatabaseFile> file_;
  const std::unique_ptr<LockFile> lock_;  // null in memory
  std::optional<ServedFiles> served_;
  Mutex mutex_;
  std::string unpublished_ ABSL_GUARDED_BY(mutex_);  // an address for which the disk was full
};

}  // namespace sweep
