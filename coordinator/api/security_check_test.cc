#include "coordinator/api/security_check.h"

#include "coordinator/store/testing/store_testing.h"
#include "gmock/gmock.h"

namespace sweep {
namespace {

using testing::HasSubstr;

const SecurityOptions kTls = {.tls_certificate = "c", .tls_key = "k"};
const SecurityOptions kTlsAndTokens = {.tls_certificate = "c", .tls_key = "k", .tokens = "t"};
const SecurityOptions kTokens = {.tokens = "t"};
const SecurityOptions kInsecure = {.insecure = true};
const SecurityOptions kInsecureTokens = {.tokens = "t", .insecure = true};

constexpr char kLocal[] = "127.0.0.1:7077";
constexpr char kOpen[] = "0.0.0.0:7077";

std::string Refusal(const SecurityOptions& options, const std::string& listen,
                    const std::string& http = "off") {
  const absl::Status status = CheckSecurity(options, listen, http);
  EXPECT_TRUE(status.ok() || absl::IsInvalidArgument(status)) << status;
  return std::string(status.message());
}

TEST(SecurityCheck, LoopbackNeedsNothing) {
  for (const char* address : {"127.0.0.1:0", "localhost:7077", "[::1]:7077", "127.8.8.8:1"}) {
    EXPECT_EQ(Refusal({}, address, address), "") << address;
    EXPECT_EQ(Refusal(kTokens, address, address), "") << address;
  }
}

TEST(SecurityCheck, OtherMachinesNeedTlsOrALoudYes) {
  for (const char* address : {"0.0.0.0:7077", "[::]:7077", "10.0.0.7:7077", "alpha:7077",
                              "[fe80::1]:7077", "127.evil.example:7077", "[::ffff:10.0.0.7]:1"}) {
    const std::string refusal = Refusal({}, address);
    EXPECT_THAT(refusal, HasSubstr(address));
    EXPECT_THAT(refusal, HasSubstr("--tls-cert"));
    EXPECT_THAT(refusal, HasSubstr("--insecure"));
    EXPECT_EQ(Refusal(kTls, address), "") << address;
    EXPECT_EQ(Refusal(kInsecure, address), "") << address;
  }
}

TEST(SecurityCheck, ATokenNeverCrossesTheNetworkInTheClear) {
  EXPECT_THAT(Refusal(kTokens, kOpen), HasSubstr("--tls-cert"));
  EXPECT_THAT(Refusal(kInsecureTokens, kOpen), HasSubstr("--tls-cert"));
  EXPECT_EQ(Refusal(kTlsAndTokens, kOpen), "");
  EXPECT_THAT(Refusal(kTlsAndTokens, kOpen, "0.0.0.0:7078"), HasSubstr("--http 0.0.0.0:7078"));
  EXPECT_THAT(Refusal(kInsecureTokens, kLocal, "0.0.0.0:7078"), HasSubstr("--http"));
}

TEST(SecurityCheck, TheDashboardIsNotOpenedByMistake) {
  EXPECT_THAT(Refusal({}, kLocal, "0.0.0.0:7078"), HasSubstr("--insecure"));
  EXPECT_THAT(Refusal(kTls, kOpen, "0.0.0.0:7078"), HasSubstr("--insecure"));
  EXPECT_EQ(Refusal(kInsecure, kLocal, "0.0.0.0:7078"), "");
  EXPECT_EQ(Refusal({}, kLocal, ""), "");
}

TEST(SecurityCheck, PartsBelongTogether) {
  EXPECT_THAT(Refusal({.tls_certificate = "c"}, kLocal), HasSubstr("--tls-key"));
  EXPECT_THAT(Refusal({.tls_key = "k"}, kLocal), HasSubstr("--tls-cert"));
  EXPECT_THAT(Refusal({.tls_client_ca = "a"}, kLocal), HasSubstr("--tls-client-ca"));
}

}  // namespace
}  // namespace sweep
