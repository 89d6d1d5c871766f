#include "coordinator/http/request_head.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace sweep {
namespace {

using ::testing::HasSubstr;

// Of a request with these field lines.
absl::StatusOr<RequestHead> WithFields(const std::string& fields) {
  return ParseRequestHead("POST /a?b=c HTTP/1.1\r\nHost: localhost\r\n" + fields);
}

TEST(RequestHead, KnowsThePathAndTheSizeOfTheBody) {
  const absl::StatusOr<RequestHead> head = WithFields("content-LENGTH: \t 12 \r\nX-Empty:");
  ASSERT_TRUE(head.ok()) << head.status();
  EXPECT_EQ(head->method, "POST");
  EXPECT_EQ(head->path, "/a");
  EXPECT_EQ(head->body_bytes, 12);
  EXPECT_FALSE(head->awaits_continue);
  EXPECT_TRUE(WithFields("Expect: 100-Continue")->awaits_continue);
}

TEST(RequestHead, TakesWhatClientsSend) {
  for (const char* fields :
       {"Accept: */*;q=0.8, text/html", "Cookie: a=\"b c\"", "X: caf\xc3\xa9", "X:", "X:\ty",
        "If-None-Match: W/\"1\"", "Transfer-Encoding: chunked", "X-1!#$%&'*+-.^_`|~: y"}) {
    EXPECT_TRUE(WithFields(fields).ok()) << fields;
  }
  EXPECT_TRUE(ParseRequestHead("GET / HTTP/1.0").ok());
  EXPECT_TRUE(ParseRequestHead("GET /x%20y?q=%22 HTTP/1.1\r\nHost:").ok());
}

TEST(RequestHead, RefusesFieldLinesThatAreNone) {
  for (const std::string& fields : {
           std::string("X : y"),             // white space before the colon
           std::string("X\t: y"), std::string(" X: y"),  // a folded line
           std::string("X: y\r\n z"), std::string(": y"), std::string("X"), std::string(""),
           std::string("X y: z"), std::string("X(: y"), std::string("X: a\rb"),
           std::string("X: a\nY: b"), std::string("X: a\x01"), std::string("X: a\x7f"),
           std::string("X: a\0b", 6), std::string("X\xc3\xa9: y"),
       }) {
    const absl::StatusOr<RequestHead> head = WithFields(fields);
    EXPECT_EQ(head.status().code(), absl::StatusCode::kInvalidArgument) << fields;
  }
}

TEST(RequestHead, RefusesBodiesOfTwoSizes) {
  for (const char* fields :
       {"Content-Length: 3\r\nContent-Length: 3", "Content-Length: 3, 3", "Content-Length: +3",
        "Content-Length: -3", "Content-Length: 0x3", "Content-Length: 3 3", "Content-Length:",
        "Content-Length: 99999999999999999999",
        "Content-Length: 3\r\nTransfer-Encoding: chunked"}) {
    EXPECT_EQ(WithFields(fields).status().code(), absl::StatusCode::kInvalidArgument) << fields;
  }
}

TEST(RequestHead, RefusesRequestLinesThatAreNone) {
  for (const char* line : {"", "GET", "GET /", "GET / HTTP/1.1 ", "GET  / HTTP/1.1",
                           "GET / x HTTP/1.1", " GET / HTTP/1.1", "GET / HTTP/2.0", "GET / http/1.1",
                           "GET / HTTP/1.1x", "G@T / HTTP/1.1", "GET /\t HTTP/1.1",
                           "GET /\xc3\xa9 HTTP/1.1", "PRI * HTTP/2.0"}) {
    EXPECT_FALSE(ParseRequestHead(std::string(line) + "\r\nHost: localhost").ok()) << line;
  }
}

TEST(RequestHead, WantsOneHost) {
  EXPECT_FALSE(ParseRequestHead("GET / HTTP/1.1").ok());
  EXPECT_FALSE(WithFields("HOST: other").ok());
}

TEST(RequestHead, NamesTheLine) {
  EXPECT_THAT(std::string(WithFields("Content-Length : 3").status().message()),
              HasSubstr("Content-Length : 3"));
}

}  // namespace
}  // namespace sweep
