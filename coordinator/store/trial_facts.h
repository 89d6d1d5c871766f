#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/value.h"
#include "coordinator/store/rows.h"

namespace sweep {

// What is stored of a trial, in one list: trial_facts.cc. What queries select and how it is read
// into a TrialRow, the fields that filters name, and the orders that need no index of the whole
// sweep follow from it.

// A fact that filters, orders and documents name.
struct TrialFact {
  std::string_view name;
  // Nullopt: the trial has not reached it yet.
  std::optional<Value> (*value)(const TrialRow& trial);
};

// By name.
const std::vector<TrialFact>& TrialFacts();
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
