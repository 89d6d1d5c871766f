#pragma once

#include <map>
#include <string>
#include <thread>

#include "common/base/mutex.h"
#include "sweep/v1/workers.pb.h"
#include "worker/agent/coordinator_client.h"

namespace sweep {

// Tells the coordinator once per second where running trials stand, in one call for all, from a
// thread of its own. What cannot be sent is dropped: the next second has newer news. Thread-safe.
class ProgressReporter {
 public:
  ProgressReporter(CoordinatorClient* client, std::string session);
  // The client has to be shut down before, or this waits for its call.
  ~ProgressReporter();

  // The latest news of a slot's trial.
  void Update(int slot, v1::Progress progress);
  // The slot's trial has ended.
  void Remove(int slot);

 private:
  void Run();
  // What is new; empty at the end of this object.
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
