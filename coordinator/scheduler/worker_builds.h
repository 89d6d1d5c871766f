#pragma once

#include <string>
#include <string_view>

namespace sweep {

// What builds of workers a coordinator takes, as versions such as "0.2" or "0.2.1"; "": any.
struct WorkerBuilds {
  std::string least;     // older workers are refused
  std::string expected;  // older workers train, and people are told of them
};

// The version in a build as workers give it, "sweep-worker 0.1.0".
std::string VersionOf(std::string_view build);

// The worker is to be refused, and people are to be told of it. A build without a version is older
// than all others.
bool IsTooOld(std::string_view build, const WorkerBuilds& builds);
bool IsOlderThanExpected(std::string_view build, const WorkerBuilds& builds);

}  // namespace sweep
