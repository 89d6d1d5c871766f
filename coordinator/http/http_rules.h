#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace sweep {

// True when both are equal, ignoring the case of ASCII letters.
bool EqualsIgnoreCase(std::string_view a, std::string_view b);

// Access rules over HTTP. There are no passwords: whoever reaches the port may read, but only a
// page that this server served to a browser on this machine may change anything. Pure.

// The parts of a request that the rules depend on.
struct HttpCaller {
  std::string peer;           // its address: "127.0.0.1"
  std::string host;           // header Host
  std::string origin;         // header Origin
  std::string fetch_site;     // header Sec-Fetch-Site
  std::string content_type;   // header Content-Type
  bool is_forwarded = false;  // by a proxy, on behalf of somebody else
};

// An address of 127.0.0.0/8 in numbers; "127.example.com" is a name, whatever it resolves to.
bool IsLoopbackV4(std::string_view text);
bool IsLoopbackPeer(std::string_view peer);
// "localhost", 127.…, "[::1]", each with or without a port.
bool IsLoopbackHost(std::string_view host);

// Decides on reading. A server on loopback answers only requests with a loopback host: otherwise a
// page of any other site could read it in the person's browser, by resolving its own name to this
// machine (DNS rebinding). PermissionDenied says so.
absl::Status MayRead(const HttpCaller& caller, bool listens_on_loopback);

// Decides on reading documents and metrics: pages of other sites are refused. They cannot read the
// answer, but could keep this server busy. PermissionDenied says so.
absl::Status MayReadData(const HttpCaller& caller);

// Decides on changes. PermissionDenied names the broken rule.
absl::Status MayAct(const HttpCaller& caller);

// The status code of HTTP for an error.
int HttpStatus(const absl::Status& status);

}  // namespace sweep
