#include "coordinator/http/connection_front.h"

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>

#include "absl/time/clock.h"
#include "coordinator/http/listen_address.h"
#include "coordinator/http/testing/http_testing.h"
#include "gmock/gmock.h"

namespace sweep {
namespace {

using testing::HasSubstr;

// Answers every request with its first word, without a header.
bool Echo(HttpConnection* connection) {
  const std::string answer = connection->received.substr(0, connection->received.find(' ')) + "\n";
  connection->received.erase(0, connection->received.find("\r\n\r\n") + 4);
  return send(connection->socket, answer.data(), answer.size(), MSG_NOSIGNAL) == std::ssize(answer);
}

std::string Request(const std::string& word) {
  return word + " / HTTP/1.1\r\nHost: localhost\r\n\r\n";
}

class ConnectionFrontTest : public testing::Test {
 protected:
  void Start(const ConnectionFront::Options& options,
             const ConnectionFront::Handler& handler = Echo) {
    ListenAddress address{.host = "127.0.0.1"};
    const absl::StatusOr<int> listener = ListenOn(&address);
    ASSERT_TRUE(listener.ok()) << listener.status();
    port_ = address.port;
    front_ = std::make_unique<ConnectionFront>(*listener, options, handler);
  }
  std::string Ask(const std::string& word) {
    RawClient client(port_);
    client.Send(Request(word));
    return client.ReadTo("\n");
  }

