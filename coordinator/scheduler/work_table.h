#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "coordinator/scheduler/placement.h"
#include "coordinator/scheduler/work_entries.h"
#include "coordinator/store/store.h"

namespace sweep {

// The unfinished sweeps, their trials and the workers, kept consistent: which trials are pending or
// held, by whom, and whose turn is next. Pure: no I/O, no clock, no lock of its own.
class WorkTable {
 public:
  SweepEntry* AddSweep(const SweepRow& row, std::shared_ptr<const SweepSpec> spec);
  // Takes over what people have decided about a sweep, from its committed row.
  void TakeDecisions(SweepEntry* sweep, const SweepRow& row);
  // Releases its leases. Its trials that have not ended count as cancelled.
  void RemoveSweep(std::int64_t id);
  // Requires that none of its trials is held. `spec` has the new name.
  void RenameSweep(std::int64_t id, std::shared_ptr<const SweepSpec> spec);
  // Takes over a sweep whose file was edited, from its committed row. Its trials keep their
  // meaning.
  void TakeFile(SweepEntry* sweep, const SweepRow& row, std::shared_ptr<const SweepSpec> spec);
  // Takes over what a worker says of itself.
  void Describe(WorkerEntry* worker, const WorkerDescription& description);
  // Tells workers that train only some sweeps the new name of a sweep, which may have ended.
  void RenameForWorkers(std::int64_t id, const std::string& name, const std::string& new_name);
  SweepEntry* FindSweep(std::int64_t id);
  SweepEntry* FindSweep(const std::string& name);
  const SweepEntry* FindSweep(const std::string& name) const;
  const std::map<std::int64_t, SweepEntry>& sweeps() const { return sweeps_; }
  std::map<std::int64_t, SweepEntry>& sweeps() { return sweeps_; }

  // Takes over a committed row: adds, moves or (when it has ended) removes the trial. `deadline` is
  // for a lease that is new. Rows of unknown sweeps are ignored. Returns the entry, null when it is
  // gone.
  TrialEntry* Apply(TrialRow row, absl::Duration deadline);
  TrialEntry* FindTrial(const TrialKey& key);
  const TrialEntry* FindTrial(const TrialKey& key) const;
  TrialEntry* FindTrial(const std::string& sweep, std::int64_t number);
  // Requires that the trial is held. The progress goes with the lease.
  void SetProgress(TrialEntry* trial, const ProgressMessage& progress);
  // A trial with a claim is not offered.
  void SetClaim(TrialEntry* trial, Claim claim);
  // Removes the sweep when its search suggests no more and all its trials have ended. True when it
  // did.
  bool RemoveIfEnded(std::int64_t sweep_id);
  // The oldest pending trial of the active sweep whose turn it is, of the sweeps that fit the
  // worker and have a trial that may be offered: of the highest priority; of these, of the user
  // whose turn it is; of these, the sweep whose turn it is. Null when there is none. The caller
  // claims the trial.
  TrialEntry* NextPending(const Capabilities& worker,
                          const std::function<bool(const TrialEntry&)>& may_be_offered);
  const std::map<std::string, UserEntry>& users() const { return users_; }
  // There is a trial that some worker could get. Trials for callers are no such trials.
  bool HasPending() const { return !queues_.empty(); }

  // Requests of callers that wait, by the id of their sweep, which may have ended, in the order of
  // asking. No list is empty.
  std::map<std::int64_t, std::deque<PendingAsk>>& asks() { return asks_; }
  const std::map<std::int64_t, std::deque<PendingAsk>>& asks() const { return asks_; }

  WorkerEntry* FindWorker(const std::string& name);
  // Adds the worker when it is not known.
  WorkerEntry* EnsureWorker(const std::string& name);
  void RemoveWorker(const std::string& name);
  std::map<std::string, WorkerEntry>& workers() { return workers_; }
  const std::map<std::string, WorkerEntry>& workers() const { return workers_; }
  // How many of the workers are callers.
  std::size_t callers() const { return callers_; }
  // Slots of connected workers.
  std::int64_t connected_slots() const;
  // Trials in a state: at present, or since the start for a state that ends a trial.
  std::int64_t trials_in(TrialState state) const {
    return trials_in_[static_cast<std::size_t>(state)];
  }
  // Of all trials that are held.
  std::int64_t images_per_second() const { return images_per_second_; }

  // Workers whose leases or call have changed since the last TakeChanged.
  void MarkChanged(const std::string& worker) { changed_.insert(worker); }
  std::set<std::string> TakeChanged() { return std::exchange(changed_, {}); }

 private:
  void Release(TrialEntry* trial);
  void TakeNeeds(SweepEntry* sweep, Needs needs);
  // Takes the sweep out of the queue of its needs.
  void Unqueue(SweepEntry* sweep);
  std::int64_t& TrialsIn(TrialState state) { return trials_in_[static_cast<std::size_t>(state)]; }
  // Keeps the sweep's sets of numbers, after every change of a trial.
  void Enqueue(SweepEntry* sweep, TrialEntry* changed);
  // Keeps the sweep's place, after every change of what it offers and of its turn.
  void Enqueue(SweepEntry* sweep);
  // Counts the slot that trains the trial, or is about to, after every change of the trial.
  void CountSlot(SweepEntry* sweep, TrialEntry* trial, bool is_in_use);
  // The first trial of the sweep that may be offered. Null when there is none, or the sweep does
  // not fit.
  static TrialEntry* Offer(SweepEntry* sweep, const Capabilities& worker,
                           const std::function<bool(const TrialEntry&)>& may_be_offered);

  std::map<std::int64_t, SweepEntry> sweeps_;
  std::map<std::string, std::int64_t> sweep_ids_;
  // Of sweeps that offer a trial: by priority, the highest first, and user. None is empty.
  using Queue = std::map<std::int64_t, std::map<std::string, std::set<Turn>>, std::greater<>>;
  std::map<Needs, Queue> queues_;
  std::map<std::string, UserEntry> users_;  // that have a sweep
  std::map<std::int64_t, std::deque<PendingAsk>> asks_;
  std::map<std::string, WorkerEntry> workers_;
  std::size_t callers_ = 0;
  std::set<std::string> changed_;
  std::int64_t turns_ = 0;
  std::array<std::int64_t, kTrialStates> trials_in_{};
  std::int64_t images_per_second_ = 0;
};

}  // namespace sweep
