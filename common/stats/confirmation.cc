#include "common/stats/confirmation.h"

#include <algorithm>
#include <cmath>

namespace sweep {
namespace {

std::string EndOf(TrialState state) {
  switch (state) {
    case TrialState::kStopped:
      return "was stopped";
    case TrialState::kDiverged:
      return "diverged";
    case TrialState::kCancelled:
      return "was cancelled";
    default:
      return "failed";
  }
}

// How the first run ended that counts in the mean, but was not trained to its last epoch; or empty.
std::string ShortRun(const Objective& objective, const MeanRuns& mean) {
  for (const ReplicateResult& run : mean.runs) {
    if (!IsTerminal(run.state) || run.state == TrialState::kCompleted) continue;
    if (!run.result.Has(objective.name)) continue;
    return EndOf(run.state) + " after epoch " + std::to_string(run.result.epoch) + " of " +
           std::to_string(mean.epochs);
  }
  return "";
}

}  // namespace

Confirmation ConfirmationOf(const Objective& objective, std::optional<double> selected, double mean,
                            double half_width, int runs) {
  Confirmation made;
  if (runs < 1 || std::isnan(mean)) return made;
  const double sign = objective.maximize ? 1 : -1;
  const bool is_selected = selected && std::isfinite(*selected);
  if (is_selected) made.optimism = sign * (*selected - mean);
  if (runs < 2) return made;
  made.interval = MeanInterval(objective, mean, half_width, runs);
  const double error = half_width / StudentQuantile(0.975, runs - 1);
  made.bound = mean - sign * error * StudentQuantile(0.95, runs - 1);
  if (is_selected) {
    made.optimism_interval = {*made.optimism - half_width, *made.optimism + half_width};
  }
  return made;
}

bool HasEndedRun(const Objective& objective, const MeanRuns& mean) {
  return std::any_of(mean.runs.begin(), mean.runs.end(), [&](const ReplicateResult& run) {
    return IsTerminal(run.state) && run.result.Has(objective.name);
  });
}

std::string WhyNotAlike(const Objective& objective, const MeanRuns& selected,
                        const MeanRuns& fresh) {
  if (selected.is_segment) return "in the selection it went on from the weights of other trials";
  if (selected.epochs != fresh.epochs) {
    return "in the selection it was trained for " + std::to_string(selected.epochs) +
           " epochs, here for " + std::to_string(fresh.epochs);
  }
  if (!HasEndedRun(objective, selected)) return "in the selection none of its runs has ended";
  if (const std::string run = ShortRun(objective, selected); !run.empty()) {
    return "in the selection a run " + run;
  }
  if (const std::string run = ShortRun(objective, fresh); !run.empty()) return "a fresh run " + run;
  return "";
}

}  // namespace sweep
