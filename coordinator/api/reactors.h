#pragma once

#include <utility>

#include "absl/status/status.h"
#include "coordinator/api/work_pool.h"
#include "fmt/format.h"
#include "grpcpp/server_context.h"
#include "grpcpp/support/server_callback.h"
#include "proto/grpc_status.h"

namespace sweep {

// The status for the client. A refusal for lack of room has the retry delay in metadata that gRPC's
// clients obey.
inline grpc::Status Outgoing(grpc::CallbackServerContext* context, const absl::Status& status) {
  if (status.code() == absl::StatusCode::kResourceExhausted) {
    context->AddTrailingMetadata(kRetryPushback, kRetryPushbackMs);
  }
  return ToGrpcStatus(status);
}

inline absl::Status TooManyWaiting(const WorkPool& pool) {
  return absl::ResourceExhaustedError(
      fmt::format("{} calls are waiting; try again later", pool.max_queued()));
}

// Answers a unary call at once with the status that `function` returns.
template <typename Function>
grpc::ServerUnaryReactor* Respond(grpc::CallbackServerContext* context, Function function) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  reactor->Finish(Outgoing(context, std::forward<Function>(function)()));
  return reactor;
}

// As Respond, on a thread of `pool`; ResourceExhausted when too many calls are waiting. Objects
// that `function` refers to must live as long as the call.
template <typename Function>
grpc::ServerUnaryReactor* RespondFrom(WorkPool* pool, grpc::CallbackServerContext* context,
                                      Function function) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  const bool queued = pool->Submit([=] {
    // The caller has gone; the queue may be long because of such calls.
    if (context->IsCancelled()) return reactor->Finish(grpc::Status::CANCELLED);
    reactor->Finish(Outgoing(context, function()));
  });
  if (!queued) reactor->Finish(Outgoing(context, TooManyWaiting(*pool)));
  return reactor;
}

// A stream that ends with an error before its first message. Deletes itself.
template <typename Reactor>
class RefusedStream final : public Reactor {
 public:
  RefusedStream(grpc::CallbackServerContext* context, const absl::Status& status) {
    this->Finish(Outgoing(context, status));
  }
  void OnDone() override { delete this; }
};

}  // namespace sweep
