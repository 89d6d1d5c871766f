#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "coordinator/scheduler/fail_alike.h"
#include "coordinator/scheduler/lease_desk.h"
#include "coordinator/scheduler/requests.h"
#include "coordinator/scheduler/scheduler_state.h"

namespace sweep {

// Writes what the holders of leases report: epochs, ends, data, log lines. Applies each report to
// the table after its commit, judges by it the worker and the sweep, and counts it. Owns nothing;
// everything is under the lock of the shared state, and functions without a lock annotation take
// it themselves. Calls LeaseDesk::React after each change, and nothing else of another desk.
class ReportDesk {
 public:
  ReportDesk(SchedulerState& state, LeaseDesk& leases) : state_(state), leases_(leases) {}

  // All of them answer after the commit; FailedPrecondition when the token is stale.
  // `trainer`: the `ready` line of what trains the attempt; "": not said.
  void ReportEpochs(const LeaseToken& token, std::vector<EpochMetrics> epochs,
                    const std::string& checkpoint_sha256, int checkpoint_epoch,
                    StatusCallback callback, const std::string& trainer = "");
  void FinishLease(const LeaseToken& token, LeaseOutcome outcome, const std::string& reason,
                   const std::vector<ArtifactRow>& artifacts, StatusCallback callback);
  // The holder has found data with this digest, at `place`. Data that is refused ends the lease.
  void ReportData(const LeaseToken& token, const std::string& sha256, const std::string& place,
                  DataCallback callback);
  // A caller's report of its trial: stores epochs, renews the lease and may end it. `spec` is that
  // of the token's sweep. The lease also ends when the trial is to end early or its sweep is paused
  // and calls its trials back. An end that was reported before is answered again.
  void Tell(std::shared_ptr<const SweepSpec> spec, TellCall call, TellCallback callback);
  // Also after the end of the lease, as long as the token is that of the trial's latest attempt.
  void AppendLogs(const LeaseToken& token, const std::vector<LogRow>& lines,
                  StatusCallback callback);

 private:
  struct Finish;
  struct Told;

  // The sweep of a worker's token; FailedPrecondition when it has ended.
  absl::StatusOr<std::shared_ptr<const SweepSpec>> SpecOf(const LeaseToken& token) const
      ABSL_LOCKS_EXCLUDED(state_.effects.mutex);
  // Applies a committed report to the table.
  void OnReported(TrialRow row, const LeaseToken& token)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_.effects.mutex);
  // Counts the numbers of the epochs that are new; before OnReported.
  void CountMeasures(const TrialRow& row, const std::vector<EpochMetrics>& epochs)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_.effects.mutex);

  // The answer to a report of an end whose sweep has ended: `refusal`, unless it was carried out.
  void CheckRepeatedFinish(const LeaseToken& token, LeaseOutcome outcome,
                           const absl::Status& refusal, StatusCallback callback);
  // A worker other than the holder of the trial could train it.
  bool OthersCould(const LeaseToken& token) const ABSL_LOCKS_EXCLUDED(state_.effects.mutex);
  void OnFinished(const Finish& finish) ABSL_LOCKS_EXCLUDED(state_.effects.mutex);
  // Counts the end of a lease for its worker and its health; before OnReported.
  void CountFinish(const Finish& finish) ABSL_EXCLUSIVE_LOCKS_REQUIRED(state_.effects.mutex);

  TellAnswer OnTold(Told& told) ABSL_LOCKS_EXCLUDED(state_.effects.mutex);

  void OnDataReported(const LeaseToken& token, const std::string& sha256, const std::string& place,
                      const DataReport& report) ABSL_LOCKS_EXCLUDED(state_.effects.mutex);

  SchedulerState& state_;
  LeaseDesk& leases_;
};

}  // namespace sweep
