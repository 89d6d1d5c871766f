#include "coordinator/http/connection_front.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include "absl/time/clock.h"
#include "coordinator/http/request_head.h"
#include "coordinator/views/views.h"
#include "fmt/format.h"

namespace sweep {
namespace {

constexpr int kPollMs = 200;
// Takes a whole answer at once, so that a slow reader does not hold a thread.
constexpr int kSendBufferBytes = 1 << 20;
constexpr std::string_view kBusy =
    R"({"error":{"code":"UNAVAILABLE","message":"too many requests wait; ask again"}})";
constexpr std::string_view kTooLong =
    R"({"error":{"code":"INVALID_ARGUMENT","message":"the header of the request is too long"}})";
constexpr std::string_view kTooSlow =
    R"({"error":{"code":"DEADLINE_EXCEEDED","message":"the body of the request took too long"}})";
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";

constexpr std::string_view kHeaderEnd = "\r\n\r\n";

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

// Sends as much of an answer as fits at once, and closes. `status` is the status line's text, and
// may add headers.
void Refuse(int socket, std::string_view status, std::string_view body) {
  const std::string answer = fmt::format(
      "HTTP/1.1 {}\r\nContent-Type: application/json; charset=utf-8\r\nX-Content-Type-Options: "
      "nosniff\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{}",
      status, body.size(), body);
  send(socket, answer.data(), answer.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  shutdown(socket, SHUT_WR);
  // Unread input would reset the connection before the client has read the answer. The number of
  // reads is bounded, since a client may keep sending.
  constexpr int kReads = 16;
  char rest[4096];
  for (int i = 0; i < kReads && recv(socket, rest, sizeof rest, MSG_DONTWAIT) > 0; ++i) {
  }
  close(socket);
}

void RefuseHead(int socket, const absl::Status& why) {
  Refuse(socket, absl::IsUnimplemented(why) ? "501 Not Implemented" : "400 Bad Request",
         ErrorDocument(why));
}

}  // namespace

ConnectionFront::ConnectionFront(int listener, const Options& options, Handler handler)
    : options_(options),
      handler_(std::move(handler)),
      listener_(listener),
      wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  fcntl(listener_, F_SETFL, O_NONBLOCK);
  front_ = std::thread([this] { FrontLoop(); });
  for (int i = 0; i < options_.threads; ++i)
    workers_.emplace_back([this] { WorkerLoop(&ordinary_); });
  if (!options_.urgent_paths.empty()) workers_.emplace_back([this] { WorkerLoop(&urgent_); });
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
    // Makes the threads that serve these connections see the end of input.
    for (const auto& [socket, is_active] : active_) shutdown(socket, SHUT_RDWR);
    ordinary_.changed.NotifyAll();
    urgent_.changed.NotifyAll();
  }
  Wake();
  front_.join();
  for (std::thread& worker : workers_) worker.join();
  MutexLock lock(&mutex_);
  for (RequestQueue* queue : {&ordinary_, &urgent_}) {
    for (const HttpConnection& connection : queue->connections) close(connection.socket);
    queue->connections.clear();
  }
  for (const HttpConnection& connection : returned_) close(connection.socket);
  for (const auto& [socket, waiting] : waiting_) close(socket);
  returned_.clear();
  waiting_.clear();
}

void ConnectionFront::Wake() {
  const std::uint64_t one = 1;
  static_cast<void>(!write(wake_, &one, sizeof one));
}

void ConnectionFront::FrontLoop() {
  pthread_setname_np(pthread_self(), "connections");
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
      if (!Receive(&found->second)) waiting_.erase(found);
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
    const int socket = connection.socket;
    const bool has_begun = !connection.received.empty();
    Waiting waiting{std::move(connection), absl::Now(), has_begun};
    if (Advance(&waiting)) waiting_[socket] = std::move(waiting);
  }
}

