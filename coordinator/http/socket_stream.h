#pragma once

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "coordinator/http/connection_front.h"
#include "httplib.h"

namespace sweep {

// One request's connection as httplib reads and writes it: first the bytes already received, then
// the socket, with a limit on each wait. One thread.
class SocketStream final : public httplib::Stream {
 public:
  struct Limits {
    absl::Duration read = absl::Seconds(5);           // for all reads together
    absl::Duration stalled_write = absl::Seconds(5);  // without a byte sent
    // An answer may take this long, plus the time for its bytes at the least rate: a slow reader
    // must not hold a thread.
    absl::Duration write_grace = absl::Seconds(10);
    double least_write_rate = 64 << 10;  // bytes per second
  };
  SocketStream(HttpConnection* connection, const Limits& limits);
  // Leaves unread bytes in the connection.
  ~SocketStream() override;

  bool is_readable() const override;
  bool is_writable() const override;
  ssize_t read(char* data, std::size_t size) override;
  ssize_t write(const char* data, std::size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  // httplib refuses descriptors beyond the range of select(), which nothing here uses.
  socket_t socket() const override { return 0; }

 private:
  bool WaitFor(short events, absl::Duration limit) const;
  absl::Time WriteDeadline() const;

  HttpConnection& connection_;
  std::size_t taken_ = 0;  // of the bytes already received
  const Limits limits_;
  const absl::Time read_deadline_;
  absl::Time write_begin_ = absl::InfinitePast();
  std::int64_t written_bytes_ = 0;
};

}  // namespace sweep
