// The part of the scheduler that carries out what people decide about sweeps that are there:
// pausing, cancelling, retrying, extending; and about workers: draining.

#include <utility>

#include "coordinator/scheduler/budget.h"
#include "coordinator/scheduler/scheduler_impl.h"
#include "coordinator/scheduler/scheduler_once.h"
#include "fmt/format.h"
#include "spdlog/spdlog.h"

namespace sweep {

void SchedulerImpl::AddSweep(const SweepRow& row, std::shared_ptr<const SweepSpec> spec) {
  options_.specs->Keep(row, {.spec = spec});
  table_.AddSweep(row, std::move(spec));
}

absl::StatusOr<SharedSpec> SchedulerImpl::SpecIn(WriteTransaction& transaction,
                                                 const std::string& sweep) const {
  const absl::StatusOr<SweepRow> row = transaction.GetSweep(sweep);
  if (!row.ok()) return row.status();
  const std::optional<StoredSpec> stored = options_.specs->Known(*row);
  return stored && stored->is_accepted() ? stored->spec : nullptr;
}

absl::Status SchedulerImpl::CheckAccepted(WriteTransaction& transaction,
                                          const std::string& sweep) const {
  const absl::StatusOr<SweepRow> row = transaction.GetSweep(sweep);
  if (!row.ok()) return row.status();
  const std::optional<StoredSpec> stored = options_.specs->Known(*row);
  return stored && !stored->is_accepted() ? NotAcceptedError(sweep, *stored) : absl::OkStatus();
}

void SchedulerImpl::TakeUpSweep(const SweepRow& row, std::shared_ptr<const SweepSpec> spec) {
  SweepEntry* sweep = table_.FindSweep(row.id);
  if (sweep == nullptr) {
    const bool has_ended =
        row.state == SweepState::kCompleted || row.state == SweepState::kCancelled;
    if (has_ended || spec == nullptr) return;
    AddSweep(row, std::move(spec));
    return;
  }
  table_.TakeDecisions(sweep, row);
  for (const auto& [number, trial] : sweep->trials) {
    if (trial.held()) table_.MarkChanged(trial.row.worker);
  }
}

void SchedulerImpl::OnSweepChanged(const SweepRow& row, std::shared_ptr<const SweepSpec> spec) {
  MutexLock lock(&mutex_);
  TakeUpSweep(row, std::move(spec));
  DeferSignal(row.id, EventBus::Signal::kEvents);
  React();
}

void SchedulerImpl::PauseSweep(const std::string& name, bool now, const std::string& request_id,
                               SweepCallback callback) {
  auto result = std::make_shared<SweepRow>();  // shared by the write and its completion
  WriteFor(
      [=](WriteTransaction& transaction) {
        return ChangeSweep(transaction, "pause", name, request_id, result.get(),
                           [&] { return transaction.PauseSweep(name, now); });
      },
      [this, result, callback](const absl::Status& status) {
        if (!status.ok()) return callback(status);
        spdlog::info("sweep paused sweep={} give_back={}", result->name, result->give_back);
        OnSweepChanged(*result, nullptr);
        callback(*result);
      });
}

void SchedulerImpl::ResumeSweep(const std::string& name, const std::string& request_id,
                                SweepCallback callback) {
  auto result = std::make_shared<SweepRow>();  // shared by the write and its completion
  WriteFor(
      [=, this](WriteTransaction& transaction) {
        return ChangeSweep(transaction, "resume", name, request_id, result.get(),
                           [&]() -> absl::StatusOr<SweepRow> {
                             const absl::Status accepted = CheckAccepted(transaction, name);
                             if (!accepted.ok()) return accepted;
                             return transaction.ResumeSweep(name);
                           });
      },
      [this, result, callback](const absl::Status& status) {
        if (!status.ok()) return callback(status);
        spdlog::info("sweep taken up again sweep={}", result->name);
        OnSweepChanged(*result, nullptr);
        callback(*result);
      });
}

void SchedulerImpl::ExtendSweep(std::shared_ptr<const SweepSpec> spec, std::int64_t run_cap,
                                const std::string& request_id, SweepCallback callback) {
  if (absl::Status checked = CheckBudget(*spec, run_cap); !checked.ok()) return callback(checked);
  auto result = std::make_shared<SweepRow>();  // shared by the write and its completion
  WriteFor(
      [=](WriteTransaction& transaction) {
        return ChangeSweep(transaction, "extend", spec->name, request_id, result.get(),
                           [&] { return transaction.ExtendSweep(spec->name, run_cap); });
      },
      [this, result, spec, callback](const absl::Status& status) {
        if (!status.ok()) return callback(status);
        spdlog::info("sweep extended sweep={} configurations={} of={}", result->name,
                     result->configurations, result->planned_configurations);
        OnSweepChanged(*result, spec);
        callback(*result);
      });
}

// ---- Cancelling

void SchedulerImpl::CancelSweep(const std::string& name, const std::string& request_id,
                                SweepCallback callback) {
  auto result = std::make_shared<SweepRow>();  // shared by the write and its completion
  WriteFor(
      [=, this](WriteTransaction& transaction) {
        return ChangeSweep(transaction, "cancel", name, request_id, result.get(),
                           [&]() -> absl::StatusOr<SweepRow> {
                             const absl::StatusOr<SharedSpec> spec = SpecIn(transaction, name);
                             if (!spec.ok()) return spec.status();
                             return transaction.CancelSweep(name, spec->get());
                           });
      },
      [this, result, callback](const absl::Status& status) {
        if (!status.ok()) return callback(status);
        if (result->state == SweepState::kCancelled) {  // not so when a retry came before
          spdlog::info("sweep cancelled sweep={}", result->name);
          MutexLock lock(&mutex_);
          if (const SweepEntry* const sweep = table_.FindSweep(result->id); sweep != nullptr) {
            Remember({.name = sweep->name, .spec = sweep->spec});
          }
          table_.RemoveSweep(result->id);
          options_.specs->Release(result->id);
          DeferSignal(result->id, EventBus::Signal::kEvents);
          React();
        }
        callback(*result);
      });
}

void SchedulerImpl::CancelTrial(const std::string& sweep, std::int64_t number,
                                const std::string& request_id, TrialCallback callback) {
  auto result = std::make_shared<TrialRow>();  // shared by the write and its completion
  WriteFor(
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
        if (result->state == TrialState::kCancelled) {  // not so when a retry came before
          spdlog::info("trial cancelled trial={}", result->short_name());
          MutexLock lock(&mutex_);
          table_.Apply(*result, absl::ZeroDuration());
          EndIfDone(result->sweep_id);
          DeferSignal(result->sweep_id, EventBus::Signal::kEvents);
          React();
        }
        callback(*result);
      });
}

