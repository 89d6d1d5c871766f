#include "tests/integration/tcp_relay.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <stdexcept>
#include <vector>

namespace sweep::testing {
namespace {

constexpr int kLookMs = 20;

sockaddr_in Loopback(int port) {
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

int PortOf(const std::string& address) { return std::stoi(address.substr(address.rfind(':') + 1)); }

int Connect(const std::string& target) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(PortOf(target));
  if (connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  close(fd);
  return -1;
}

bool SendAll(int fd, const char* bytes, ssize_t size) {
  while (size > 0) {
    const ssize_t sent = send(fd, bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes += sent;
    size -= sent;
  }
  return true;
}

// Two sockets; each gets the bytes that the other receives.
struct Pair {
  int ends[2];
  void Close() const {
    for (const int end : ends) close(end);
  }
  // Moves waiting bytes from one end to the other; false at the end of the connection.
  bool Move(int from) const {
    char buffer[65536];
    const ssize_t got = recv(ends[from], buffer, sizeof buffer, MSG_DONTWAIT);
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    return got > 0 && SendAll(ends[1 - from], buffer, got);
  }
};

}  // namespace

TcpRelay::TcpRelay(const std::string& target) : target_(target) {
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof address;
  if (bind(listener, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      listen(listener, 64) != 0 ||
      getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("the relay cannot listen");
  }
  address_ = "127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  thread_ = std::jthread([this, listener] { Run(listener); });
}

TcpRelay::~TcpRelay() { over_ = true; }

void TcpRelay::Run(int listener) {
  std::vector<Pair> pairs;
  bool was_cut = false;
  while (!over_) {
    if (cut_) {  // the kernel accepts new connections and buffers their data
      was_cut = true;
      poll(nullptr, 0, kLookMs);
      continue;
    }
    if (was_cut) {
      for (const Pair& pair : pairs) pair.Close();
      pairs.clear();
      was_cut = false;
    }
    std::vector<pollfd> fds = {{.fd = listener, .events = POLLIN, .revents = 0}};
    for (const Pair& pair : pairs) {
      for (const int end : pair.ends) fds.push_back({.fd = end, .events = POLLIN, .revents = 0});
    }
    if (poll(fds.data(), fds.size(), kLookMs) <= 0 || cut_) continue;
    std::vector<Pair> open;
    for (std::size_t i = 0; i < pairs.size(); ++i) {
      bool good = true;
      for (const int from : {0, 1}) {
        if (fds[1 + 2 * i + static_cast<std::size_t>(from)].revents != 0) {
          good = good && pairs[i].Move(from);
        }
      }
      good ? open.push_back(pairs[i]) : pairs[i].Close();
    }
    pairs = std::move(open);
    if (fds[0].revents == 0) continue;
    const int caller = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    const int callee = Connect(target_);
    if (caller >= 0 && callee >= 0) {
      pairs.push_back({{caller, callee}});
    } else {
      for (const int end : {caller, callee}) {
        if (end >= 0) close(end);
      }
    }
  }
  for (const Pair& pair : pairs) pair.Close();
  close(listener);
}

}  // namespace sweep::testing