  int port_ = 0;
  std::unique_ptr<ConnectionFront> front_;
};

TEST_F(ConnectionFrontTest, AConnectionServesManyRequestsAlsoSentAtOnce) {
  Start({});
  RawClient client(port_);
  client.Send(Request("ONE") + Request("TWO") + "THR");
  EXPECT_EQ(client.ReadTo("\n"), "ONE\n");
  EXPECT_EQ(client.ReadTo("\n"), "TWO\n");
  client.Send(Request("EE"));
  EXPECT_EQ(client.ReadTo("\n"), "THREE\n");
}

TEST_F(ConnectionFrontTest, IdleAndSlowClientsHoldNoThread) {
  Start({.threads = 1, .header_time = absl::Hours(1), .idle_time = absl::Hours(1)});
  std::vector<RawClient> others;
  for (int i = 0; i < 50; ++i) others.emplace_back(port_);
  for (int i = 0; i < 50; ++i) {
    others.emplace_back(port_);
    others.back().Send("GET / HTTP/1.1\r\nX: ");  // and never the rest
  }
  EXPECT_EQ(Ask("HELLO"), "HELLO\n");
}

TEST_F(ConnectionFrontTest, AHeaderThatTakesTooLongIsCutOff) {
  Start({.header_time = absl::Milliseconds(50), .idle_time = absl::Hours(1)});
  RawClient slow(port_);
  slow.Send("GET / HTTP/1.1\r\n");
  EXPECT_EQ(slow.ReadAll(), "");
}

TEST_F(ConnectionFrontTest, AnIdleConnectionIsClosed) {
  Start({.idle_time = absl::Milliseconds(50)});
  RawClient idle(port_);
  EXPECT_EQ(idle.ReadAll(), "");
}

TEST_F(ConnectionFrontTest, BeyondTheLimitTheOldestConnectionGoes) {
  Start({.max_connections = 10, .idle_time = absl::Hours(1)});
  std::vector<RawClient> clients;
  for (int i = 0; i < 11; ++i) clients.emplace_back(port_);
  EXPECT_EQ(clients.front().ReadAll(), "");
  clients.back().Send(Request("LAST"));
  EXPECT_EQ(clients.back().ReadTo("\n"), "LAST\n");
}

TEST_F(ConnectionFrontTest, ALineThatEndsOtherwiseIsRefusedAtOnce) {
  Start({.header_time = absl::Hours(1), .idle_time = absl::Hours(1)});
  for (const char* head :
       {"GET / HTTP/1.1\nHost: localhost\n\n", "GET / HTTP/1.1\rHost: localhost\r\r"}) {
    RawClient client(port_);
    client.Send(head);
    EXPECT_THAT(client.ReadAll(), HasSubstr("400 Bad Request")) << head;
  }
}

TEST_F(ConnectionFrontTest, AnAddressBecomesAPath) {
  std::string received;
  Start({}, [&](HttpConnection* connection) {
    received = connection->received;
    return Echo(connection);
  });
  for (const auto& [target, path] :
       {std::pair("http://localhost/a?b", "/a?b"), std::pair("http://localhost", "/"),
        std::pair("http://localhost?b", "/?b")}) {
    RawClient client(port_);
    client.Send(std::string("GET ") + target + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
    EXPECT_EQ(client.ReadTo("\n"), "GET\n");
    EXPECT_EQ(received, std::string("GET ") + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  }
}

TEST_F(ConnectionFrontTest, AnUnknownTransferCodingIsNotImplemented) {
  Start({});
  RawClient client(port_);
  client.Send("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\n");
  EXPECT_THAT(client.ReadAll(), HasSubstr("501 Not Implemented"));
}

TEST_F(ConnectionFrontTest, ALongHeaderIsRefused) {
  Start({.max_header_bytes = 1000});
  RawClient client(port_);
  client.Send("GET / HTTP/1.1\r\nX: " + std::string(5000, 'x'));
  EXPECT_THAT(client.ReadAll(), HasSubstr("431"));
}

// A handler that blocks until it is released.
class Barrier {
 public:
  bool Handle(HttpConnection* connection) {
    ++entered_;
    while (!open_) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return Echo(connection);
  }
  void WaitFor(int entered) const {
    while (entered_ < entered) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  void Open() { open_ = true; }

 private:
  std::atomic<int> entered_ = 0;
  std::atomic<bool> open_ = false;
};

TEST_F(ConnectionFrontTest, AFullQueueAnswers503WithRetryAfter) {
  Barrier gate;
  Start({.threads = 1, .max_queued = 1},
        [&gate](HttpConnection* connection) { return gate.Handle(connection); });
  RawClient first(port_), second(port_);
  first.Send(Request("FIRST"));
  gate.WaitFor(1);
  second.Send(Request("SECOND"));
  // The first of these two to arrive takes the place in the queue.
  RawClient third(port_), fourth(port_);
  third.Send(Request("THIRD"));
  fourth.Send(Request("FOURTH"));
  const std::string refusal = fourth.ReadAll();
  EXPECT_THAT(refusal, HasSubstr("503"));
  EXPECT_THAT(refusal, HasSubstr("Retry-After: 1"));
  const std::size_t body = refusal.find("\r\n\r\n") + 4;
  EXPECT_THAT(refusal, HasSubstr("Content-Length: " + std::to_string(refusal.size() - body)));
  gate.Open();
  EXPECT_EQ(first.ReadTo("\n"), "FIRST\n");
}

std::string Change(const std::string& path, std::size_t body_bytes, const std::string& lines = "") {
  return "POST " + path +
         " HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(body_bytes) + "\r\n" +
         lines + "\r\n";
}

TEST_F(ConnectionFrontTest, SlowSendersOfBodiesHoldNoThread) {
  Start({.threads = 1, .body_time = absl::Hours(1), .idle_time = absl::Hours(1)});
  std::vector<RawClient> others;
  for (int i = 0; i < 50; ++i) {
    others.emplace_back(port_);
    others.back().Send(Change("/", 10) + "nine byte");
  }
  EXPECT_EQ(Ask("HELLO"), "HELLO\n");
  others.front().Send("s");
  EXPECT_EQ(others.front().ReadTo("\n"), "POST\n");
}

TEST_F(ConnectionFrontTest, ABodyThatTakesTooLongIsAnswered) {
  Start({.body_time = absl::Milliseconds(50)});
  RawClient client(port_);
  client.Send(Change("/", 10) + "nine byte");
  EXPECT_THAT(client.ReadAll(), HasSubstr("408"));
}

TEST_F(ConnectionFrontTest, ABodyThatWaitsForItIsAskedFor) {
  Start({});
  RawClient client(port_);
  client.Send(Change("/", 4, "Expect: 100-continue\r\n"));
  EXPECT_EQ(client.ReadTo("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.Send("body");
  EXPECT_EQ(client.ReadTo("\n"), "POST\n");
}

TEST_F(ConnectionFrontTest, AMalformedHeaderIsRefused) {
  Start({});
  RawClient client(port_);
  client.Send("GET / HTTP/1.1\r\nHost : localhost\r\n\r\n");
  const std::string answer = client.ReadAll();
  EXPECT_THAT(answer, HasSubstr("HTTP/1.1 400"));
  EXPECT_THAT(answer, HasSubstr("Host : localhost"));
}

TEST_F(ConnectionFrontTest, UrgentPathsWaitForNoOtherAnswer) {
  Barrier gate;
  Start({.threads = 1, .urgent_paths = {"/well"}}, [&gate](HttpConnection* connection) {
    return connection->path == "/well" ? Echo(connection) : gate.Handle(connection);
  });
  RawClient busy(port_), client(port_);
  busy.Send(Request("BUSY"));
  gate.WaitFor(1);
  client.Send("GET /well?full HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_EQ(client.ReadTo("\n"), "GET\n");
  gate.Open();
  EXPECT_EQ(busy.ReadTo("\n"), "BUSY\n");
}

TEST_F(ConnectionFrontTest, ShutdownEndsWaitingAndWorkingConnections) {
  std::atomic<bool> entered = false;
  Start({.threads = 2}, [&entered](HttpConnection* connection) {
    entered = true;
    char byte = 0;
    pollfd polled{connection->socket, POLLIN, 0};
    poll(&polled, 1, -1);  // like a stream whose client sends nothing
    return recv(connection->socket, &byte, 1, 0) == 1;
  });
  RawClient idle(port_), working(port_);
  working.Send(Request("GET"));
  while (!entered) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  const absl::Time start = absl::Now();
  front_->Shutdown();
  EXPECT_LT(absl::Now() - start, absl::Seconds(30));
  EXPECT_EQ(idle.ReadAll(), "");
  EXPECT_EQ(working.ReadAll(), "");
}

}  // namespace
}  // namespace sweep
