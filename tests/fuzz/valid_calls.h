#pragma once

#include <google/protobuf/descriptor.h>
#include <google/protobuf/message.h>

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "sweep/v1/callers.pb.h"
#include "sweep/v1/views.pb.h"
#include "sweep/v1/workers.pb.h"

namespace sweep {

// Requests that a coordinator should accept, or refuse only because of other callers: a worker that
// works on its leases, a program that asks for trials, and people who query sweeps and make
// decisions. Used by one thread.
class ValidCalls {
 public:
  // `name` is the worker's, unique among callers.
  ValidCalls(std::string name, std::mt19937_64* random)
      : name_(std::move(name)), random_(*random) {}

  // The messages of one call; only streams have several. Empty when the method has no sensible
  // request just now, such as a report without a lease.
  std::vector<std::unique_ptr<google::protobuf::Message>> Make(
      const google::protobuf::MethodDescriptor& method);
  // Takes the response of the last call; null for an error.
  void Learn(const google::protobuf::Message* response);

 private:
  struct Work {
    v1::LeaseToken token;
    int epochs = 0;  // acknowledged ones
    std::int64_t lines = 0;
  };

  bool Fill(v1::SynchronizeRequest* request);
  bool Fill(v1::ReportEpochsRequest* request);
  bool Fill(v1::AppendLogsRequest* request);
  bool Fill(v1::FinishLeaseRequest* request);
  bool Fill(v1::ReportProgressRequest* request);
  void Fill(v1::SuggestTrialRequest* request);
  bool Fill(v1::ReportTrialRequest* request);
  void Fill(v1::GetViewRequest* request);
  // Acts as a worker: synchronizes, works, synchronizes again. Or as a caller: asks and tells.
  bool FillAsWorker(google::protobuf::Message* request);
  // Fills in a name, and sometimes a little more.
  bool FillAsPerson(google::protobuf::Message* request);
  std::vector<std::unique_ptr<google::protobuf::Message>> MakeBlob();
  void Learn(const v1::SuggestTrialResponse& response);
  void Learn(const v1::ReportTrialResponse& response);
  void RememberLeases(const v1::SynchronizeResponse& response);
  // One of the leases; null when there is none.
  Work* Pick();
  std::string SomeSweep();
  std::string SomeTrial();
  std::string WorkerName() const { return name_ + "-" + std::to_string(generation_); }

  const std::string name_;
  std::mt19937_64& random_;
  int generation_ = 1;  // a drained worker comes back under another name
  std::vector<Work> work_;
  Work* current_ = nullptr;  // the lease of the last call
  std::vector<Work> asked_;  // trials that it got as a caller
  std::string last_method_;
  int reported_ = 0;  // epochs in the last call
  std::vector<std::string> blobs_;
  std::int64_t budget_ = 20;  // the last requested one
};

}  // namespace sweep
