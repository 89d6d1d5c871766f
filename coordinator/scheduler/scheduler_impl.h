#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/base/mutex.h"
#include "common/base/philox.h"
#include "coordinator/scheduler/event_bus.h"
#include "coordinator/scheduler/fail_alike.h"
#include "coordinator/scheduler/scheduler.h"
#include "coordinator/scheduler/work_table.h"
#include "coordinator/search/driver.h"
#include "spdlog/common.h"

namespace sweep {

// The scheduler behind scheduler.h. One lock guards the work table. Whatever leaves it (a write to
// the store, a callback, a signal, a log line) is put into `deferred_` while the lock is held and
// done after it is released, by one thread at a time, so that the store gets the writes in the
// order in which they were decided. Completions run on the store's writer thread in the same order.
class SchedulerImpl final : public Scheduler {
 public:
  explicit SchedulerImpl(const SchedulerOptions& options);
  ~SchedulerImpl() override;
  // Before anything else, once.
  absl::Status Load();
  void StartThreads();

  void Submit(std::shared_ptr<const SweepSpec> spec, const SweepSource& source,
              const SubmitOptions& options, SubmitCallback callback) override;
  void CancelSweep(const std::string& name, const std::string& request_id,
                   SweepCallback callback) override;
  void CancelTrial(const std::string& sweep, std::int64_t number, const std::string& request_id,
                   TrialCallback callback) override;
  void PauseSweep(const std::string& name, bool now, const std::string& request_id,
                  SweepCallback callback) override;
  void ResumeSweep(const std::string& name, const std::string& request_id,
                   SweepCallback callback) override;
  void RetrySweep(std::shared_ptr<const SweepSpec> spec, const Retry& retry,
                  RetryCallback callback) override;
  void RetryTrial(std::shared_ptr<const SweepSpec> spec, std::int64_t number, const Retry& retry,
                  TrialCallback callback) override;
  void ExtendSweep(std::shared_ptr<const SweepSpec> spec, std::int64_t run_cap,
                   const std::string& request_id, SweepCallback callback) override;
  void DeleteSweep(const std::string& name, const std::string& request_id,
                   DeleteCallback callback) override;
  void RenameSweep(const Renaming& renaming, SweepCallback callback) override;
  void ArchiveSweep(const std::string& name, bool archived, const std::string& request_id,
                    SweepCallback callback) override;
  void Synchronize(const SynchronizeCall& call, SynchronizeCallback callback) override;
  void DropPoll(const std::string& worker, std::uint64_t poll_id) override;
  void ReportEpochs(const LeaseToken& token, const std::vector<EpochMetrics>& epochs,
                    const std::string& checkpoint_sha256, int checkpoint_epoch,
                    StatusCallback callback) override;
  void FinishLease(const LeaseToken& token, LeaseOutcome outcome, const std::string& reason,
                   const std::vector<ArtifactRow>& artifacts, StatusCallback callback) override;
  void ReportData(const LeaseToken& token, const std::string& sha256, const std::string& place,
                  DataCallback callback) override;
  void AppendLogs(const LeaseToken& token, const std::vector<LogRow>& lines,
                  StatusCallback callback) override;
  absl::StatusOr<WorkerInfo> DrainWorker(const std::string& name) override;
  void ReportProgress(const std::string& session,
                      const std::vector<TrialProgress>& progress) override;
  std::vector<WorkerInfo> Workers() const override;
  TrialSituation Situation(const TrialRow& trial) const override;
  std::vector<TrialProgress> Progress(const std::string& sweep) const override;
  SchedulerCounts Counts() const override;
  EventBus& events() override { return events_; }
  void Tick() override;
  bool SearchTurn() override { return search_.Turn(); }
  void WaitIdle() override;
  void StopServing() override;
  void Shutdown() override;

 private:
  struct Grant;
  struct GrantBatch;
  struct EndedSweep {
    std::string name;
    std::shared_ptr<const SweepSpec> spec;  // shared with writes under way
  };

