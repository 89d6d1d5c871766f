#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/philox.h"
#include "coordinator/scheduler/scheduler_state.h"

namespace sweep {

// Decides who trains what: holds the calls of workers and callers until there is something to say,
// grants pending trials, takes back leases that run out and gives them again to a holder that
// returns.
// Owns the queue of workers that want work, and the sessions. Everything is under the lock of the
// shared state. Functions without a lock annotation take it themselves, except TouchCaller, React,
// Serve, Expire and SignalProgress, whose callers have it. Calls no other desk, and wakes the
// search.
class LeaseDesk {
 public:
  // `wake_search` is called under the lock, and must not block.
  LeaseDesk(SchedulerState& state, std::function<void()> wake_search);

  // A call of a worker; workers.proto tells the story. AlreadyExists while another live session has
  // the name.
  void Synchronize(const SynchronizeCall& call, SynchronizeCallback callback);
  // The caller is gone: answers its waiting call (Cancelled) and grants it nothing. Does nothing
  // when the call has been answered.
  void DropPoll(const std::string& worker, std::uint64_t poll_id);
  // Ignores trials that the session does not hold.
  void ReportProgress(const std::string& session, const std::vector<TrialProgress>& progress);
  // From now on the worker is told to end. NotFound, or FailedPrecondition when it is not
  // connected.
  absl::StatusOr<WorkerInfo> DrainWorker(const std::string& name);

  // A caller asks for a trial of a sweep that callers train. Answers once it has a lease, the sweep
  // has ended, or the caller has waited long enough. Aborted when the same request comes again.
  void Ask(const AskCall& call, AskCallback callback);
  // The caller is gone: answers its waiting request (Cancelled) and grants it nothing. Does nothing
  // when the request has been answered.
  void DropAsk(std::uint64_t id);

  // ---- For the other desks, which have the lock.

  // A caller has called; its leases are as before.
  void TouchCaller(WorkerEntry* caller);

  // Grants pending trials, answers the calls that are due and wakes the search. Whoever has changed
  // the table calls it last.
  void React();
  // As React, when nothing has changed that the search asks about.
  void Serve();

  // ---- For Scheduler, which has the lock when it calls Expire and SignalProgress.

  // Restores the leases that the store holds; once, after the sweeps.
  absl::Status Load();
  // As Scheduler's.
  void StopServing();
  // Takes back what has run out. `interval` is the time between two calls.
  void Expire(absl::Duration interval);
  // Tells watchers that there is new progress, at most once a second.
  void SignalProgress();

 private:
  struct Grant;
  struct GrantBatch;

