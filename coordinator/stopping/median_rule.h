#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <queue>
#include <string>
#include <utility>
#include <vector>

#include "common/spec/sweep_spec.h"
#include "coordinator/stopping/stopping_rule.h"

namespace sweep {

// The median of a growing set of numbers. Two heaps: the smaller half and the larger one.
class RunningMedian {
 public:
  void Add(double number);
  std::size_t size() const { return low_.size() + high_.size(); }
  // The mean of the two middle numbers for an even count. Requires size() > 0.
  double Get() const;

 private:
  std::priority_queue<double> low_;  // has as many as high_, or one more
  std::priority_queue<double, std::vector<double>, std::greater<>> high_;
};

// The median stopping rule of Golovin et al., "Google Vizier: A Service for Black-Box Optimization"
// (KDD 2017), section 3.2: stops a trial after an epoch when its best value so far is worse than
// the median of the other trials' running averages up to that epoch. Unlike there, every trial that
// has reached the epoch counts, whether it has completed, runs or was stopped. Trials run side by
// side: if only completed ones counted, the first wave would never be judged; if stopped ones did
// not count, the bar would rise with each stop. See docs/stopping.md.
class MedianRule final : public StoppingRule {
 public:
  MedianRule(const EarlyTerminate& options, bool maximize)
      : options_(options), sign_(maximize ? 1 : -1) {}

  std::vector<StopDecision> OnEpoch(const Observation& observation) override;

 private:
  struct Trial {
    double sum = 0;  // of its values; larger is better
    std::int64_t count = 0;
    double best = 0;
  };

  std::string Explain(const Observation& observation, double best, double median,
                      std::size_t others) const;

  const EarlyTerminate options_;
  const double sign_;
  std::map<std::pair<std::int64_t, int>, Trial> trials_;
  std::map<int, RunningMedian> averages_;  // by epoch
};

}  // namespace sweep
