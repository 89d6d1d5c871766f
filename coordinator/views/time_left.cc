#include "coordinator/views/time_left.h"

#include <algorithm>

#include "common/stats/time_left.h"
#include "coordinator/specs/planned_trials.h"
#include "coordinator/store/queries.h"

namespace sweep {
namespace {

constexpr absl::Duration kKeptFor = absl::Seconds(2);
constexpr std::size_t kMaxKnown = 1000;
constexpr int kLookedAt = 20;

// The finished share of a trial, from 0 to 1. Ignores progress from before the last acknowledged
// epoch.
double ShareDone(const TrialRow& trial, const std::map<std::int64_t, ProgressMessage>& progress) {
  double epochs = trial.result.epoch;
  const auto found = progress.find(trial.number);
  if (found != progress.end() && found->second.steps > 0) {
    const ProgressMessage& at = found->second;
    epochs = std::max(epochs, at.epoch - 1 + static_cast<double>(at.step) / at.steps);
  }
  return trial.ShareAfter(epochs);
}

}  // namespace

std::optional<double> TimeLeft::Estimate(const SweepRow& sweep, const SweepSpec& spec,
                                         absl::Time now) {
  Pace pace{.planned_trials = PlannedTrialsOf(sweep, spec).most,
            .ended_trials = sweep.counts.ended()};
  const absl::StatusOr<std::vector<TrialRow>> completed =
      store_->Read(SelectTrials, {.sweep = sweep.name,
                                  .state = TrialState::kCompleted,
                                  .order_by = "number desc",
                                  .limit = kLookedAt});
  if (!completed.ok()) return std::nullopt;
  for (const TrialRow& trial : *completed) {
    pace.completed_seconds.push_back(absl::ToDoubleSeconds(trial.AttemptTime(now)));
  }
  std::map<std::int64_t, ProgressMessage> progress;
  for (TrialProgress& item : scheduler_->insight().Progress(sweep.name)) {
    progress[item.number] = std::move(item.message);
  }
  for (const TrialState state : {TrialState::kLeased, TrialState::kRunning}) {
    const absl::StatusOr<std::vector<TrialRow>> held =
        store_->Read(SelectTrials, {.sweep = sweep.name, .state = state, .limit = kMaxRunning});
    if (!held.ok()) return std::nullopt;
    for (const TrialRow& trial : *held) {
      pace.running.push_back({.share = ShareDone(trial, progress),
                              .seconds = absl::ToDoubleSeconds(trial.AttemptTime(now))});
    }
  }
  return sweep::SecondsLeft(pace);
}

std::optional<double> TimeLeft::SecondsLeft(const SweepRow& sweep, const SweepSpec& spec) {
  if (sweep.state != SweepState::kActive || sweep.counts.running == 0) return std::nullopt;
  const absl::Time now = clock_->Now();
  {
    MutexLock lock(&mutex_);
    if (const Known* const known = FindFresh(sweep.id, now)) return known->seconds;
  }
  const std::optional<double> seconds = Estimate(sweep, spec, now);
  MutexLock lock(&mutex_);
  // A concurrent request may have made an estimate meanwhile; both return the same.
  if (const Known* const known = FindFresh(sweep.id, now)) return known->seconds;
  if (known_.size() >= kMaxKnown) known_.clear();
  known_[sweep.id] = {.time = now, .seconds = seconds};
  return seconds;
}

const TimeLeft::Known* TimeLeft::FindFresh(std::int64_t sweep_id, absl::Time now) const {
  const auto found = known_.find(sweep_id);
  if (found == known_.end() || absl::AbsDuration(now - found->second.time) >= kKeptFor) {
    return nullptr;
  }
  return &found->second;
}

}  // namespace sweep
