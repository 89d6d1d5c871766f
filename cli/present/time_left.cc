#include "cli/present/time_left.h"

#include <algorithm>
#include <vector>

#include "cli/calls.h"
#include "cli/present/present.h"

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
  std::vector<double> seconds;
  for (const v1::Trial& trial : *completed) {
    seconds.push_back(SecondsOf(trial.end_time()) - SecondsOf(trial.start_time()));
  }
  // The median: a trial that was paused over night is no measure.
  std::nth_element(seconds.begin(),
                   seconds.begin() + static_cast<std::ptrdiff_t>(seconds.size() / 2),
                   seconds.end());
  const double typical = seconds[seconds.size() / 2];

  const absl::StatusOr<std::vector<v1::Trial>> running =
      ListTrials(connection, name, {.state = v1::TRIAL_STATE_RUNNING, .limit = 1000});
  if (!running.ok()) return absl::InfiniteDuration();
  double trials_left = static_cast<double>(sweep.planned_trials() - EndedTrials(sweep.counts()));
  for (const v1::Trial& trial : *running) {
    if (trial.epochs() > 0) trials_left -= static_cast<double>(trial.epoch()) / trial.epochs();
  }
  return absl::Seconds(std::max(0.0, trials_left) * typical /
                       static_cast<double>(sweep.counts().running()));
}

}  // namespace sweep::cli
