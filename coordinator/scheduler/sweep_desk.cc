#include "coordinator/scheduler/sweep_desk.h"

#include <optional>
#include <utility>
#include <vector>

#include "coordinator/scheduler/budget.h"
#include "coordinator/scheduler/once.h"
#include "coordinator/store/queries.h"
#include "fmt/format.h"
#include "spdlog/spdlog.h"

namespace sweep {

// ---- At the start

absl::Status SweepDesk::Load() {
  const absl::StatusOr<std::vector<SweepRow>> sweeps =
      state_.options.store->Read(SelectUnfinishedSweeps);
  if (!sweeps.ok()) return sweeps.status();
  for (const SweepRow& row : *sweeps) {
    if (absl::Status loaded = LoadSweep(row); !loaded.ok()) return loaded;
  }
  return absl::OkStatus();
}

absl::Status SweepDesk::LoadSweep(const SweepRow& row) {
  const absl::StatusOr<StoredSpec> stored = state_.options.specs->Show(row);
  if (!stored.ok()) return stored.status();
  state_.options.specs->Keep(row, *stored);
  if (!stored->is_accepted()) {  // stored by a build that accepted more; the others go on
    spdlog::error("sweep not resumed sweep={} reason={:?}", row.name, stored->refusal);
    return absl::OkStatus();
  }
  const absl::StatusOr<std::vector<TrialRow>> unheld =
      state_.options.store->Read(SelectUnheldTrials, row.id);
  if (!unheld.ok()) return unheld.status();
  spdlog::info("sweep resumed sweep={} configurations={} of={} pending={} on_hold={}", row.name,
               row.configurations, row.planned_configurations, row.counts.pending,
               row.counts.on_hold);
  MutexLock lock(&state_.effects.mutex);
  state_.table.AddSweep(row, stored->spec);
  // A trial that was granted before may be revived, and its holder needs its line then.
  for (const TrialRow& trial : *unheld) {
    state_.RestoreTrial(*stored->spec, trial, /*needs_json=*/trial.attempt > 0);
  }
  return absl::OkStatus();
}

// ---- Submitting

namespace {

absl::Status TakeWarmStart(WriteTransaction& transaction, const WarmStart* warm_start,
                           SweepRow* row) {
  if (warm_start == nullptr) return absl::InternalError("nobody has read the earlier sweeps");
  if (!warm_start->refusal.ok()) return warm_start->refusal;
  row->warm_starts = warm_start->starts;
  return transaction.AddWarmStart(row->id, warm_start->starts, warm_start->points);
}

}  // namespace

void SweepDesk::Submit(std::shared_ptr<const SweepSpec> spec, const SweepSource& source,
                       const SubmitOptions& options, SubmitCallback callback) {
  auto result = std::make_shared<Submission>();  // shared by the write and its completion
  state_.effects.Write(
      [=](WriteTransaction& transaction) {
        absl::StatusOr<SweepRow> row =
            transaction.CreateSweep(*spec, source, options.principal, &result->created);
        if (absl::IsAlreadyExists(row.status()) && !options.earlier_digest.empty()) {
          absl::StatusOr<SweepRow> existing = transaction.GetSweep(spec->name);
          if (existing.ok() && existing->digest == options.earlier_digest)
            row = std::move(existing);
        }
        if (row.ok() && result->created && !spec->warm_start.empty()) {
          if (absl::Status taken = TakeWarmStart(transaction, options.warm_start.get(), &*row);
              !taken.ok()) {
            return taken;
          }
        }
        if (row.ok() && result->created) {
          if (!options.data_blobs.ok()) return options.data_blobs.status();
          if (absl::Status kept = transaction.KeepData(row->id, *options.data_blobs); !kept.ok()) {
            return kept;
          }
        }
        if (row.ok() && result->created && (options.keep_going || spec->keep_going)) {
          row->keep_going = true;
          if (absl::Status kept = transaction.KeepGoing(row->id); !kept.ok()) return kept;
        }
        if (row.ok()) result->sweep = *std::move(row);
        return row.status();
      },
      [this, result, spec, callback](const absl::Status& status) {
        if (!status.ok()) return callback(status);
        OnSubmitted(*result, spec);
        callback(*result);
      });
}

void SweepDesk::OnSubmitted(const Submission& submission, std::shared_ptr<const SweepSpec> spec) {
  const SweepRow& row = submission.sweep;
  spdlog::info("sweep submitted sweep={} configurations={} replicates={} created={}", row.name,
               row.planned_configurations, spec->replicates, submission.created);
  MutexLock lock(&state_.effects.mutex);
  if (HasEnded(row.state) || state_.table.FindSweep(row.id) != nullptr) return;
  // A sweep that was there before and is not in the table has a file that is not accepted.
  if (!submission.created) return;
  state_.AddSweep(row, std::move(spec));
  state_.SignalEvents(row.id);
  leases_.React();
}

// ---- Pausing, resuming, extending

absl::StatusOr<std::optional<StoredSpec>> SweepDesk::KnownIn(WriteTransaction& transaction,
                                                             const std::string& sweep) const {
  const absl::StatusOr<SweepRow> row = transaction.GetSweep(sweep);
  if (!row.ok()) return row.status();
  return state_.options.specs->Known(*row);
}

absl::StatusOr<SharedSpec> SweepDesk::SpecIn(WriteTransaction& transaction,
                                             const std::string& sweep) const {
  const absl::StatusOr<std::optional<StoredSpec>> stored = KnownIn(transaction, sweep);
  if (!stored.ok()) return stored.status();
  return *stored && (*stored)->is_accepted() ? (*stored)->spec : nullptr;
}

absl::Status SweepDesk::CheckAccepted(WriteTransaction& transaction,
                                      const std::string& sweep) const {
  const absl::StatusOr<std::optional<StoredSpec>> stored = KnownIn(transaction, sweep);
  if (!stored.ok()) return stored.status();
  const bool is_refused = *stored && !(*stored)->is_accepted();
  return is_refused ? NotAcceptedError(sweep, **stored) : absl::OkStatus();
}

absl::Status SweepDesk::CheckFile(WriteTransaction& transaction, const SweepSpec& spec) {
  const absl::StatusOr<SweepRow> row = transaction.GetSweep(spec.name);
  if (!row.ok()) return row.status();
  if (row->digest == spec.digest) return absl::OkStatus();
  return absl::AbortedError(
      fmt::format("the file of sweep '{}' was changed meanwhile; try again", spec.name));
}

void SweepDesk::ChangeSweep(std::string_view verb, const std::string& name,
                            const std::string& request_id, SweepChange change,
                            std::function<void(const SweepRow&)> on_changed,
                            SweepCallback callback) {
  auto result = std::make_shared<SweepRow>();  // shared by the write and its completion
  state_.effects.Write(
      [=, change = std::move(change)](WriteTransaction& transaction) -> absl::Status {
        const absl::Status status =
            Once(transaction, verb, name, request_id, [&]() -> absl::StatusOr<std::int64_t> {
              const absl::Status changed = change(transaction).status();
              if (!changed.ok()) return changed;
              return 0;
            }).status();
        if (!status.ok()) return status;
        absl::StatusOr<SweepRow> row = transaction.GetSweep(name);
        if (row.ok()) *result = *std::move(row);
        return row.status();
      },
      [result, on_changed = std::move(on_changed), callback](const absl::Status& status) {
        if (!status.ok()) return callback(status);
        on_changed(*result);
        callback(*result);
      });
}

void SweepDesk::OnSweepChanged(const SweepRow& row, std::shared_ptr<const SweepSpec> spec) {
  MutexLock lock(&state_.effects.mutex);
  state_.AdoptSweep(row, std::move(spec));
  state_.SignalEvents(row.id);
  leases_.React();
}

void SweepDesk::PauseSweep(const std::string& name, bool now, const std::string& request_id,
                           SweepCallback callback) {
  ChangeSweep(
      "pause", name, request_id,
      [=](WriteTransaction& transaction) { return transaction.PauseSweep(name, now); },
      [this](const SweepRow& row) {
        spdlog::info("sweep paused sweep={} give_back={}", row.name, row.give_back);
        OnSweepChanged(row, nullptr);
      },
      std::move(callback));
}

void SweepDesk::ResumeSweep(const std::string& name, const std::string& request_id,
                            SweepCallback callback) {
  ChangeSweep(
      "resume", name, request_id,
      [=, this](WriteTransaction& transaction) -> absl::StatusOr<SweepRow> {
        if (absl::Status accepted = CheckAccepted(transaction, name); !accepted.ok()) {
          return accepted;
        }
        return transaction.ResumeSweep(name);
      },
      [this](const SweepRow& row) {
        spdlog::info("sweep taken up again sweep={}", row.name);
        OnSweepChanged(row, nullptr);
      },
      std::move(callback));
}

void SweepDesk::ExtendSweep(std::shared_ptr<const SweepSpec> spec, std::int64_t run_cap,
                            const std::string& request_id, SweepCallback callback) {
  ChangeSweep(
      "extend", spec->name, request_id,
      [=](WriteTransaction& transaction) -> absl::StatusOr<SweepRow> {
        if (absl::Status same = CheckFile(transaction, *spec); !same.ok()) return same;
        const absl::StatusOr<SweepRow> row = transaction.GetSweep(spec->name);
        if (!row.ok()) return row.status();
        absl::Status possible = CheckBudget(*spec, run_cap, row->first_configuration - 1);
        if (!possible.ok()) return possible;
        return transaction.ExtendSweep(spec->name, run_cap);
      },
      [this, spec](const SweepRow& row) {
        spdlog::info("sweep extended sweep={} configurations={} of={}", row.name,
                     row.configurations, row.planned_configurations);
        OnSweepChanged(row, spec);
      },
      std::move(callback));
}

// ---- Cancelling

void SweepDesk::CancelSweep(const std::string& name, const std::string& request_id,
                            SweepCallback callback) {
  ChangeSweep(
      "cancel", name, request_id,
      [=, this](WriteTransaction& transaction) -> absl::StatusOr<SweepRow> {
        const absl::StatusOr<SharedSpec> spec = SpecIn(transaction, name);
        if (!spec.ok()) return spec.status();
        return transaction.CancelSweep(name, spec->get());
      },
      [this](const SweepRow& row) { OnSweepCancelled(row); }, std::move(callback));
}

void SweepDesk::OnSweepCancelled(const SweepRow& row) {
  if (row.state != SweepState::kCancelled) return;  // a repeated request, and a retry since
  spdlog::info("sweep cancelled sweep={}", row.name);
  MutexLock lock(&state_.effects.mutex);
  if (const SweepEntry* const sweep = state_.table.FindSweep(row.id); sweep != nullptr) {
    state_.ended.Add(sweep->name, sweep->spec);
  }
  state_.table.RemoveSweep(row.id);
  state_.options.specs->Release(row.id);
  state_.SignalEvents(row.id);
  leases_.React();
}

void SweepDesk::CancelTrial(const std::string& sweep, std::int64_t number,
                            const std::string& request_id, TrialCallback callback) {
  auto result = std::make_shared<TrialRow>();  // shared by the write and its completion
  state_.effects.Write(
      [=, this](WriteTransaction& transaction) -> absl::Status {
        const std::string object = fmt::format("{}/{}", sweep, number);
        const absl::Status status =
            Once(transaction, "cancel", object, request_id, [&]() -> absl::StatusOr<std::int64_t> {
              const absl::StatusOr<SharedSpec> spec = SpecIn(transaction, sweep);
              if (!spec.ok()) return spec.status();
              const absl::Status cancelled =
                  transaction.CancelTrial(sweep, number, spec->get()).status();
              if (!cancelled.ok()) return cancelled;
              return 0;
            }).status();
        if (!status.ok()) return status;
        absl::StatusOr<TrialRow> row = transaction.GetTrial(sweep, number);
        if (row.ok()) *result = *std::move(row);
        return row.status();
      },
      [this, result, callback](const absl::Status& status) {
        if (!status.ok()) return callback(status);
        OnTrialCancelled(*result);
        callback(*result);
      });
}

void SweepDesk::OnTrialCancelled(const TrialRow& row) {
  if (row.state != TrialState::kCancelled) return;  // a repeated request, and a retry since
  spdlog::info("trial cancelled trial={}", row.short_name());
  MutexLock lock(&state_.effects.mutex);
  state_.table.Apply(row, absl::ZeroDuration());
  state_.EndIfDone(row.sweep_id);
  state_.SignalEvents(row.sweep_id);
  leases_.React();
}

// ---- Retrying

void SweepDesk::OnRetried(const RetriedSweep& retried, std::shared_ptr<const SweepSpec> spec) {
  spdlog::info("trials retried sweep={} trials={}", retried.sweep.name, retried.count);
  MutexLock lock(&state_.effects.mutex);
  state_.AdoptSweep(retried.sweep, std::move(spec));
  for (const TrialRow& trial : retried.trials) state_.table.Apply(trial, absl::ZeroDuration());
  state_.SignalEvents(retried.sweep.id);
  leases_.React();
}

void SweepDesk::RetrySweep(std::shared_ptr<const SweepSpec> spec, const RetryRequest& retry,
                           RetryCallback callback) {
  const RetrySelection selection = {
      .failed = retry.failed, .cancelled = retry.cancelled, .diverged = retry.diverged};
  if (!selection.failed && !selection.cancelled && !selection.diverged) {
    return callback(absl::InvalidArgumentError(fmt::format(
        "sweep '{}': neither its failed nor its cancelled trials are to be retried", spec->name)));
  }
  auto result = std::make_shared<RetriedSweep>();  // shared by the write and its completion
  state_.effects.Write(
      [=](WriteTransaction& transaction) -> absl::Status {
        *result = {};  // of an earlier run
        const absl::StatusOr<std::int64_t> count =
            Once(transaction, "retry", spec->name, retry.request_id,
                 [&]() -> absl::StatusOr<std::int64_t> {
                   if (absl::Status same = CheckFile(transaction, *spec); !same.ok()) return same;
                   absl::StatusOr<RetriedSweep> retried = transaction.RetrySweep(*spec, selection);
                   if (!retried.ok()) return retried.status();
                   *result = *std::move(retried);
                   return result->count;
                 });
        if (!count.ok()) return count.status();
        result->count = *count;
        absl::StatusOr<SweepRow> sweep = transaction.GetSweep(spec->name);
        if (sweep.ok()) result->sweep = *std::move(sweep);
        return sweep.status();
      },
      [this, result, spec, callback](const absl::Status& status) {
        if (!status.ok()) return callback(status);
        OnRetried(*result, spec);
        callback(*result);
      });
}

void SweepDesk::RetryTrial(std::shared_ptr<const SweepSpec> spec, std::int64_t number,
                           const RetryRequest& retry, TrialCallback callback) {
  struct Result {
    RetriedSweep retried;
    TrialRow trial;
  };
  auto result = std::make_shared<Result>();  // shared by the write and its completion
  state_.effects.Write(
      [=](WriteTransaction& transaction) -> absl::Status {
        *result = {};  // of an earlier run
        const std::string object = fmt::format("{}/{}", spec->name, number);
        const absl::Status status =
            Once(transaction, "retry", object, retry.request_id,
                 [&]() -> absl::StatusOr<std::int64_t> {
                   if (absl::Status same = CheckFile(transaction, *spec); !same.ok()) return same;
                   absl::StatusOr<RetriedSweep> retried =
                       transaction.RetryTrial(*spec, number, retry.diverged);
                   if (!retried.ok()) return retried.status();
                   result->retried = *std::move(retried);
                   return result->retried.count;
                 })
                .status();
        if (!status.ok()) return status;
        absl::StatusOr<TrialRow> trial = transaction.GetTrial(spec->name, number);
        if (trial.ok()) result->trial = *std::move(trial);
        return trial.status();
      },
      [this, result, spec, callback](const absl::Status& status) {
        if (!status.ok()) return callback(status);
        if (result->retried.count > 0) OnRetried(result->retried, spec);
        callback(result->trial);
      });
}

}  // namespace sweep
