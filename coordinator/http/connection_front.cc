#include "coordinator/http/connection_front.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include "absl/time/clock.h"
#include "fmt/format.h"

namespace sweep {
namespace {

constexpr int kPollMs = 200;
// So that an answer goes out at once, whoever reads it how slowly.
constexpr int kSendBufferBytes = 1 << 20;
constexpr std::string_view kBusy =
    R"({"error":{"code":"UNAVAILABLE","message":"too many requests wait; ask again"}})";
constexpr std::string_view kTooLong =
    R"({"error":{"code":"INVALID_ARGUMENT","message":"the header of the request is too long"}})";

// Where the header ends; npos while it has not.
std::size_t HeaderEnd(const std::string& received) { return received.find("\r\n\r\n"); }

std::string PeerOf(const sockaddr_storage& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (address.ss_family == AF_INET) {
    inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in&>(address).sin_addr, text, sizeof text);
  } else {
    inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6&>(address).sin6_addr, text,
              sizeof text);
  }
  return text;
}

// Answers as far as it fits at once, and closes. `status` is a status line's, with more headers.
void Refuse(int socket, std::string_view status, std::string_view body) {
  const std::string answer = fmt::format(
      "HTTP/1.1 {}\r\nContent-Type: application/json; charset=utf-8\r\nX-Content-Type-Options: "
      "nosniff\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{}",
      status, body.size(), body);
  send(socket, answer.data(), answer.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  shutdown(socket, SHUT_WR);
  // Otherwise what was not read resets the connection before the answer is read; one who goes on
  // sending is not waited for.
  constexpr int kReads = 16;
  char rest[4096];
  for (int i = 0; i < kReads && recv(socket, rest, sizeof rest, MSG_DONTWAIT) > 0; ++i) {
  }
  close(socket);
}

}  // namespace

ConnectionFront::ConnectionFront(int listener, const Options& options, Handler handler)
    : options_(options),
      handler_(std::move(handler)),
      listener_(listener),
      wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  fcntl(listener_, F_SETFL, O_NONBLOCK);
  front_ = std::thread([this] { FrontLoop(); });
  for (int i = 0; i < options_.threads; ++i) workers_.emplace_back([this] { WorkerLoop(); });
}

ConnectionFront::~ConnectionFront() {
  Shutdown();
  close(listener_);
  close(wake_);
}

void ConnectionFront::Shutdown() {
  {
    MutexLock lock(&mutex_);
    if (std::exchange(stopping_, true)) return;
    // Their threads see the end of the connection.
    for (const auto& [socket, is_active] : active_) shutdown(socket, SHUT_RDWR);
    changed_.NotifyAll();
  }
  Wake();
  front_.join();
  for (std::thread& worker : workers_) worker.join();
  MutexLock lock(&mutex_);
  for (const HttpConnection& connection : queue_) close(connection.socket);
  for (const HttpConnection& connection : returned_) close(connection.socket);
  for (const auto& [socket, waiting] : waiting_) close(socket);
  queue_.clear();
  returned_.clear();
  waiting_.clear();
}

void ConnectionFront::Wake() {
  const std::uint64_t one = 1;
  static_cast<void>(!write(wake_, &one, sizeof one));
}

void ConnectionFront::FrontLoop() {
  std::vector<pollfd> polled;
  while (true) {
    TakeReturned();
    polled = {{listener_, static_cast<short>(has_descriptors_ ? POLLIN : 0), 0},
              {wake_, POLLIN, 0}};
    has_descriptors_ = true;
    for (const auto& [socket, waiting] : waiting_) polled.push_back({socket, POLLIN, 0});
    const int ready = poll(polled.data(), polled.size(), kPollMs);
    {
      MutexLock lock(&mutex_);
      if (stopping_) return;
    }
    std::uint64_t ignored = 0;
    static_cast<void>(!read(wake_, &ignored, sizeof ignored));
    for (std::size_t i = 2; ready > 0 && i < polled.size(); ++i) {
      if (polled[i].revents == 0) continue;
      const auto found = waiting_.find(polled[i].fd);
      if (!ReadHeader(&found->second)) waiting_.erase(found);
    }
    CloseOverdue(absl::Now());
    if ((polled[0].revents & POLLIN) != 0) Accept();
  }
}

