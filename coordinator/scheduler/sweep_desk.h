#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coordinator/scheduler/lease_desk.h"
#include "coordinator/scheduler/requests.h"
#include "coordinator/scheduler/scheduler_state.h"

namespace sweep {

// Carries out what people decide about sweeps and trials. Each decision is written first, once per
// request id, and changes the table in its completion. Owns the removal of what deleted sweeps have
// left; shares the rest of the state, whose lock guards both. Functions without a lock annotation
// take the lock themselves, except Purge, whose caller has it. Calls LeaseDesk::React after each
// change, and nothing else of another desk.
class SweepDesk {
 public:
  SweepDesk(SchedulerState& state, LeaseDesk& leases) : state_(state), leases_(leases) {}

  // `spec` is what `source` parses to. Answers after the commit, as all below.
  void Submit(std::shared_ptr<const SweepSpec> spec, const SweepSource& source,
              const SubmitOptions& options, SubmitCallback callback);

  // A request that is repeated (with the same id, which is not empty) changes nothing and answers
  // with the present state. Errors are those of WriteTransaction's functions of these names. A
  // sweep whose file is not accepted can be cancelled, paused, archived and deleted; resuming it is
  // FailedPrecondition.

  // `now`: workers give back what runs.
  void PauseSweep(const std::string& name, bool now, const std::string& request_id,
                  SweepCallback callback);
  void ResumeSweep(const std::string& name, const std::string& request_id, SweepCallback callback);
  // `spec` is that of the stored sweep, here and below. InvalidArgument also when the sweep's space
  // has fewer points.
  void ExtendSweep(std::shared_ptr<const SweepSpec> spec, std::int64_t run_cap,
                   const std::string& request_id, SweepCallback callback);
  // Replaces the sweep's file as planned. Aborted when it is not the one that was planned for.
  void EditSweep(const EditRequest& request, SweepCallback callback);
  void CancelSweep(const std::string& name, const std::string& request_id, SweepCallback callback);
  void CancelTrial(const std::string& sweep, std::int64_t number, const std::string& request_id,
                   TrialCallback callback);
  void RetrySweep(std::shared_ptr<const SweepSpec> spec, const RetryRequest& retry,
                  RetryCallback callback);
  // Of the kinds only `diverged` counts: without it a trial that diverged is refused.
  void RetryTrial(std::shared_ptr<const SweepSpec> spec, std::int64_t number,
                  const RetryRequest& retry, TrialCallback callback);
  void DeleteSweep(const std::string& name, const std::string& request_id, DeleteCallback callback);
  void RenameSweep(const RenameRequest& request, SweepCallback callback);
  void ArchiveSweep(const std::string& name, bool archived, const std::string& request_id,
                    SweepCallback callback);

  // ---- For Scheduler.

  // Restores the stored sweeps that have not ended, and their trials that nobody holds; once.
  absl::Status Load();
  // Removes what deleted sweeps have left, one short write after the other. The caller has the
  // lock.
  void Purge();

 private:
  absl::Status LoadSweep(const SweepRow& row);

  using SweepChange = std::function<absl::StatusOr<SweepRow>(WriteTransaction&)>;
  // Makes a change of a sweep once per request; `verb` is a literal. `on_changed` gets its row
  // after the change, also when the request is repeated, and then `callback`.
  void ChangeSweep(std::string_view verb, const std::string& name, const std::string& request_id,
                   SweepChange change, std::function<void(const SweepRow&)> on_changed,
                   SweepCallback callback);

  // In a write: what is known of a sweep's file without parsing.
  absl::StatusOr<std::optional<StoredSpec>> KnownIn(WriteTransaction& transaction,
                                                    const std::string& sweep) const;
  // In a write: the spec of a sweep, as far as it is known without parsing; that of a sweep that
  // has not ended is. Null when it is not known or not accepted.
  absl::StatusOr<SharedSpec> SpecIn(WriteTransaction& transaction, const std::string& sweep) const;
  // In a write: FailedPrecondition when the sweep's file is not accepted.
  absl::Status CheckAccepted(WriteTransaction& transaction, const std::string& sweep) const;

  // In a write: Aborted when the sweep's file is no longer that of `spec`.
  static absl::Status CheckFile(WriteTransaction& transaction, const SweepSpec& spec);

  void OnSubmitted(const Submission& submission, std::shared_ptr<const SweepSpec> spec)
      ABSL_LOCKS_EXCLUDED(state_.effects.mutex);
  // Takes over a sweep as a committed write has left it. `spec` is as AdoptSweep's.
  void OnSweepChanged(const SweepRow& row, std::shared_ptr<const SweepSpec> spec)
      ABSL_LOCKS_EXCLUDED(state_.effects.mutex);
  void OnEdited(const SweepRow& row, std::shared_ptr<const SweepSpec> spec)
      ABSL_LOCKS_EXCLUDED(state_.effects.mutex);
  void OnSweepCancelled(const SweepRow& row) ABSL_LOCKS_EXCLUDED(state_.effects.mutex);
  void OnTrialCancelled(const TrialRow& row) ABSL_LOCKS_EXCLUDED(state_.effects.mutex);
  void OnRetried(const RetriedSweep& retried, std::shared_ptr<const SweepSpec> spec)
      ABSL_LOCKS_EXCLUDED(state_.effects.mutex);
  void OnDeleted(const SweepRow& row, std::int64_t trials)
      ABSL_LOCKS_EXCLUDED(state_.effects.mutex);
  void OnRenamed(const RenameRequest& request, const SweepRow& row)
      ABSL_LOCKS_EXCLUDED(state_.effects.mutex);

  SchedulerState& state_;
  LeaseDesk& leases_;
  bool purge_wanted_ ABSL_GUARDED_BY(state_.effects.mutex) = true;  // there may be some
  bool purging_ ABSL_GUARDED_BY(state_.effects.mutex) = false;
};

}  // namespace sweep
