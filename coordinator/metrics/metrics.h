#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "coordinator/scheduler/scheduler_types.h"
#include "coordinator/store/store_load.h"

namespace sweep {

// The coordinator's metrics in Prometheus's text format 0.0.4. docs/metrics.md lists them all.
// Latencies and sizes are recorded as they happen; other values are in memory and queried when the
// text is made, so that making it reads no database and waits for no write. Labels have few values:
// none is the name of a trial, a sweep or a worker. Thread-safe.
class CoordinatorMetrics {
 public:
  // A call of the gRPC services.
  struct Method {
    std::string name;  // "WorkerService/ReportEpochs"
    // False for calls that last until a client stops waiting: they are counted, not timed.
    bool timed = true;
  };
  struct Options {
    std::string version;
    std::vector<Method> methods;
  };
  // Calls waiting for a thread, by pool.
  struct Waiting {
    std::int64_t reads = 0;
    std::int64_t files = 0;
  };
  // The sources of the numbers; all must be set.
  struct Sources {
    std::function<absl::Time()> now;
    std::function<SchedulerCounts()> scheduler;
    std::function<StoreLoad()> store;
    // Seconds until all active sweeps have ended; nullopt while unknown.
    std::function<std::optional<double>()> time_left;
    std::function<Waiting()> waiting;
  };

  static std::unique_ptr<CoordinatorMetrics> Make(const Options& options);
  virtual ~CoordinatorMetrics() = default;

  // `method` is an index into Options' methods; `code` is a grpc::StatusCode.
  virtual void OnCall(std::size_t method, int code, absl::Duration duration) = 0;
  virtual void OnBatch(const BatchReport& batch) = 0;

  // Only this function calls `sources`, on its thread.
  virtual std::string Text(const Sources& sources) const = 0;
};

}  // namespace sweep
