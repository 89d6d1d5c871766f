#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "common/spec/early_terminate.h"
#include "coordinator/stopping/best_share.h"
#include "coordinator/stopping/stopping_rule.h"

namespace sweep {

// `early_terminate: {type: hyperband}` of Weights & Biases, as its package `sweeps` 0.3.0 decides:
// one bracket that stops. A band is a number of reported values. The threshold of a band is the
// value in place ⌊n / eta⌋ + 1 of those that the n trials had there, and a trial that is worse than
// that of the last band it has passed is stopped: by its value at the band (`strict`, which is the
// default there), or by its best so far. Each report of a trial judges it anew.
class BandsRule final : public StoppingRule {
 public:
  BandsRule(const EarlyTerminate& options, bool maximize);

  // max_iter / eta, max_iter / eta² and so on, `s` of them and not below 1; or min_iter,
  // min_iter · eta and so on up to 10,000, at most 100 of them; rising, each once.
  static std::vector<int> BandsOf(const EarlyTerminate& options);

  std::vector<StopDecision> OnEpoch(const Observation& seen) override;

 private:
  struct Band {
    int iteration = 0;
    BestShare values;
  };
  struct Trial {
    int reports = 0;  // of the objective
    int passed = 0;   // bands
    double best = 0;  // larger is better
    double at_band = 0;
    bool is_stopped = false;
  };

  const bool strict_;
  const double sign_;
  std::vector<Band> bands_;
  std::map<std::pair<std::int64_t, int>, Trial> trials_;
  std::int64_t values_ = 0;
};

}  // namespace sweep
