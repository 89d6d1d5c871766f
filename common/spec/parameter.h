#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
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
  kQLogUniform,  // "q_log_uniform_values"
};

// The word of the sweep file: "uniform", "log_uniform_values", …
const char* DistributionName(Distribution distribution);
// False when `name` is no distribution.
bool ParseDistribution(std::string_view name, Distribution* distribution);
// Every distribution's word, for messages.
std::vector<std::string> DistributionNames();
// "; did you mean 'log_uniform_values'?" for a word that other tools use or a slip, else "".
std::string DistributionHint(std::string_view name);

// One axis of the search space.
struct Parameter {
  std::string name;
  Distribution distribution = Distribution::kConstant;
  std::vector<Value> values;  // constant: one; categorical: all
  double min = 0;
  double max = 0;
  double q = 0;
  // When set, the parameter exists only in configurations where this holds; otherwise the recipe's
  // or the built-in default is used.
  std::optional<Expression> when;
  int line = 0;  // in the sweep file

  // How many values there are (constant, categorical, int_uniform, q_uniform); 0 when they cannot
  // be listed.
  std::int64_t GridSize() const;
  // Value `index` of that list, in ascending or the file's order. Requires index < GridSize().
  Value GridValue(std::int64_t index) const;
  // The finite list of values, when there is one; empty otherwise. For grids. Requires that
  // GridSize() is bounded, which sweep files are held to.
  std::vector<Value> GridValues() const;
  // The value at u in [0, 1): the inverse of the distribution function. Equal chances for the
  // values of a finite one. A multiple of a whole q is an integer.
  Value Quantile(double u) const;
  // The reverse: a u in [0, 1) with Quantile(u) equal to the value, in the middle of those that a
  // value of a finite list or a multiple of q has. nullopt for what is none of its values.
  std::optional<double> PlaceOf(const Value& value) const;
};

// "a number in (0, 100]": what CheckParameterValue accepts.
std::string AllowedValues(const KnownParameter& known);
// "; did you mean 'lr'?" for another spelling of one of `candidates` (learning_rate, LR,
// batch-size), or for a slip of one; else "".
std::string ParameterHint(std::string_view name, const std::vector<std::string>& candidates);
// The candidate of which `name` is another spelling; "" when there is none.
std::string MeantParameter(std::string_view name, const std::vector<std::string>& candidates);
// InvalidArgument naming the parameter, the value and what is allowed; OK for names that are not
// known (a network's own). An integer is accepted where a double is wanted.
absl::Status CheckParameterValue(std::string_view name, const Value& value);

}  // namespace sweep
