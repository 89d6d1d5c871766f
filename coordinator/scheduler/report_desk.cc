#include "coordinator/scheduler/report_desk.h"

#include <cmath>
#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

#include "coordinator/scheduler/fleet_health.h"
#include "fmt/format.h"
#include "spdlog/spdlog.h"

namespace sweep {
namespace {

// A trainer's last lines may be long.
constexpr std::size_t kLoggedReasonBytes = 300;

bool IsFailure(LeaseOutcome outcome) {
  return outcome == LeaseOutcome::kFailed || outcome == LeaseOutcome::kFailedForGood;
}

// In the write that ends an attempt: pauses the sweep when its first trials have failed alike.
absl::StatusOr<std::optional<SweepRow>> PauseIfAlike(WriteTransaction& transaction,
                                                     const TrialRow& trial,
                                                     const Failure& failure) {
  const absl::StatusOr<EarlyFailures> before = transaction.FindEarlyFailures(trial.sweep_id);
  if (!before.ok()) return before.status();
  if (!before->matter) return std::optional<SweepRow>();
  const AlikeVerdict verdict = JudgeFailure(before->note, failure);
  if (absl::Status kept = transaction.SetFailureNote(trial.sweep_id, verdict.note); !kept.ok()) {
    return kept;
  }
  if (verdict.pause_reason.empty()) return std::optional<SweepRow>();
  absl::StatusOr<SweepRow> paused =
      transaction.PauseForReason(trial.sweep_id, verdict.pause_reason);
  if (!paused.ok()) return paused.status();
  return std::optional<SweepRow>(*std::move(paused));
}

}  // namespace

// The end of a lease: what the holder reports, and what the write has made of it.
struct ReportDesk::Finish {
  LeaseToken token;
  LeaseOutcome outcome;
  std::string reason;
  std::vector<ArtifactRow> artifacts;
  std::shared_ptr<const SweepSpec> spec;  // shared with the table
  bool others_could = false;
  TrialRow trial = {};
  std::optional<SweepRow> paused = {};

