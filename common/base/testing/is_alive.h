#pragma once

#include <fstream>
#include <string>

namespace sweep::testing {

// Whether a process is there and no zombie, as one that was killed may be for whoever adopted it.
// Told by its state: its command line is also empty for an instant while it starts a program.
inline bool IsAlive(int pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(file, line);
  const std::size_t name_end = line.rfind(')');
  return name_end != std::string::npos && line.find_first_of("ZX", name_end) != name_end + 2;
}

}  // namespace sweep::testing
