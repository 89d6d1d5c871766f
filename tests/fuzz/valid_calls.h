#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "sweep/v1/views.pb.h"
#include "sweep/v1/workers.pb.h"

namespace sweep {

// Requests that a coordinator should accept, or refuse only because of what others did meanwhile:
// a worker with leases that it works on, and people who look into sweeps and decide about them.
// Used by one thread.
class ValidCalls {
 public:
  // `name` is of the worker, unique among callers.
  ValidCalls(std::string name, std::mt19937_64* random)
      : name_(std::move(name)), random_(*random) {}

  // The messages of one call; more than one for streams only. Empty when nothing sensible can be
  // asked of the method just now, such as a report without a lease.
  std::vector<std::unique_ptr<google::protobuf::Message>> Make(
      const google::protobuf::MethodDescriptor& method);
  // What came of the call that was made last: null for an error.
  void Learn(const google::protobuf::Message* response);

 private:
  struct Work {
    v1::LeaseToken token;
    int epochs = 0;  // that were acknowledged
    std::int64_t lines = 0;
  };

  bool Fill(v1::SynchronizeRequest* request);
  bool Fill(v1::ReportEpochsRequest* request);
  bool Fill(v1::AppendLogsRequest* request);
  bool Fill(v1::FinishLeaseRequest* request);
  bool Fill(v1::ReportProgressRequest* request);
  void Fill(v1::GetViewRequest* request);
  // A worker: synchronizes, works, synchronizes again.
  bool FillAsWorker(google::protobuf::Message* request);
  // Everything else needs a name, sometimes a little more.
  bool FillAsPerson(google::protobuf::Message* request);
  std::vector<std::unique_ptr<google::protobuf::Message>> MakeBlob();
  void TakeUp(const v1::SynchronizeResponse& response);
  // One of the leases; null when there is none.
  Work* Pick();
  std::string SomeSweep();
  std::string SomeTrial();
  std::string WorkerName() const { return name_ + "-" + std::to_string(generation_); }

  const std::string name_;
  std::mt19937_64& random_;
  int generation_ = 1;  // a drained worker comes back under another name
  std::vector<Work> work_;
  Work* current_ = nullptr;  // what the last call was about
  std::string last_method_;
  int reported_ = 0;  // epochs, by the last call
  std::vector<std::string> blobs_;
  std::int64_t budget_ = 20;  // the last that was asked for
};

}  // namespace sweep
