#pragma once

#include "coordinator/api/work_pool.h"
#include "coordinator/views/views.h"
#include "sweep/v1/views.grpc.pb.h"

namespace sweep {

// Implements views.proto over the views. Thread-safe.
class ViewService final : public v1::ViewService::CallbackService {
 public:
  ViewService(Views* views, WorkPool* reads) : views_(views), reads_(reads) {}

  grpc::ServerUnaryReactor* GetView(grpc::CallbackServerContext* context,
                                    const v1::GetViewRequest* request,
                                    v1::GetViewResponse* response) override;

 private:
  Views* const views_;
  WorkPool* const reads_;
};

}  // namespace sweep
