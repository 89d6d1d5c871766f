#include "coordinator/http/socket_stream.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "absl/time/clock.h"

namespace sweep {

SocketStream::SocketStream(HttpConnection* connection, const Limits& limits)
    : connection_(*connection), limits_(limits), read_deadline_(absl::Now() + limits.read) {}

SocketStream::~SocketStream() { connection_.received.erase(0, taken_); }

bool SocketStream::WaitFor(short events, absl::Duration limit) const {
  pollfd polled{connection_.socket, events, 0};
  const auto milliseconds = std::max<std::int64_t>(absl::ToInt64Milliseconds(limit), 0);
  return poll(&polled, 1, static_cast<int>(milliseconds)) > 0;
}

bool SocketStream::is_readable() const {
  return taken_ < connection_.received.size() || WaitFor(POLLIN, read_deadline_ - absl::Now());
}

bool SocketStream::is_writable() const { return WaitFor(POLLOUT, limits_.stalled_write); }

ssize_t SocketStream::read(char* data, std::size_t size) {
  const std::string& received = connection_.received;
  if (taken_ < received.size()) {
    const std::size_t count = std::min(size, received.size() - taken_);
    std::memcpy(data, received.data() + taken_, count);
    taken_ += count;
    return static_cast<ssize_t>(count);
  }
  // Refuses even data that has arrived: a client could send forever.
  if (absl::Now() >= read_deadline_ || !is_readable()) return -1;
  return recv(connection_.socket, data, size, MSG_DONTWAIT);
}

ssize_t SocketStream::write(const char* data, std::size_t size) {
  if (write_begin_ == absl::InfinitePast()) write_begin_ = absl::Now();
  while (true) {
    const ssize_t sent = send(connection_.socket, data, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) {
      written_bytes_ += sent;
      return sent;
    }
    if (errno != EAGAIN && errno != EINTR) return -1;
    if (absl::Now() > WriteDeadline() || !is_writable()) return -1;
  }
}

absl::Time SocketStream::WriteDeadline() const {
  return write_begin_ + limits_.write_grace +
         absl::Seconds(static_cast<double>(written_bytes_) / limits_.least_write_rate);
}

void SocketStream::get_remote_ip_and_port(std::string& ip, int& port) const {
  ip = connection_.peer;
  port = 0;
}

void SocketStream::get_local_ip_and_port(std::string& ip, int& port) const {
  ip.clear();
  port = 0;
}

}  // namespace sweep
