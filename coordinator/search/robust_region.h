#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/value.h"
#include "common/spec/sweep_spec.h"

namespace sweep {

// A run that has ended.
struct RegionRun {
  std::int64_t configuration = 0;
  ParameterMap parameters;       // those that the search chose
  std::vector<double> excesses;  // over the gates of LearnedGates::AllOf; NaN: not measured
  bool meets = false;            // the gates on epochs and measures, by itself
};

// The box of hyperparameters, around a configuration of which a run met the gates, in which a
// sweep's runs meet them by a model of those that have ended.
struct RobustRegion {
  static constexpr std::int64_t kLeastConfigurations = 10;

  enum class Problem {
    kNone,
    kNoGates,        // none on a measure
    kTooFew,         // ended configurations
    kNoneMeets,      // no run has met the gates
    kNothingVaries,  // between configurations
    kNotSure,        // even at the best configuration the model expects less than the share
  };
  // Of a parameter that the box's runs have: a range, or those of a list.
  struct Side {
    std::size_t dimension = 0;  // of the SearchSpace
    std::optional<Value> low, high;
    std::vector<Value> values;
    std::optional<Value> tried_low, tried_high;  // by the runs that the box was made of
    std::vector<Value> tried;
  };
  // The chance of a run to meet the gates along a parameter, the others being drawn from the box.
  // NaN where the constraints exclude all of it.
  struct Slice {
    std::size_t dimension = 0;
    std::vector<Value> values;
    std::vector<double> chance, low, high;  // with the 95 % interval
  };

  Problem problem = Problem::kNone;
  std::string model;                          // of one of several networks; "" is of all
  std::int64_t configurations = 0, runs = 0;  // ended, that were learned from, of that network
  // Of the configuration that it lies around.
  std::int64_t configuration = 0;
  double configuration_chance = 0;
  std::vector<Side> sides;
  double volume = 0;  // of the search space, as runs are drawn from it
  // The share of runs drawn from the box that meet the gates: expected, and the 95 % interval.
  double chance = 0, low = 0, high = 0;
  std::int64_t inside = 0, inside_meeting = 0;  // runs in the box
  std::vector<Slice> slices;
};

// A box in which a share of at least `share`, in (0, 1), is expected. Deterministic and pure; takes
// about a second at most.
RobustRegion FindRobustRegion(const SweepSpec& spec, const std::vector<RegionRun>& runs,
                              double share);

// The same, and of a sweep with several networks a box for each of them: of all that have no run
// that meets the gates, and of the kMostNetworks others at which a run is likeliest to, in the
// order of the file. The model is one, and has learned from all runs.
struct RobustRegions {
  static constexpr std::size_t kMostNetworks = 8;
  RobustRegion all;
  std::vector<RobustRegion> networks;
};
RobustRegions FindRobustRegions(const SweepSpec& spec, const std::vector<RegionRun>& runs,
                                double share);

}  // namespace sweep
