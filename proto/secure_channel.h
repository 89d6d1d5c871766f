#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "grpcpp/channel.h"
#include "grpcpp/support/channel_arguments.h"
#include "proto/channel_security.h"

namespace sweep {

// A channel to a coordinator at "HOST:PORT", with the settings of MakeChannel. The files of
// certificates are followed when they change; the token is read once.
//
// InvalidArgument when the options do not fit together, and for a token that would cross the
// network without TLS: that is only sent to an address of this machine's loopback. Otherwise errors
// of reading the files. The name in the server's certificate must be HOST.
absl::StatusOr<std::shared_ptr<grpc::Channel>> MakeChannel(const std::string& address,
                                                           const ChannelSecurity& security);

// The settings of every channel to a coordinator.
grpc::ChannelArguments DefaultChannelArguments();

// Why a coordinator does not answer on this channel, such as a certificate that is not believed, in
// gRPC's words; "" when it does. Waits for at most a second.
std::string WhyUnreachable(const std::shared_ptr<grpc::Channel>& channel);

}  // namespace sweep
