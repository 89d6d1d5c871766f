#include "coordinator/stopping/median_rule.h"

#include <algorithm>
#include <cmath>

#include "fmt/format.h"

namespace sweep {

void RunningMedian::Add(double number) {
  if (low_.empty() || number <= low_.top()) {
    low_.push(number);
  } else {
    high_.push(number);
  }
  if (low_.size() > high_.size() + 1) {
    high_.push(low_.top());
    low_.pop();
  } else if (high_.size() > low_.size()) {
    low_.push(high_.top());
    high_.pop();
  }
}

double RunningMedian::Get() const {
  return low_.size() > high_.size() ? low_.top() : low_.top() / 2 + high_.top() / 2;
}

std::vector<StopDecision> MedianRule::OnEpoch(const Observation& observation) {
  if (!observation.has_value) return {};
  Trial& trial = trials_[{observation.configuration, observation.replicate}];
  if (std::isfinite(observation.value)) {
    const double value = sign_ * observation.value;
    trial.best = trial.count == 0 ? value : std::max(trial.best, value);
    trial.sum += value;
    ++trial.count;
  }
  if (trial.count == 0) return {};
  RunningMedian& averages = averages_[observation.epoch];
  const std::size_t others = averages.size();
  const bool is_judged = observation.epoch >= options_.min_epochs &&
                         others >= static_cast<std::size_t>(options_.min_trials);
  const double median = is_judged ? averages.Get() : 0;
  averages.Add(trial.sum / static_cast<double>(trial.count));
  if (!is_judged || trial.best >= median) return {};
  return {{.action = StopDecision::Action::kStop,
           .configuration = observation.configuration,
           .replicate = observation.replicate,
           .reason = Explain(observation, trial.best, median, others)}};
}

std::string MedianRule::Explain(const Observation& observation, double best, double median,
                                std::size_t others) const {
  return fmt::format(
      "stopped after epoch {} by the median rule: its best value {:.6g} is worse than {:.6g}, the "
      "median of the averages of {} other trials up to that epoch",
      observation.epoch, sign_ * best, sign_ * median, others);
}

}  // namespace sweep
