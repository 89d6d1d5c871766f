#pragma once

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "grpcpp/channel.h"
#include "grpcpp/support/status.h"

namespace sweep {

// No message of the contract is larger.
inline constexpr int kMaxMessageBytes = 16 << 20;
// Room for every complaint about a sweep file, which travels as the status message; gRPC's own
// limit of 8 KiB would turn a long one into an unrelated error.
inline constexpr int kMaxMetadataBytes = 64 << 10;

// Metadata with which a server says after how many milliseconds a refused call may be repeated. The
// channels of MakeChannel do so by themselves, up to three times.
inline constexpr char kRetryPushback[] = "grpc-retry-pushback-ms";
inline constexpr char kRetryPushbackMs[] = "500";

// The codes are the same numbers. A message that would not fit is cut and ends in "…".
grpc::Status ToGrpcStatus(const absl::Status& status);
absl::Status FromGrpcStatus(const grpc::Status& status);

// A channel to a coordinator at "HOST:PORT": no encryption, notices a dead connection within 15 s,
// tries a lost one again at least every 2 s. Connects when first used.
std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address);

}  // namespace sweep
