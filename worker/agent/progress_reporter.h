#pragma once

#include <map>
#include <string>
#include <thread>

#include "common/base/mutex.h"
#include "sweep/v1/workers.pb.h"
#include "worker/agent/coordinator_client.h"

namespace sweep {

// Reports the progress of all running trials to the coordinator once per second, in one call, from
// a thread of its own. An update that cannot be sent is dropped: the next second brings a newer
// one. Thread-safe.
class ProgressReporter {
 public:
  ProgressReporter(CoordinatorClient* client, std::string session);
  // The client must be shut down before; otherwise this waits for its call.
  ~ProgressReporter();

  // The latest progress of a slot's trial.
  void Update(int slot, v1::Progress progress);
  // The slot's trial has ended.
  void Remove(int slot);

 private:
  void Run();
  // Waits for updates and moves them into the request. False at the end of this object.
  bool WaitForNews(v1::ReportProgressRequest* request);

  CoordinatorClient* const client_;
  const std::string session_;
  Mutex mutex_;
  CondVar changed_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::map<int, v1::Progress> news_ ABSL_GUARDED_BY(mutex_);
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace sweep
