#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/protocol/trainer_message.h"
#include "coordinator/scheduler/placement.h"
#include "coordinator/scheduler/race_place.h"
#include "coordinator/scheduler/scheduler_types.h"
#include "coordinator/store/rows.h"

namespace sweep {

// The facts that can explain the state of a trial.
struct TrialSituation {
  TrialRow trial;
  std::optional<AttemptRow> last_attempt;
  absl::Time now;

  // Its sweep.
  SweepState sweep_state = SweepState::kActive;
  bool is_in_table = true;   // the scheduler has it, so it has not ended and its file is accepted
  std::string file_refusal;  // why its file is not accepted; empty: it is accepted
  bool give_back = false;    // it is paused, and workers give its trials back
  bool is_for_callers = false;  // no worker trains it
  std::string pause_reason;     // why the coordinator paused it
  int max_failures = 0;
  // How long its search's model has been looking for the next point; nullopt: slots wait for none.
  std::optional<absl::Duration> search_thinks;
  std::string search_waits;  // why its search has no configuration for free slots; "": it has

  // Workers that are connected.
  int workers = 0;
  int may_train_it = 0;                           // those that fit it, apart from their data
  std::map<Misfit, int> misfits;                  // the others
  WorkerRequirements required;                    // of workers, by the sweep's file
  std::set<std::string> others;                   // sweeps of workers that train others only
  int draining = 0;                               // of those that may train it
  std::int64_t slots = 0;                         // of those that may train it and do not drain
  std::int64_t busy = 0;                          // of these slots
  std::map<std::string, std::int64_t> busy_with;  // slots by sweep
  std::map<std::string, PutAside> put_aside;      // of those that may train it, by name
  std::map<std::string, OtherData> other_data;    // of those that may train it, by name
  // Workers on which it failed, and how long it still waits for another one to be free.
  std::vector<std::string> failed_on;
  absl::Duration waits_for_another;

  // The queue, of a pending trial.
  bool is_being_granted = false;
  bool store_is_full = false;
  std::int64_t ahead_in_sweep = 0;
  std::map<std::string, std::int64_t> ahead_in_others;  // by sweep, as slots become free one by one
  std::int64_t priority = 0;                            // of its sweep
  bool has_shares = false;                              // not all of them are 1
  std::map<std::string, std::int64_t> priorities;  // of sweeps ahead, where they are not the same
  std::map<std::string, std::int64_t> slots_of_users;  // in use; of those that compete for slots

  // Its holder.
  bool holder_is_connected = false;
  bool holder_drains = false;
  std::optional<absl::Time> holder_last_seen;  // nullopt: not since this coordinator started
  absl::Duration waits_for_holder;  // until the lease of a holder that stays silent runs out
  std::optional<ProgressMessage> progress;

  // Of a sweep with a race, which its caller looks up (Insight::Race).
  std::optional<RacePlace> race;
  int first_replicates = 1;
};

struct Explanation {
  // Sentences without a full stop, the most important first; at least one.
  std::vector<std::string> reasons;
  std::int64_t trials_ahead = 0;  // that are granted before a pending trial
};

// Explains the state of the trial, above all why a pending trial waits. Pure.
Explanation Explain(const TrialSituation& situation);

}  // namespace sweep
