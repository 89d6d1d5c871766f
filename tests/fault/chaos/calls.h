#pragma once

#include <grpcpp/grpcpp.h>

#include "absl/time/time.h"

namespace sweep::chaos {

inline constexpr absl::Duration kRepeatAfter = absl::Milliseconds(100);

// True if the coordinator has not answered, so that it is unknown whether it acted.
inline bool IsOpen(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::CANCELLED:
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
    case grpc::StatusCode::INTERNAL:  // a connection that broke
    case grpc::StatusCode::UNKNOWN:
      return true;
    default:
      return false;
  }
}

}  // namespace sweep::chaos
