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

// A fact that filters, orders and documents refer to by name.
struct TrialFact {
  std::string_view name;
  // Nullopt while the trial has no value.
  std::optional<Value> (*value)(const TrialRow& trial);
};

// By name.
const std::vector<TrialFact>& TrialFacts();
// Facts of the trial's network, by name. Unlike a trial fact, a network fact is hidden by a
// hyperparameter of the same name. LookUpConfiguration finds them too.
const std::vector<TrialFact>& NetworkFacts();
// Null for other names, such as those of hyperparameters and measures.
const TrialFact* FindTrialFact(std::string_view name);

// A fact by which the database can order trials with an index.
struct TrialOrder {
  std::string_view name;
  std::string_view sql;      // of a table t of trials
  std::string_view present;  // the index's condition that a trial has it; "": all have it
};
const TrialOrder* FindTrialOrder(std::string_view name);
// "number, best and epochs_to_target"
const std::string& TrialOrderNames();

}  // namespace sweep
