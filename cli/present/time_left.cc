#include "cli/present/time_left.h"

#include <optional>
#include <vector>

#include "cli/calls.h"
#include "cli/present/present.h"
#include "common/stats/time_left.h"

namespace sweep::cli {
namespace {

constexpr int kLookedAt = 20;

double SecondsOf(const google::protobuf::Timestamp& time) {
  return static_cast<double>(time.seconds()) + time.nanos() * 1e-9;
}

}  // namespace

absl::Duration EstimateTimeLeft(Connection& connection, const v1::Sweep& sweep) {
  if (sweep.state() != v1::SWEEP_STATE_ACTIVE || sweep.counts().running() == 0) {
    return absl::InfiniteDuration();
  }
  const std::string name = ShortName(sweep.name());
  const absl::StatusOr<std::vector<v1::Trial>> completed = ListTrials(
      connection, name,
      {.state = v1::TRIAL_STATE_COMPLETED, .order_by = "number desc", .limit = kLookedAt});
  if (!completed.ok() || completed->empty()) return absl::InfiniteDuration();
  Pace pace{.planned_trials = sweep.planned_trials(),
            .ended_trials = EndedTrials(sweep.counts()),
            .running_trials = sweep.counts().running()};
  for (const v1::Trial& trial : *completed) {
    pace.latest_seconds.push_back(SecondsOf(trial.end_time()) - SecondsOf(trial.start_time()));
  }
  const absl::StatusOr<std::vector<v1::Trial>> running =
      ListTrials(connection, name, {.state = v1::TRIAL_STATE_RUNNING, .limit = 1000});
  if (!running.ok()) return absl::InfiniteDuration();
  for (const v1::Trial& trial : *running) {
    if (trial.epochs() > 0) pace.begun += static_cast<double>(trial.epoch()) / trial.epochs();
  }
  const std::optional<double> seconds = SecondsLeft(pace);
  return seconds ? absl::Seconds(*seconds) : absl::InfiniteDuration();
}

}  // namespace sweep::cli
