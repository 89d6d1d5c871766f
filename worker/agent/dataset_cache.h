#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "common/base/mutex.h"
#include "worker/agent/upload_cache.h"
#include "worker/data/data_digest.h"
#include "worker/data/dataset.h"

namespace sweep {

// A data set that is present.
struct DataSource {
  std::string folder;  // "" when it needs none
  std::string sha256;  // of its content, see DataDigest; "" for a program's own data
  DataStamp stamp;     // taken when the digest was computed
  // Keeps uploaded data on this machine; null for other data. Shared by the trials that use it.
  std::shared_ptr<const void> hold = nullptr;
};

// Provides data sets and their digests. The first caller that asks for one finds it, may download
// it, and reads it, on its own thread; other callers that want the same one wait. It is read again
// whenever its files may have changed. A failure is not remembered, so the next trial tries again.
// Thread-safe.
class DatasetCache {
 public:
  // `uploads` has what was uploaded to the coordinator, and must outlive the object; null: such
  // data cannot be had.
  explicit DatasetCache(DataOptions options, UploadCache* uploads = nullptr);

  // The data set in its present state. NotFound with the reason; for uploaded data the status of
  // UploadCache::Get, to which `is_over` goes.
  absl::StatusOr<DataSource> Get(const DatasetSpec& dataset,
                                 const UploadCache::IsOver& is_over = {});

  // Ends a running download with an error.
  void Shutdown();

 private:
  struct Entry {
    bool busy = false;
    std::optional<DataSource> known;
  };

  // Both may throw; the caller catches.
  std::string Ensure(const DatasetSpec& dataset);
  DataSource Read(const DatasetSpec& dataset, const std::string& folder);
  // The present state; `known` is the state when it was last read, if ever.
  absl::StatusOr<DataSource> Find(const DatasetSpec& dataset, const UploadCache::IsOver& is_over,
                                  std::optional<DataSource> known);

  const DataOptions options_;
  UploadCache* const uploads_;
  std::atomic<bool> shut_down_ = false;
  Mutex mutex_;
  CondVar changed_;
  std::map<std::string, Entry> entries_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sweep
