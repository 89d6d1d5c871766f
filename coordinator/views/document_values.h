#pragma once

#include "common/lifecycle/trial_state.h"
#include "coordinator/store/rows.h"
#include "proto/documents/values.h"

namespace sweep {

documents::TrialState StateOf(TrialState state);
documents::SweepState StateOf(SweepState state);

}  // namespace sweep
