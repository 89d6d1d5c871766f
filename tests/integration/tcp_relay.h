#pragma once

#include <atomic>
#include <string>
#include <thread>

namespace sweep::testing {

// Stands between a process and a server, byte for byte, on a port of its own: a network whose cable
// can be pulled. Thread-safe.
class TcpRelay {
 public:
  // `target` is "127.0.0.1:PORT".
  explicit TcpRelay(const std::string& target);
  ~TcpRelay();
  TcpRelay(const TcpRelay&) = delete;
  TcpRelay& operator=(const TcpRelay&) = delete;

  // "127.0.0.1:PORT" to connect to.
  const std::string& address() const { return address_; }
  // Nothing goes through, either way, and nobody is told: connections stay open and silent.
  void Cut() { cut_ = true; }
  // Connections from before are broken, as those that a router has forgotten; new ones work.
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