  // scheduler.cc: what leaves the lock.
  void Defer(std::function<void()> action) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DeferWrite(Store::WriteFunction function, Store::Completion done)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DeferLog(spdlog::level::level_enum level, std::string line)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DeferSignal(std::int64_t sweep_id, EventBus::Signal signal)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void RunDeferred() ABSL_LOCKS_EXCLUDED(mutex_);
  // Locks, and defers `write`; or the refusal when the scheduler is stopping.
  void WriteFor(Store::WriteFunction function, Store::Completion done) ABSL_LOCKS_EXCLUDED(mutex_);
  void OnSubmitted(const Submission& submission, std::shared_ptr<const SweepSpec> spec);
  // A row came back from a committed write about a lease.
  // Of the epochs that are new; before OnLeaseRow.
  void CountMeasures(const TrialRow& row, const std::vector<EpochMetrics>& epochs)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void OnLeaseRow(const TrialRow& row, const LeaseToken& token)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // The sweep of a worker's token; FailedPrecondition when it has ended.
  absl::StatusOr<std::shared_ptr<const SweepSpec>> SpecOf(const LeaseToken& token)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // Before the row is taken over: what the end of a lease says about its worker.
  // In the write that ends an attempt: pauses its sweep when the first trials have failed alike.
  static absl::StatusOr<std::optional<SweepRow>> PauseIfAlike(WriteTransaction& transaction,
                                                              const TrialRow& trial,
                                                              const Failure& failure);
  // Whether a worker other than the holder of the trial could train it.
  bool OthersCould(const LeaseToken& token) const ABSL_LOCKS_EXCLUDED(mutex_);
  void CountFinish(const LeaseToken& token, const std::string& worker, LeaseOutcome outcome,
                   const std::string& reason) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void EndIfDone(std::int64_t sweep_id) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Remember(EndedSweep ended) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Status LoadSweep(SweepRow row);
  absl::Status LoadLeases();
  // Of a lease whose worker ended with an earlier coordinator's process.
  void GiveBackForTheDead(const LeaseRow& lease, std::shared_ptr<const SweepSpec> spec)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // A trial from the store, at the start; null (and logged) when it does not resolve any more.
  TrialEntry* TakeUp(const SweepSpec& spec, const TrialRow& row, bool needs_json)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  WorkerInfo Describe(const WorkerEntry& worker) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  absl::Duration Now() const { return options_.clock->Monotonic(); }

  // scheduler_health.cc: workers on which attempts fail again and again.
  // An attempt of the worker at the trial, which it still holds in memory, has failed.
  void NoteFailure(TrialEntry* trial, WorkerEntry* worker, const std::string& reason)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // As NoteFailure; all that a worker loses at once counts as one failure.
  void NoteLoss(TrialEntry* trial, WorkerEntry* worker, const std::string& reason)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void NoteSuccess(const std::string& worker) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // It has the lease again that it seemed to have lost.
  void WithdrawLoss(TrialEntry* trial, WorkerEntry* worker) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Another worker that could do all that this one does, as far as is known.
  bool HasReplacement(const WorkerEntry& worker) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whether the worker's failures allow that it gets one more trial.
  bool MayTakeOneMore(WorkerEntry* worker) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whether the trial, which has failed on this worker, waits for another one.
  bool WaitsForAnother(const TrialEntry& trial, const WorkerEntry& worker) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::optional<PutAside> DescribeHealth(const WorkerEntry& worker) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // scheduler_data.cc: what sweeps are trained on.
  void OnDataReported(const LeaseToken& token, const std::string& sha256, const std::string& place,
                      const DataReport& report) ABSL_LOCKS_EXCLUDED(mutex_);
  void ForgetOtherData(const std::string& sha256, WorkerEntry* worker)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::vector<OtherData> DescribeOtherData(const WorkerEntry& worker) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // scheduler_counts.cc
  void CountWorker(const WorkerEntry& worker, SchedulerCounts* counts) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // scheduler_situation.cc
  void DescribeWorkers(const Demand& demand, TrialSituation* situation) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DescribeFailures(const TrialEntry& trial, TrialSituation* situation) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void DescribeQueue(const SweepEntry& sweep, TrialSituation* situation) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // scheduler_lifecycle.cc: deleting, renaming, archiving.
  // Removes what deleted sweeps have left, one short write after the other.
  void Purge() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Forget(const std::string& ended_sweep) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  // scheduler_control.cc: what people decide about sweeps that are there.
  // From now on the sweep is in the table, and its spec stays in the cache.
  void AddSweep(const SweepRow& row, std::shared_ptr<const SweepSpec> spec)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // In a write: the spec of a sweep, as far as it is known without parsing; that of one that has
  // not ended is. Null when it is not known or not accepted.
  absl::StatusOr<SharedSpec> SpecIn(WriteTransaction& transaction, const std::string& sweep) const;
  // In a write: FailedPrecondition when the sweep's file is not accepted.
  absl::Status CheckAccepted(WriteTransaction& transaction, const std::string& sweep) const;
  // A sweep as a committed write has left it; `spec` (may be null) is for one that had ended.
  void TakeUpSweep(const SweepRow& row, std::shared_ptr<const SweepSpec> spec)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void OnSweepChanged(const SweepRow& row, std::shared_ptr<const SweepSpec> spec)
      ABSL_LOCKS_EXCLUDED(mutex_);
  void OnRetried(const RetriedSweep& retried, std::shared_ptr<const SweepSpec> spec)
      ABSL_LOCKS_EXCLUDED(mutex_);

