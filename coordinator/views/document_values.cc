#include "coordinator/views/document_values.h"

namespace sweep {

documents::TrialState StateOf(TrialState state) {
  switch (state) {
    case TrialState::kPending:
      return documents::TRIAL_STATE_PENDING;
    case TrialState::kLeased:
      return documents::TRIAL_STATE_LEASED;
    case TrialState::kRunning:
      return documents::TRIAL_STATE_RUNNING;
    case TrialState::kCompleted:
      return documents::TRIAL_STATE_COMPLETED;
    case TrialState::kStopped:
      return documents::TRIAL_STATE_STOPPED;
    case TrialState::kFailed:
      return documents::TRIAL_STATE_FAILED;
    case TrialState::kDiverged:
      return documents::TRIAL_STATE_DIVERGED;
    case TrialState::kCancelled:
      return documents::TRIAL_STATE_CANCELLED;
    case TrialState::kOnHold:
      return documents::TRIAL_STATE_ON_HOLD;
  }
  return documents::TRIAL_STATE_PENDING;
}

documents::SweepState StateOf(SweepState state) {
  switch (state) {
    case SweepState::kActive:
      return documents::SWEEP_STATE_ACTIVE;
    case SweepState::kPaused:
      return documents::SWEEP_STATE_PAUSED;
    case SweepState::kCompleted:
      return documents::SWEEP_STATE_COMPLETED;
    case SweepState::kCancelled:
      return documents::SWEEP_STATE_CANCELLED;
  }
  return documents::SWEEP_STATE_ACTIVE;
}

Repeated<documents::NamedValue> DefaultsOf(const TrialRow& trial) {
  Repeated<documents::NamedValue> values;
  for (const auto* const entry : trial.Defaults()) {
    AddNamedValue(entry->first, entry->second, &values);
  }
  return values;
}

}  // namespace sweep
