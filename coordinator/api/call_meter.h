#pragma once

#include <memory>
#include <vector>

#include "coordinator/metrics/metrics.h"
#include "grpcpp/support/server_interceptor.h"

namespace sweep {

// Every RPC of the services. Long waits are not timed: a worker's parked call, and streams, whose
// duration depends on the client or on events.
std::vector<CoordinatorMetrics::Method> MeteredMethods();

// Reports every answered call of these services to `metrics`, which was made with MeteredMethods().
// Other services (health, reflection) are not counted. `metrics` must outlive the server.
std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> MakeCallMeter(
    CoordinatorMetrics* metrics);

}  // namespace sweep