  // scheduler_leases.cc and scheduler_grants.cc: calls of workers, grants, expiry.
  absl::Status Admit(const SynchronizeCall& call) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Greet(const SynchronizeCall& call, WorkerEntry* worker)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Park(const SynchronizeCall& call, WorkerEntry* worker, SynchronizeCallback callback)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Lets what has changed have its effect: grants pending trials, answers calls that are due.
  void React() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Dispatch() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Whether the holder is to give this lease back.
  bool IsCalledBack(const TrialEntry& trial) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool AnswerIsDue(const WorkerEntry& worker) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Answer(WorkerEntry* worker) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void LetGo(WorkerEntry* worker) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Refuse(WorkerEntry* worker, const absl::Status& status)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void WriteGrants(std::shared_ptr<GrantBatch> batch) ABSL_LOCKS_EXCLUDED(mutex_);
  void OnGranted(const std::shared_ptr<GrantBatch>& batch, const absl::Status& status)
      ABSL_LOCKS_EXCLUDED(mutex_);
  void SettleGrant(const Grant& grant, const std::string& worker, const absl::Status& status)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Revive(const LeaseToken& token, TrialEntry* trial, WorkerEntry* worker)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void OnRevived(const LeaseToken& token, const std::string& worker, const TrialKey& key,
                 const absl::StatusOr<LeaseRow>& lease) ABSL_LOCKS_EXCLUDED(mutex_);
  void Lose(TrialEntry* trial, const std::string& reason) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void OnLost(const TrialKey& key, const std::string& reason, const absl::StatusOr<TrialRow>& row)
      ABSL_LOCKS_EXCLUDED(mutex_);
  void ForgiveLateTick(absl::Duration now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ExpireLeases(absl::Duration now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ExpireWorkers(absl::Duration now) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void TickThread(const std::stop_token& stop);

  // scheduler_search.cc: what the search driver asks of it.
  SearchDriver::Host MakeSearchHost();
  std::vector<SearchDemand> SearchDemands() ABSL_LOCKS_EXCLUDED(mutex_);
  void OnSuggestionsStored(const StoredSuggestions& stored) ABSL_LOCKS_EXCLUDED(mutex_);
  void OnTrialDecided(const TrialRow& row) ABSL_LOCKS_EXCLUDED(mutex_);

  const SchedulerOptions options_;
  const absl::Duration tick_interval_;
  EventBus events_;

  mutable Mutex mutex_;
  WorkTable table_ ABSL_GUARDED_BY(mutex_);
  // Names of workers that want work, in the order of asking; may hold some that no longer do.
  std::deque<std::string> line_ ABSL_GUARDED_BY(mutex_);
  std::deque<EndedSweep> ended_ ABSL_GUARDED_BY(mutex_);
  std::unordered_map<std::string, std::string> workers_by_session_ ABSL_GUARDED_BY(mutex_);
  absl::Duration last_tick_ ABSL_GUARDED_BY(mutex_);
  absl::Duration last_progress_ ABSL_GUARDED_BY(mutex_);
  absl::Duration no_grants_before_ ABSL_GUARDED_BY(mutex_);  // the store's queue was full
  PhiloxStream jitter_ ABSL_GUARDED_BY(mutex_);
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  SchedulerCounts events_counted_ ABSL_GUARDED_BY(mutex_);  // what counts from the start on
  bool purge_wanted_ ABSL_GUARDED_BY(mutex_) = true;        // an earlier process may have left some
  bool purging_ ABSL_GUARDED_BY(mutex_) = false;

  std::deque<std::function<void()>> deferred_ ABSL_GUARDED_BY(mutex_);
  bool running_deferred_ ABSL_GUARDED_BY(mutex_) = false;
  int writes_in_flight_ ABSL_GUARDED_BY(mutex_) = 0;
  CondVar idle_;
  CondVar wake_tick_;

  SearchDriver search_;
  std::jthread tick_thread_;
};

}  // namespace sweep
