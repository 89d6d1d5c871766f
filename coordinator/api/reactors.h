#pragma once

#include <utility>

#include "absl/status/status.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/server_callback.h"
#include "proto/grpc_status.h"

namespace sweep {

// Answers a unary call at once with the status that `function` returns.
template <typename Function>
grpc::ServerUnaryReactor* Respond(grpc::CallbackServerContext* context, Function function) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  reactor->Finish(ToGrpcStatus(std::forward<Function>(function)()));
  return reactor;
}

// A stream that ends with an error before its first message. Owns itself.
template <typename Reactor>
class RefusedStream final : public Reactor {
 public:
  explicit RefusedStream(const absl::Status& status) { this->Finish(ToGrpcStatus(status)); }
  void OnDone() override { delete this; }
};

}  // namespace sweep
