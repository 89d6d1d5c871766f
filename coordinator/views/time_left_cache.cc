// How long active sweeps will take.

#include "absl/time/clock.h"
#include "common/stats/time_left.h"
#include "coordinator/views/view_context.h"

namespace sweep {
namespace {

constexpr absl::Duration kKeptFor = absl::Seconds(2);
constexpr std::size_t kMaxKnown = 1000;
constexpr int kLookedAt = 20;
constexpr int kMaxRunning = 1000;

std::optional<double> Estimate(Store* store, const SweepRow& sweep, const SweepSpec& spec) {
  Pace pace{.planned_trials = sweep.planned_configurations * spec.replicates,
            .ended_trials = sweep.counts.total() - sweep.counts.pending - sweep.counts.running,
            .running_trials = sweep.counts.running};
  const absl::StatusOr<std::vector<TrialRow>> completed =
      store->ListTrials({.sweep = sweep.name,
                         .state = TrialState::kCompleted,
                         .order_by = "number desc",
                         .limit = kLookedAt});
  if (!completed.ok()) return std::nullopt;
  for (const TrialRow& trial : *completed) {
    if (!trial.started || !trial.ended) continue;
    pace.latest_seconds.push_back(absl::ToDoubleSeconds(*trial.ended - *trial.started));
  }
  if (pace.latest_seconds.empty()) return std::nullopt;
  const absl::StatusOr<std::vector<TrialRow>> running = store->ListTrials(
      {.sweep = sweep.name, .state = TrialState::kRunning, .limit = kMaxRunning});
  if (!running.ok()) return std::nullopt;
  for (const TrialRow& trial : *running) {
    if (trial.epochs > 0) pace.begun += static_cast<double>(trial.result.epoch) / trial.epochs;
  }
  return SecondsLeft(pace);
}

}  // namespace

std::optional<double> TimeLeftCache::SecondsLeft(Store* store, const SweepRow& sweep,
                                                 const SweepSpec& spec) {
  if (sweep.state != SweepState::kActive || sweep.counts.running == 0) return std::nullopt;
  const absl::Time now = absl::Now();
  {
    MutexLock lock(&mutex_);
    const auto found = known_.find(sweep.id);
    if (found != known_.end() && now - found->second.time < kKeptFor) return found->second.seconds;
  }
  const std::optional<double> seconds = Estimate(store, sweep, spec);
  MutexLock lock(&mutex_);
  if (known_.size() >= kMaxKnown) known_.clear();
  known_[sweep.id] = {.time = now, .seconds = seconds};
  return seconds;
}

}  // namespace sweep
