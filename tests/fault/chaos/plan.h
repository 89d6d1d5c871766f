#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace sweep::chaos {

// The faults of the cluster and the decisions of people meanwhile.
enum class FaultKind {
  kKillCoordinator,
  kKillCoordinatorAtAnswer,  // as soon as it has acknowledged a worker's report
  kEndCoordinator,           // SIGTERM
  kFreezeCoordinator,        // SIGSTOP, for less or more than a lease term
  kKillWorker,
  kEndWorker,
  kFreezeWorker,
  kCutConnection,
  kKillTrainer,
  kPause,
  kPauseNow,
  kExtend,
  kCancelTrial,  // and retry it
  kCancelSweep,  // and retry it
  kDrainWorker,
};

// One event. Its target depends on what exists by then; the random numbers do not.
struct Fault {
  FaultKind kind = FaultKind::kKillWorker;
  double which = 0;      // in [0, 1): selects the target among the possible ones
  double length = 0;     // in [0, 1): its duration, from the kind's shortest to its longest
  absl::Duration pause;  // until the next event
};

// The index of an object among `count` that `which`, in [0, 1), selects.
std::size_t Place(double which, std::size_t count);

std::string FaultName(FaultKind kind);
// True for what people do with the client, false for what machines do.
bool IsDecision(FaultKind kind);
// Depends only on its arguments.
std::vector<Fault> MakePlan(std::uint64_t seed, int count, absl::Duration mean_pause);

}  // namespace sweep::chaos
