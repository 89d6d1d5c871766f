#include "coordinator/http/http_rules.h"

#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"

namespace sweep {
namespace {

// The text without a port (":7078") at its end.
std::string_view WithoutPort(std::string_view host) {
  const std::size_t colon = host.rfind(':');
  const std::size_t bracket = host.rfind(']');
  if (colon == std::string_view::npos) return host;
  if (bracket != std::string_view::npos && bracket > colon) return host;
  return host.substr(0, colon);
}

}  // namespace

bool IsLoopbackV4(std::string_view text) {
  if (!text.starts_with("127.")) return false;
  return text.find_first_not_of("0123456789.") == std::string_view::npos;
}

bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  return absl::EqualsIgnoreCase({a.data(), a.size()}, {b.data(), b.size()});
}

bool IsLoopbackPeer(std::string_view peer) {
  constexpr std::string_view kMapped = "::ffff:";  // of IPv4, on a dual-stack socket
  if (peer.starts_with(kMapped)) return IsLoopbackV4(peer.substr(kMapped.size()));
  return IsLoopbackV4(peer) || peer == "::1";
}

bool IsLoopbackHost(std::string_view host) {
  const std::string_view name = WithoutPort(host);
  return EqualsIgnoreCase(name, "localhost") || IsLoopbackV4(name) || name == "[::1]";
}

absl::Status MayRead(const HttpCaller& caller, bool listens_on_loopback) {
  if (!listens_on_loopback || IsLoopbackHost(caller.host)) return absl::OkStatus();
  return absl::PermissionDeniedError(
      "this server listens on loopback and answers only to localhost, 127.0.0.1 and [::1]; the "
      "request names another host");
}

absl::Status MayReadData(const HttpCaller& caller) {
  if (caller.fetch_site != "cross-site") return absl::OkStatus();
  return absl::PermissionDeniedError(
      "documents are for this server's own page: the request comes from a page of another site");
}

absl::Status MayAct(const HttpCaller& caller) {
  if (!IsLoopbackPeer(caller.peer)) {
    return absl::PermissionDeniedError(
        "changes are accepted from this machine only, since there is no authentication; use the "
        "sweep command, or forward the port with ssh");
  }
  if (caller.is_forwarded) {
    return absl::PermissionDeniedError(
        "changes are not accepted through a proxy, which makes everybody look like this machine; "
        "use the sweep command, or forward the port with ssh");
  }
  if (!IsLoopbackHost(caller.host)) {
    return absl::PermissionDeniedError(
        "changes are accepted only under localhost, 127.0.0.1 or [::1]; the request names another "
        "host");
  }
  std::string type = caller.content_type.substr(0, caller.content_type.find(';'));
  absl::StripAsciiWhitespace(&type);
  if (!EqualsIgnoreCase(type, "application/json")) {
    return absl::PermissionDeniedError("changes need Content-Type: application/json");
  }
  if (caller.origin.empty() && caller.fetch_site.empty()) {
    return absl::PermissionDeniedError(
        "changes are accepted from this server's own page only: the request has neither Origin nor "
        "Sec-Fetch-Site; scripts use the sweep command");
  }
  if (!caller.origin.empty() && !EqualsIgnoreCase(caller.origin, "http://" + caller.host)) {
    return absl::PermissionDeniedError(
        "changes are accepted from this server's own page only: the request comes from a page of "
        "another origin");
  }
  if (!caller.fetch_site.empty() && caller.fetch_site != "same-origin") {
    return absl::PermissionDeniedError(
        "changes are accepted from this server's own page only: Sec-Fetch-Site is not same-origin");
  }
  return absl::OkStatus();
}

int HttpStatus(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return 200;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
      return 400;
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnauthenticated:
      return 403;
    case absl::StatusCode::kNotFound:
      return 404;
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kAborted:
      return 409;
    case absl::StatusCode::kResourceExhausted:
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
    case absl::StatusCode::kCancelled:
      return 503;
    default:
      return 500;
  }
}

}  // namespace sweep
