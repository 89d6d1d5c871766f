#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "common/protocol/trainer_message.h"
#include "coordinator/scheduler/placement.h"
#include "coordinator/scheduler/scheduler_types.h"
#include "coordinator/scheduler/worker_health.h"
#include "coordinator/store/store.h"

namespace sweep {

// A write that has been decided on but is not committed yet. Whoever has the claim decides; nobody
// else does until it is settled.
enum class Claim { kNone, kGranting, kReviving, kLosing };

// A trial that has not ended.
struct TrialEntry {
  TrialRow row;  // as last committed
  Claim claim = Claim::kNone;
  std::string secret;       // of the lease, while it is held
  absl::Duration deadline;  // monotonic, while it is held
  // Shared with answers; null before the first grant, and when the target epoch has changed.
  std::shared_ptr<const std::string> spec_json;
  std::optional<ProgressMessage> progress;  // set by WorkTable::SetProgress
  std::set<std::string> failed_on;          // workers, since this coordinator has it
  absl::Duration
      waits_for_another_until;  // monotonic; till then it waits for a worker it has not failed on

  TrialKey key() const { return {row.sweep_id, row.number}; }
  bool held() const { return IsHeld(row.state); }
  bool Matches(const LeaseToken& token) const {
    return token.attempt == row.attempt && token.secret == secret;
  }
};

// When the next trial of a sweep is granted, among those of sweeps with the same needs: when it was
// served last, in turns of all sweeps; then its id.
using Turn = std::pair<std::int64_t, std::int64_t>;

// A sweep that has not ended.
struct SweepEntry {
  std::int64_t id = 0;
  std::string name;
  SweepState state = SweepState::kActive;
  bool give_back = false;                 // what is held is to be given back
  std::string pause_reason;               // why the coordinator paused it
  std::string data_sha256;                // of what it is trained on; empty: not known yet
  std::shared_ptr<const SweepSpec> spec;  // shared with the search thread and with writes under way
  Needs needs;
  std::int64_t configurations = 0;  // made so far
  std::int64_t planned = 0;
  bool exhausted = false;   // the search will make no more
  std::int64_t served = 0;  // when its turn was last, in turns of all sweeps
  bool has_new_progress = false;
  std::map<std::int64_t, TrialEntry> trials;  // by number
  std::set<std::int64_t> pending;             // pending and not claimed
  std::set<std::int64_t> on_hold;
  std::optional<Turn> queued;  // its place in the queue of its needs

  bool is_offered() const { return state == SweepState::kActive && !pending.empty(); }
  Demand demand() const { return {.sweep_id = id, .sweep = name, .needs = needs}; }
};

// A call of a worker that waits for something to change.
struct Poll {
  std::uint64_t id = 0;
  std::set<std::pair<TrialKey, int>> held;  // what the worker says: trial and attempt
  bool holds_stale = false;                 // the worker also holds what it should not
  bool no_wait = false;
  absl::Duration deadline;  // monotonic
  SynchronizeCallback callback;
};

struct NamedSweep {
  std::int64_t id = 0;
  std::string name;  // now
};

struct WorkerEntry {
  std::string name;
  std::string session;  // empty: known only from its leases, since the coordinator started
  WorkerDescription description;  // as it says itself, but for names of sweeps that were renamed
  // Of its session: what it says, and what was found out about its data.
  Capabilities can;
  bool connected = false;
  bool draining = false;                                 // says so itself
  bool asked_to_drain = false;                           // until its session ends
  bool told_to_drain = false;                            // by the last answer
  std::set<std::pair<TrialKey, int>> told_to_give_back;  // by the last answer: trial and attempt
  std::set<std::pair<TrialKey, int>> told_to_stop;       // likewise
  absl::Time created, last_seen;
  absl::Duration last_call;  // monotonic time of the last call
  std::set<TrialKey> leases;
  int writes_in_flight = 0;  // grants and revivals for it
  bool in_queue = false;     // stands in the scheduler's line of those who want work
  std::optional<Poll> poll;
  std::int64_t completed = 0;
  std::int64_t failed = 0;
  WorkerHealth health;
  std::optional<absl::Duration> last_call_before_loss;  // as `last_call`, when it last lost leases
  // What its session has called the sweeps that it trains, while they are known: from then on each
  // name means that sweep, whatever it is called now.
  std::map<std::string, NamedSweep> only_sweeps;

