#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace sweep {

// Whether both are the same but for the case of ASCII letters.
bool EqualsIgnoreCase(std::string_view a, std::string_view b);

// Who may do what over HTTP. There are no passwords: reading is for whoever can reach the port,
// changing only for a page that this server has served to a browser on this machine. Pure.

// What of a request decides.
struct HttpCaller {
  std::string peer;           // its address: "127.0.0.1"
  std::string host;           // header Host
  std::string origin;         // header Origin
  std::string fetch_site;     // header Sec-Fetch-Site
  std::string content_type;   // header Content-Type
  bool is_forwarded = false;  // by a proxy, for somebody else
};

bool IsLoopbackPeer(std::string_view peer);
// "localhost", 127.…, "[::1]", each with or without a port.
bool IsLoopbackHost(std::string_view host);

// Whether reading is allowed. A server on loopback answers only what asks for it by a loopback
// name: else a page of any other site could read it in the person's browser by giving its own name
// this machine's address (DNS rebinding). PermissionDenied says so.
absl::Status MayRead(const HttpCaller& caller, bool listens_on_loopback);

// Whether documents and metrics may be asked for: not by pages of other sites, which cannot read
// the answer but could keep this server busy making it. PermissionDenied says so.
absl::Status MayReadData(const HttpCaller& caller);

// Whether what the caller asks may change anything. PermissionDenied with the rule that it breaks.
absl::Status MayAct(const HttpCaller& caller);

// The status code of HTTP for an error.
int HttpStatus(const absl::Status& status);

}  // namespace sweep
