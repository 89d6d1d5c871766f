#pragma once

#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "common/base/value.h"
#include "common/protocol/trial_spec.h"

namespace sweep {

// The field of TrialSpec that holds a hyperparameter. Its type is the hyperparameter's; a string is
// one of the choices.
using TrialField = std::variant<bool TrialSpec::*, int TrialSpec::*, double TrialSpec::*,
                                std::string TrialSpec::*>;

// The type of a known hyperparameter's values and the allowed ones.
struct KnownParameter {
  enum class Type { kBool, kInt, kDouble, kChoice };
  std::string_view name;
  Type type = Type::kBool;
  double min = 0;  // inclusive unless open_min
  double max = 0;  // inclusive unless open_max
  bool open_min = false;
  bool open_max = false;
  std::vector<std::string_view> choices;  // kChoice
  Value default_value;
  std::string_view help;            // one line: meaning and unit
  std::string_view example;         // JSON for the schema: a search of it, or else a value
  std::optional<TrialField> field;  // empty for `dropout`, which belongs to the network
};

// Every hyperparameter of the built-in trainer: the one table of their names, ranges and defaults.
// Sweep files, recipes, the trainer's protocol, the schemas and the tables in docs/sweep-file.md
// follow it, including its order.
const std::vector<KnownParameter>& KnownParameters();
// nullptr when there is no such hyperparameter.
const KnownParameter* FindKnownParameter(std::string_view name);

}  // namespace sweep