void ConnectionFront::Accept() {
  while (true) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    const int socket = accept4(listener_, reinterpret_cast<sockaddr*>(&address), &size,
                               SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (socket < 0) {
      // Out of descriptors: the listener stays readable, so polling it would spin.
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

// Closes the longest waiting connection when there are too many.
void ConnectionFront::MakeRoom() {
  if (waiting_.size() < options_.max_connections) return;
  const auto oldest = std::min_element(
      waiting_.begin(), waiting_.end(),
      [](const auto& a, const auto& b) { return a.second.since < b.second.since; });
  close(oldest->first);
  waiting_.erase(oldest);
}

void ConnectionFront::CloseOverdue(absl::Time now) {
  for (auto next = waiting_.begin(); next != waiting_.end();) {
    const Waiting& waiting = next->second;
    const bool has_header = waiting.whole_bytes > 0;
    const absl::Duration limit = has_header          ? options_.body_time
                                 : waiting.has_begun ? options_.header_time
                                                     : options_.idle_time;
    if (now - waiting.since < limit) {
      ++next;
      continue;
    }
    if (has_header) {
      Refuse(next->first, "408 Request Timeout", kTooSlow);
    } else {
      close(next->first);
    }
    next = waiting_.erase(next);
  }
}

bool ConnectionFront::Receive(Waiting* waiting) {
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
    if (!Advance(waiting)) return false;
  }
}

// Dispatches a complete request, and refuses a malformed one.
bool ConnectionFront::Advance(Waiting* waiting) {
  std::string& received = waiting->connection.received;
  if (waiting->whole_bytes == 0) {
    // Empty lines before a request are ignored (RFC 9112 section 2.2).
    while (received.starts_with("\r\n")) received.erase(0, 2);
    const std::size_t end = received.find(kHeaderEnd);
    if (absl::Status ends = CheckLineEnds(std::string_view(received).substr(0, end)); !ends.ok()) {
      RefuseHead(waiting->connection.socket, ends);
      return false;
    }
    if (std::min(end, received.size()) > options_.max_header_bytes) {
      Refuse(waiting->connection.socket, "431 Request Header Fields Too Large", kTooLong);
      return false;
    }
    if (end == std::string::npos) return true;
    if (!BeginBody(end, waiting)) return false;
  }
  if (received.size() < waiting->whole_bytes) return true;
  Dispatch(std::move(waiting->connection));
  return false;
}

bool ConnectionFront::BeginBody(std::size_t header_end, Waiting* waiting) {
  HttpConnection& connection = waiting->connection;
  const absl::StatusOr<RequestHead> head =
      ParseRequestHead(std::string_view(connection.received).substr(0, header_end));
  if (!head.ok()) {
    RefuseHead(connection.socket, head.status());
    return false;
  }
  if (head->origin_bytes > 0) {
    // Handlers only know targets that are paths; the field Host names the same host.
    const std::size_t target = head->method.size() + 1;
    const bool has_path = connection.received[target + head->origin_bytes] == '/';
    connection.received.replace(target, head->origin_bytes, has_path ? "" : "/");
    header_end = connection.received.find(kHeaderEnd);
  }
  connection.path = head->path;
  waiting->whole_bytes = header_end + kHeaderEnd.size();
  waiting->since = absl::Now();
  // Other bodies are not read: their connection closes after the answer.
  const auto body_bytes = static_cast<std::size_t>(head->body_bytes);
  if (head->method != "POST" || body_bytes > options_.max_body_bytes) return true;
  waiting->whole_bytes += body_bytes;
  if (head->awaits_continue && connection.received.size() < waiting->whole_bytes) {
    send(connection.socket, kContinue.data(), kContinue.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
  }
  return true;
}

void ConnectionFront::Dispatch(HttpConnection connection) {
  const int socket = connection.socket;
  const std::vector<std::string>& urgent = options_.urgent_paths;
  const bool is_urgent = std::find(urgent.begin(), urgent.end(), connection.path) != urgent.end();
  {
    MutexLock lock(&mutex_);
    RequestQueue& queue = is_urgent ? urgent_ : ordinary_;
    if (queue.connections.size() < options_.max_queued) {
      queue.connections.push_back(std::move(connection));
      queue.changed.NotifyOne();
      return;
    }
  }
  Refuse(socket, "503 Service Unavailable\r\nRetry-After: 1", kBusy);
}

void ConnectionFront::WorkerLoop(RequestQueue* queue) {
  pthread_setname_np(pthread_self(), queue == &urgent_ ? "health" : "requests");
  while (true) {
    HttpConnection connection;
    {
      MutexLock lock(&mutex_);
      while (queue->connections.empty() && !stopping_) queue->changed.Wait(&mutex_);
      if (stopping_) return;
      connection = std::move(queue->connections.front());
      queue->connections.pop_front();
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
