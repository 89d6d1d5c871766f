#pragma once

#include <signal.h>

#include <cerrno>
#include <chrono>
#include <functional>
#include <thread>

namespace sweep {

// Polls a state of the operating system for which there is no event.
inline bool Eventually(const std::function<bool()>& condition,
                       std::chrono::milliseconds patience = std::chrono::seconds(20)) {
  const auto until = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

inline bool IsGone(int pid) { return pid > 0 && kill(pid, 0) != 0 && errno == ESRCH; }

}  // namespace sweep
