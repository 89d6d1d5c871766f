#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace sweep {

// What has to be known of a request before anybody answers it.
struct RequestHead {
  std::string method;
  std::string path;  // of the target, as sent, without the query; "/" for an empty one
  // Of a target in absolute form (RFC 9112 section 3.2.2), "http://HOST" before its path: what has
  // to be cut out for readers who know only paths. It names the same host as the field Host.
  std::size_t origin_bytes = 0;
  std::int64_t body_bytes = 0;   // of Content-Length; 0 without one
  bool awaits_continue = false;  // sends its body after "100 Continue"
};

// Reads the request line and the field lines of `head`, which ends before the empty line, as
// strictly as RFC 9112 (sections 2.2, 3, 5, 6.1 and 6.3) allows: what two readers could understand
// in two ways is refused, since a body that one of them overlooks would be the next request to it.
// InvalidArgument names the line; Unimplemented stands for a transfer coding besides chunked.
absl::StatusOr<RequestHead> ParseRequestHead(std::string_view head);

// Whether `text`, the beginning of a request, has a carriage return or a line feed without the
// other: it ends a line for some readers only, and a head of such lines has no end for us.
absl::Status CheckLineEnds(std::string_view text);

}  // namespace sweep
