#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/value.h"
#include "coordinator/store/rows.h"

namespace sweep {

// trial_facts.cc lists what is stored of a trial and of its configuration. From these lists follow
// what queries select and how they read it into rows, the fields that filters name, what the index
// of a sweep holds of each trial, and the orders that do not need such an index.

// A fact that filters, orders and documents name.
struct TrialFact {
  std::string_view name;
  // Nullopt: the trial has not reached it yet.
  std::optional<Value> (*value)(const TrialRow& trial);
};

// By name.
const std::vector<TrialFact>& TrialFacts();
// Those facts of the trial's network that are no fields of a trial: a hyperparameter may have the
// same name, and LookUpConfiguration finds them too. By name.
const std::vector<TrialFact>& NetworkFacts();
// Null for what is no fact of every trial, such as a hyperparameter or a measure.
const TrialFact* FindTrialFact(std::string_view name);

// A fact by which the database orders trials quickly.
struct TrialOrder {
  std::string_view name;
  std::string_view sql;      // of a table t of trials
  std::string_view present;  // the condition that a trial has it, as its index has it; "": all have
};
const TrialOrder* FindTrialOrder(std::string_view name);
// "number, best and epochs_to_target"
const std::string& TrialOrderNames();

}  // namespace sweep
