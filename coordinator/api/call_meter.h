#pragma once

#include <memory>
#include <vector>

#include "coordinator/metrics/metrics.h"
#include "grpcpp/support/server_interceptor.h"

namespace sweep {

// Every RPC of the services. Calls that last as long as somebody waits are not timed: a worker's
// parked call, and streams, which go as fast as the client reads or until something happens.
std::vector<CoordinatorMetrics::Method> MeteredMethods();

// Tells `metrics`, made with MeteredMethods(), of every call of these services when it is answered.
// Others (health, reflection) are not counted. `metrics` outlives the server.
std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface> MakeCallMeter(
    CoordinatorMetrics* metrics);

}  // namespace sweep
