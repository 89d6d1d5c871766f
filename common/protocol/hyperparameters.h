#pragma once

#include <optional>
#include <string_view>
#include <variant>
#include <vector>

#include "common/base/value.h"
#include "common/protocol/trial_spec.h"

namespace sweep {

// Where a hyperparameter's value lies in a TrialSpec. Its type is the hyperparameter's; a text is
// one of several words.
using TrialField = std::variant<bool TrialSpec::*, int TrialSpec::*, double TrialSpec::*,
                                std::string TrialSpec::*>;

// What kind of value a known hyperparameter takes and which are allowed.
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
  std::string_view example;         // JSON: how to search it, or else a value; for the schema
  std::optional<TrialField> field;  // none of `dropout`, which is the network's
};

// Every hyperparameter that the built-in trainer understands: the one table of their names, ranges
// and defaults. Sweep files, recipes, the trainer's protocol, the schemas and the tables in
// docs/sweep-file.md follow it, also in its order.
const std::vector<KnownParameter>& KnownParameters();
// nullptr when there is none.
const KnownParameter* FindKnownParameter(std::string_view name);

}  // namespace sweep
