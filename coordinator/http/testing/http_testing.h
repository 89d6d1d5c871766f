#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <string>
#include <utility>

#include "gtest/gtest.h"

namespace sweep {

// A raw connection to a local port, for input that no well-behaved client sends.
class RawClient {
 public:
  explicit RawClient(int port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }
  RawClient(RawClient&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}
  ~RawClient() {
    if (socket_ >= 0) close(socket_);
  }

  void Send(const std::string& text) {
    EXPECT_EQ(send(socket_, text.data(), text.size(), MSG_NOSIGNAL), std::ssize(text));
  }
  // Reads until the other side closes.
  std::string ReadAll() {
    std::string text;
    char buffer[4096];
    while (Wait()) {
      const ssize_t got = recv(socket_, buffer, sizeof buffer, 0);
      if (got <= 0) break;
      text.append(buffer, static_cast<std::size_t>(got));
    }
    return text;
  }
  // Reads until `end` has arrived.
  std::string ReadTo(const std::string& end) {
    std::string text;
    char next = 0;
    while (!text.ends_with(end) && Wait() && recv(socket_, &next, 1, 0) == 1) text += next;
    return text;
  }

 private:
  // False after a timeout that exceeds everything here.
  bool Wait() const {
    pollfd polled{socket_, POLLIN, 0};
    const bool ready = poll(&polled, 1, 30'000) > 0;
    EXPECT_TRUE(ready) << "nothing came";
    return ready;
  }

  int socket_;
};

// The port in "http://127.0.0.1:43211/".
inline int PortOf(const std::string& url) {
  return std::atoi(url.substr(url.rfind(':') + 1).c_str());
}

}  // namespace sweep
