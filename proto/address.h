#pragma once

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace sweep {

// Where a coordinator listens when nothing else is said.
inline constexpr int kDefaultPort = 7077;

// HOST:PORT as people write it: a host name, an IPv4 address or an IPv6 address in brackets;
// without a port the default one is added. InvalidArgument names the text and, where it can be
// told, how to write it: a URL is no address, since gRPC would look for a host of that name.
absl::StatusOr<std::string> ParseAddress(std::string_view text);

}  // namespace sweep
