#pragma once

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "coordinator/http/connection_front.h"
#include "httplib.h"

namespace sweep {

// One request's connection as httplib reads and writes it: what has been received first, then the
// socket, each wait within a limit. One thread.
class SocketStream final : public httplib::Stream {
 public:
  struct Limits {
    absl::Duration read = absl::Seconds(5);           // of all reading together
    absl::Duration stalled_write = absl::Seconds(5);  // without a byte
    // An answer has this long, and so long more as its bytes take at the least rate: a thread must
    // not belong to one who reads as slowly as he can.
    absl::Duration write_grace = absl::Seconds(10);
    double least_write_rate = 64 << 10;  // bytes per second
  };
  SocketStream(HttpConnection* connection, const Limits& limits);
  // What has been received and not read stays with the connection.
  ~SocketStream() override;

  bool is_readable() const override;
  bool is_writable() const override;
  ssize_t read(char* data, std::size_t size) override;
  ssize_t write(const char* data, std::size_t size) override;
  void get_remote_ip_and_port(std::string& ip, int& port) const override;
  void get_local_ip_and_port(std::string& ip, int& port) const override;
  // httplib refuses descriptors that select() cannot wait for; nothing here uses select().
  socket_t socket() const override { return 0; }

 private:
  bool WaitFor(short events, absl::Duration limit) const;
  absl::Time WriteDeadline() const;

  HttpConnection& connection_;
  std::size_t taken_ = 0;  // of what had been received
  const Limits limits_;
  const absl::Time read_deadline_;
  absl::Time write_begin_ = absl::InfinitePast();
  std::int64_t written_bytes_ = 0;
};

}  // namespace sweep