  absl::Status Write(WriteTransaction& transaction) {
    paused.reset();  // of an earlier run
    absl::StatusOr<TrialRow> row =
        transaction.FinishLease(token, *spec, outcome, reason, artifacts);
    if (!row.ok()) return row.status();
    trial = *std::move(row);
    // A training that was completed without the metric has failed.
    const bool was_judged = trial.state == TrialState::kFailed && !trial.reason.empty();
    if (!IsFailure(outcome) && !was_judged) return absl::OkStatus();
    absl::StatusOr<std::optional<SweepRow>> verdict =
        PauseIfAlike(transaction, trial,
                     {.number = token.number,
                      .worker = trial.worker,
                      .others_could = others_could,
                      .reason = was_judged ? trial.reason : reason});
    if (verdict.ok()) paused = *std::move(verdict);
    return verdict.status();
  }
};

absl::StatusOr<std::shared_ptr<const SweepSpec>> ReportDesk::SpecOf(const LeaseToken& token) const {
  MutexLock lock(&state_.effects.mutex);
  if (const SweepEntry* const sweep = state_.table.FindSweep(token.sweep); sweep != nullptr) {
    return sweep->spec;
  }
  if (auto spec = state_.ended.Find(token.sweep); spec != nullptr) return spec;
  return absl::FailedPreconditionError(
      fmt::format("trial {}/{}: no such sweep is running", token.sweep, token.number));
}

void ReportDesk::OnReported(TrialRow row, const LeaseToken& token) {
  const TrialEntry* const trial = state_.table.FindTrial(TrialKey{row.sweep_id, row.number});
  const bool is_as_before = trial != nullptr && trial->row.state == row.state;
  state_.ApplyReport(std::move(row), token);
  // What the searches want does not depend on epochs. Those that learn hear of them as events.
  is_as_before ? leases_.Serve() : leases_.React();
}

// ---- Epochs and log lines

void ReportDesk::ReportEpochs(const LeaseToken& token, std::vector<EpochMetrics> epochs,
                              const std::string& checkpoint_sha256, int checkpoint_epoch,
                              StatusCallback callback) {
  absl::StatusOr<std::shared_ptr<const SweepSpec>> spec = SpecOf(token);
  if (!spec.ok()) return callback(spec.status());
  struct Report {
    std::vector<EpochMetrics> epochs;
    TrialRow trial;
  };
  auto report =
      std::make_shared<Report>(Report{.epochs = std::move(epochs)});  // of write and completion
  state_.effects.Write(
      [=, spec = *spec](WriteTransaction& transaction) {
        bool revived = false;
        absl::StatusOr<TrialRow> row = transaction.RecordEpochs(
            token, *spec, report->epochs, checkpoint_sha256, checkpoint_epoch, &revived);
        if (row.ok()) report->trial = *std::move(row);
        return row.status();
      },
      [this, report, token, callback](const absl::Status& status) {
        if (status.ok()) {
          MutexLock lock(&state_.effects.mutex);
          if (!report->epochs.empty()) NoteSuccess(state_, report->trial.worker);
          CountMeasures(report->trial, report->epochs);
          OnReported(std::move(report->trial), token);
        }
        callback(status);
      });
}

void ReportDesk::CountMeasures(const TrialRow& row, const std::vector<EpochMetrics>& epochs) {
  const TrialEntry* const before = state_.table.FindTrial(TrialKey{row.sweep_id, row.number});
  if (before == nullptr) return;
  auto& measures = state_.counted.measures;
  for (const EpochMetrics& epoch : epochs) {
    if (epoch.epoch <= before->row.result.epoch) continue;
    for (const auto& [name, value] : epoch.values) {
      auto counted = measures.find(name);
      if (counted == measures.end()) {
        const bool has_room = measures.size() < kMaxMeasuresCounted;
        counted = measures.try_emplace(has_room ? std::string(name) : kOtherMeasures).first;
      }
      ++counted->second.values;
      counted->second.not_finite += std::isfinite(value) ? 0 : 1;
    }
  }
}

void ReportDesk::AppendLogs(const LeaseToken& token, const std::vector<LogRow>& lines,
                            StatusCallback callback) {
  state_.effects.Write(
      [=](WriteTransaction& transaction) { return transaction.AppendLogs(token, lines); },
      [callback](const absl::Status& status) { callback(status); });
}

// ---- The end of a lease

void ReportDesk::FinishLease(const LeaseToken& token, LeaseOutcome outcome,
                             const std::string& reason, const std::vector<ArtifactRow>& artifacts,
                             StatusCallback callback) {
  absl::StatusOr<std::shared_ptr<const SweepSpec>> spec = SpecOf(token);
  if (!spec.ok()) return CheckRepeatedFinish(token, outcome, spec.status(), std::move(callback));
  auto finish = std::make_shared<Finish>(Finish{.token = token,  // shared: write and completion
                                                .outcome = outcome,
                                                .reason = reason,
                                                .artifacts = artifacts,
                                                .spec = *std::move(spec),
                                                .others_could = OthersCould(token)});
  state_.effects.Write(
      [finish](WriteTransaction& transaction) { return finish->Write(transaction); },
      [this, finish, callback](const absl::Status& status) {
        if (status.ok()) OnFinished(*finish);
        callback(status);
      });
}

// The sweep may have ended with this very lease, before a restart, and the answer was lost.
void ReportDesk::CheckRepeatedFinish(const LeaseToken& token, LeaseOutcome outcome,
                                     const absl::Status& refusal, StatusCallback callback) {
  state_.effects.Write(
      [=](WriteTransaction& transaction) { return transaction.CheckFinished(token, outcome); },
      [callback, refusal](const absl::Status& status) {
        const bool unknown = absl::IsFailedPrecondition(status) || absl::IsNotFound(status);
        callback(unknown ? refusal : status);
      });
}

bool ReportDesk::OthersCould(const LeaseToken& token) const {
  MutexLock lock(&state_.effects.mutex);
  const SweepEntry* const sweep = state_.table.FindSweep(token.sweep);
  if (sweep == nullptr) return false;
  const TrialEntry* const trial = state_.table.FindTrial(TrialKey{sweep->id, token.number});
  if (trial == nullptr) return false;
  const WorkerEntry* const worker = state_.table.FindWorker(trial->row.worker);
  return worker != nullptr && HasReplacement(state_.table, *worker);
}

void ReportDesk::OnFinished(const Finish& finish) {
  const TrialRow& trial = finish.trial;
  const Objective objective = finish.spec->objective();
  spdlog::info(
      "trial finished trial={} attempt={} worker={} outcome={} state={} {}={:.4f} reason={:?}",
      trial.short_name(), finish.token.attempt, trial.worker, LeaseOutcomeName(finish.outcome),
      TrialStateName(trial.state), objective.name, trial.result.Best(objective),
      std::string_view(finish.reason).substr(0, kLoggedReasonBytes));
  MutexLock lock(&state_.effects.mutex);
  CountFinish(finish);
  if (finish.paused.has_value()) {
    // A coordinator within `run` has a person before it, whom `run` tells.
    state_.effects.DeferLog(
        state_.options.embedded_worker.empty() ? spdlog::level::warn : spdlog::level::info,
        fmt::format("sweep paused sweep={} reason={:?}", finish.paused->name,
                    finish.paused->pause_reason));
    state_.AdoptSweep(*finish.paused, nullptr);
  }
  OnReported(trial, finish.token);
}

void ReportDesk::CountFinish(const Finish& finish) {
  TrialEntry* const trial = state_.table.FindTrial(finish.token.sweep, finish.token.number);
  WorkerEntry* const worker = state_.table.FindWorker(finish.trial.worker);
  // A report that is repeated finds nothing held.
  if (trial == nullptr || !trial->held() || worker == nullptr) return;
  switch (finish.outcome) {
    case LeaseOutcome::kCompleted:
    case LeaseOutcome::kStopped:
    case LeaseOutcome::kHeld:
      ++worker->completed;  // the worker did all that was wanted
      ++state_.counted.attempts_completed;
      NoteSuccess(state_, worker->name);
      return;
    case LeaseOutcome::kFailed:
      ++worker->failed;
      ++state_.counted.attempts_failed;
      NoteFailure(state_, trial, worker, finish.reason);
      return;
    case LeaseOutcome::kFailedForGood:
      ++worker->failed;
      ++state_.counted.attempts_failed;
      return;
    case LeaseOutcome::kDiverged:  // the trial's doing: any worker would have come to it
      ++state_.counted.attempts_diverged;
      return;
    case LeaseOutcome::kGivenBack:
      ++state_.counted.attempts_given_back;
      return;
  }
}

// ---- Callers

// A caller's report, and what the write has made of it.
struct ReportDesk::Told {
  TellCall call;
  bool gives_back = false;  // its sweep is paused, and its trials are called back
  Finish finish;            // of the lease, when it ends
  TrialRow trial = {};
  bool has_ended = false;    // the lease
  bool is_repeated = false;  // it had ended before
  bool stop = false;

