#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace sweep {

// What has to be known of a request before anybody answers it.
struct RequestHead {
  std::string method;
  std::string path;             // of the target, as sent, without the query
  std::int64_t body_bytes = 0;  // of Content-Length; 0 without one
  bool awaits_continue = false;  // sends its body after "100 Continue"
};

// Reads the request line and the field lines of `head`, which ends before the empty line, as strictly
// as RFC 9112 (sections 2.2, 3, 5 and 6.3) allows: what two readers could understand in two ways is
// refused, since a body that one of them overlooks would be the next request to it. InvalidArgument
// names the line.
absl::StatusOr<RequestHead> ParseRequestHead(std::string_view head);

}  // namespace sweep
