#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <string>
#include <thread>

#include "common/base/mutex.h"
#include "worker/agent/dataset_cache.h"

namespace sweep {

// Watches data that the coordinator has refused. Once somebody has replaced the files and stopped
// writing to them, the worker may be given those sweeps again. Reads files only when their times
// have changed. Thread-safe.
class DataWatch {
 public:
  static constexpr std::chrono::milliseconds kPeriod{2000};

  // Calls `changed` on this object's own thread, with the refused digest of replaced data.
  explicit DataWatch(std::function<void(const std::string& sha256)> changed,
                     std::chrono::milliseconds period = kPeriod);
  // Waits for a read that is under way.
  ~DataWatch();
  DataWatch(const DataWatch&) = delete;
  DataWatch& operator=(const DataWatch&) = delete;

  // `source` has been refused.
  void Add(const DatasetSpec& dataset, const DataSource& source);

 private:
  struct Refused {
    DatasetSpec dataset;
    DataSource source;  // its stamp is that of the last read
  };

  void Run();
  // True if the content has changed and nobody is writing to it.
  static bool HasChanged(Refused* refused);

  const std::function<void(const std::string&)> changed_;
  const std::chrono::milliseconds period_;
  Mutex mutex_;
  CondVar wake_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::list<Refused> added_ ABSL_GUARDED_BY(mutex_);
  std::list<Refused> refused_;  // used by the thread only
  std::jthread thread_;         // last: it uses all of the above
};

}  // namespace sweep