  // How the lease ends with this report.
  std::optional<LeaseOutcome> Outcome() const {
    if (call.outcome) return call.outcome;
    if (trial.stopping) return LeaseOutcome::kStopped;
    if (trial.ends_early()) return LeaseOutcome::kHeld;
    if (gives_back) return LeaseOutcome::kGivenBack;
    return std::nullopt;
  }

  absl::Status Write(WriteTransaction& transaction) {
    has_ended = is_repeated = stop = false;  // of an earlier run
    bool revived = false;
    absl::StatusOr<TrialRow> row =
        transaction.RecordEpochs(call.token, *finish.spec, call.epochs, "", 0, &revived);
    if (absl::IsFailedPrecondition(row.status())) return Repeat(transaction, row.status());
    if (!row.ok()) return row.status();
    trial = *std::move(row);
    const std::optional<LeaseOutcome> outcome = Outcome();
    if (!outcome) return absl::OkStatus();
    has_ended = true;
    stop = !call.outcome;
    finish.outcome = *outcome;
    finish.reason =
        outcome == LeaseOutcome::kGivenBack && stop ? "its sweep was paused" : call.reason;
    const absl::Status status = finish.Write(transaction);
    if (status.ok()) trial = finish.trial;
    return status;
  }

  // The answer to an earlier report that ended the lease may have been lost.
  absl::Status Repeat(WriteTransaction& transaction, const absl::Status& refusal) {
    std::vector<LeaseOutcome> ends = {LeaseOutcome::kStopped, LeaseOutcome::kGivenBack};
    if (call.outcome) ends.insert(ends.begin(), *call.outcome);
    for (const LeaseOutcome end : ends) {
      if (!transaction.CheckFinished(call.token, end).ok()) continue;
      absl::StatusOr<TrialRow> row = transaction.FinishLease(call.token, *finish.spec, end, "", {});
      if (!row.ok()) return row.status();
      trial = *std::move(row);
      has_ended = is_repeated = true;
      stop = end != call.outcome;
      return absl::OkStatus();
    }
    return refusal;
  }
};

void ReportDesk::Tell(std::shared_ptr<const SweepSpec> spec, TellCall call, TellCallback callback) {
  auto told = std::make_shared<Told>();  // shared: write and completion
  told->finish = {.token = call.token,
                  .outcome = call.outcome.value_or(LeaseOutcome::kGivenBack),
                  .spec = std::move(spec)};
  told->call = std::move(call);
  {
    MutexLock lock(&state_.effects.mutex);
    const SweepEntry* const sweep = state_.table.FindSweep(told->call.token.sweep);
    told->gives_back = sweep != nullptr && sweep->state == SweepState::kPaused && sweep->give_back;
  }
  state_.effects.Write([told](WriteTransaction& transaction) { return told->Write(transaction); },
                       [this, told, callback](const absl::Status& status) {
                         if (!status.ok()) return callback(status);
                         callback(OnTold(*told));
                       });
}

TellAnswer ReportDesk::OnTold(Told& told) {
  const TellAnswer answer{
      .stop = told.stop,
      .state = told.trial.state,
      .reason = told.trial.reason.empty() ? told.finish.reason : told.trial.reason};
  if (told.is_repeated) return answer;
  {
    MutexLock lock(&state_.effects.mutex);
    CountMeasures(told.trial, told.call.epochs);
    if (WorkerEntry* const caller = state_.table.FindWorker(told.trial.worker)) {
      leases_.TouchCaller(caller);
    }
    if (!told.has_ended) {
      const TrialKey key(told.trial.sweep_id, told.trial.number);
      OnReported(std::move(told.trial), told.call.token);
      TrialEntry* const trial = state_.table.FindTrial(key);
      if (trial != nullptr && trial->held() && trial->claim == Claim::kNone) {
        trial->deadline = state_.Now() + state_.options.lease_term;
      }
    }
  }
  if (told.has_ended) OnFinished(told.finish);
  return answer;
}

// ---- Data

void ReportDesk::ReportData(const LeaseToken& token, const std::string& sha256,
                            const std::string& place, DataCallback callback) {
  absl::StatusOr<std::shared_ptr<const SweepSpec>> spec = SpecOf(token);
  if (!spec.ok()) return callback(spec.status());
  auto result = std::make_shared<DataReport>();  // shared by the write and its completion
  state_.effects.Write(
      [=, spec = *spec](WriteTransaction& transaction) {
        absl::StatusOr<DataReport> report = transaction.ReportData(token, *spec, sha256, place);
        if (report.ok()) *result = *std::move(report);
        return report.status();
      },
      [this, result, token, sha256, place, callback](const absl::Status& status) {
        if (!status.ok()) return callback(status);
        OnDataReported(token, sha256, place, *result);
        callback(result->refusal);
      });
}

void ReportDesk::OnDataReported(const LeaseToken& token, const std::string& sha256,
                                const std::string& place, const DataReport& report) {
  const TrialRow& row = report.trial;
  if (report.is_first) {
    spdlog::info("data of sweep known sweep={} sha256={} worker={} place={:?}", row.sweep, sha256,
                 row.worker, place);
  }
  if (!report.refusal.empty()) {
    spdlog::warn("data refused trial={} attempt={} reason={:?}", row.short_name(), token.attempt,
                 report.refusal);
  }
  MutexLock lock(&state_.effects.mutex);
  if (SweepEntry* const sweep = state_.table.FindSweep(row.sweep_id); sweep != nullptr) {
    sweep->data_sha256 = report.sweep_sha256;
  }
  WorkerEntry* const worker = state_.table.FindWorker(row.worker);
  if (!report.refusal.empty() && worker != nullptr) {
    worker->can.other_data[row.sweep_id] = {.sha256 = sha256, .place = place};
    ++state_.counted.attempts_given_back;
  }
  OnReported(row, token);
}

}  // namespace sweep
