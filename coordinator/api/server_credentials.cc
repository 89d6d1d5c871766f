#include "coordinator/api/server_credentials.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "coordinator/api/certificate_source.h"
#include "grpc/grpc.h"
#include "grpc/grpc_security.h"
#include "grpcpp/security/auth_metadata_processor.h"
#include "proto/grpc_status.h"

namespace sweep {
namespace {

constexpr std::string_view kPath = ":path";
constexpr std::string_view kAuthorization = "authorization";

std::string_view Text(const grpc_slice& slice) {
  return {reinterpret_cast<const char*>(GRPC_SLICE_START_PTR(slice)), GRPC_SLICE_LENGTH(slice)};
}

// What gRPC's callbacks need. gRPC destroys it with the credentials, after the last connection.
struct State {
  std::shared_ptr<AccessGate> gate;
  std::unique_ptr<CertificateSource> certificates;
};

// Called before each handshake, one at a time.
grpc_ssl_certificate_config_reload_status FetchCertificates(
    void* state, grpc_ssl_server_certificate_config** config) {
  const auto news = static_cast<State*>(state)->certificates->TakeNews();
  if (!news.has_value()) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
  const grpc_ssl_pem_key_cert_pair pair = {.private_key = news->key.c_str(),
                                           .cert_chain = news->certificate.c_str()};
  // gRPC wants some authority even when clients are not asked for a certificate, and then verifies
  // nothing by it.
  const std::string& authorities =
      news->client_authorities.empty() ? news->certificate : news->client_authorities;
  *config = grpc_ssl_server_certificate_config_create(authorities.c_str(), &pair, 1);
  return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
}

// Called for each call, before it reaches a service. Takes the token out of what services see.
void CheckAccess(void* state, grpc_auth_context* /*peer*/, const grpc_metadata* metadata,
                 std::size_t count, grpc_process_auth_metadata_done_cb done, void* user_data) {
  std::string_view path;
  std::vector<std::string_view> authorization;
  std::vector<grpc_metadata> consumed;
  for (std::size_t i = 0; i < count; ++i) {
    if (Text(metadata[i].key) == kPath) path = Text(metadata[i].value);
    if (Text(metadata[i].key) != kAuthorization) continue;
    authorization.push_back(Text(metadata[i].value));
    consumed.push_back(metadata[i]);
  }
  const grpc::Status status =
      ToGrpcStatus(static_cast<State*>(state)->gate->CheckCall(path, authorization));
  done(user_data, consumed.data(), consumed.size(), nullptr, 0,
       static_cast<grpc_status_code>(status.error_code()), status.error_message().c_str());
}

void DestroyState(void* state) { delete static_cast<State*>(state); }

grpc_server_credentials* MakeTls(State* state, bool needs_client_certificate) {
  return grpc_ssl_server_credentials_create_with_options(
      grpc_ssl_server_credentials_create_options_using_config_fetcher(
          needs_client_certificate ? GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY
                                   : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE,
          FetchCertificates, state));
}

// Credentials of gRPC's core. Its C++ part offers neither certificates that change nor a check of
// calls without TLS; the core has both.
class CoreCredentials final : public grpc::ServerCredentials {
 public:
  CoreCredentials(std::unique_ptr<State> state, bool needs_client_certificate) {
    const bool has_tls = state->certificates != nullptr;
    const bool has_gate = state->gate != nullptr;
    State* const owned = state.release();
    core_ = has_tls ? MakeTls(owned, needs_client_certificate)
                    : grpc_insecure_server_credentials_create();
    grpc_server_credentials_set_auth_metadata_processor(
        core_,
        {.process = has_gate ? CheckAccess : nullptr, .destroy = DestroyState, .state = owned});
  }
  ~CoreCredentials() override { grpc_server_credentials_release(core_); }

  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {}

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), core_);
  }

  grpc_server_credentials* core_ = nullptr;
};

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::ServerCredentials>> MakeServerCredentials(
    const SecurityOptions& options, std::shared_ptr<AccessGate> gate, Clock* clock) {
  if (!options.HasTls() && gate == nullptr) return grpc::InsecureServerCredentials();
  auto state = std::make_unique<State>();
  state->gate = std::move(gate);
  if (options.HasTls()) {
    auto source = CertificateSource::Open(options, clock);
    if (!source.ok()) return source.status();
    state->certificates = *std::move(source);
  }
  return std::make_shared<CoreCredentials>(std::move(state), !options.tls_client_ca.empty());
}

}  // namespace sweep
