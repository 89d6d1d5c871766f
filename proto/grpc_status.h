#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "grpcpp/channel.h"
#include "grpcpp/support/status.h"

namespace sweep {

// Limit on every message of the contract.
inline constexpr int kMaxMessageBytes = 16 << 20;
// Room for every complaint about a sweep file, which the status message carries; gRPC's own limit
// of 8 KiB would turn a long one into an unrelated error.
inline constexpr int kMaxMetadataBytes = 64 << 10;

// The metadata key by which a server says after how many milliseconds a refused call may be
// repeated. Channels of MakeChannel repeat it themselves, up to three times.
inline constexpr char kRetryPushback[] = "grpc-retry-pushback-ms";
inline constexpr char kRetryPushbackMs[] = "500";

// The codes have the same numbers. A message that is too long is cut and ends in "…".
grpc::Status ToGrpcStatus(const absl::Status& status);
absl::Status FromGrpcStatus(const grpc::Status& status);

// A channel to a coordinator at "HOST:PORT": without encryption; notices a dead connection within
// 15 s and retries a lost one at least every 2 s. Connects on first use.
std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address);

}  // namespace sweep
