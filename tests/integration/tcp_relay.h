#pragma once

#include <atomic>
#include <string>
#include <thread>

namespace sweep::testing {

// Forwards bytes between a process and a server, on a port of its own: a network whose cable can be
// pulled. Thread-safe.
class TcpRelay {
 public:
  // `target` is "127.0.0.1:PORT".
  explicit TcpRelay(const std::string& target);
  ~TcpRelay();
  TcpRelay(const TcpRelay&) = delete;
  TcpRelay& operator=(const TcpRelay&) = delete;

  // The "127.0.0.1:PORT" to connect to.
  const std::string& address() const { return address_; }
  // Stops all traffic, either way, without telling anybody: connections stay open and silent.
  void Cut() { cut_ = true; }
  // Breaks the connections from before, as a router does that has forgotten them; new ones work.
  void Mend() { cut_ = false; }

 private:
  void Run(int listener);

  const std::string target_;
  std::string address_;
  std::atomic<bool> cut_ = false;
  std::atomic<bool> over_ = false;
  std::jthread thread_;
};

}  // namespace sweep::testing
