#include "proto/secure_channel.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/secrets/certificates.h"
#include "common/secrets/token.h"
#include "grpcpp/client_context.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "grpcpp/security/tls_certificate_provider.h"
#include "grpcpp/security/tls_credentials_options.h"
#include "grpcpp/support/client_interceptor.h"
#include "proto/address.h"
#include "proto/grpc_status.h"
#include "sweep/v1/sweeps.grpc.pb.h"

namespace sweep {
namespace {

using grpc::experimental::ClientInterceptorFactoryInterface;

constexpr unsigned kLookForNewFilesSeconds = 10;

// Adds the token to each call. gRPC's own credentials of calls refuse to work without TLS, also on
// loopback.
class TokenSender final : public grpc::experimental::Interceptor {
 public:
  explicit TokenSender(const std::string* header) : header_(header) {}

  void Intercept(grpc::experimental::InterceptorBatchMethods* methods) override {
    using grpc::experimental::InterceptionHookPoints;
    if (methods->QueryInterceptionHookPoint(InterceptionHookPoints::PRE_SEND_INITIAL_METADATA)) {
      methods->GetSendInitialMetadata()->emplace("authorization", *header_);
    }
    methods->Proceed();
  }

 private:
  const std::string* const header_;
};

class TokenSenderFactory final : public ClientInterceptorFactoryInterface {
 public:
  explicit TokenSenderFactory(const std::string& token) : header_("Bearer " + token) {}

  grpc::experimental::Interceptor* CreateClientInterceptor(
      grpc::experimental::ClientRpcInfo* /*info*/) override {
    return new TokenSender(&header_);
  }

 private:
  const std::string header_;
};

absl::Status CheckOptions(const ChannelSecurity& security) {
  if (security.tls_cert.empty() != security.tls_key.empty()) {
    return absl::InvalidArgumentError(
        "a certificate and its key (--tls-cert, --tls-key) belong together: one of them is "
        "missing");
  }
  if (!security.tls_cert.empty() && !security.UsesTls()) {
    return absl::InvalidArgumentError(
        "a certificate (--tls-cert) needs TLS: --tls-ca names the file of the coordinator's "
        "authority");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> MakeTls(const ChannelSecurity& security) {
  if (absl::Status status = ReadAuthorities(security.tls_ca).status(); !status.ok()) return status;
  const bool has_identity = !security.tls_cert.empty();
  if (has_identity) {
    const absl::Status status =
        ReadIdentity(security.tls_cert, security.tls_key, absl::Now()).status();
    if (!status.ok()) return status;
  }
  grpc::experimental::TlsChannelCredentialsOptions options;
  // Shared with gRPC, which reads the files again in a thread of this provider.
  options.set_certificate_provider(
      std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
          security.tls_key, security.tls_cert, security.tls_ca, kLookForNewFilesSeconds));
  options.watch_root_certs();
  if (has_identity) options.watch_identity_key_cert_pairs();
  return grpc::experimental::TlsCredentials(options);
}

using Interceptors = std::vector<std::unique_ptr<ClientInterceptorFactoryInterface>>;

absl::StatusOr<Interceptors> MakeInterceptors(const std::string& address,
                                              const ChannelSecurity& security) {
  Interceptors interceptors;
  if (security.token_file.empty()) return interceptors;
  if (!security.UsesTls() && !IsLoopbackAddress(address)) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the token in ", security.token_file, " is not sent to ", address,
        " without TLS, for everybody on the way to read: --tls-ca names the file of the "
        "coordinator's authority"));
  }
  const absl::StatusOr<std::string> token = ReadTokenFile(security.token_file);
  if (!token.ok()) return token.status();
  interceptors.push_back(std::make_unique<TokenSenderFactory>(*token));
  return interceptors;
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::Channel>> MakeChannel(const std::string& address,
                                                           const ChannelSecurity& security) {
  if (absl::Status status = CheckOptions(security); !status.ok()) return status;
  std::shared_ptr<grpc::ChannelCredentials> credentials = grpc::InsecureChannelCredentials();
  if (security.UsesTls()) {
    auto tls = MakeTls(security);
    if (!tls.ok()) return tls.status();
    credentials = *std::move(tls);
  }
  absl::StatusOr<Interceptors> interceptors = MakeInterceptors(address, security);
  if (!interceptors.ok()) return interceptors.status();
  return grpc::experimental::CreateCustomChannelWithInterceptors(
      address, credentials, DefaultChannelArguments(), *std::move(interceptors));
}

std::string WhyUnreachable(const std::shared_ptr<grpc::Channel>& channel) {
  const auto stub = v1::SweepService::NewStub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(1));
  v1::ListSweepsResponse response;
  const grpc::Status status = stub->ListSweeps(&context, {}, &response);
  return status.error_code() == grpc::StatusCode::UNAVAILABLE ? status.error_message() : "";
}

bool IsAccessRefusal(const absl::Status& status) {
  return (absl::IsUnauthenticated(status) || absl::IsPermissionDenied(status)) &&
         status.message().find(kAccessRefused) != absl::string_view::npos;
}

}  // namespace sweep
