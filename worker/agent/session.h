#pragma once

#include <functional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/base/mutex.h"
#include "grpcpp/client_context.h"
#include "sweep/v1/workers.pb.h"
#include "worker/agent/coordinator_client.h"
#include "worker/agent/lease_table.h"

namespace sweep {

// The worker's side of Synchronize: a thread keeps one call parked at the coordinator, applies the
// answers to the lease table, and reconnects by itself whenever the coordinator was away.
// Thread-safe.
class Session {
 public:
  // Called on the session's thread; must return at once.
  struct Events {
    std::function<void()> leases_changed;
    // The coordinator asks this worker to give back its leases and end.
    std::function<void()> drain_asked;
    // All leases that the coordinator wants back, because their sweeps are paused. Called only when
    // the set has changed.
    std::function<void(const std::set<LeaseKey>&)> give_back;
    // All leases to stop for good, keeping their weights. Called only when the set has changed.
    std::function<void(const std::set<LeaseKey>&)> stop;
    // The coordinator has answered a call that announced the drain.
    std::function<void()> drain_acknowledged;
    // The coordinator refuses this worker; the session has ended.
    std::function<void(absl::Status)> refused;
  };

  // `worker` is the description to send; its name is the worker's name.
  Session(CoordinatorClient* client, LeaseTable* leases, v1::Worker worker, std::string id);
  // Stops, and waits for the thread.
  ~Session();

  // Makes the first call, and repeats it for `patience`. Errors name `address`: Unavailable, with
  // the reason of the first try, or the coordinator's refusal.
  absl::Status Connect(const std::string& address, absl::Duration patience);
  // Continues on a thread of its own.
  void Start(Events events);
  // Tells the coordinator at once that no new leases are wanted.
  void SetDraining();
  void Stop();
  // Tells the coordinator at once that refused data, with this digest, was replaced.
  void DataChanged(const std::string& sha256);
  // Adds a device that trials run on to the worker's description.
  void AddDevice(const std::string& device);

 private:
  struct Outcome {
    absl::Status status;
    v1::SynchronizeResponse answer;
    bool draining = false;
    bool changed = false;
  };

  void Run();
  Outcome Call(bool no_wait, const SynchronizeWait& wait);
  void OnAnswer(const Outcome& outcome);
  // False when the session has been stopped.
  bool Pause(absl::Duration duration);
  bool stopped();
  bool hurried();
  v1::SynchronizeRequest MakeRequest(bool no_wait) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  CoordinatorClient* const client_;
  LeaseTable* const leases_;
  const std::string id_;
  Events events_;

  Mutex mutex_;
  CondVar changed_;
  v1::Worker worker_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> devices_ ABSL_GUARDED_BY(mutex_);
  std::set<std::string> changed_data_ ABSL_GUARDED_BY(mutex_);  // not reported yet
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  bool hurry_ ABSL_GUARDED_BY(mutex_) = false;  // call now, and do not park
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  grpc::ClientContext* parked_ ABSL_GUARDED_BY(mutex_) = nullptr;

  std::set<LeaseKey> stopped_leases_;  // used by the thread only; last passed to Events::stop
  std::set<LeaseKey> given_back_;      // used by the thread only; last passed to Events::give_back

  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace sweep
