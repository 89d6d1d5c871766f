#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/stats/intervals.h"
#include "common/stats/ranking.h"
#include "common/trial/measures.h"

namespace sweep {

// What fresh runs say of a configuration that was selected as one of the best of many. Pure.
struct Confirmation {
  std::optional<Interval> interval;  // 95 % interval of the mean of the fresh runs
  std::optional<double> bound;       // the worse end of its one-sided 95 % interval
  // By how much the selection promised more than the fresh runs gave, positive when it did, in the
  // metric's unit; with the interval that follows from `interval` for the value of the selection.
  std::optional<double> optimism;
  std::optional<Interval> optimism_interval;
};

// `selected`: the mean in the selection, nullopt when it is not known any more. `mean` and
// `half_width`: of the `runs` fresh runs, as in ConfigurationScore.
Confirmation ConfirmationOf(const Objective& objective, std::optional<double> selected, double mean,
                            double half_width, int runs);

// A configuration's runs, of which the ended ones make a mean of last epochs.
struct MeanRuns {
  std::vector<ReplicateResult> runs;
  int epochs = 0;           // of a full run
  bool is_segment = false;  // of a population: they begin with the weights of other trials
};

// Whether a run has ended that reported the metric.
bool HasEndedRun(const Objective& objective, const MeanRuns& mean);

// Why the mean of the selection is not of the same as that of the fresh runs, so that their
// difference is no optimism: "in the selection a run was stopped after epoch 5 of 20". Empty when
// it is: every run that counts in one of them was trained from its start to its last epoch, the
// same in both.
std::string WhyNotAlike(const Objective& objective, const MeanRuns& selected,
                        const MeanRuns& fresh);

}  // namespace sweep
