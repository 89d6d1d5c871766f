#include "coordinator/http/listen_address.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>

#include "coordinator/http/http_rules.h"
#include "fmt/format.h"

namespace sweep {
namespace {

// "[::1]" without its brackets, for the resolver.
std::string BareHost(const std::string& host) {
  return host.size() > 2 && host.front() == '[' ? host.substr(1, host.size() - 2) : host;
}

struct Attempt {
  int socket = -1;
  std::string reason;  // of a failure
};

Attempt TryListen(const addrinfo& address) {
  constexpr int kBacklog = 128;
  const int fd = socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return {-1, std::strerror(errno)};
  const int one = 1;  // reuses a port whose server has just ended, as gRPC does
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
  if (bind(fd, address.ai_addr, address.ai_addrlen) == 0 && listen(fd, kBacklog) == 0) {
    return {fd, ""};
  }
  const Attempt failed{-1, std::strerror(errno)};
  close(fd);
  return failed;
}

int PortOf(int fd) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size);
  return ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6&>(bound).sin6_port
                                           : reinterpret_cast<sockaddr_in&>(bound).sin_port);
}

}  // namespace

bool ListenAddress::IsLoopback() const {
  return host == "localhost" || host == "[::1]" || IsLoopbackV4(host);
}

ListenAddress ListenAddress::Reachable() const {
  if (host == "0.0.0.0") return {"127.0.0.1", port};
  if (host == "[::]") return {"[::1]", port};
  return *this;
}

absl::StatusOr<ListenAddress> ParseListenAddress(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  ListenAddress address;
  bool good = colon != std::string::npos && colon > 0;
  if (good) {
    address.host = text.substr(0, colon);
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, address.port);
    const bool bracketed = address.host.front() == '[' && address.host.back() == ']';
    good = error == std::errc() && stop == end && address.port >= 0 && address.port <= 65535 &&
           (bracketed || address.host.find(':') == std::string::npos);
  }
  if (good) return address;
  return absl::InvalidArgumentError(fmt::format(
      "cannot listen on '{}': it is not HOST:PORT, such as 127.0.0.1:7077 or [::1]:7077", text));
}

absl::StatusOr<int> ListenOn(ListenAddress* address) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(BareHost(address->host).c_str(),
                                std::to_string(address->port).c_str(), &hints, &found);
  if (error != 0) {
    return absl::UnavailableError(
        fmt::format("cannot listen on {}: {}", address->ToString(), gai_strerror(error)));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, freeaddrinfo);
  std::string reason;
  for (const addrinfo* next = found; next != nullptr; next = next->ai_next) {
    const Attempt attempt = TryListen(*next);
    reason = attempt.reason;
    if (attempt.socket < 0) continue;
    address->port = PortOf(attempt.socket);
    return attempt.socket;
  }
  return absl::UnavailableError(
      fmt::format("cannot listen on {}: {}", address->ToString(), reason));
}

bool IsLoopbackSocket(int socket) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (getsockname(socket, reinterpret_cast<sockaddr*>(&bound), &size) != 0) return false;
  constexpr int kLoopbackNet = 127;
  if (bound.ss_family == AF_INET) {
    return ntohl(reinterpret_cast<sockaddr_in&>(bound).sin_addr.s_addr) >> 24 == kLoopbackNet;
  }
  const in6_addr& address = reinterpret_cast<sockaddr_in6&>(bound).sin6_addr;
  if (IN6_IS_ADDR_V4MAPPED(&address)) return address.s6_addr[12] == kLoopbackNet;
  return IN6_IS_ADDR_LOOPBACK(&address);
}

absl::Status ProbeListen(ListenAddress address) {
  const absl::StatusOr<int> fd = ListenOn(&address);
  if (!fd.ok()) return fd.status();
  close(*fd);
  return absl::OkStatus();
}

}  // namespace sweep
