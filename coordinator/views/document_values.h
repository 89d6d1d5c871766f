#pragma once

#include "common/lifecycle/trial_state.h"
#include "coordinator/store/rows.h"
#include "proto/documents/values.h"

namespace sweep {

// Convert values to their form in documents. Pure.

documents::TrialState StateOf(TrialState state);
documents::SweepState StateOf(SweepState state);
// The hyperparameters that the search did not choose.
Repeated<documents::NamedValue> DefaultsOf(const TrialRow& trial);

}  // namespace sweep
