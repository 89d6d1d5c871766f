#include "common/spec/worker_requirements.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"

namespace sweep {

std::string WorkerRequirements::ToString() const {
  std::vector<std::string> parts;
  if (!device.empty()) parts.push_back(absl::StrCat("device: ", device));
  if (!labels.empty()) parts.push_back(absl::StrCat("labels: [", absl::StrJoin(labels, ", "), "]"));
  if (memory_bytes > 0) parts.push_back(absl::StrCat("memory: ", MemoryText(memory_bytes)));
  if (!build.empty()) parts.push_back(absl::StrCat("build: ", build));
  return absl::StrJoin(parts, ", ");
}

std::vector<int> VersionNumbers(std::string_view version) {
  std::vector<int> numbers;
  const std::size_t end = std::min(version.find_first_not_of("0123456789."), version.size());
  const std::string digits(version.substr(0, end));
  for (const std::string& part : std::vector<std::string>(absl::StrSplit(digits, '.'))) {
    int number = 0;
    if (!absl::SimpleAtoi(part, &number)) break;
    numbers.push_back(number);
  }
  return numbers;
}

bool IsAtLeast(std::string_view version, std::string_view least) {
  std::vector<int> has = VersionNumbers(version), needs = VersionNumbers(least);
  if (has.empty()) return false;
  const std::size_t size = std::max(has.size(), needs.size());
  has.resize(size);
  needs.resize(size);
  return has >= needs;
}

std::string MemoryText(std::int64_t bytes) {
  for (const auto& [unit, size] : {std::pair("GB", 1e9), std::pair("MB", 1e6)}) {
    if (static_cast<double>(bytes) < size) continue;
    // Three digits say enough.
    return absl::StrCat(absl::SixDigits(std::round(static_cast<double>(bytes) / size * 1e3) / 1e3),
                        " ", unit);
  }
  return absl::StrCat(bytes, " B");
}

}  // namespace sweep
