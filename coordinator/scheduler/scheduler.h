#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "coordinator/scheduler/event_bus.h"
#include "coordinator/scheduler/explanation.h"
#include "coordinator/scheduler/scheduler_types.h"
#include "coordinator/specs/spec_cache.h"
#include "coordinator/stopping/stopping_rule.h"
#include "coordinator/store/store.h"

namespace sweep {

struct SchedulerOptions {
  Store* store = nullptr;  // outlives the scheduler, and so does the cache
  SpecCache* specs = nullptr;
  Clock* clock = RealClock();
  absl::Duration lease_term = absl::Seconds(60);
  absl::Duration poll_time = absl::Seconds(20);  // at most a third of lease_term
  std::uint64_t jitter_seed = 0;
  // The name of the worker that lives in this process and ends with it; empty: there is none.
  std::string embedded_worker;
  std::function<std::unique_ptr<StoppingRule>(const SweepSpec&)> make_rule = StoppingRule::Make;
  // Tests turn the threads off and call Tick and SearchTurn themselves.
  bool threads = true;
};

// Who trains what: the queue of pending trials, the leases with their deadlines, the workers and
// their parked calls, and the search that keeps the queue filled. What must survive is in the
// Store; every change goes through it, and memory follows in the order of its completions. Owns a
// tick thread and the threads of the search. Thread-safe. Callbacks are called exactly once, with
// no lock held, on any thread, and must be quick.
class Scheduler {
 public:
  // Takes up what the store holds: every lease gets a full term, but those of workers that lived in
  // an earlier coordinator's process. Whoever has the database now knows that process to be gone,
  // so they are given back at once.
  static absl::StatusOr<std::unique_ptr<Scheduler>> Start(const SchedulerOptions& options);
  // As Shutdown.
  virtual ~Scheduler() = default;

  struct Submission {
    SweepRow sweep;
    bool created = false;  // false: the same sweep was there
  };
  using SubmitCallback = std::function<void(absl::StatusOr<Submission>)>;
  using SweepCallback = std::function<void(absl::StatusOr<SweepRow>)>;
  using RetryCallback = std::function<void(absl::StatusOr<RetriedSweep>)>;
  using TrialCallback = std::function<void(absl::StatusOr<TrialRow>)>;
  using StatusCallback = std::function<void(absl::Status)>;
  using SynchronizeCallback = std::function<void(absl::StatusOr<SynchronizeAnswer>)>;

  struct SubmitOptions {
    std::string principal;
    bool keep_going = false;  // it is not paused when its first trials fail alike
    // Under which a build of an earlier edition stored this file; empty: not known.
    std::string earlier_digest = {};
  };
  // `spec` is what `source` parses to. Answers after commit, as all below.
  virtual void Submit(std::shared_ptr<const SweepSpec> spec, const SweepSource& source,
                      const SubmitOptions& options, SubmitCallback callback) = 0;

  // The same request again (by its id, unless that is empty) changes nothing and answers with what
  // is. Errors as WriteTransaction's methods of these names. A sweep whose file is not accepted can
  // be cancelled, paused, archived and deleted; it is FailedPrecondition to resume it.
  virtual void CancelSweep(const std::string& name, const std::string& request_id,
                           SweepCallback callback) = 0;
  virtual void CancelTrial(const std::string& sweep, std::int64_t number,
                           const std::string& request_id, TrialCallback callback) = 0;
  // `now`: what runs is to be given back.
  virtual void PauseSweep(const std::string& name, bool now, const std::string& request_id,
                          SweepCallback callback) = 0;
  virtual void ResumeSweep(const std::string& name, const std::string& request_id,
                           SweepCallback callback) = 0;
  struct Retry {
    bool failed = false;
    bool cancelled = false;
    bool diverged = false;
    std::string request_id;
  };
  // `spec` is that of the stored sweep, here and below.
  virtual void RetrySweep(std::shared_ptr<const SweepSpec> spec, const Retry& retry,
                          RetryCallback callback) = 0;
  // Of the kinds only `diverged` counts: without it a trial that diverged is refused.
  virtual void RetryTrial(std::shared_ptr<const SweepSpec> spec, std::int64_t number,
                          const Retry& retry, TrialCallback callback) = 0;
  // InvalidArgument also when the sweep's space has fewer points.
  virtual void ExtendSweep(std::shared_ptr<const SweepSpec> spec, std::int64_t run_cap,
                           const std::string& request_id, SweepCallback callback) = 0;

