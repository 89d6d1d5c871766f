#pragma once

#include <atomic>
#include <map>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "common/base/mutex.h"
#include "worker/data/data_digest.h"
#include "worker/data/dataset.h"

namespace sweep {

// A data set that is there.
struct DataSource {
  std::string folder;  // "" when it needs none
  std::string sha256;  // of its content, see DataDigest; "" for a program's own data
  DataStamp stamp;     // of the reading that gave it
};

// Makes sure of each data set, and knows what is in it: the first who asks looks for it, may
// download it, and reads it, on the own thread; others who want the same one wait. It is read again
// whenever its files may have changed since. A failure is not remembered, so the next trial tries
// again. Thread-safe.
class DatasetCache {
 public:
  explicit DatasetCache(DataOptions options);

  // The data set as it is now. NotFound with the reason.
  absl::StatusOr<DataSource> Get(const DatasetSpec& dataset);

  // Ends a download that runs; whoever waits for it gets an error.
  void Shutdown() { shut_down_ = true; }

 private:
  struct Entry {
    bool busy = false;
    std::optional<DataSource> known;
  };

  // Exceptions are the caller's.
  std::string Ensure(const DatasetSpec& dataset);
  DataSource Read(const DatasetSpec& dataset);

  const DataOptions options_;
  std::atomic<bool> shut_down_ = false;
  Mutex mutex_;
  CondVar changed_;
  std::map<std::string, Entry> entries_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sweep
