#pragma once

#include <atomic>
#include <cstdint>

#include "coordinator/api/work_pool.h"
#include "coordinator/scheduler/scheduler.h"
#include "sweep/v1/workers.grpc.pb.h"

namespace sweep {

// Implements workers.proto over the scheduler. Thin: checks, converts, delegates. Thread-safe.
class WorkerService final : public v1::WorkerService::CallbackService {
 public:
  WorkerService(Scheduler* scheduler, WorkPool* reads) : scheduler_(scheduler), reads_(reads) {}

  grpc::ServerUnaryReactor* Synchronize(grpc::CallbackServerContext* context,
                                        const v1::SynchronizeRequest* request,
                                        v1::SynchronizeResponse* response) override;
  grpc::ServerUnaryReactor* ReportEpochs(grpc::CallbackServerContext* context,
                                         const v1::ReportEpochsRequest* request,
                                         v1::ReportEpochsResponse* response) override;
  grpc::ServerUnaryReactor* ReportProgress(grpc::CallbackServerContext* context,
                                           const v1::ReportProgressRequest* request,
                                           v1::ReportProgressResponse* response) override;
  grpc::ServerUnaryReactor* FinishLease(grpc::CallbackServerContext* context,
                                        const v1::FinishLeaseRequest* request,
                                        v1::FinishLeaseResponse* response) override;
  grpc::ServerUnaryReactor* ReportData(grpc::CallbackServerContext* context,
                                       const v1::ReportDataRequest* request,
                                       v1::ReportDataResponse* response) override;
  grpc::ServerUnaryReactor* AppendLogs(grpc::CallbackServerContext* context,
                                       const v1::AppendLogsRequest* request,
                                       v1::AppendLogsResponse* response) override;
  grpc::ServerUnaryReactor* DrainWorker(grpc::CallbackServerContext* context,
                                        const v1::DrainWorkerRequest* request,
                                        v1::DrainWorkerResponse* response) override;
  grpc::ServerUnaryReactor* ListWorkers(grpc::CallbackServerContext* context,
                                        const v1::ListWorkersRequest* request,
                                        v1::ListWorkersResponse* response) override;

 private:
  absl::Status List(const v1::ListWorkersRequest& request, v1::ListWorkersResponse* response);

  Scheduler* const scheduler_;
  WorkPool* const reads_;
  std::atomic<std::uint64_t> next_poll_{1};
};

}  // namespace sweep
