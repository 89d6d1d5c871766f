#include "coordinator/http/request_head.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace sweep {
namespace {

using ::testing::HasSubstr;

// The head of a request with these field lines.
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
           std::string("X : y"),  // white space before the colon
           std::string("X\t: y"),
           std::string(" X: y"),  // a folded line
           std::string("X: y\r\n z"),
           std::string(": y"),
           std::string("X"),
           std::string(""),
           std::string("X y: z"),
           std::string("X(: y"),
           std::string("X: a\rb"),
           std::string("X: a\nY: b"),
           std::string("X: a\x01"),
           std::string("X: a\x7f"),
           std::string("X: a\0b", 6),
           std::string("X\xc3\xa9: y"),
       }) {
    const absl::StatusOr<RequestHead> head = WithFields(fields);
    EXPECT_EQ(head.status().code(), absl::StatusCode::kInvalidArgument) << fields;
  }
}

TEST(RequestHead, RefusesBodiesOfTwoSizes) {
  for (const char* fields :
       {"Content-Length: 3\r\nContent-Length: 3", "Content-Length: 3, 3", "Content-Length: +3",
        "Content-Length: -3", "Content-Length: 0x3", "Content-Length: 3 3", "Content-Length:",
        "Content-Length: 99999999999999999999", "Content-Length: 3\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"}) {
    EXPECT_EQ(WithFields(fields).status().code(), absl::StatusCode::kInvalidArgument) << fields;
  }
}

TEST(RequestHead, RefusesBodiesWithoutAnEnd) {
  EXPECT_TRUE(WithFields("Transfer-Encoding: Chunked").ok());
  for (const char* coding : {"", "identity", "gzip", "xchunked", "chunked, gzip", "chunked,"}) {
    EXPECT_EQ(WithFields(std::string("Transfer-Encoding: ") + coding).status().code(),
              absl::StatusCode::kInvalidArgument)
        << coding;
  }
  EXPECT_EQ(WithFields("Transfer-Encoding: gzip, chunked").status().code(),
            absl::StatusCode::kUnimplemented);
}

TEST(RequestHead, TakesATargetInAbsoluteForm) {
  const auto head = [](const std::string& target, const std::string& host) {
    return ParseRequestHead("GET " + target + " HTTP/1.1\r\nHost: " + host);
  };
  const absl::StatusOr<RequestHead> whole = head("HTTP://LocalHost:80/a?b", "localhost:80");
  ASSERT_TRUE(whole.ok()) << whole.status();
  EXPECT_EQ(whole->path, "/a");
  EXPECT_EQ(whole->origin_bytes, std::string("http://localhost:80").size());
  EXPECT_EQ(head("http://[::1]", "[::1]")->path, "/");
  EXPECT_EQ(head("http://h?x=/", "h")->path, "/");
  EXPECT_EQ(head("/http://h/", "h")->origin_bytes, 0u);
  // Readers could take the host from either place.
  EXPECT_FALSE(head("http://localhost/", "other").ok());
  EXPECT_FALSE(head("http://a@localhost/", "localhost").ok());
  EXPECT_FALSE(head("http:///a", "").ok());
}

TEST(RequestHead, RefusesRequestLinesThatAreNone) {
  for (const char* line : {"",
                           "GET",
                           "GET /",
                           "GET / HTTP/1.1 ",
                           "GET  / HTTP/1.1",
                           "GET / x HTTP/1.1",
                           " GET / HTTP/1.1",
                           "GET / HTTP/2.0",
                           "GET / http/1.1",
                           "GET / HTTP/1.1x",
                           "G@T / HTTP/1.1",
                           "GET /\t HTTP/1.1",
                           "GET /\xc3\xa9 HTTP/1.1",
                           "PRI * HTTP/2.0",
                           "GET * HTTP/1.1",
                           "GET a HTTP/1.1",
                           "GET localhost:80 HTTP/1.1",
                           "GET /a#b HTTP/1.1",
                           "GET https://localhost/ HTTP/1.1",
                           "GET ?a HTTP/1.1"}) {
    EXPECT_FALSE(ParseRequestHead(std::string(line) + "\r\nHost: localhost").ok()) << line;
  }
}

TEST(RequestHead, WantsOneHost) {
  EXPECT_FALSE(ParseRequestHead("GET / HTTP/1.1").ok());
  EXPECT_FALSE(WithFields("HOST: other").ok());
  for (const char* host : {"localhost", "a.b:80", "[::1]:7078", "127.0.0.1", "", "a:", "x_y"}) {
    EXPECT_TRUE(ParseRequestHead(std::string("GET / HTTP/1.1\r\nHost: ") + host).ok()) << host;
  }
  for (const char* host : {"a b", "a@b", "a/b", "a:b", "a:80:80", "[::1", "[::1]x", "::1", "a\"b",
                           "h\xc3\xa9", "a, b", "a?b", "a\\b"}) {
    EXPECT_FALSE(ParseRequestHead(std::string("GET / HTTP/1.1\r\nHost: ") + host).ok()) << host;
  }
}

TEST(RequestHead, KnowsBadLineEndsBeforeTheHeadIsWhole) {
  for (const char* text : {"", "GET", "GET / HTTP/1.1\r", "GET / HTTP/1.1\r\nHost: a\r\n\r"}) {
    EXPECT_TRUE(CheckLineEnds(text).ok()) << text;
  }
  for (const char* text :
       {"\n", "GET / HTTP/1.1\nHost", "A\r\nB\n", "A\rB", "A\r\r\n", "A\r\n\n"}) {
    EXPECT_FALSE(CheckLineEnds(text).ok()) << text;
  }
}

TEST(RequestHead, NamesTheLine) {
  EXPECT_THAT(std::string(WithFields("Content-Length : 3").status().message()),
              HasSubstr("Content-Length : 3"));
}

}  // namespace
}  // namespace sweep
