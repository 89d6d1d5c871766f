#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coordinator/scheduler/explanation.h"
#include "coordinator/scheduler/scheduler_state.h"

namespace sweep {

// Tells what goes on: numbers, workers, progress, and what a trial waits for. Reads the shared
// state under its lock, or the store without it, changes nothing, and calls no desk.
class Insight {
 public:
  // For how long the model of a sweep has been thinking, once slots no longer wait for it. Called
  // without the lock.
  using LongThought = std::function<std::optional<absl::Duration>(std::int64_t sweep_id)>;

  // Why the search of a sweep has no configuration for free slots; "": it has. Called likewise.
  using SearchWaits = std::function<std::string(std::int64_t sweep_id)>;

  Insight(const SchedulerState& state, LongThought long_thought, SearchWaits search_waits)
      : state_(state),
        long_thought_(std::move(long_thought)),
        search_waits_(std::move(search_waits)),
        races_(state.options.store) {}

  // Connected workers first, then by name.
  std::vector<WorkerInfo> Workers() const;
  // What is known here of a stored trial. The caller adds what the store knows.
  TrialSituation Situation(const TrialRow& trial) const;
  // Where its configuration stands in the race of its sweep, as stored.
  absl::StatusOr<std::optional<RacePlace>> Race(const TrialRow& trial,
                                                const RaceBoard::SharedSpec& spec) const {
    return races_.Find(trial, spec);
  }
  std::vector<TrialProgress> Progress(const std::string& sweep) const;
  SchedulerCounts Counts() const;

 private:
  const SchedulerState& state_;
  const LongThought long_thought_;
  const SearchWaits search_waits_;
  mutable RaceBoard races_;
};

}  // namespace sweep
