#include "coordinator/scheduler/scheduler.h"

#include <algorithm>
#include <utility>

#include "coordinator/scheduler/budget.h"
#include "coordinator/scheduler/scheduler_impl.h"
#include "coordinator/scheduler/trial_spec_json.h"
#include "coordinator/store/queries.h"
#include "fmt/format.h"
#include "spdlog/spdlog.h"

namespace sweep {
namespace {

// Sweeps that have ended and whose workers may still repeat their last report.
constexpr std::size_t kMaxEndedSweeps = 64;
// A trainer's last words may be long.
constexpr std::size_t kLoggedReasonBytes = 300;
constexpr char kStopping[] = "the coordinator is shutting down";

// One second, or a tenth of a lease term that is shorter than usual.
absl::Duration TickInterval(const SchedulerOptions& options) {
  return std::clamp(std::min(options.lease_term / 10, options.poll_time / 4),
                    absl::Milliseconds(10), absl::Seconds(1));
}

std::string_view OutcomeName(LeaseOutcome outcome) {
  switch (outcome) {
    case LeaseOutcome::kCompleted:
      return "completed";
    case LeaseOutcome::kFailed:
      return "failed";
    case LeaseOutcome::kFailedForGood:
      return "failed_for_good";
    case LeaseOutcome::kDiverged:
      return "diverged";
    case LeaseOutcome::kGivenBack:
      return "given_back";
    case LeaseOutcome::kStopped:
      return "stopped";
    case LeaseOutcome::kHeld:
      return "held";
  }
  return "unknown";
}

bool IsFailure(LeaseOutcome outcome) {
  return outcome == LeaseOutcome::kFailed || outcome == LeaseOutcome::kFailedForGood;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Scheduler>> Scheduler::Start(const SchedulerOptions& options) {
  auto scheduler = std::make_unique<SchedulerImpl>(options);
  if (absl::Status loaded = scheduler->Load(); !loaded.ok()) return loaded;
  if (options.threads) scheduler->StartThreads();
  return scheduler;
}

SchedulerImpl::SchedulerImpl(const SchedulerOptions& options)
    : options_(options),
      tick_interval_(TickInterval(options)),
      last_tick_(options.clock->Monotonic()),
      last_progress_(last_tick_),
      no_grants_before_(last_tick_),
      jitter_(DeriveKey(options.jitter_seed, "poll"), 0),
      search_({.store = options.store,
               .events = &events_,
               .clock = options.clock,
               .make_rule = options.make_rule},
              MakeSearchHost()) {}

SchedulerImpl::~SchedulerImpl() { SchedulerImpl::Shutdown(); }

void SchedulerImpl::StartThreads() {
  tick_thread_ = std::jthread([this](const std::stop_token& stop) { TickThread(stop); });
  search_.StartThreads();
}

// ---- Starting up

absl::Status SchedulerImpl::Load() {
  absl::StatusOr<std::vector<SweepRow>> sweeps = options_.store->Read(SelectUnfinishedSweeps);
  if (!sweeps.ok()) return sweeps.status();
  for (SweepRow& row : *sweeps) {
    if (absl::Status loaded = LoadSweep(std::move(row)); !loaded.ok()) return loaded;
  }
  absl::Status loaded = LoadLeases();
  RunDeferred();
  WaitIdle();
  return loaded;
}

absl::Status SchedulerImpl::LoadSweep(SweepRow row) {
  const absl::StatusOr<StoredSpec> stored = options_.specs->Show(row);
  if (!stored.ok()) return stored.status();
  options_.specs->Keep(row, *stored);
  if (!stored->is_accepted()) {  // stored by a build that accepted more; the others go on
    spdlog::error("sweep not resumed sweep={} reason={:?}", row.name, stored->refusal);
    return absl::OkStatus();
  }
  const absl::StatusOr<std::vector<TrialRow>> unheld =
      options_.store->Read(SelectUnheldTrials, row.id);
  if (!unheld.ok()) return unheld.status();
  spdlog::info("sweep resumed sweep={} configurations={} of={} pending={} on_hold={}", row.name,
               row.configurations, row.planned_configurations, row.counts.pending,
               row.counts.on_hold);
  MutexLock lock(&mutex_);
  table_.AddSweep(row, stored->spec);
  // One that was granted before may be revived, and is told to its holder then.
  for (const TrialRow& trial : *unheld) {
    TakeUp(*stored->spec, trial, /*needs_json=*/trial.attempt > 0);
  }
  return absl::OkStatus();
}

TrialEntry* SchedulerImpl::TakeUp(const SweepSpec& spec, const TrialRow& row, bool needs_json) {
  std::shared_ptr<const std::string> json;  // shared with answers
  if (needs_json) {
    absl::StatusOr<std::string> built = BuildTrialSpecJson(spec, row);
    if (!built.ok()) {
      DeferLog(spdlog::level::err,
               fmt::format("trial not resumed reason={:?}", std::string(built.status().message())));
      return nullptr;
    }
    json = std::make_shared<const std::string>(*std::move(built));
  }
  TrialEntry* const trial = table_.Apply(row, Now() + options_.lease_term);
  if (trial != nullptr) trial->spec_json = std::move(json);
  return trial;
}

absl::Status SchedulerImpl::LoadLeases() {
  const absl::StatusOr<std::vector<LeaseRow>> leases = options_.store->Read(SelectHeldLeases);
  if (!leases.ok()) return leases.status();
  MutexLock lock(&mutex_);
  for (const LeaseRow& lease : *leases) {
    const SweepEntry* const sweep = table_.FindSweep(lease.trial.sweep_id);
    if (sweep == nullptr) continue;
    TrialEntry* const trial = TakeUp(*sweep->spec, lease.trial, /*needs_json=*/true);
    if (trial == nullptr) continue;
    trial->secret = lease.secret;
    table_.FindWorker(lease.trial.worker)->heard = Now();
    if (lease.embedded) GiveBackForTheDead(lease, sweep->spec);
  }
  return absl::OkStatus();
}

// The lock on the database is ours, so the process that had it is gone, and this worker with it.
void SchedulerImpl::GiveBackForTheDead(const LeaseRow& lease,
                                       std::shared_ptr<const SweepSpec> spec) {
  const LeaseToken token{.sweep = lease.trial.sweep,
                         .number = lease.trial.number,
                         .attempt = lease.trial.attempt,
                         .secret = lease.secret};
  auto row = std::make_shared<absl::StatusOr<TrialRow>>(absl::UnknownError("not tried"));
  DeferWrite(
      [=](WriteTransaction& transaction) {
        *row = transaction.FinishLease(token, *spec, LeaseOutcome::kGivenBack,
                                       "the process that trained it has ended", {});
        return row->status();
      },
      [=, this](const absl::Status& status) {
        MutexLock lock(&mutex_);
        if (!status.ok()) {  // it runs out with its term
          return DeferLog(spdlog::level::warn,
                          fmt::format("lease not taken back trial={}/{} reason={:?}", token.sweep,
                                      token.number, std::string(status.message())));
        }
        DeferLog(
            spdlog::level::info,
            fmt::format("lease taken back trial={} attempt={} reason=\"its process has ended\"",
                        (*row)->short_name(), token.attempt));
        OnLeaseRow(**row, token);
      });
}

// ---- What leaves the lock

void SchedulerImpl::Defer(std::function<void()> action) { deferred_.push_back(std::move(action)); }

void SchedulerImpl::DeferWrite(Store::WriteFunction function, Store::Completion done) {
  ++writes_in_flight_;
  Defer([this, function = std::move(function), done = std::move(done)]() mutable {
    options_.store->Write(std::move(function), [this, done = std::move(done)](absl::Status status) {
      done(std::move(status));
      RunDeferred();
      MutexLock lock(&mutex_);
      --writes_in_flight_;
      idle_.NotifyAll();
    });
  });
}

void SchedulerImpl::DeferLog(spdlog::level::level_enum level, std::string line) {
  Defer([level, line = std::move(line)] { spdlog::log(level, line); });
}

void SchedulerImpl::DeferSignal(std::int64_t sweep_id, EventBus::Signal signal) {
  Defer([this, sweep_id, signal] { events_.Notify(sweep_id, signal); });
}

void SchedulerImpl::RunDeferred() {
  mutex_.Lock();
  if (running_deferred_) {  // that thread takes ours too, in order
    mutex_.Unlock();
    return;
  }
  running_deferred_ = true;
  while (!deferred_.empty()) {
    std::deque<std::function<void()>> batch = std::exchange(deferred_, {});
    mutex_.Unlock();
    for (std::function<void()>& action : batch) action();
    batch.clear();
    mutex_.Lock();
  }
  running_deferred_ = false;
  idle_.NotifyAll();
  mutex_.Unlock();
}

void SchedulerImpl::WaitIdle() {
  MutexLock lock(&mutex_);
  while (writes_in_flight_ > 0 || running_deferred_ || !deferred_.empty()) idle_.Wait(&mutex_);
}

void SchedulerImpl::WriteFor(Store::WriteFunction function, Store::Completion done) {
  {
    MutexLock lock(&mutex_);
    if (stopping_) {
      Defer([done = std::move(done)] { done(absl::UnavailableError(kStopping)); });
    } else {
      DeferWrite(std::move(function), std::move(done));
    }
  }
  RunDeferred();
}

// ---- Sweeps

void SchedulerImpl::Submit(std::shared_ptr<const SweepSpec> spec, const SweepSource& source,
                           const SubmitOptions& options, SubmitCallback callback) {
  auto result = std::make_shared<Submission>();  // shared by the write and its completion
  WriteFor(
      [=](WriteTransaction& transaction) {
        absl::StatusOr<SweepRow> row =
            transaction.CreateSweep(*spec, source, options.principal, &result->created);
        if (absl::IsAlreadyExists(row.status()) && !options.earlier_digest.empty()) {
          absl::StatusOr<SweepRow> existing = transaction.GetSweep(spec->name);
          if (existing.ok() && existing->digest == options.earlier_digest)
            row = std::move(existing);
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

void SchedulerImpl::OnSubmitted(const Submission& submission,
                                std::shared_ptr<const SweepSpec> spec) {
  const SweepRow& row = submission.sweep;
  spdlog::info("sweep submitted sweep={} configurations={} replicates={} created={}", row.name,
               row.planned_configurations, spec->replicates, submission.created);
  MutexLock lock(&mutex_);
  const bool ended = row.state == SweepState::kCompleted || row.state == SweepState::kCancelled;
  if (ended || table_.FindSweep(row.id) != nullptr) return;
  // What was there before and is not in the table is stored as a file that is not accepted.
  if (!submission.created) return;
  AddSweep(row, std::move(spec));
  DeferSignal(row.id, EventBus::Signal::kEvents);
  React();
}

void SchedulerImpl::EndIfDone(std::int64_t sweep_id) {
  const SweepEntry* const sweep = table_.FindSweep(sweep_id);
  if (sweep == nullptr) return;
  const EndedSweep ended{.name = sweep->name, .spec = sweep->spec};
  if (!table_.RemoveIfEnded(sweep_id)) return;
  options_.specs->Release(sweep_id);
  DeferLog(spdlog::level::info, fmt::format("sweep completed sweep={}", ended.name));
  Remember(ended);
}

void SchedulerImpl::Remember(EndedSweep ended) {
  ended_.push_back(std::move(ended));
  if (ended_.size() > kMaxEndedSweeps) ended_.pop_front();
}

// ---- Reports of workers

absl::StatusOr<std::shared_ptr<const SweepSpec>> SchedulerImpl::SpecOf(const LeaseToken& token) {
  MutexLock lock(&mutex_);
  if (const SweepEntry* const sweep = table_.FindSweep(token.sweep); sweep != nullptr) {
    return sweep->spec;
  }
  for (const EndedSweep& sweep : ended_) {
    if (sweep.name == token.sweep) return sweep.spec;
  }
  return absl::FailedPreconditionError(
      fmt::format("trial {}/{}: no such sweep is running", token.sweep, token.number));
}

void SchedulerImpl::OnLeaseRow(const TrialRow& row, const LeaseToken& token) {
  if (const TrialEntry* const before = table_.FindTrial(TrialKey{row.sweep_id, row.number})) {
    events_counted_.epochs += std::max(0, row.result.epoch - before->row.result.epoch);
  }
  TrialEntry* const trial = table_.Apply(row, Now() + options_.lease_term);
  if (trial != nullptr && trial->held()) trial->secret = token.secret;
  EndIfDone(row.sweep_id);
  DeferSignal(row.sweep_id, EventBus::Signal::kEvents);
  React();
}

void SchedulerImpl::ReportEpochs(const LeaseToken& token, const std::vector<EpochMetrics>& epochs,
                                 const std::string& checkpoint_sha256, int checkpoint_epoch,
                                 StatusCallback callback) {
  absl::StatusOr<std::shared_ptr<const SweepSpec>> spec = SpecOf(token);
  if (!spec.ok()) return callback(spec.status());
  struct Report {
    std::vector<EpochMetrics> epochs;
    TrialRow trial;
  };
  auto report = std::make_shared<Report>(Report{.epochs = epochs});  // of write and completion
  WriteFor(
      [=, spec = *spec](WriteTransaction& transaction) {
        bool revived = false;
        absl::StatusOr<TrialRow> row = transaction.RecordEpochs(
            token, *spec, report->epochs, checkpoint_sha256, checkpoint_epoch, &revived);
        if (row.ok()) report->trial = *std::move(row);
        return row.status();
      },
      [this, report, token, callback](const absl::Status& status) {
        if (status.ok()) {
          MutexLock lock(&mutex_);
          if (!report->epochs.empty()) NoteSuccess(report->trial.worker);
          CountMeasures(report->trial, report->epochs);
          OnLeaseRow(report->trial, token);
        }
        callback(status);
      });
}

void SchedulerImpl::FinishLease(const LeaseToken& token, LeaseOutcome outcome,
                                const std::string& reason,
                                const std::vector<ArtifactRow>& artifacts,
                                StatusCallback callback) {
  absl::StatusOr<std::shared_ptr<const SweepSpec>> spec = SpecOf(token);
  if (!spec.ok()) {
    // Its sweep may have ended with this very lease, before a restart, and the answer was lost.
    return WriteFor(
        [=](WriteTransaction& transaction) { return transaction.CheckFinished(token, outcome); },
        [callback, refusal = spec.status()](const absl::Status& status) {
          const bool unknown = absl::IsFailedPrecondition(status) || absl::IsNotFound(status);
          callback(unknown ? refusal : status);
        });
  }
  struct Result {
    TrialRow trial;
    std::optional<SweepRow> paused;
  };
  auto finished = std::make_shared<Result>();  // shared by the write and its completion
  const bool others_could = OthersCould(token);
  WriteFor(
      [=, spec = *spec](WriteTransaction& transaction) -> absl::Status {
        absl::StatusOr<TrialRow> row =
            transaction.FinishLease(token, *spec, outcome, reason, artifacts);
        if (!row.ok()) return row.status();
        finished->trial = *std::move(row);
        // A training that was completed without the metric has failed.
        const bool was_judged =
            finished->trial.state == TrialState::kFailed && !finished->trial.reason.empty();
        if (!IsFailure(outcome) && !was_judged) return absl::OkStatus();
        absl::StatusOr<std::optional<SweepRow>> paused =
            PauseIfAlike(transaction, finished->trial,
                         {.number = token.number,
                          .worker = finished->trial.worker,
                          .others_could = others_could,
                          .reason = was_judged ? finished->trial.reason : reason});
        if (paused.ok()) finished->paused = *std::move(paused);
        return paused.status();
      },
      [this, finished, token, outcome, reason, callback,
       objective = (*spec)->objective()](const absl::Status& status) {
        const TrialRow* const result = &finished->trial;
        if (status.ok()) {
          spdlog::info(
              "trial finished trial={} attempt={} worker={} outcome={} state={} {}={:.4f} "
              "reason={:?}",
              result->short_name(), token.attempt, result->worker, OutcomeName(outcome),
              TrialStateName(result->state), objective.name, result->result.Best(objective),
              std::string_view(reason).substr(0, kLoggedReasonBytes));
          MutexLock lock(&mutex_);
          CountFinish(token, result->worker, outcome, reason);
          if (finished->paused.has_value()) {
            // A coordinator within `run` has a person before it, whom `run` tells.
            DeferLog(options_.embedded_worker.empty() ? spdlog::level::warn : spdlog::level::info,
                     fmt::format("sweep paused sweep={} reason={:?}", finished->paused->name,
                                 finished->paused->pause_reason));
            TakeUpSweep(*finished->paused, nullptr);
          }
          OnLeaseRow(*result, token);
        }
        callback(status);
      });
}

bool SchedulerImpl::OthersCould(const LeaseToken& token) const {
  MutexLock lock(&mutex_);
  const SweepEntry* const sweep = table_.FindSweep(token.sweep);
  if (sweep == nullptr) return false;
  const TrialEntry* const trial = table_.FindTrial(TrialKey{sweep->id, token.number});
  if (trial == nullptr) return false;
  const auto worker = table_.workers().find(trial->row.worker);
  return worker != table_.workers().end() && HasReplacement(worker->second);
}

absl::StatusOr<std::optional<SweepRow>> SchedulerImpl::PauseIfAlike(WriteTransaction& transaction,
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

void SchedulerImpl::CountFinish(const LeaseToken& token, const std::string& worker_name,
                                LeaseOutcome outcome, const std::string& reason) {
  TrialEntry* const trial = table_.FindTrial(token.sweep, token.number);
  WorkerEntry* const worker = table_.FindWorker(worker_name);
  // A call that is repeated finds nothing held.
  if (trial == nullptr || !trial->held() || worker == nullptr) return;
  if (outcome == LeaseOutcome::kCompleted || outcome == LeaseOutcome::kStopped ||
      outcome == LeaseOutcome::kHeld) {
    ++worker->completed;  // it did all that was wanted
    ++events_counted_.attempts_completed;
    NoteSuccess(worker_name);
  } else if (outcome == LeaseOutcome::kFailed) {
    ++worker->failed;
    ++events_counted_.attempts_failed;
    NoteFailure(trial, worker, reason);
  } else if (outcome == LeaseOutcome::kFailedForGood) {
    ++worker->failed;
    ++events_counted_.attempts_failed;
  } else if (outcome == LeaseOutcome::kDiverged) {
    // Of the trial's own making: any worker would have come to it.
    ++events_counted_.attempts_diverged;
  } else {
    ++events_counted_.attempts_given_back;
  }
}

void SchedulerImpl::AppendLogs(const LeaseToken& token, const std::vector<LogRow>& lines,
                               StatusCallback callback) {
  WriteFor([=](WriteTransaction& transaction) { return transaction.AppendLogs(token, lines); },
           [callback](const absl::Status& status) { callback(status); });
}

void SchedulerImpl::ReportProgress(const std::string& session,
                                   const std::vector<TrialProgress>& progress) {
  MutexLock lock(&mutex_);
  const auto worker = workers_by_session_.find(session);
  if (worker == workers_by_session_.end()) return;
  for (const TrialProgress& item : progress) {
    TrialEntry* const trial = table_.FindTrial(item.sweep, item.number);
    if (trial == nullptr || !trial->held() || trial->row.worker != worker->second) continue;
    table_.SetProgress(trial, item.message);
    table_.FindSweep(trial->row.sweep_id)->has_new_progress = true;
  }
}

// ---- What is shown

std::vector<TrialProgress> SchedulerImpl::Progress(const std::string& sweep) const {
  MutexLock lock(&mutex_);
  std::vector<TrialProgress> progress;
  const SweepEntry* const entry = table_.FindSweep(sweep);
  if (entry == nullptr) return progress;
  for (const auto& [number, trial] : entry->trials) {
    if (trial.progress.has_value()) progress.push_back({sweep, number, *trial.progress});
  }
  return progress;
}

WorkerInfo SchedulerImpl::Describe(const WorkerEntry& worker) const {
  WorkerInfo info{.name = worker.name,
                  .description = worker.description,
                  .connected = worker.connected,
                  .draining = worker.leaves(),
                  .created = worker.created,
                  .last_seen = worker.last_seen,
                  .completed = worker.completed,
                  .failed = worker.failed};
  info.put_aside = DescribeHealth(worker);
  info.other_data = DescribeOtherData(worker);
  for (const TrialKey& key : worker.leases) {
    const TrialEntry* const trial = table_.FindTrial(key);
    info.trials.push_back(trial->row.short_name());
    if (trial->progress) info.images_per_second += trial->progress->images_per_second;
  }
  return info;
}

std::vector<WorkerInfo> SchedulerImpl::Workers() const {
  std::vector<WorkerInfo> workers;
  MutexLock lock(&mutex_);
  for (const auto& [name, entry] : table_.workers()) {
    if (entry.session.empty()) continue;
    workers.push_back(Describe(entry));
  }
  std::stable_partition(workers.begin(), workers.end(),
                        [](const WorkerInfo& worker) { return worker.connected; });
  return workers;
}

// ---- Ending

void SchedulerImpl::StopServing() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    for (auto& [name, worker] : table_.workers())
      Refuse(&worker, absl::UnavailableError(kStopping));
  }
  RunDeferred();
}

void SchedulerImpl::Shutdown() {
  StopServing();
  tick_thread_.request_stop();
  {
    MutexLock lock(&mutex_);
    wake_tick_.NotifyAll();
  }
  if (tick_thread_.joinable()) tick_thread_.join();
  search_.Stop();
  WaitIdle();
}

}  // namespace sweep