  // lease_desk.cc: calls and answers.
  // ResourceExhausted unless the table has the worker or caller, or may have one more.
  absl::Status CheckRoomFor(const std::string& worker)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_.effects.mutex);
  // Refuses a second session under the name of a live worker; clears away one that is gone.
  absl::Status Admit(const SynchronizeCall& call)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_.effects.mutex);
  void Register(const SynchronizeCall& call, WorkerEntry* worker)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_.effects.mutex);
  void HoldPoll(const SynchronizeCall& call, WorkerEntry* worker, SynchronizeCallback callback)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_.effects.mutex);
  void ForgetOtherData(const std::string& sha256, WorkerEntry* worker)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_.effects.mutex);
  // Its sweep is paused, and the holder is to give the lease back.
  bool MustGiveBack(const TrialEntry& trial) ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_.effects.mutex);
  bool AnswerIsDue(const WorkerEntry& worker) ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_.effects.mutex);
  void Answer(WorkerEntry* worker) ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_.effects.mutex);
  void DisconnectIfDrained(WorkerEntry* worker) ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_.effects.mutex);
  // Answers the worker's call, if it has one, with an error.
  void RefusePoll(WorkerEntry* worker, const absl::Status& status)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_.effects.mutex);

  // lease_desk_grants.cc
  void Dispatch() ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_.effects.mutex);
  void DeferGrants(std::shared_ptr<GrantBatch> batch)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_.effects.mutex);
  void OnGranted(const GrantBatch& batch, const absl::Status& status)
      ABSL_LOCKS_EXCLUDED(state_.effects.mutex);
  Grant GrantOf(const TrialEntry& trial) ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_.effects.mutex);
  void SettleGrant(const Grant& grant, const std::string& worker, const absl::Status& status)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_.effects.mutex);

  // lease_desk_asks.cc: callers.
  absl::Status AdmitAsk(const AskCall& call, const AskCallback& callback)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_.effects.mutex);
  void AnswerNoSweep(const PendingAsk& ask, const std::string& name)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_.effects.mutex);
  void LookUpAsk(std::int64_t sweep_id, const PendingAsk& ask)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_.effects.mutex);
  void OnLookedUp(std::int64_t sweep_id, std::uint64_t id, const absl::Status& status,
                  const std::optional<LeaseRow>& lease)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_.effects.mutex);
  void ServeAsks() ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_.effects.mutex);
  void GrantAsk(PendingAsk ask, TrialEntry* trial)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_.effects.mutex);
  void SettleAsk(const PendingAsk& ask, const Grant& grant, const absl::Status& status)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_.effects.mutex);
  void AnswerAsk(const PendingAsk& ask, const TrialRow& row, const std::string& secret,
                 std::shared_ptr<const std::string> spec_json)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_.effects.mutex);
  void AnswerAsk(const PendingAsk& ask, AskAnswer answer)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_.effects.mutex);
  void RefuseAsk(const PendingAsk& ask, const absl::Status& status)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_.effects.mutex);
  void RefuseAllAsks(const absl::Status& status)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_.effects.mutex);

  // lease_desk_expiry.cc: what runs out, who returns, and what an earlier process has left.
  // Gives back a lease that nobody holds any more, for the reason `why`.
  void ReturnLease(const LeaseRow& lease, std::shared_ptr<const SweepSpec> spec,
                   const std::string& why) ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_.effects.mutex);
  void ReviveLease(const LeaseToken& token, TrialEntry* trial, WorkerEntry* worker)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_.effects.mutex);
  void OnRevived(const LeaseToken& token, const std::string& worker, const TrialKey& key,
                 const absl::StatusOr<LeaseRow>& lease) ABSL_LOCKS_EXCLUDED(state_.effects.mutex);
  void LoseLease(TrialEntry* trial, const std::string& reason)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_.effects.mutex);
  void OnLost(const TrialKey& key, const std::string& reason, const absl::StatusOr<TrialRow>& row)
      ABSL_LOCKS_EXCLUDED(state_.effects.mutex);
  void ExtendAfterLateTick(absl::Duration now, absl::Duration interval)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_.effects.mutex);
  void ExpireLeases(absl::Duration now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_.effects.mutex);
  void ExpireWorkers(absl::Duration now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_.effects.mutex);

  SchedulerState& state_;
  const std::function<void()> wake_search_;
  // Names of workers that want work, in the order of asking. Some may not want it any more.
  std::deque<std::string> worker_queue_ ABSL_GUARDED_BY(state_.effects.mutex);
  std::unordered_map<std::string, std::string> workers_by_session_
      ABSL_GUARDED_BY(state_.effects.mutex);
  // Whether the caller has gone meanwhile, by the id of its request, whose grant is being written.
  std::unordered_map<std::uint64_t, bool> asks_being_granted_ ABSL_GUARDED_BY(state_.effects.mutex);
  absl::Duration last_tick_ ABSL_GUARDED_BY(state_.effects.mutex);
  absl::Duration last_progress_ ABSL_GUARDED_BY(state_.effects.mutex);
  PhiloxStream jitter_ ABSL_GUARDED_BY(state_.effects.mutex);
};

// The answer to a caller whose sweep is trained by workers.
absl::Status NotForCallersError(const std::string& sweep);

}  // namespace sweep
