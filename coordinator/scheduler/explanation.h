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
#include "coordinator/scheduler/scheduler_types.h"
#include "coordinator/store/rows.h"

namespace sweep {

// All that bears on why a trial is in the state that it is in.
struct TrialSituation {
  TrialRow trial;
  std::optional<AttemptRow> last_attempt;
  absl::Time now;

  // Its sweep.
  SweepState sweep_state = SweepState::kActive;
  bool is_in_table = true;   // by this coordinator
  std::string file_refusal;  // why its file is not accepted; empty: it is
  bool give_back = false;    // paused now
  std::string pause_reason;  // why the coordinator paused it
  int max_failures = 0;

  // Workers that are connected.
  int workers = 0;
  int may_train_it = 0;                           // those that fit it, whatever their data
  std::map<Misfit, int> misfits;                  // the others
  std::set<std::string> others;                   // what those train that train others only
  int draining = 0;                               // of those that may train it
  std::int64_t slots = 0;                         // of those that may train it and do not drain
  std::int64_t busy = 0;                          // of these slots
  std::map<std::string, std::int64_t> busy_with;  // slots by sweep
  std::map<std::string, PutAside> put_aside;      // of those that may train it, by name
  std::map<std::string, OtherData> other_data;    // of those that may train it, by name
  // Workers on which it failed, and how long it waits for another one to be free.
  std::vector<std::string> failed_on;
  absl::Duration waits_for_another;

  // The queue, of a pending trial.
  bool is_being_granted = false;
  bool store_is_full = false;
  std::int64_t ahead_in_sweep = 0;
  std::map<std::string, std::int64_t> ahead_in_others;  // by sweep, in turns

  // Its holder.
  bool holder_is_connected = false;
  bool holder_drains = false;
  std::optional<absl::Time> holder_last_seen;  // nullopt: not since this coordinator started
  absl::Duration waits_for_holder;             // until it is taken back from one that stays silent
  std::optional<ProgressMessage> progress;
};

struct Explanation {
  // Sentences without a full stop, the weightiest first; at least one.
  std::vector<std::string> reasons;
  std::int64_t trials_ahead = 0;  // of a pending trial: granted before it
};

// Why the trial is in the state that it is in, above all why a pending one waits. Pure.
Explanation Explain(const TrialSituation& situation);

}  // namespace sweep
