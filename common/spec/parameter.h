#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "common/base/value.h"
#include "common/expr/expression.h"
#include "common/protocol/hyperparameters.h"

namespace sweep {

enum class Distribution {
  kConstant,     // one value
  kCategorical,  // `values`
  kUniform,      // double in [min, max]
  kIntUniform,   // integer in [min, max]
  kQUniform,     // uniform, rounded to a multiple of q
  kLogUniform,   // "log_uniform_values": exp(uniform(log min, log max))
  kQLogUniform,  // "q_log_uniform_values": between multiples of q, rounded to one
  kNormal,       // mu, sigma; cut off at `min` and `max`
  kQNormal,      // rounded to a multiple of q, drawn again until it is in [min, max]
  kLogNormal,    // the logarithm is normal, with mu and sigma
  kQLogNormal,   // rounded and drawn again as kQNormal
};

// True for a distribution with mu and sigma.
bool IsNormal(Distribution distribution);

// The distribution's word in sweep files: "uniform", "log_uniform_values", …
const char* DistributionName(Distribution distribution);
// False when no distribution has that name.
bool ParseDistribution(std::string_view name, Distribution* distribution);
// Every word that ParseDistribution knows; some distributions have two.
std::vector<std::string> DistributionNames();
// "; did you mean 'log_uniform_values'?" for a slip or a word from other tools, else "".
std::string DistributionHint(std::string_view name);

// One axis of the search space.
struct Parameter {
  std::string name;
  Distribution distribution = Distribution::kConstant;
  std::vector<Value> values;  // constant: one; categorical: all
  // Categorical: one per value, with sum 1. Empty when all are equally likely.
  std::vector<double> probabilities;
  // Categorical: whether the order of `values` has a meaning, where the file says it and it does
  // not follow from the values (DimensionOf).
  std::optional<bool> ordered;
  double min = 0;  // of a normal distribution may be -infinity
  double max = 0;  // the same: infinity
  double q = 0;
  double mu = 0;
  double sigma = 0;
  // When set, the parameter exists only in configurations where this holds; elsewhere the recipe's
  // or the built-in default applies.
  std::optional<Expression> when;
  int line = 0;  // in the sweep file

  // Number of values (constant, categorical, int_uniform, q_uniform); 0 when they cannot be listed.
  std::int64_t GridSize() const;
  // Value `index` of that list, ascending or in the file's order. Requires index < GridSize().
  Value GridValue(std::int64_t index) const;
  // All values, for grids; empty when they cannot be listed. Requires a bounded GridSize(), which
  // the parser of sweep files ensures.
  std::vector<Value> GridValues() const;
  // True when no multiple of q is in [min, max].
  bool IsEmpty() const;
  // [min, max], or where it is open, what all but 1 in 100,000 draws are within, for plots.
  struct Range {
    double low, high;
  };
  Range ShownRange() const;
  // Of a normal distribution: the ends of its draws before they are rounded, 8 sigma from mu where
  // the range is open, and how much of the whole distribution is within.
  struct Reach {
    double low, high;
    double mass;
  };
  Reach NormalReach() const;
  // The least and the greatest value of a draw, for parameters that are numbers.
  std::pair<Value, Value> EndValues() const;
  // The share of value `index` of that list among independent draws; 0 for a value that only a grid
  // tries.
  double ProbabilityOf(std::int64_t index) const;
  // The value at u in [0, 1): the inverse of the distribution function. Values of a finite list are
  // equally likely, unless they have `probabilities`. A multiple of a whole q is an integer.
  Value Quantile(double u) const;
  // The inverse of Quantile: a u in [0, 1) with Quantile(u) equal to the value. For a value of a
  // finite list or a multiple of q, the middle of all such u. nullopt when no u has the value: the
  // parameter does not have it, or its probability is 0. Far above mu of a normal distribution,
  // where doubles near 1 are coarse, Quantile(u) is near the value.
  std::optional<double> PlaceOf(const Value& value) const;
  // The value of a draw that equals `value`, which may have another type (1.0 for 1). nullopt as
  // for PlaceOf.
  std::optional<Value> OwnValue(const Value& value) const;
};

// "a number in (0, 100]": describes what CheckParameterValue accepts.
std::string AllowedValues(const KnownParameter& known);
// "; did you mean 'lr'?" for another spelling of one of `candidates` (learning_rate, LR,
// batch-size) or a slip; else "".
std::string ParameterHint(std::string_view name, const std::vector<std::string>& candidates);
// The candidate that `name` spells differently; "" when there is none.
std::string MeantParameter(std::string_view name, const std::vector<std::string>& candidates);
// InvalidArgument naming the parameter, the value and the allowed ones. OK for unknown names (a
// network's own). A double parameter also accepts an integer.
absl::Status CheckParameterValue(std::string_view name, const Value& value);

}  // namespace sweep