  bool leaves() const { return draining || asked_to_drain; }
  bool wants_work() const { return poll.has_value() && !leaves() && free_slots() > 0; }
  int free_slots() const {
    return description.slots - static_cast<int>(leases.size()) - writes_in_flight;
  }
};

// What the scheduler knows, kept consistent: which trials are pending or held, by whom, and whose
// turn is next. Pure: no I/O, no clock, no lock of its own.
class WorkTable {
 public:
  SweepEntry* AddSweep(const SweepRow& row, std::shared_ptr<const SweepSpec> spec);
  // Takes what people decide about a sweep from a row as it was just committed.
  void TakeDecisions(SweepEntry* sweep, const SweepRow& row);
  // Releases its leases. What has not ended of it counts as cancelled.
  void RemoveSweep(std::int64_t id);
  // Of which nothing is held. `spec` has the new name.
  void RenameSweep(std::int64_t id, std::shared_ptr<const SweepSpec> spec);
  // Takes what a worker says of itself.
  void Describe(WorkerEntry* worker, const WorkerDescription& description);
  // For the workers that train only some: a sweep that was `name` is called `new_name` now. Also of
  // one that has ended.
  void RenameForWorkers(std::int64_t id, const std::string& name, const std::string& new_name);
  SweepEntry* FindSweep(std::int64_t id);
  SweepEntry* FindSweep(const std::string& name);
  const SweepEntry* FindSweep(const std::string& name) const;
  const std::map<std::int64_t, SweepEntry>& sweeps() const { return sweeps_; }
  std::map<std::int64_t, SweepEntry>& sweeps() { return sweeps_; }

  // Takes a row as it was just committed: adds, moves or (when it has ended) removes the trial, and
  // the sweep with its last one. `deadline` is for a lease that is new. Rows of unknown sweeps are
  // ignored. Returns the entry, null when it is gone.
  TrialEntry* Apply(const TrialRow& row, absl::Duration deadline);
  TrialEntry* FindTrial(const TrialKey& key);
  const TrialEntry* FindTrial(const TrialKey& key) const;
  TrialEntry* FindTrial(const std::string& sweep, std::int64_t number);
  // Of a trial that is held; gone when the lease is.
  void SetProgress(TrialEntry* trial, const ProgressMessage& progress);
  // Sets or ends a claim; a claimed trial is not offered.
  void SetClaim(TrialEntry* trial, Claim claim);
  // Removes the sweep when it has made all its trials and they have ended. True when it did.
  bool RemoveIfEnded(std::int64_t sweep_id);
  // The oldest pending trial of the active sweep whose turn it is: of those that fit the worker and
  // have one which may be offered, the sweep that was served longest ago. Null when there is none.
  // The caller claims it.
  TrialEntry* NextPending(const Capabilities& worker,
                          const std::function<bool(const TrialEntry&)>& may_be_offered);
  // Whether any worker could get one.
  bool HasPending() const { return !queues_.empty(); }

  WorkerEntry* FindWorker(const std::string& name);
  // Makes it when it is not known.
  WorkerEntry* EnsureWorker(const std::string& name);
  void RemoveWorker(const std::string& name) { workers_.erase(name); }
  std::map<std::string, WorkerEntry>& workers() { return workers_; }
  const std::map<std::string, WorkerEntry>& workers() const { return workers_; }
  // Slots of connected workers.
  std::int64_t connected_slots() const;
  // Trials in a state: now, or, when it is one that ends a trial, ended so since the start.
  std::int64_t trials_in(TrialState state) const {
    return trials_in_[static_cast<std::size_t>(state)];
  }
  // Of all trials that are held, in whole images.
  std::int64_t images_per_second() const { return images_per_second_; }

  // Workers whose leases or call have changed since the last TakeChanged.
  void MarkChanged(const std::string& worker) { changed_.insert(worker); }
  std::set<std::string> TakeChanged() { return std::exchange(changed_, {}); }

 private:
  void Release(TrialEntry* trial);
  std::int64_t& TrialsIn(TrialState state) { return trials_in_[static_cast<std::size_t>(state)]; }
  // Keeps the sweep's sets of numbers.
  void Queue(SweepEntry* sweep, const TrialEntry& trial);
  // After every change of what the sweep offers, and of its turn.
  void Queue(SweepEntry* sweep);
  // The first trial of the sweep that may be offered; null when there is none or it does not fit.
  static TrialEntry* Offer(SweepEntry* sweep, const Capabilities& worker,
                           const std::function<bool(const TrialEntry&)>& may_be_offered);

  std::map<std::int64_t, SweepEntry> sweeps_;
  std::map<std::string, std::int64_t> sweep_ids_;
  std::map<Needs, std::set<Turn>> queues_;  // of sweeps that offer a trial; none is empty
  std::map<std::string, WorkerEntry> workers_;
  std::set<std::string> changed_;
  std::int64_t turns_ = 0;
  std::array<std::int64_t, kTrialStates> trials_in_{};
  std::int64_t images_per_second_ = 0;
};

}  // namespace sweep
