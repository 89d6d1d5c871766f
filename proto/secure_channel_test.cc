#include "proto/secure_channel.h"

#include "common/secrets/testing/secrets_testing.h"
#include "common/secrets/token.h"
#include "gmock/gmock.h"
#include "proto/address.h"

namespace sweep {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string Refusal(const std::string& address, const ChannelSecurity& security) {
  return std::string(MakeChannel(address, security).status().message());
}

TEST(SecureChannel, LoopbackIsKnownByItsAddress) {
  for (const char* local : {"127.0.0.1:1", "127.1.2.3:1", "localhost:1", "[::1]:1", "[0::1]:1"}) {
    EXPECT_TRUE(IsLoopbackAddress(local)) << local;
  }
  for (const char* other : {"127.evil.example:1", "10.0.0.7:1", "localhost.evil:1", "[::2]:1",
                            "[::1:1", "0.0.0.0:1", "[::ffff:10.0.0.1]:1", "alpha:1", ""}) {
    EXPECT_FALSE(IsLoopbackAddress(other)) << other;
  }
}

TEST(SecureChannel, ATokenLeavesTheMachineOnlyWithTls) {
  const TestAuthority files;
  const std::string token = NewToken();
  ChannelSecurity security{.token_file = files.folder().Write("token", token)};
  for (const char* address : {"alpha:7077", "10.0.0.7:7077", "[fe80::1]:7077"}) {
    EXPECT_THAT(Refusal(address, security), HasSubstr(address));
    EXPECT_THAT(Refusal(address, security), HasSubstr("--tls-ca"));
    EXPECT_THAT(Refusal(address, security), Not(HasSubstr(token)));
  }
  EXPECT_EQ(Refusal("127.0.0.1:7077", security), "");
  security.tls_ca = files.File("ca.crt");
  EXPECT_EQ(Refusal("alpha:7077", security), "");
}

TEST(SecureChannel, WhatIsWrongIsSaidAtOnce) {
  const TestAuthority files;
  EXPECT_THAT(Refusal("a:1", {.tls_ca = files.File("none")}), HasSubstr("none"));
  EXPECT_THAT(Refusal("a:1", {.tls_ca = files.File("server.key")}), HasSubstr("no certificate"));
  EXPECT_THAT(Refusal("a:1", {.tls_cert = files.File("client.crt")}), HasSubstr("--tls-key"));
  EXPECT_THAT(
      Refusal("a:1", {.tls_cert = files.File("client.crt"), .tls_key = files.File("client.key")}),
      HasSubstr("--tls-ca"));
  EXPECT_THAT(Refusal("a:1", {.tls_ca = files.File("ca.crt"),
                              .tls_cert = files.File("client.crt"),
                              .tls_key = files.File("server.key")}),
              HasSubstr("is not the key of"));
  ASSERT_EQ(chmod(files.File("client.key").c_str(), 0644), 0);
  EXPECT_THAT(Refusal("a:1", {.tls_ca = files.File("ca.crt"),
                              .tls_cert = files.File("client.crt"),
                              .tls_key = files.File("client.key")}),
              HasSubstr("chmod 600"));
}

}  // namespace
}  // namespace sweep
