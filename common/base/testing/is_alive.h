#pragma once

#include <fstream>
#include <string>

namespace sweep::testing {

// True for a process that exists and is no zombie; a killed process stays one until its parent
// waits for it. Reads the state because a command line is also empty for an instant during exec.
inline bool IsAlive(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(file, line);
  const std::size_t name_end = line.rfind(')');
  return name_end != std::string::npos && line.find_first_of("ZX", name_end) != name_end + 2;
}

}  // namespace sweep::testing
