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

// The codes are the same numbers. A message that would not fit is cut and ends in "…".
grpc::Status ToGrpcStatus(const absl::Status& status);
absl::Status FromGrpcStatus(const grpc::Status& status);

// A channel to a coordinator at "HOST:PORT": no encryption, notices a dead connection within 15 s,
// tries a lost one again at least every 2 s. Connects when first used.
std::shared_ptr<grpc::Channel> MakeChannel(const std::string& address);

}  // namespace sweep
