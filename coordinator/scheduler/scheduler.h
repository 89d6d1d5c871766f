#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coordinator/scheduler/event_bus.h"
#include "coordinator/scheduler/explanation.h"
#include "coordinator/scheduler/requests.h"
#include "coordinator/scheduler/scheduler_options.h"
#include "coordinator/scheduler/scheduler_types.h"

namespace sweep {

// Who trains what: the queue of pending trials, the leases with their deadlines, the workers with
// their waiting calls, and the search that keeps the queue filled. The Store has everything that
// must survive: every change is written first, and memory follows in the order of the completions.
//
// Callers see this class; the work is done by its parts, which share one lock: SweepDesk carries
// out what people decide, LeaseDesk grants and takes back leases, ReportDesk takes the reports of
// their holders, Insight tells what goes on, and SearchDriver makes configurations. Owns a tick
// thread and the threads of the search. Thread-safe. Each callback is called exactly once, with no
// lock held, on any thread, and must be quick.
class Scheduler {
 public:
  // Restores what the store holds. Every lease gets a full term, but for those of workers that
  // lived in the process of an earlier coordinator: that process is gone, since this one has the
  // database, so their leases are given back at once.
  static absl::StatusOr<std::unique_ptr<Scheduler>> Start(const SchedulerOptions& options);
  // As Shutdown.
  ~Scheduler();

  // ---- Sweeps and trials. All of them answer after the commit.

  // `spec` is what `source` parses to.
  void Submit(std::shared_ptr<const SweepSpec> spec, const SweepSource& source,
              const SubmitOptions& options, SubmitCallback callback);

  // A request that is repeated (with the same id, which is not empty) changes nothing and answers
  // with the present state. Errors are those of WriteTransaction's functions of these names. A
  // sweep whose file is not accepted can be cancelled, paused, archived and deleted; resuming it is
  // FailedPrecondition.
  void CancelSweep(const std::string& name, const std::string& request_id, SweepCallback callback);
  void CancelTrial(const std::string& sweep, std::int64_t number, const std::string& request_id,
                   TrialCallback callback);
  // `now`: workers give back what runs.
  void PauseSweep(const std::string& name, bool now, const std::string& request_id,
                  SweepCallback callback);
  void ResumeSweep(const std::string& name, const std::string& request_id, SweepCallback callback);
  // `spec` is that of the stored sweep, here and below.
  void RetrySweep(std::shared_ptr<const SweepSpec> spec, const RetryRequest& retry,
                  RetryCallback callback);
  // Of the kinds only `diverged` counts: without it a trial that diverged is refused.
  void RetryTrial(std::shared_ptr<const SweepSpec> spec, std::int64_t number,
                  const RetryRequest& retry, TrialCallback callback);
  // InvalidArgument also when the sweep's space has fewer points.
  void ExtendSweep(std::shared_ptr<const SweepSpec> spec, std::int64_t run_cap,
                   const std::string& request_id, SweepCallback callback);
  void DeleteSweep(const std::string& name, const std::string& request_id, DeleteCallback callback);
  void RenameSweep(const RenameRequest& request, SweepCallback callback);
  void ArchiveSweep(const std::string& name, bool archived, const std::string& request_id,
                    SweepCallback callback);

  // ---- Workers. workers.proto tells the story.

  // AlreadyExists while another live session has the name.
  void Synchronize(const SynchronizeCall& call, SynchronizeCallback callback);
  // The caller is gone: answers its waiting call (Cancelled) and grants it nothing. Does nothing
  // when the call has been answered.
  void DropPoll(const std::string& worker, std::uint64_t poll_id);
  // FailedPrecondition when the token is stale.
  void ReportEpochs(const LeaseToken& token, const std::vector<EpochMetrics>& epochs,
                    const std::string& checkpoint_sha256, int checkpoint_epoch,
                    StatusCallback callback);
  void FinishLease(const LeaseToken& token, LeaseOutcome outcome, const std::string& reason,
                   const std::vector<ArtifactRow>& artifacts, StatusCallback callback);
  // The holder has found data with this digest, at `place`. Data that is refused ends the lease.
  void ReportData(const LeaseToken& token, const std::string& sha256, const std::string& place,
                  DataCallback callback);
  // FailedPrecondition unless the token is that of the trial's latest attempt.
  void AppendLogs(const LeaseToken& token, const std::vector<LogRow>& lines,
                  StatusCallback callback);
  // Ignores trials that the session does not hold.
  void ReportProgress(const std::string& session, const std::vector<TrialProgress>& progress);
  // From now on the worker is told to end. NotFound, or FailedPrecondition when it is not
  // connected.
  absl::StatusOr<WorkerInfo> DrainWorker(const std::string& name);

  // ---- What goes on.

  // Connected workers first, then by name.
  std::vector<WorkerInfo> Workers() const;
  // What the scheduler knows of a stored trial. The caller adds what the store knows.
  TrialSituation Situation(const TrialRow& trial) const;
  std::vector<TrialProgress> Progress(const std::string& sweep) const;
  SchedulerCounts Counts() const;
  EventBus& events();

  // ---- What the threads do, for tests.

  // Expires leases and waiting calls.
  void Tick();
  // Makes configurations; true when it asked for any.
  bool SearchTurn();
  // Waits until no write and no callback is under way. Not to be called from a callback.
  void WaitIdle();

  // ---- Ending.

  // Answers every waiting call (Unavailable) and refuses new ones. Leases stay.
  void StopServing();
  // StopServing, ends the threads and waits for what is queued. Idempotent.
  void Shutdown();

 private:
  struct Parts;
  explicit Scheduler(const SchedulerOptions& options);

  const std::unique_ptr<Parts> parts_;
};

}  // namespace sweep
