#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "common/protocol/trainer_message.h"
#include "coordinator/scheduler/placement.h"
#include "coordinator/scheduler/scheduler_types.h"
#include "coordinator/scheduler/worker_health.h"
#include "coordinator/store/store.h"

namespace sweep {

// The entries of the WorkTable. Times called monotonic are Clock::Monotonic.

// A write that has been decided on and is not committed yet. While a trial has a claim, only the
// code that made the claim decides about it.
enum class Claim { kNone, kGranting, kReviving, kLosing };

// A trial that has not ended.
struct TrialEntry {
  TrialRow row;  // as last committed
  Claim claim = Claim::kNone;
  std::string secret;       // of the lease, while it is held
  absl::Duration deadline;  // of the lease; monotonic
  // Shared with answers; null before the first grant, and when the target epoch has changed.
  std::shared_ptr<const std::string> spec_json;
  std::optional<ProgressMessage> progress;  // set by WorkTable::SetProgress
  bool is_in_use = false;                   // it is counted among the slots in use
  std::set<std::string> failed_on;          // workers, since this coordinator has it
  // Until then it waits for a worker on which it has not failed; monotonic.
  absl::Duration waits_for_another_until;

  TrialKey key() const { return {row.sweep_id, row.number}; }
  bool held() const { return IsHeld(row.state); }
  bool Matches(const LeaseToken& token) const {
    return token.attempt == row.attempt && token.secret == secret;
  }
};

// Who comes next of those that share something out evenly: who has the least of it, for its share,
// and of these who was served longest ago.
struct Turn {
  double load = 0;          // slots in use, divided by the share
  std::int64_t served = 0;  // the turn, of all together, in which it was served last
  std::int64_t id = 0;      // of the sweep; 0 of a user

  friend auto operator<=>(const Turn&, const Turn&) = default;
};

// A sweep's place in the queue of sweeps with the same needs.
struct QueuePlace {
  std::int64_t priority = 0;
  Turn turn;  // among the sweeps of its user

  friend bool operator==(const QueuePlace&, const QueuePlace&) = default;
};

// Who has submitted sweeps. The slots are shared out among users, and a user's among their sweeps.
struct UserEntry {
  std::int64_t sweeps = 0;  // in the table
  std::int64_t in_use = 0;  // slots that train their trials, or are about to
  std::int64_t served = 0;

  Turn turn() const { return {.load = static_cast<double>(in_use), .served = served}; }
};

// A sweep that has not ended.
struct SweepEntry {
  std::int64_t id = 0;
  std::string name;
  std::string user;  // who has submitted it
  SweepState state = SweepState::kActive;
  bool give_back = false;                 // workers are to give back what they hold
  std::string pause_reason;               // why the coordinator paused it
  std::string data_sha256;                // of what it is trained on; empty: not known yet
  std::shared_ptr<const SweepSpec> spec;  // shared with the search thread and with writes under way
  Needs needs;
  std::int64_t revision = 1;        // of the sweep file
  std::int64_t configurations = 0;  // that the search has suggested so far
  std::int64_t planned = 0;
  bool exhausted = false;   // the search suggests no more
  std::int64_t served = 0;  // as in Turn
  std::int64_t in_use = 0;  // slots that train its trials, or are about to
  bool has_new_progress = false;
  // A caller has gone without a trial, and none has become pending since.
  bool has_unmet_ask = false;
  std::map<std::int64_t, TrialEntry> trials;  // by number
  std::set<std::int64_t> pending;             // numbers that are pending and not claimed
  std::set<std::int64_t> on_hold;
  std::optional<QueuePlace> queued;  // in the queue of its needs

  bool is_for_callers() const { return spec->trained_by_callers; }
  bool is_offered() const { return state == SweepState::kActive && !pending.empty(); }
  // Its place, if it is offered.
  QueuePlace place() const {
    return {
        .priority = spec->priority,
        .turn = {.load = static_cast<double>(in_use) / spec->share, .served = served, .id = id}};
  }
  Demand demand() const { return {.sweep_id = id, .sweep = name, .needs = needs}; }
};

// A call of a worker that waits for something to change.
struct Poll {
  std::uint64_t id = 0;
  std::set<std::pair<TrialKey, int>> held;  // trials and attempts that the worker says it holds
  bool holds_stale = false;                 // the worker also holds what it should not
  bool no_wait = false;
  absl::Duration deadline;  // monotonic
  SynchronizeCallback callback;
};

// A caller's request that waits for a free trial of a sweep.
struct PendingAsk {
  std::uint64_t id = 0;
  std::string caller;         // as in the table of workers
  std::string request;        // the name under which the store remembers the answer; may be empty
  bool is_looked_up = false;  // the store is asked whether it was answered before
  absl::Duration deadline;    // monotonic
  AskCallback callback;
};

struct NamedSweep {
  std::int64_t id = 0;
  std::string name;  // the present one
};

struct WorkerEntry {
  std::string name;
  std::string session;  // empty: it has not called since the coordinator started
  // As the worker gives it, with the present names of sweeps that were renamed.
  WorkerDescription description;
  // Of this session: what the worker says, and what was found out about its data.
  Capabilities can;
  bool connected = false;
  bool draining = false;                                 // the worker says so
  bool asked_to_drain = false;                           // by a person; until its session ends
  bool told_to_drain = false;                            // by the last answer
  std::set<std::pair<TrialKey, int>> told_to_give_back;  // by the last answer: trial and attempt
  std::set<std::pair<TrialKey, int>> told_to_stop;       // likewise
  absl::Time created, last_seen;
  absl::Duration last_call;  // monotonic
  std::set<TrialKey> leases;
  int writes_in_flight = 0;  // grants and revivals for it
  bool in_queue = false;     // of workers that want work
  std::optional<Poll> poll;
  std::int64_t completed = 0;  // attempts
  std::int64_t failed = 0;
  WorkerHealth health;
  std::optional<absl::Duration> last_call_before_loss;  // when it last lost leases
  // The sweeps that its session says it trains, by the names that it uses. Such a name keeps its
  // meaning when the sweep is renamed or another sweep gets the name.
  std::map<std::string, NamedSweep> only_sweeps;

  // A program that asks for trials: it has no session, no slots and no health of its own.
  bool is_caller() const { return name.starts_with(kCallerPrefix); }
  // Since the coordinator started.
  bool has_called() const { return created != absl::Time(); }
  bool leaves() const { return draining || asked_to_drain; }
  bool wants_work() const { return poll.has_value() && !leaves() && free_slots() > 0; }
  // For which the searches make points.
  int offered_slots() const { return connected && !leaves() ? description.slots : 0; }
  int free_slots() const {
    return description.slots - static_cast<int>(leases.size()) - writes_in_flight;
  }
};

}  // namespace sweep
