// The service as its callers meet it: TLS, certificates and tokens, over real connections.

#include <chrono>
#include <memory>
#include <string>

#include "common/logging/testing/captured_log.h"
#include "common/secrets/testing/secrets_testing.h"
#include "common/secrets/token.h"
#include "coordinator/api/server.h"
#include "coordinator/api/testing/server_testing.h"
#include "coordinator/security/token_file.h"
#include "gmock/gmock.h"
#include "proto/secure_channel.h"

namespace sweep {
namespace {

using testing::HasSubstr;
using testing::Not;

class SecurityTest : public testing::Test {
 protected:
  void Start(const SecurityOptions& security) {
    server_.reset();
    server_ = Must(
        CoordinatorServer::Start({.listen = "127.0.0.1:0", .security = security, .database = ""}));
    ASSERT_NE(server_, nullptr);
  }
  SecurityOptions Tls() const {
    return {.tls_certificate = files_.File("server.crt"), .tls_key = files_.File("server.key")};
  }
  SecurityOptions MutualTls() const {
    SecurityOptions options = Tls();
    options.tls_client_ca = files_.File("ca.crt");
    return options;
  }
  SecurityOptions Tokens(SecurityOptions options = {}) {
    options.tokens = tokens_;
    return options;
  }
  ChannelSecurity ClientTls() const { return {.tls_ca = files_.File("ca.crt")}; }
  ChannelSecurity ClientMutualTls() const {
    return {.tls_ca = files_.File("ca.crt"),
            .tls_cert = files_.File("client.crt"),
            .tls_key = files_.File("client.key")};
  }
  ChannelSecurity WithToken(const std::string& token, ChannelSecurity security = {}) const {
    security.token_file = files_.folder().Write("own.token", token);
    return security;
  }
  std::string NewTokenFor(const std::string& name, Role role) {
    return Must(AddToken(tokens_, name, role, absl::Now()));
  }

  // A call on a connection of its own.
  absl::Status List(const ChannelSecurity& security) {
    const auto channel = MakeChannel(server_->address(), security);
    return channel.ok() ? List(*channel) : channel.status();
  }
  static absl::Status List(const std::shared_ptr<grpc::Channel>& channel) {
    grpc::ClientContext context;
    SetDeadline(&context);
    v1::ListSweepsResponse response;
    return FromGrpcStatus(v1::SweepService::NewStub(channel)->ListSweeps(&context, {}, &response));
  }
  static absl::Status Create(const std::shared_ptr<grpc::Channel>& channel) {
    grpc::ClientContext context;
    SetDeadline(&context);
    v1::CreateSweepRequest request;
    request.mutable_source()->set_text(TestSource("s").text);
    v1::CreateSweepResponse response;
    return FromGrpcStatus(
        v1::SweepService::NewStub(channel)->CreateSweep(&context, request, &response));
  }

