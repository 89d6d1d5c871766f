#pragma once

#include <string>

#include "coordinator/api/reactors.h"
#include "coordinator/specs/spec_cache.h"

namespace sweep {

// Calls `then(spec)` with the spec of a sweep whose file is accepted: at once if it is cached, else
// on a thread of `parsing` after parsing it, which gRPC's own threads must not do. Otherwise ends
// the call with an error; see SpecCache::Get. Objects that `then` refers to must live as long as
// the call.
template <typename Then>
void WithSpec(SpecCache* specs, WorkPool* parsing, grpc::CallbackServerContext* context,
              grpc::ServerUnaryReactor* reactor, const std::string& sweep, Then then) {
  const std::optional<StoredSpec> known = specs->Known(sweep);
  if (known.has_value() && known->is_accepted()) return then(known->spec);
  if (known.has_value()) {
    return reactor->Finish(Outgoing(context, NotAcceptedError(sweep, *known)));
  }
  const bool queued = parsing->Submit([=] {
    const absl::StatusOr<SharedSpec> spec = specs->Get(sweep);
    if (!spec.ok()) return reactor->Finish(Outgoing(context, spec.status()));
    then(*spec);
  });
  if (!queued) reactor->Finish(Outgoing(context, TooManyWaiting(*parsing)));
}

}  // namespace sweep
