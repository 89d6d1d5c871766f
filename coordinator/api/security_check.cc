#include "coordinator/api/security_check.h"

#include "coordinator/http/listen_address.h"
#include "fmt/format.h"
#include "spdlog/spdlog.h"

namespace sweep {
namespace {

absl::Status Refuse(const std::string& why) { return absl::InvalidArgumentError(why); }

// True for an address that other machines may reach.
bool IsOpen(const std::string& text) {
  const absl::StatusOr<ListenAddress> address = ParseListenAddress(text);
  return address.ok() && !address->IsLoopback();
}

absl::Status CheckTls(const SecurityOptions& options) {
  if (options.tls_certificate.empty() != options.tls_key.empty()) {
    return Refuse("--tls-cert and --tls-key belong together: one of them is missing");
  }
  if (!options.tls_client_ca.empty() && !options.HasTls()) {
    return Refuse("--tls-client-ca needs --tls-cert and --tls-key");
  }
  if (options.calls_per_second > 0 && options.tokens.empty()) {
    return Refuse("--token-calls needs --tokens: without tokens nobody is told apart");
  }
  return absl::OkStatus();
}

absl::Status CheckListen(const SecurityOptions& options, const std::string& listen) {
  if (options.HasTls() || !IsOpen(listen)) return absl::OkStatus();
  if (!options.tokens.empty()) {
    return Refuse(fmt::format(
        "--listen {} with --tokens needs --tls-cert and --tls-key: a token would cross the network "
        "for everybody to read",
        listen));
  }
  if (options.insecure) return absl::OkStatus();
  return Refuse(fmt::format(
      "--listen {} without TLS lets everybody who reaches it do everything: give --tls-cert and "
      "--tls-key ('sweep-coordinator init' makes them), or take the risk with --insecure",
      listen));
}

// The dashboard speaks plain HTTP.
absl::Status CheckDashboard(const SecurityOptions& options, const std::string& http) {
  if (http.empty() || http == "off" || !IsOpen(http)) return absl::OkStatus();
  if (!options.tokens.empty()) {
    return Refuse(
        fmt::format("--http {} with --tokens: the dashboard has no TLS, and a token would cross "
                    "the network for "
                    "everybody to read; listen on 127.0.0.1, and forward the port with ssh",
                    http));
  }
  if (options.insecure) return absl::OkStatus();
  return Refuse(
      fmt::format("--http {} lets everybody who reaches it read everything: listen on 127.0.0.1 "
                  "and forward the "
                  "port with ssh, or take the risk with sweep-coordinator --insecure",
                  http));
}

}  // namespace

absl::Status CheckSecurity(const SecurityOptions& options, const std::string& listen,
                           const std::string& http) {
  if (absl::Status status = CheckTls(options); !status.ok()) return status;
  if (absl::Status status = CheckListen(options, listen); !status.ok()) return status;
  return CheckDashboard(options, http);
}

void WarnOfOpenDoors(const SecurityOptions& options, const std::string& listen) {
  if (!IsOpen(listen)) return;
  const bool knows_callers = !options.tokens.empty() || !options.tls_client_ca.empty();
  if (!options.HasTls()) {
    spdlog::warn(
        "INSECURE: listening on {} without TLS: whoever can reach it can use it, and whoever is on "
        "the way can read and change everything",
        listen);
  } else if (!knows_callers) {
    spdlog::warn(
        "INSECURE: listening on {} with TLS, but without --tokens and --tls-client-ca: whoever can "
        "reach it can use it",
        listen);
  }
}

}  // namespace sweep
