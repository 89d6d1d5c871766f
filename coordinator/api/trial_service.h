#pragma once

#include "coordinator/api/work_pool.h"
#include "coordinator/scheduler/scheduler.h"
#include "coordinator/specs/spec_cache.h"
#include "coordinator/store/store.h"
#include "sweep/v1/trials.grpc.pb.h"

namespace sweep {

// Implements trials.proto over the store and the scheduler. Thin: checks, converts, delegates.
// Thread-safe.
class TrialService final : public v1::TrialService::CallbackService {
 public:
  struct Parts {  // all must outlive it
    Store* store = nullptr;
    Scheduler* scheduler = nullptr;
    SpecCache* specs = nullptr;
    WorkPool* reads = nullptr;    // runs queries
    WorkPool* parsing = nullptr;  // parses sweep files
  };
  explicit TrialService(const Parts& parts)
      : store_(parts.store),
        scheduler_(parts.scheduler),
        specs_(parts.specs),
        reads_(parts.reads),
        parsing_(parts.parsing) {}

  grpc::ServerUnaryReactor* GetTrial(grpc::CallbackServerContext* context,
                                     const v1::GetTrialRequest* request,
                                     v1::GetTrialResponse* response) override;
  grpc::ServerUnaryReactor* ListTrials(grpc::CallbackServerContext* context,
                                       const v1::ListTrialsRequest* request,
                                       v1::ListTrialsResponse* response) override;
  grpc::ServerUnaryReactor* ListEpochs(grpc::CallbackServerContext* context,
                                       const v1::ListEpochsRequest* request,
                                       v1::ListEpochsResponse* response) override;
  grpc::ServerUnaryReactor* ListAttempts(grpc::CallbackServerContext* context,
                                         const v1::ListAttemptsRequest* request,
                                         v1::ListAttemptsResponse* response) override;
  grpc::ServerUnaryReactor* CancelTrial(grpc::CallbackServerContext* context,
                                        const v1::CancelTrialRequest* request,
                                        v1::CancelTrialResponse* response) override;
  grpc::ServerUnaryReactor* ListLogs(grpc::CallbackServerContext* context,
                                     const v1::ListLogsRequest* request,
                                     v1::ListLogsResponse* response) override;
  grpc::ServerUnaryReactor* ExplainTrial(grpc::CallbackServerContext* context,
                                         const v1::ExplainTrialRequest* request,
                                         v1::ExplainTrialResponse* response) override;
  grpc::ServerUnaryReactor* RetryTrial(grpc::CallbackServerContext* context,
                                       const v1::RetryTrialRequest* request,
                                       v1::RetryTrialResponse* response) override;

 private:
  absl::Status Get(const v1::GetTrialRequest& request, v1::GetTrialResponse* response);
  absl::Status List(const v1::ListTrialsRequest& request, v1::ListTrialsResponse* response);
  absl::Status Epochs(const v1::ListEpochsRequest& request, v1::ListEpochsResponse* response);
  absl::Status Explanation(const v1::ExplainTrialRequest& request,
                           v1::ExplainTrialResponse* response);
  absl::Status Logs(const v1::ListLogsRequest& request, v1::ListLogsResponse* response);
  absl::Status Attempts(const v1::ListAttemptsRequest& request, v1::ListAttemptsResponse* response);

  Store* const store_;
  Scheduler* const scheduler_;
  SpecCache* const specs_;
  WorkPool* const reads_;
  WorkPool* const parsing_;
};

}  // namespace sweep
