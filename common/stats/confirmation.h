#pragma once

#include <optional>

#include "common/stats/intervals.h"
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

}  // namespace sweep
