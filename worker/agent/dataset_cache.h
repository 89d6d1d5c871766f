#pragma once

#include <atomic>
#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "common/base/mutex.h"
#include "worker/data/dataset.h"

namespace sweep {

// Makes sure of each data set once per worker: the first who asks looks for it, and may download
// it, on the own thread; others who want the same one wait. A failure is not remembered, so the
// next trial tries again. Thread-safe.
class DatasetCache {
 public:
  explicit DatasetCache(DataOptions options);

  // The folder of the data set, "" when it needs none. NotFound with the reason.
  absl::StatusOr<std::string> Folder(const DatasetSpec& dataset);

  // Ends a download that runs; whoever waits for it gets an error.
  void Shutdown() { shut_down_ = true; }

 private:
  struct Entry {
    bool busy = false;
    bool known = false;
    std::string folder;
  };

  absl::StatusOr<std::string> Ensure(const DatasetSpec& dataset);

  const DataOptions options_;
  std::atomic<bool> shut_down_ = false;
  Mutex mutex_;
  CondVar changed_;
  std::map<std::string, Entry> entries_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sweep
