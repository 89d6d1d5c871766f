#include "coordinator/http/socket_stream.h"

#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "gtest/gtest.h"

namespace sweep {
namespace {

class SocketStreamTest : public testing::Test {
 protected:
  void SetUp() override {
    int sockets[2];
    ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
    connection_ = {.socket = sockets[0], .peer = "127.0.0.1"};
    peer_ = sockets[1];
  }
  void TearDown() override {
    close(connection_.socket);
    close(peer_);
  }

  HttpConnection connection_;
  int peer_ = -1;
};

TEST_F(SocketStreamTest, WhatWasReceivedComesFirst) {
  connection_.received = "GET";
  ASSERT_EQ(send(peer_, " /", 2, 0), 2);
  SocketStream stream(&connection_, {});
  char data[8];
  EXPECT_EQ(stream.read(data, 2), 2);
  EXPECT_EQ(stream.read(data + 2, sizeof data - 2), 1);
  EXPECT_EQ(stream.read(data + 3, sizeof data - 3), 2);
  EXPECT_EQ(std::string(data, 5), "GET /");
}

TEST_F(SocketStreamTest, AfterItsTimeNothingIsReadThoughMoreIsThere) {
  ASSERT_EQ(send(peer_, "more", 4, 0), 4);
  SocketStream stream(&connection_, {.read = absl::ZeroDuration()});
  char data[8];
  EXPECT_EQ(stream.read(data, sizeof data), -1);
}

TEST_F(SocketStreamTest, OneWhoReadsTooSlowlyIsGivenUp) {
  SocketStream stream(&connection_,
                      {.write_grace = absl::ZeroDuration(), .least_write_rate = 1e12});
  const std::string bytes(1 << 20, 'x');
  ssize_t sent = 0;
  int writes = 0;
  while (sent >= 0 && ++writes < 1000) sent = stream.write(bytes.data(), bytes.size());
  EXPECT_EQ(sent, -1);
}

}  // namespace
}  // namespace sweep
