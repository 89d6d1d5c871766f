#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <thread>

#include "common/base/mutex.h"
#include "coordinator/scheduler/scheduler.h"
#include "coordinator/specs/spec_cache.h"
#include "coordinator/store/store.h"
#include "coordinator/views/time_left.h"
#include "grpcpp/support/server_callback.h"
#include "sweep/v1/sweeps.pb.h"

namespace sweep {

class WatchReactor;

// All open WatchSweep streams. Each reads the store from its own cursor, one page at a time and
// only after the client has taken the previous page, so a slow client costs one page of memory. All
// reading, including the first look-up of the sweep, runs on one thread of the hub. Thread-safe.
class WatchHub {
 public:
  WatchHub(Store* store, Scheduler* scheduler, SpecCache* specs, TimeLeft* time_left);
  // Requires Stop, and that every stream has ended (the gRPC server is down).
  ~WatchHub();

  // Opens a stream, or one that ends at once with an error.
  grpc::ServerWriteReactor<v1::WatchSweepResponse>* Open(grpc::CallbackServerContext* context,
                                                         const v1::WatchSweepRequest& request);
  // Ends all streams (Unavailable) and refuses new ones. The stream of a client that does not read
  // stays open until the server cancels it.
  void Stop();

 private:
  friend class WatchReactor;
  void Enqueue(std::shared_ptr<WatchReactor> watch) ABSL_LOCKS_EXCLUDED(mutex_);
  void Remove(WatchReactor* watch) ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<v1::Sweep> Describe(const SweepRow& sweep);
  void PumpThread();

  Store* const store_;
  Scheduler* const scheduler_;
  SpecCache* const specs_;
  TimeLeft* const time_left_;
  Mutex mutex_;
  CondVar wake_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  bool ending_ ABSL_GUARDED_BY(mutex_) = false;
  // Shared: gRPC, the queue and a signal under way may each hold the last reference.
  std::map<WatchReactor*, std::shared_ptr<WatchReactor>> open_ ABSL_GUARDED_BY(mutex_);
  std::deque<std::shared_ptr<WatchReactor>> queue_ ABSL_GUARDED_BY(mutex_);
  std::set<WatchReactor*> queued_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace sweep
