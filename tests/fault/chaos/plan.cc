#include "tests/fault/chaos/plan.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <random>

namespace sweep::chaos {
namespace {

struct Kind {
  FaultKind kind;
  const char* name;
  int weight;
  bool is_decision;
};

constexpr std::array<Kind, 15> kKinds = {{
    {FaultKind::kKillCoordinator, "coordinator SIGKILL", 6, false},
    {FaultKind::kKillCoordinatorAtAnswer, "coordinator SIGKILL at an acknowledgement", 6, false},
    {FaultKind::kEndCoordinator, "coordinator SIGTERM", 4, false},
    {FaultKind::kFreezeCoordinator, "coordinator SIGSTOP, then SIGCONT", 6, false},
    {FaultKind::kKillWorker, "worker SIGKILL", 14, false},
    {FaultKind::kEndWorker, "worker SIGTERM", 8, false},
    {FaultKind::kFreezeWorker, "worker SIGSTOP, then SIGCONT", 14, false},
    {FaultKind::kCutConnection, "connection cut, then mended", 14, false},
    {FaultKind::kKillTrainer, "trainer SIGKILL", 10, false},
    {FaultKind::kPause, "sweep paused, then resumed", 3, true},
    {FaultKind::kPauseNow, "sweep paused now, then resumed", 4, true},
    {FaultKind::kExtend, "sweep extended", 3, true},
    {FaultKind::kCancelTrial, "trial cancelled, then retried", 4, true},
    {FaultKind::kCancelSweep, "sweep cancelled, then retried", 2, true},
    {FaultKind::kDrainWorker, "worker drained", 2, true},
}};

const Kind& Find(FaultKind kind) {
  return *std::find_if(kKinds.begin(), kKinds.end(), [&](const Kind& k) { return k.kind == kind; });
}

// Unlike the standard's distributions, this gives the same numbers with every library.
double Uniform(std::mt19937_64* random) { return static_cast<double>((*random)() >> 11) * 0x1p-53; }

FaultKind DrawKind(std::mt19937_64* random) {
  int total = 0;
  for (const Kind& kind : kKinds) total += kind.weight;
  int left = static_cast<int>(Uniform(random) * total);
  for (const Kind& kind : kKinds) {
    if (left < kind.weight) return kind.kind;
    left -= kind.weight;
  }
  return FaultKind::kKillWorker;
}

}  // namespace

std::size_t Place(double which, std::size_t count) {
  return std::min(count - 1, static_cast<std::size_t>(which * static_cast<double>(count)));
}

std::string FaultName(FaultKind kind) { return Find(kind).name; }

bool IsDecision(FaultKind kind) { return Find(kind).is_decision; }

std::vector<Fault> MakePlan(std::uint64_t seed, int count, absl::Duration mean_pause) {
  std::mt19937_64 random(seed);
  std::vector<Fault> plan;
  for (int i = 0; i < count; ++i) {
    Fault& fault = plan.emplace_back();
    fault.kind = DrawKind(&random);
    fault.which = Uniform(&random);
    fault.length = Uniform(&random);
    fault.pause = std::min(-std::log(1 - Uniform(&random)), 6.0) * mean_pause;
  }
  return plan;
}

}  // namespace sweep::chaos