  // The number of trials that it had.
  using DeleteCallback = std::function<void(absl::StatusOr<std::int64_t>)>;
  virtual void DeleteSweep(const std::string& name, const std::string& request_id,
                           DeleteCallback callback) = 0;
  struct Renaming {
    std::string name, new_name;
    // The stored sweep with its new name; null when there is none of that name, which is right for
    // a request that was carried out before.
    std::shared_ptr<const SweepSpec> spec;
    std::string text;  // what `spec` was parsed from
    std::string request_id;
  };
  virtual void RenameSweep(const Renaming& renaming, SweepCallback callback) = 0;
  virtual void ArchiveSweep(const std::string& name, bool archived, const std::string& request_id,
                            SweepCallback callback) = 0;

  // workers.proto tells the story. AlreadyExists while another live session has the name.
  virtual void Synchronize(const SynchronizeCall& call, SynchronizeCallback callback) = 0;
  // The caller is gone: answers its parked call (Cancelled) and grants it nothing. A no-op when it
  // has been answered.
  virtual void DropPoll(const std::string& worker, std::uint64_t poll_id) = 0;
  // FailedPrecondition when the token is stale.
  virtual void ReportEpochs(const LeaseToken& token, const std::vector<EpochMetrics>& epochs,
                            const std::string& checkpoint_sha256, int checkpoint_epoch,
                            StatusCallback callback) = 0;
  virtual void FinishLease(const LeaseToken& token, LeaseOutcome outcome, const std::string& reason,
                           const std::vector<ArtifactRow>& artifacts, StatusCallback callback) = 0;
  // The holder has found data with this digest, at `place`. Answers why it is refused, and the
  // lease has ended then; "" when the data is the sweep's.
  using DataCallback = std::function<void(absl::StatusOr<std::string>)>;
  virtual void ReportData(const LeaseToken& token, const std::string& sha256,
                          const std::string& place, DataCallback callback) = 0;
  // FailedPrecondition unless the token is that of the trial's latest attempt.
  virtual void AppendLogs(const LeaseToken& token, const std::vector<LogRow>& lines,
                          StatusCallback callback) = 0;
  // Of trials that the session holds; others are ignored.
  virtual void ReportProgress(const std::string& session,
                              const std::vector<TrialProgress>& progress) = 0;

  // From now on the worker is told to end. NotFound, or FailedPrecondition when it is not
  // connected.
  virtual absl::StatusOr<WorkerInfo> DrainWorker(const std::string& name) = 0;
  // Connected ones first, then by name.
  virtual std::vector<WorkerInfo> Workers() const = 0;
  // What is known here of a trial as the store has it; the store's part is left to the caller.
  virtual TrialSituation Situation(const TrialRow& trial) const = 0;
  virtual std::vector<TrialProgress> Progress(const std::string& sweep) const = 0;
  virtual SchedulerCounts Counts() const = 0;
  virtual EventBus& events() = 0;

  // What the threads do, for tests: expire leases and parked calls; make configurations (true when
  // it asked for any); wait until no write and no callback is under way (not from a callback).
  virtual void Tick() = 0;
  virtual bool SearchTurn() = 0;
  virtual void WaitIdle() = 0;

  // Answers every parked call (Unavailable) and refuses new ones. Leases stay.
  virtual void StopServing() = 0;
  // StopServing, end the threads, wait for what is queued. Idempotent.
  virtual void Shutdown() = 0;
};

}  // namespace sweep