// ---- Retrying

void SchedulerImpl::OnRetried(const RetriedSweep& retried, std::shared_ptr<const SweepSpec> spec) {
  spdlog::info("trials retried sweep={} trials={}", retried.sweep.name, retried.count);
  MutexLock lock(&mutex_);
  TakeUpSweep(retried.sweep, std::move(spec));
  for (const TrialRow& trial : retried.trials) table_.Apply(trial, absl::ZeroDuration());
  DeferSignal(retried.sweep.id, EventBus::Signal::kEvents);
  React();
}

void SchedulerImpl::RetrySweep(std::shared_ptr<const SweepSpec> spec, const Retry& retry,
                               RetryCallback callback) {
  const RetrySelection selection = {
      .failed = retry.failed, .cancelled = retry.cancelled, .diverged = retry.diverged};
  if (!selection.failed && !selection.cancelled && !selection.diverged) {
    return callback(absl::InvalidArgumentError(fmt::format(
        "sweep '{}': neither its failed nor its cancelled trials are to be retried", spec->name)));
  }
  auto result = std::make_shared<RetriedSweep>();  // shared by the write and its completion
  WriteFor(
      [=](WriteTransaction& transaction) -> absl::Status {
        const absl::StatusOr<std::int64_t> count =
            Once(transaction, "retry", spec->name, retry.request_id,
                 [&]() -> absl::StatusOr<std::int64_t> {
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

void SchedulerImpl::RetryTrial(std::shared_ptr<const SweepSpec> spec, std::int64_t number,
                               const Retry& retry, TrialCallback callback) {
  struct Result {
    RetriedSweep retried;
    TrialRow trial;
  };
  auto result = std::make_shared<Result>();  // shared by the write and its completion
  WriteFor(
      [=](WriteTransaction& transaction) -> absl::Status {
        const std::string object = fmt::format("{}/{}", spec->name, number);
        const absl::Status status =
            Once(transaction, "retry", object, retry.request_id,
                 [&]() -> absl::StatusOr<std::int64_t> {
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

// ---- Workers

absl::StatusOr<WorkerInfo> SchedulerImpl::DrainWorker(const std::string& name) {
  absl::StatusOr<WorkerInfo> info;
  {
    MutexLock lock(&mutex_);
    WorkerEntry* const worker = table_.FindWorker(name);
    if (worker == nullptr) {
      return absl::NotFoundError(fmt::format("worker '{}' does not exist", name));
    }
    if (!worker->connected) {
      return absl::FailedPreconditionError(
          fmt::format("worker '{}' is not connected, so it cannot be told to drain", name));
    }
    if (!worker->leaves()) {
      DeferLog(spdlog::level::info, fmt::format("worker is told to drain worker={}", name));
    }
    worker->asked_to_drain = true;
    table_.MarkChanged(name);
    info = Describe(*worker);
    React();
  }
  RunDeferred();
  return info;
}

}  // namespace sweep
