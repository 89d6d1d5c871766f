#include "coordinator/http/http_rules.h"

#include "coordinator/http/gzip.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sweep {
namespace {

using testing::HasSubstr;

// The request of a browser from the page itself.
HttpCaller Page() {
  return {.peer = "127.0.0.1",
          .host = "localhost:7078",
          .origin = "http://localhost:7078",
          .fetch_site = "same-origin",
          .content_type = "application/json; charset=utf-8"};
}

std::string Refusal(const HttpCaller& caller) {
  const absl::Status status = MayAct(caller);
  EXPECT_TRUE(absl::IsPermissionDenied(status)) << status;
  return std::string(status.message());
}

TEST(HttpRules, ThePageItselfMayAct) {
  HttpCaller caller = Page();
  EXPECT_TRUE(MayAct(caller).ok()) << MayAct(caller);
  caller.fetch_site = "";
  EXPECT_TRUE(MayAct(caller).ok());
  caller = Page();
  caller.origin = "";
  EXPECT_TRUE(MayAct(caller).ok());
  caller = Page();
  caller.peer = "::1";
  caller.host = "[::1]:7078";
  caller.origin = "http://[::1]:7078";
  EXPECT_TRUE(MayAct(caller).ok());
}

TEST(HttpRules, EachRuleRefusesAlone) {
  HttpCaller caller = Page();
  for (const char* peer : {"192.168.0.7", "::ffff:10.0.0.1", "128.0.0.1", "", "2001:db8::1"}) {
    caller.peer = peer;
    EXPECT_THAT(Refusal(caller), HasSubstr("this machine")) << peer;
  }
  for (const char* host : {"evil.example", "evil.example:7078", "localhost.evil.example", "",
                           "127.evil.example", "[::2]:7078", "0.0.0.0:7078"}) {
    caller = Page();
    caller.host = host;
    caller.origin = std::string("http://") + host;
    EXPECT_THAT(Refusal(caller), HasSubstr("another host")) << host;
  }
  for (const char* origin : {"http://evil.example", "null", "http://localhost:7079",
                             "https://localhost:7078", "http://localhost:7078.evil.example"}) {
    caller = Page();
    caller.origin = origin;
    EXPECT_THAT(Refusal(caller), HasSubstr("another origin")) << origin;
  }
  for (const char* site : {"cross-site", "same-site", "none"}) {
    caller = Page();
    caller.fetch_site = site;
    EXPECT_THAT(Refusal(caller), HasSubstr("Sec-Fetch-Site")) << site;
  }
  for (const char* type :
       {"", "text/plain", "application/x-www-form-urlencoded", "application/json-but-not"}) {
    caller = Page();
    caller.content_type = type;
    EXPECT_THAT(Refusal(caller), HasSubstr("Content-Type")) << type;
  }
  caller = Page();
  caller.is_forwarded = true;
  EXPECT_THAT(Refusal(caller), HasSubstr("proxy"));
  caller = Page();
  caller.origin = caller.fetch_site = "";
  EXPECT_THAT(Refusal(caller), HasSubstr("neither"));
}

TEST(HttpRules, AServerOnLoopbackAnswersOnlyToItsNames) {
  EXPECT_TRUE(MayRead({.host = "localhost"}, true).ok());
  EXPECT_TRUE(MayRead({.host = "127.0.0.1:7078"}, true).ok());
  EXPECT_TRUE(absl::IsPermissionDenied(MayRead({.host = "evil.example"}, true)));
  EXPECT_TRUE(absl::IsPermissionDenied(MayRead({}, true)));
  EXPECT_TRUE(MayRead({.host = "gpu-box:7078"}, false).ok());
}

TEST(HttpRules, DocumentsAreNotForPagesOfOtherSites) {
  for (const char* site : {"", "none", "same-origin", "same-site"}) {
    EXPECT_TRUE(MayReadData({.fetch_site = site}).ok()) << site;
  }
  EXPECT_TRUE(absl::IsPermissionDenied(MayReadData({.fetch_site = "cross-site"})));
}

TEST(HttpRules, EveryErrorHasAStatus) {
  EXPECT_EQ(HttpStatus(absl::InvalidArgumentError("")), 400);
  EXPECT_EQ(HttpStatus(absl::PermissionDeniedError("")), 403);
  EXPECT_EQ(HttpStatus(absl::NotFoundError("")), 404);
  EXPECT_EQ(HttpStatus(absl::FailedPreconditionError("")), 409);
  EXPECT_EQ(HttpStatus(absl::UnavailableError("")), 503);
  EXPECT_EQ(HttpStatus(absl::DataLossError("")), 500);
}

TEST(Gzip, GoesThereAndBack) {
  const std::string text(100'000, 'a');
  const std::string packed = Gzip(text, 4);
  EXPECT_LT(packed.size(), 1000u);
  EXPECT_EQ(Gunzip(packed), text);
  EXPECT_EQ(Gunzip(packed.substr(0, 50)), "");
  EXPECT_EQ(Gunzip(Gzip("", 4)), "");
}

TEST(Gzip, IsAcceptedByThoseWhoSaySo) {
  EXPECT_TRUE(AcceptsGzip("gzip"));
  EXPECT_TRUE(AcceptsGzip("br;q=1.0, gzip;q=0.8, *;q=0.1"));
  EXPECT_FALSE(AcceptsGzip(""));
  EXPECT_FALSE(AcceptsGzip("br, deflate"));
  EXPECT_FALSE(AcceptsGzip("gzip;q=0"));
}

}  // namespace
}  // namespace sweep
