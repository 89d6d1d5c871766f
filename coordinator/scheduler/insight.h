#pragma once

#include <string>
#include <vector>

#include "coordinator/scheduler/explanation.h"
#include "coordinator/scheduler/scheduler_state.h"

namespace sweep {

// Tells what goes on: numbers, workers, progress, and what a trial waits for. Reads the shared
// state under its lock, changes nothing, and calls no desk.
class Insight {
 public:
  explicit Insight(const SchedulerState& state) : state_(state) {}

  // Connected workers first, then by name.
  std::vector<WorkerInfo> Workers() const;
  // What is known here of a stored trial. The caller adds what the store knows.
  TrialSituation Situation(const TrialRow& trial) const;
  std::vector<TrialProgress> Progress(const std::string& sweep) const;
  SchedulerCounts Counts() const;

 private:
  const SchedulerState& state_;
};

}  // namespace sweep
