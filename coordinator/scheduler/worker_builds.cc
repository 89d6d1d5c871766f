#include "coordinator/scheduler/worker_builds.h"

#include "common/spec/worker_requirements.h"

namespace sweep {

std::string VersionOf(std::string_view build) {
  return std::string(build.substr(build.rfind(' ') + 1));
}

bool IsTooOld(std::string_view build, const WorkerBuilds& builds) {
  return !builds.least.empty() && !IsAtLeast(VersionOf(build), builds.least);
}

bool IsOlderThanExpected(std::string_view build, const WorkerBuilds& builds) {
  return !builds.expected.empty() && !IsAtLeast(VersionOf(build), builds.expected);
}

}  // namespace sweep
