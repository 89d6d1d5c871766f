#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sweep {

// `requires` of a sweep file: what a worker must have to train the sweep's trials.
struct WorkerRequirements {
  std::string device;               // "cpu" or "cuda"; "": any
  std::vector<std::string> labels;  // each "KEY" or "KEY=VALUE"; in order, none twice
  std::int64_t memory_bytes = 0;    // of the worker's machine, at least
  std::string build;                // of the worker, at least: "1.2" or "1.2.3"; "": any

  friend auto operator<=>(const WorkerRequirements&, const WorkerRequirements&) = default;

  // As the sweep file has it; "" when nothing is required.
  std::string ToString() const;
};

// The numbers of a version, such as 1, 2 and 0 of "1.2.0-rc1"; empty when it does not begin with
// one. What is missing at the end counts as 0.
std::vector<int> VersionNumbers(std::string_view version);
// False also for a version without numbers.
bool IsAtLeast(std::string_view version, std::string_view least);

// "512 MB", "8 GB" or "1.5 GB"; a gigabyte has 10^9 bytes.
std::string MemoryText(std::int64_t bytes);

}  // namespace sweep