void ConnectionFront::TakeReturned() {
  std::deque<HttpConnection> returned;
  {
    MutexLock lock(&mutex_);
    returned.swap(returned_);
  }
  for (HttpConnection& connection : returned) {
    if (HeaderEnd(connection.received) != std::string::npos) {
      Dispatch(std::move(connection));
      continue;
    }
    const int socket = connection.socket;
    const bool has_begun = !connection.received.empty();
    waiting_[socket] = {std::move(connection), absl::Now(), has_begun};
  }
}

void ConnectionFront::Accept() {
  while (true) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    const int socket = accept4(listener_, reinterpret_cast<sockaddr*>(&address), &size,
                               SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (socket < 0) {
      // The listener stays readable: asking it again at once would never end.
      has_descriptors_ = errno != EMFILE && errno != ENFILE;
      return;
    }
    const int on = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &kSendBufferBytes, sizeof kSendBufferBytes);
    MakeRoom();
    waiting_[socket] = {{.socket = socket, .peer = PeerOf(address)}, absl::Now(), false};
  }
}

// Closes the connection that has waited longest when there are too many.
void ConnectionFront::MakeRoom() {
  if (waiting_.size() < options_.max_connections) return;
  const auto oldest =
      std::min_element(waiting_.begin(), waiting_.end(), [](const auto& a, const auto& b) {
        return a.second.since < b.second.since;
      });
  close(oldest->first);
  waiting_.erase(oldest);
}

void ConnectionFront::CloseOverdue(absl::Time now) {
  for (auto next = waiting_.begin(); next != waiting_.end();) {
    const Waiting& waiting = next->second;
    const absl::Duration limit = waiting.has_begun ? options_.header_time : options_.idle_time;
    if (now - waiting.since < limit) {
      ++next;
      continue;
    }
    close(next->first);
    next = waiting_.erase(next);
  }
}

bool ConnectionFront::ReadHeader(Waiting* waiting) {
  HttpConnection& connection = waiting->connection;
  char buffer[8192];
  while (true) {
    const ssize_t got = recv(connection.socket, buffer, sizeof buffer, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return true;
    if (got <= 0) {
      close(connection.socket);
      return false;
    }
    if (!std::exchange(waiting->has_begun, true)) waiting->since = absl::Now();
    connection.received.append(buffer, static_cast<std::size_t>(got));
    const std::size_t end = HeaderEnd(connection.received);
    if (std::min(end, connection.received.size()) > options_.max_header_bytes) {
      Refuse(connection.socket, "431 Request Header Fields Too Large", kTooLong);
      return false;
    }
    if (end != std::string::npos) {
      Dispatch(std::move(connection));
      return false;
    }
  }
}

void ConnectionFront::Dispatch(HttpConnection connection) {
  const int socket = connection.socket;
  {
    MutexLock lock(&mutex_);
    if (queue_.size() < options_.max_queued) {
      queue_.push_back(std::move(connection));
      changed_.NotifyOne();
      return;
    }
  }
  Refuse(socket, "503 Service Unavailable\r\nRetry-After: 1", kBusy);
}

void ConnectionFront::WorkerLoop() {
  while (true) {
    HttpConnection connection;
    {
      MutexLock lock(&mutex_);
      while (queue_.empty() && !stopping_) changed_.Wait(&mutex_);
      if (stopping_) return;
      connection = std::move(queue_.front());
      queue_.pop_front();
      active_[connection.socket] = true;
    }
    const bool keep = handler_(&connection) && ++connection.served < options_.max_requests;
    {
      MutexLock lock(&mutex_);
      active_.erase(connection.socket);
      if (keep && !stopping_) {
        returned_.push_back(std::move(connection));
        Wake();
        continue;
      }
    }
    close(connection.socket);
  }
}

}  // namespace sweep
