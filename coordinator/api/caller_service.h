#pragma once

#include <atomic>
#include <cstdint>

#include "coordinator/api/work_pool.h"
#include "coordinator/scheduler/scheduler.h"
#include "coordinator/specs/spec_cache.h"
#include "sweep/v1/callers.grpc.pb.h"

namespace sweep {

// Implements callers.proto over the scheduler. Thin: checks, converts, delegates. Thread-safe.
class CallerService final : public v1::CallerService::CallbackService {
 public:
  CallerService(Scheduler* scheduler, SpecCache* specs, WorkPool* parsing)
      : scheduler_(scheduler), specs_(specs), parsing_(parsing) {}

  grpc::ServerUnaryReactor* SuggestTrial(grpc::CallbackServerContext* context,
                                         const v1::SuggestTrialRequest* request,
                                         v1::SuggestTrialResponse* response) override;
  grpc::ServerUnaryReactor* ReportTrial(grpc::CallbackServerContext* context,
                                        const v1::ReportTrialRequest* request,
                                        v1::ReportTrialResponse* response) override;

 private:
  Scheduler* const scheduler_;
  SpecCache* const specs_;
  WorkPool* const parsing_;
  std::atomic<std::uint64_t> next_ask_{1};
};

}  // namespace sweep