  TestAuthority files_;
  const std::string tokens_ = files_.File("tokens");
  std::unique_ptr<CoordinatorServer> server_;
};

TEST_F(SecurityTest, TlsServesThoseWhoKnowTheAuthority) {
  Start(Tls());
  EXPECT_EQ(List(ClientTls()), absl::OkStatus());
  EXPECT_TRUE(absl::IsUnavailable(List(ChannelSecurity()))) << "without TLS";
  const TestAuthority foreign;
  const absl::Status refused = List({.tls_ca = foreign.File("ca.crt")});
  EXPECT_TRUE(absl::IsUnavailable(refused)) << refused;
  EXPECT_THAT(Message(refused), HasSubstr("certificate verify failed"));
}

TEST_F(SecurityTest, AServerOfAnotherNameIsNotBelieved) {
  files_.WriteServer({"somewhere.else"}, Authority::kIdentityLifetime);
  Start(Tls());
  EXPECT_TRUE(absl::IsUnavailable(List(ClientTls())));
}

TEST_F(SecurityTest, MutualTlsServesOnlyHoldersOfACertificate) {
  Start(MutualTls());
  EXPECT_EQ(List(ClientMutualTls()), absl::OkStatus());
  EXPECT_TRUE(absl::IsUnavailable(List(ClientTls()))) << "without a certificate";
  const TestAuthority foreign;
  EXPECT_TRUE(absl::IsUnavailable(List({.tls_ca = files_.File("ca.crt"),
                                        .tls_cert = foreign.File("client.crt"),
                                        .tls_key = foreign.File("client.key")})))
      << "with one of another authority";
  // A server's certificate is not one of a client, though the same authority signed it.
  EXPECT_TRUE(absl::IsUnavailable(List({.tls_ca = files_.File("ca.crt"),
                                        .tls_cert = files_.File("server.crt"),
                                        .tls_key = files_.File("server.key")})));
}

TEST_F(SecurityTest, AnExpiredClientIsRefused) {
  Start(MutualTls());
  // Valid until a second ago for the coordinator; the client does not look.
  const absl::Time before = absl::Now() - absl::Hours(2);
  files_.Write("old", *files_.authority().IssueClient("old", before, absl::Hours(2)));
  ChannelSecurity security = ClientMutualTls();
  security.tls_cert = files_.File("old.crt");
  security.tls_key = files_.File("old.key");
  const absl::Status own = List(security);
  EXPECT_TRUE(absl::IsInvalidArgument(own)) << "the client itself says why: " << own;
  // A client that does not care.
  grpc::SslCredentialsOptions options{.pem_root_certs = SecretsFolder::Read(files_.File("ca.crt")),
                                      .pem_private_key = SecretsFolder::Read(security.tls_key),
                                      .pem_cert_chain = SecretsFolder::Read(security.tls_cert)};
  const absl::Status refused =
      List(grpc::CreateChannel(server_->address(), grpc::SslCredentials(options)));
  EXPECT_TRUE(absl::IsUnavailable(refused)) << refused;
}

TEST_F(SecurityTest, ANewCertificateIsServedWithoutARestart) {
  Start(Tls());
  const auto first = Must(MakeChannel(server_->address(), ClientTls()));
  EXPECT_EQ(List(first), absl::OkStatus());
  const TestAuthority next;
  files_.folder().Write("server.crt", SecretsFolder::Read(next.File("server.crt")));
  EXPECT_EQ(List(ClientTls()), absl::OkStatus()) << "the new key is not there yet";
  files_.folder().Write("server.key", SecretsFolder::Read(next.File("server.key")));
  EXPECT_EQ(List({.tls_ca = next.File("ca.crt")}), absl::OkStatus());
  EXPECT_TRUE(absl::IsUnavailable(List(ClientTls()))) << "the old authority signed nothing new";
  EXPECT_EQ(List(first), absl::OkStatus()) << "a connection goes on";
  files_.folder().Write("server.crt", "nonsense");
  EXPECT_EQ(List({.tls_ca = next.File("ca.crt")}), absl::OkStatus());
}

TEST_F(SecurityTest, ANewClientAuthorityIsBelievedWithoutARestart) {
  Start(MutualTls());
  const TestAuthority next;
  const ChannelSecurity newcomer = {.tls_ca = files_.File("ca.crt"),
                                    .tls_cert = next.File("client.crt"),
                                    .tls_key = next.File("client.key")};
  EXPECT_TRUE(absl::IsUnavailable(List(newcomer)));
  const std::string both =
      SecretsFolder::Read(files_.File("ca.crt")) + SecretsFolder::Read(next.File("ca.crt"));
  files_.folder().Write("ca.crt", both);
  EXPECT_EQ(List(newcomer), absl::OkStatus());
  EXPECT_EQ(List(ClientMutualTls()), absl::OkStatus());
}

TEST_F(SecurityTest, EveryCallNeedsATokenWithItsRole) {
  const std::string reader = NewTokenFor("ada", Role::kReader);
  Start(Tokens());
  EXPECT_TRUE(absl::IsUnauthenticated(List(ChannelSecurity())));
  EXPECT_TRUE(absl::IsUnauthenticated(List(WithToken(NewToken()))));
  const auto channel = Must(MakeChannel(server_->address(), WithToken(reader)));
  EXPECT_EQ(List(channel), absl::OkStatus());
  const absl::Status refused = Create(channel);
  EXPECT_TRUE(absl::IsPermissionDenied(refused)) << refused;
  EXPECT_EQ(Message(refused),
            "not allowed: CreateSweep needs the role submitter; token 'ada' has the role reader");
  EXPECT_TRUE(IsAccessRefusal(refused));
  EXPECT_EQ(Create(Must(
                MakeChannel(server_->address(), WithToken(NewTokenFor("bob", Role::kSubmitter))))),
            absl::OkStatus())
      << "a token made meanwhile";
  EXPECT_EQ(RevokeToken(tokens_, "ada", absl::Now()), absl::OkStatus());
  EXPECT_TRUE(absl::IsUnauthenticated(List(channel))) << "also on an old connection";
}

TEST_F(SecurityTest, StreamsNeedATokenAsWell) {
  NewTokenFor("any", Role::kReader);
  Start(Tokens(Tls()));
  const auto channel = Must(MakeChannel(server_->address(), ClientTls()));
  grpc::ClientContext context;
  SetDeadline(&context);
  v1::PutBlobResponse response;
  const auto writer = v1::BlobService::NewStub(channel)->PutBlob(&context, &response);
  writer->WritesDone();
  EXPECT_EQ(writer->Finish().error_code(), grpc::StatusCode::UNAUTHENTICATED);
  grpc::ClientContext watching;
  SetDeadline(&watching);
  const auto reader = v1::SweepService::NewStub(channel)->WatchSweep(&watching, {});
  v1::WatchSweepResponse event;
  EXPECT_FALSE(reader->Read(&event));
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::UNAUTHENTICATED);
}

TEST_F(SecurityTest, TlsAndTokensTogether) {
  const std::string worker = NewTokenFor("w", Role::kWorker);
  Start(Tokens(MutualTls()));
  EXPECT_TRUE(absl::IsPermissionDenied(List(WithToken(worker, ClientMutualTls()))));
  EXPECT_TRUE(absl::IsUnavailable(List(WithToken(worker, ClientTls()))));
  EXPECT_TRUE(absl::IsUnauthenticated(List(ClientMutualTls())));
  EXPECT_EQ(List(WithToken(NewTokenFor("r", Role::kReader), ClientMutualTls())), absl::OkStatus());
}

TEST_F(SecurityTest, WhatCannotBeReadStopsTheStart) {
  const auto start = [](const SecurityOptions& options) {
    return CoordinatorServer::Start({.listen = "127.0.0.1:0", .security = options, .database = ""})
        .status();
  };
  EXPECT_TRUE(absl::IsNotFound(start({.tokens = files_.File("none")})));
  SecurityOptions mixed = Tls();
  mixed.tls_key = files_.File("client.key");
  EXPECT_TRUE(absl::IsInvalidArgument(start(mixed)));
  ASSERT_EQ(chmod(files_.File("server.key").c_str(), 0644), 0);
  EXPECT_TRUE(absl::IsPermissionDenied(start(Tls())));
  EXPECT_TRUE(absl::IsInvalidArgument(
      CoordinatorServer::Start({.listen = "0.0.0.0:0", .database = ""}).status()));
}

TEST_F(SecurityTest, NoSecretIsInTheLog) {
  CapturedLog log(spdlog::level::trace);
  const std::string admin = NewTokenFor("root", Role::kAdmin), unknown = NewToken();
  Start(Tokens(MutualTls()));
  EXPECT_TRUE(absl::IsUnauthenticated(List(WithToken(unknown, ClientMutualTls()))));
  const auto channel = Must(MakeChannel(server_->address(), WithToken(admin, ClientMutualTls())));
  EXPECT_EQ(Create(channel), absl::OkStatus());
  const auto workers = v1::WorkerService::NewStub(channel);
  v1::SynchronizeResponse response;
  grpc::ClientContext context;
  SetDeadline(&context);
  EXPECT_TRUE(workers->Synchronize(&context, Says("w"), &response).ok());
  ASSERT_EQ(response.leases_size(), 1);
  v1::LeaseToken stale = response.leases(0).token();
  stale.set_attempt(stale.attempt() + 7);
  v1::ReportEpochsRequest report;
  *report.mutable_token() = stale;
  report.add_epochs()->set_epoch(1);
  v1::ReportEpochsResponse ignored;
  grpc::ClientContext second;
  SetDeadline(&second);
  const grpc::Status refused = workers->ReportEpochs(&second, report, &ignored);
  EXPECT_FALSE(refused.ok());
  const std::string secret = response.leases(0).token().secret();
  ASSERT_FALSE(secret.empty());
  EXPECT_THAT(refused.error_message(), Not(HasSubstr(secret)));
  server_.reset();
  log.End();
  EXPECT_THAT(log.text(), HasSubstr("call refused"));
  const std::string key = SecretsFolder::Read(files_.File("server.key"));
  for (const std::string& text : {admin, unknown, TokenDigest(admin), secret, std::string("swt_"),
                                  key.substr(40, 40), std::string("PRIVATE KEY")}) {
    EXPECT_THAT(log.text(), Not(HasSubstr(text)));
  }
}

}  // namespace
}  // namespace sweep
