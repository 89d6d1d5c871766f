#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace sweep {

// The facts about a request that are needed before it is handled.
struct RequestHead {
  std::string method;
  std::string path;  // of the target, as sent, without the query; "/" if empty
  // For a target in absolute form (RFC 9112 section 3.2.2), the length of "http://HOST" before its
  // path, which must be removed for readers that know only paths. It names the same host as the
  // field Host.
  std::size_t origin_bytes = 0;
  std::int64_t body_bytes = 0;   // from Content-Length; 0 without one
  bool awaits_continue = false;  // sends its body after "100 Continue"
};

// Parses the request line and the field lines of `head`, which ends before the empty line, as
// strictly as RFC 9112 (sections 2.2, 3, 5, 6.1 and 6.3) allows. Refuses everything that two
// readers could understand differently: a body that one of them overlooks would be its next
// request. InvalidArgument names the line; Unimplemented means a transfer coding besides chunked.
absl::StatusOr<RequestHead> ParseRequestHead(std::string_view head);

// Refuses a carriage return or a line feed without the other in `text`, the beginning of a request:
// only some readers see a line end there, and a head of such lines would never end for us.
absl::Status CheckLineEnds(std::string_view text);

}  // namespace sweep
