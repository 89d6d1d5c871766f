#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace sweep {

// The coordinator's default port.
inline constexpr int kDefaultPort = 7077;

// Parses HOST:PORT as people write it: a host name, an IPv4 address or an IPv6 address in brackets;
// a missing port becomes the default. InvalidArgument names the text and, if possible, the right
// spelling. A URL is refused, since gRPC would look for a host of that name.
absl::StatusOr<std::string> ParseAddress(std::string_view text);

// True when only this machine can be meant by the host of "HOST:PORT": localhost, 127.…, [::1].
bool IsLoopbackAddress(std::string_view address);

}  // namespace sweep
