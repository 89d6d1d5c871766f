#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace sweep {

// Converts between the services' resource names and the short forms that people type. Pure; any
// thread.

// "sweeps/{name}".
std::string SweepResource(std::string_view name);
// "sweeps/{sweep}/trials/{number}".
std::string TrialResource(std::string_view sweep, std::int64_t number);
// "workers/{name}", or "" for "".
std::string WorkerResource(std::string_view name);

// Parses a sweep's name from "sweeps/x" or "x". InvalidArgument naming the text.
absl::StatusOr<std::string> ParseSweepResource(std::string_view text);

struct TrialId {
  std::string sweep;
  std::int64_t number = 0;  // 1-based
  bool operator==(const TrialId&) const = default;
  std::string short_name() const { return sweep + "/" + std::to_string(number); }
};
// Parses "sweeps/x/trials/3" or "x/3". InvalidArgument naming the text.
absl::StatusOr<TrialId> ParseTrialResource(std::string_view text);

// Parses a worker's name from "workers/w" or "w". InvalidArgument naming the text.
absl::StatusOr<std::string> ParseWorkerResource(std::string_view text);

}  // namespace sweep
