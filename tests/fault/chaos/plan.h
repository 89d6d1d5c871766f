#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/time/time.h"

namespace sweep::chaos {

// What can be done to the cluster, and what people decide meanwhile.
enum class FaultKind {
  kKillCoordinator,
  kKillCoordinatorAtAnswer,  // as soon as it has acknowledged a worker's report
  kEndCoordinator,           // SIGTERM
  kFreezeCoordinator,        // SIGSTOP, for less or for more than a lease lasts
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

// One event. What it hits depends on what is there by then; what is drawn does not.
struct Fault {
  FaultKind kind = FaultKind::kKillWorker;
  double which = 0;      // in [0, 1): the place of its object among those that it can hit
  double length = 0;     // in [0, 1): how long it lasts, between the kind's shortest and longest
  absl::Duration pause;  // until the next one
};

// The place of an object among `count` that `which`, in [0, 1), stands for.
std::size_t Place(double which, std::size_t count);

std::string FaultName(FaultKind kind);
// By the client, not by the machine.
bool IsDecision(FaultKind kind);
// A function of its arguments.
std::vector<Fault> MakePlan(std::uint64_t seed, int count, absl::Duration mean_pause);

}  // namespace sweep::chaos
