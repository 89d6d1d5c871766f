#include "coordinator/store/write_transaction.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "common/base/ids.h"
#include "common/stats/objective.h"
#include "coordinator/store/disk_use.h"
#include "coordinator/store/internal_queries.h"
#include "coordinator/store/json_codec.h"
#include "coordinator/store/status_macros.h"
#include "fmt/format.h"

namespace sweep {
namespace {

constexpr std::size_t kMaxCachedConfigurations = 4096;
constexpr std::size_t kMaxCachedNames = 256;

// The column of `sweeps` that counts trials in this state.
std::string_view CountColumn(TrialState state) {
  return IsHeld(state) ? "running" : TrialStateName(state);
}

}  // namespace

WriteTransaction::WriteTransaction(Database* database, Clock* clock)
    : database_(*database), clock_(*clock) {
  database_.KeepDecodedTexts(&decoded_);
}

WriteTransaction::~WriteTransaction() { database_.KeepDecodedTexts(nullptr); }

void WriteTransaction::Begin() {
  // Times are stored as microseconds; with whole ones a write returns the same row as a later read.
  now_ = FromMicros(ToMicros(clock_.Now()));
  spoiled_ = absl::OkStatus();
}

void WriteTransaction::RolledBack() {
  configurations_.clear();
  names_.clear();
}

std::int64_t WriteTransaction::CountChanges() const { return database_.total_changes(); }

void WriteTransaction::SpoilIfChanged(std::int64_t since, const absl::Status& error) {
  if (CountChanges() != since && spoiled_.ok()) spoiled_ = error;
}

absl::StatusOr<SweepRow> WriteTransaction::CreateSweep(const SweepSpec& spec,
                                                       const SweepSource& source,
                                                       const std::string& principal,
                                                       bool* created) {
  return Guard([&]() -> absl::StatusOr<SweepRow> {
    *created = false;
    if (!IsValidName(spec.name)) {
      return absl::InvalidArgumentError(
          fmt::format("'{}' is not a valid name for a sweep", spec.name));
    }
    absl::StatusOr<SweepRow> existing = FindSweep(database_, spec.name);
    if (existing.ok()) {
      if (existing->digest == spec.digest) return existing;
      return absl::AlreadyExistsError(
          fmt::format("sweep '{}' exists with other content; choose another name", spec.name));
    }
    if (!absl::IsNotFound(existing.status())) return existing.status();
    STORE_RETURN_IF_ERROR(InsertSweep(spec, source, principal));
    *created = true;
    return FindSweep(database_, spec.name);
  });
}

absl::Status WriteTransaction::InsertSweep(const SweepSpec& spec, const SweepSource& source,
                                           const std::string& principal) {
  STORE_ASSIGN_OR_RETURN(const std::string labels, EncodeLabels(spec.labels));
  STORE_RETURN_IF_ERROR(database_.Run(
      "INSERT INTO sweeps (name, state, digest, principal, labels, metric, goal, objectives, "
      "planned_configurations, created_us, updated_us) VALUES (?, 'active', ?, ?, ?, ?, ?, ?, ?, "
      "?, ?)",
      spec.name, spec.digest, principal, labels, spec.objective().name,
      spec.objective().maximize ? "maximize" : "minimize", EncodeObjectives(spec.objectives),
      spec.PlannedConfigurations(), ToMicros(now_), ToMicros(now_)));
  const TrialRow sweep_itself{.sweep_id = database_.last_insert_id()};
  constexpr std::string_view kInsertFile =
      "INSERT INTO sweep_files (sweep_id, role, name, text) VALUES (?, ?, ?, ?)";
  STORE_RETURN_IF_ERROR(
      database_.Run(kInsertFile, sweep_itself.sweep_id, "sweep", source.file, source.text));
  for (const auto& [name, text] : source.network_files) {
    STORE_RETURN_IF_ERROR(database_.Run(kInsertFile, sweep_itself.sweep_id, "network", name, text));
  }
  for (const auto& [name, text] : source.program_files) {
    STORE_RETURN_IF_ERROR(database_.Run(kInsertFile, sweep_itself.sweep_id, "program", name, text));
  }
  STORE_RETURN_IF_ERROR(database_.Run(
      "UPDATE sweeps SET disk_bytes = (SELECT sum(length(text)) FROM sweep_files WHERE sweep_id = "
      "?1) WHERE id = ?1",
      sweep_itself.sweep_id));
  return AddEvent(sweep_itself, "sweep", 0);
}

absl::StatusOr<std::vector<TrialRow>> WriteTransaction::AddConfiguration(
    std::int64_t sweep_id, const SweepSpec& spec, const Configuration& configuration,
    const Suggestion& suggestion) {
  return Guard([&]() -> absl::StatusOr<std::vector<TrialRow>> {
    STORE_ASSIGN_OR_RETURN(const SweepRow sweep, FindSweepById(database_, sweep_id));
    if (HasEnded(sweep.state)) return SweepHasEnded(sweep);
    if (sweep.state == SweepState::kPaused) {
      return absl::FailedPreconditionError(fmt::format("sweep '{}' is paused", sweep.name));
    }
    if (sweep.exhausted) {
      return absl::FailedPreconditionError(
          fmt::format("the search of sweep '{}' has ended", sweep.name));
    }
    if (sweep.configurations >= sweep.planned_configurations) {
      return absl::ResourceExhaustedError(
          fmt::format("sweep '{}' has made all of its {} configurations", sweep.name,
                      sweep.planned_configurations));
    }
    if (configuration.number != sweep.configurations + 1) {
      return absl::FailedPreconditionError(
          fmt::format("sweep '{}': configuration {} is not the next, which is {}", sweep.name,
                      configuration.number, sweep.configurations + 1));
    }
    STORE_ASSIGN_OR_RETURN(const std::int64_t id,
                           InsertConfiguration(sweep, configuration, suggestion));
    const int runs = spec.FirstReplicates();
    for (int replicate = 0; replicate < runs; ++replicate) {
      TrialRow trial{.sweep_id = sweep.id,
                     .number = sweep.counts.total() + replicate + 1,
                     .replicate = replicate,
                     .target_epoch = suggestion.target_epoch};
      if (suggestion.segment) {
        trial.target_epoch = suggestion.segment->target_epoch;
        STORE_RETURN_IF_ERROR(TakeOverCheckpoint(*suggestion.segment, &trial));
      }
      STORE_ASSIGN_OR_RETURN(const std::int64_t trial_id,
                             InsertTrial(spec, configuration, id, trial));
      if (replicate == 0) {
        STORE_RETURN_IF_ERROR(database_.Run(
            "UPDATE configurations SET best_trial_id = ? WHERE id = ?", trial_id, id));
      }
    }
    STORE_RETURN_IF_ERROR(database_.Run(
        "UPDATE sweeps SET configurations = configurations + 1, pending = pending + ?, disk_bytes "
        "= disk_bytes + ? WHERE id = ?",
        runs, kConfigurationBytes + kTrialBytes * runs, sweep_id));
    return SelectTrialsOf(database_, id);
  });
}

absl::StatusOr<TrialRow> WriteTransaction::AddReplicate(std::int64_t sweep_id,
                                                        const SweepSpec& spec,
                                                        std::int64_t configuration, int replicate) {
  return Guard([&]() -> absl::StatusOr<TrialRow> {
    STORE_ASSIGN_OR_RETURN(const SweepRow sweep, FindSweepById(database_, sweep_id));
    if (HasEnded(sweep.state)) return SweepHasEnded(sweep);
    if (sweep.state == SweepState::kPaused || sweep.exhausted) {
      return absl::FailedPreconditionError(fmt::format(
          "sweep '{}' {}", sweep.name, sweep.exhausted ? "makes no more trials" : "is paused"));
    }
    Statement find =
        database_.Prepare("SELECT id FROM configurations WHERE sweep_id = ? AND number = ?");
    STORE_ASSIGN_OR_RETURN(const bool found, find.Bind(sweep_id, configuration).Step());
    const std::int64_t id = found ? find.Int(0) : 0;
    STORE_ASSIGN_OR_RETURN(const std::vector<TrialRow> runs, SelectTrialsOf(database_, id));
    if (std::ssize(runs) != replicate || runs.empty() || replicate >= spec.replicates) {
      return absl::FailedPreconditionError(
          fmt::format("sweep '{}': configuration {} has {} runs of at most {}, so that run {} is "
                      "not the next",
                      sweep.name, configuration, runs.size(), spec.replicates, replicate + 1));
    }
    STORE_ASSIGN_OR_RETURN(const Configuration* point, FindConfiguration(spec, runs.front()));
    const TrialRow trial{
        .sweep_id = sweep.id, .number = sweep.counts.total() + 1, .replicate = replicate};
    STORE_RETURN_IF_ERROR(InsertTrial(spec, *point, id, trial).status());
    STORE_RETURN_IF_ERROR(database_.Run(
        "UPDATE sweeps SET pending = pending + 1, disk_bytes = disk_bytes + ? WHERE id = ?",
        kTrialBytes, sweep_id));
    return GetTrial(sweep.name, trial.number);
  });
}

absl::StatusOr<std::int64_t> WriteTransaction::InsertConfiguration(
    const SweepRow& sweep, const Configuration& configuration, const Suggestion& suggestion) {
  STORE_ASSIGN_OR_RETURN(const std::string parameters, EncodeParameters(configuration.parameters));
  STORE_ASSIGN_OR_RETURN(const std::string resolved, EncodeParameters(configuration.resolved));
  const Network& network = configuration.network;
  std::optional<std::string_view> method, source;
  std::optional<double> improvement;
  std::optional<std::int64_t> results, asked;
  if (const std::optional<SuggestionOrigin>& origin = suggestion.origin) {
    method = origin->method;
    source = SuggestionSourceName(origin->source);
    improvement = origin->expected_improvement;
    results = origin->seen_results;
  }
  if (suggestion.asked_number > 0) asked = suggestion.asked_number;
  std::optional<std::int64_t> member, parent;
  const Segment segment = suggestion.segment.value_or(Segment());
  if (segment.member > 0) member = segment.member;
  if (segment.parent > 0) parent = segment.parent;
  STORE_RETURN_IF_ERROR(database_.Run(
      "INSERT INTO configurations (sweep_id, number, parameters, resolved, model, "
      "network_parameters, fully_connected, forward_flops, train_flops, receptive_field, "
      "seen_sequence, chosen_by, chosen_source, expected_improvement, seen_results, asked_number, "
      "member, parent, start_epoch) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "
      "?)",
      sweep.id, configuration.number, parameters, resolved, network.name, network.parameters,
      network.fully_connected, network.forward_flops, network.train_flops, network.receptive_field,
      suggestion.seen_sequence, method, source, improvement, results, asked, member, parent,
      segment.start_epoch));
  const std::int64_t id = database_.last_insert_id();
  // Its trials are read and scored soon.
  decoded_.Keep(parameters, SharedParameters(configuration.parameters));
  decoded_.Keep(resolved, SharedParameters(configuration.resolved));
  RememberConfiguration(id, configuration);
  for (const auto& [name, value] : configuration.parameters) {
    const auto insert = [&, &name = name](const auto& one) {
      return database_.Run(
          "INSERT INTO parameter_values (configuration_id, name, sweep_id, value) VALUES (?, ?, "
          "?, ?)",
          id, name, sweep.id, one);
    };
    STORE_RETURN_IF_ERROR(std::visit(
        [&](const auto& one) {
          if constexpr (std::is_same_v<std::decay_t<decltype(one)>, ListValue>) {
            return insert(one.json);
          } else {
            return insert(one);
          }
        },
        value));
  }
  return id;
}

absl::StatusOr<std::int64_t> WriteTransaction::InsertTrial(const SweepSpec& spec,
                                                           const Configuration& configuration,
                                                           std::int64_t configuration_id,
                                                           TrialRow trial) {
  // Its epochs may come from the network's recipe, so they can differ within a sweep.
  const TrialSpec trained = spec.MakeTrialSpec(configuration, trial.replicate);
  const int target_epoch = trial.target_epoch < trained.epochs ? trial.target_epoch : 0;
  STORE_RETURN_IF_ERROR(database_.Run(
      "INSERT INTO trials (sweep_id, number, configuration_id, replicate, state, seed, epochs, "
      "created_us, target_epoch, checkpoint_sha256, checkpoint_epoch) VALUES (?, ?, ?, ?, "
      "'pending', ?, ?, ?, ?, ?, ?)",
      trial.sweep_id, trial.number, configuration_id, trial.replicate, trained.seed, trained.epochs,
      ToMicros(now_), target_epoch, trial.checkpoint_sha256, trial.checkpoint_epoch));
  trial.id = database_.last_insert_id();
  STORE_RETURN_IF_ERROR(AddEvent(trial, "trial", 0));
  return trial.id;
}

absl::Status WriteTransaction::TakeOverCheckpoint(const Segment& segment, TrialRow* trial) {
  if (segment.parent == 0) return absl::OkStatus();
  Statement parent = database_.Prepare(
      "SELECT checkpoint_sha256, checkpoint_epoch FROM trials WHERE sweep_id = ? AND number = ?");
  STORE_ASSIGN_OR_RETURN(const bool found, parent.Bind(trial->sweep_id, segment.parent).Step());
  if (!found) {
    return absl::FailedPreconditionError(
        fmt::format("configuration {} cannot go on from {}, which does not exist", trial->number,
                    segment.parent));
  }
  if (parent.Int(1) != segment.start_epoch) return absl::OkStatus();
  trial->checkpoint_sha256 = parent.Text(0);
  trial->checkpoint_epoch = segment.start_epoch;
  return TouchBlob(trial->checkpoint_sha256);
}

absl::StatusOr<bool> WriteTransaction::MarkExhausted(std::int64_t sweep_id,
                                                     const std::string& reason) {
  return Guard([&]() -> absl::StatusOr<bool> {
    STORE_ASSIGN_OR_RETURN(const SweepRow sweep, FindSweepById(database_, sweep_id));
    if (reason.empty() && sweep.configurations < sweep.planned_configurations) return false;
    STORE_RETURN_IF_ERROR(database_.Run(
        "UPDATE sweeps SET exhausted = 1, search_reason = ? WHERE id = ?", reason, sweep_id));
    STORE_RETURN_IF_ERROR(CompleteSweepIfDone(sweep_id));
    return true;
  });
}

absl::StatusOr<bool> WriteTransaction::EndRace(std::int64_t sweep_id, const std::string& reason,
                                               std::int64_t seen_sequence) {
  return Guard([&]() -> absl::StatusOr<bool> {
    STORE_ASSIGN_OR_RETURN(const std::int64_t last, FindLastSequence(database_, sweep_id));
    if (last > seen_sequence) return false;
    return MarkExhausted(sweep_id, reason);
  });
}

absl::StatusOr<SweepRow> WriteTransaction::CancelSweep(const std::string& name,
                                                       const SweepSpec* spec) {
  return Guard([&]() -> absl::StatusOr<SweepRow> {
    STORE_ASSIGN_OR_RETURN(const SweepRow sweep, FindSweep(database_, name));
    if (sweep.state == SweepState::kCancelled) return sweep;
    if (sweep.state == SweepState::kCompleted) return SweepHasEnded(sweep);
    STORE_ASSIGN_OR_RETURN(std::vector<TrialRow> trials, SelectOpenTrials(database_, sweep.id));
    for (TrialRow& trial : trials) {
      STORE_RETURN_IF_ERROR(CancelOpenTrial(spec, "the sweep was cancelled", &trial));
    }
    STORE_RETURN_IF_ERROR(SetSweepState(sweep.id, SweepState::kCancelled));
    return FindSweep(database_, name);
  });
}

absl::StatusOr<TrialRow> WriteTransaction::CancelTrial(const std::string& sweep,
                                                       std::int64_t number, const SweepSpec* spec) {
  return Guard([&]() -> absl::StatusOr<TrialRow> {
    STORE_ASSIGN_OR_RETURN(StoredTrial stored, FindStoredTrial(database_, sweep, number));
    if (stored.row.state != TrialState::kCancelled) {
      STORE_RETURN_IF_ERROR(CancelOpenTrial(spec, "cancelled", &stored.row));
      STORE_RETURN_IF_ERROR(CompleteSweepIfDone(stored.row.sweep_id));
    }
    STORE_ASSIGN_OR_RETURN(stored.row.artifacts, SelectArtifacts(database_, stored.row.id));
    return std::move(stored.row);
  });
}

absl::Status WriteTransaction::CancelOpenTrial(const SweepSpec* spec, const std::string& reason,
                                               TrialRow* trial) {
  const bool held = IsHeld(trial->state);
  trial->reason = reason;
  STORE_RETURN_IF_ERROR(Apply(TrialEvent::kCancel, trial));
  if (held) STORE_RETURN_IF_ERROR(CloseAttempt(now_, "cancelled", reason, trial));
  return spec == nullptr ? absl::OkStatus() : Rescore(*spec, *trial);
}

absl::Status WriteTransaction::SetSweepState(std::int64_t sweep_id, SweepState state) {
  const bool ended = HasEnded(state);
  const std::optional<absl::Time> ended_at = ended ? std::optional(now_) : std::nullopt;
  STORE_RETURN_IF_ERROR(
      database_.Run("UPDATE sweeps SET state = ?1, updated_us = ?2, ended_us = ?3, archived = "
                    "iif(?1 = 'active', 0, archived), pause_reason = iif(?1 = 'paused', "
                    "pause_reason, '') WHERE id = ?4",
                    SweepStateName(state), ToMicros(now_), ToMicros(ended_at), sweep_id));
  return AddEvent(TrialRow{.sweep_id = sweep_id}, "sweep", 0);
}

absl::Status WriteTransaction::AddDiskBytes(std::int64_t sweep_id, std::int64_t bytes) {
  return database_.Run("UPDATE sweeps SET disk_bytes = disk_bytes + ? WHERE id = ?", bytes,
                       sweep_id);
}

absl::Status WriteTransaction::CompleteSweepIfDone(std::int64_t sweep_id) {
  Statement statement = database_.Prepare(
      "SELECT exhausted = 1 AND pending + running + on_hold = 0 AND state IN ('active', 'paused') "
      "FROM "
      "sweeps WHERE id = ?");
  STORE_RETURN_IF_ERROR(statement.Bind(sweep_id).Step().status());
  return statement.Int(0) != 0 ? SetSweepState(sweep_id, SweepState::kCompleted) : absl::OkStatus();
}

absl::Status WriteTransaction::Apply(TrialEvent event, TrialRow* trial) {
  const TrialState from = trial->state;
  absl::StatusOr<TrialState> next = NextTrialState(from, event);
  if (!next.ok()) {
    return absl::Status(next.status().code(), fmt::format("trial {}: {}", trial->short_name(),
                                                          std::string(next.status().message())));
  }
  if (*next == from) return absl::OkStatus();
  trial->state = *next;
  if (IsTerminal(*next)) trial->ended = now_;
  STORE_RETURN_IF_ERROR(database_.Run(
      "UPDATE trials SET state = ?, diverged = ?, failures = ?, reason = ?, worker = ?, ended_us = "
      "? WHERE id = ?",
      StoredStateName(*next), *next == TrialState::kDiverged, trial->failures, trial->reason,
      trial->worker, ToMicros(trial->ended), trial->id));
  if (IsTerminal(*next)) STORE_RETURN_IF_ERROR(SetMeasuresAside(*trial));
  if (IsTerminal(from)) STORE_RETURN_IF_ERROR(TakeMeasuresBack(*trial));
  STORE_RETURN_IF_ERROR(MoveCount(trial->sweep_id, from, *next));
  return AddEvent(*trial, "trial", 0);
}

absl::StatusOr<MeasureNames*> WriteTransaction::MeasureNamesOf(std::int64_t sweep_id) {
  if (const auto found = names_.find(sweep_id); found != names_.end()) return &found->second;
  if (names_.size() >= kMaxCachedNames) names_.clear();
  STORE_ASSIGN_OR_RETURN(MeasureNames names, MeasureNames::Read(database_, sweep_id));
  return &names_.emplace(sweep_id, std::move(names)).first->second;
}

absl::Status WriteTransaction::SetMeasuresAside(const TrialRow& trial) {
  if (trial.result.epoch == 0) return absl::OkStatus();
  STORE_ASSIGN_OR_RETURN(MeasureNames* const names, MeasureNamesOf(trial.sweep_id));
  std::vector<std::int64_t> measures;
  for (const auto& [name, summary] : trial.result.measures) {
    STORE_ASSIGN_OR_RETURN(const MeasureNames::Entry* const entry,
                           names->FindOrAdd(database_, name));
    if (entry == nullptr)
      return absl::OkStatus();  // too many names: the measures stay in the trial's row
    measures.push_back(entry->measure);
  }
  auto measure = measures.begin();
  for (const auto& [name, summary] : trial.result.measures) {
    STORE_RETURN_IF_ERROR(database_.Run(
        "INSERT OR REPLACE INTO trial_values (sweep_id, measure, trial_id, last, "
        "low, high) VALUES (?, ?, ?, ?, ?, ?)",
        trial.sweep_id, *measure++, trial.id, summary.last, summary.low, summary.high));
  }
  const std::string packed = PackSummaries(trial.result.measures);
  return database_.Run("UPDATE trials SET measures = 'null', packed_measures = ? WHERE id = ?",
                       Blob{packed}, trial.id);
}

absl::Status WriteTransaction::TakeMeasuresBack(const TrialRow& trial) {
  STORE_RETURN_IF_ERROR(
      database_.Run("UPDATE trials SET measures = ?, packed_measures = NULL WHERE id = ?",
                    EncodeSummaries(trial.result.measures), trial.id));
  return database_.Run(kDeleteTrialValues, trial.id);
}

absl::Status WriteTransaction::MoveCount(std::int64_t sweep_id, TrialState from, TrialState to) {
  const std::string_view minus = CountColumn(from);
  const std::string_view plus = CountColumn(to);
  if (minus == plus) return absl::OkStatus();
  const std::string sql =
      fmt::format("UPDATE sweeps SET {0} = {0} - 1, {1} = {1} + 1 WHERE id = ?", minus, plus);
  return database_.Run(sql, sweep_id);
}

absl::Status WriteTransaction::AddEvent(const TrialRow& trial, std::string_view kind, int epoch) {
  // A trial that reports an epoch is running, so such events store no state.
  return database_.Run(
      "INSERT INTO events (sweep_id, kind, trial_id, number, attempt, epoch, time_us, state) "
      "VALUES "
      "(?, ?, ?, ?, ?, ?, ?, ?)",
      trial.sweep_id, kind, trial.id, trial.number, trial.attempt, epoch, ToMicros(now_),
      trial.id == 0 || epoch > 0 ? "" : TrialStateName(trial.state));
}

absl::Status WriteTransaction::Settle(const SweepSpec& spec, const TrialRow& trial) {
  if (!IsTerminal(trial.state)) return absl::OkStatus();
  STORE_RETURN_IF_ERROR(Rescore(spec, trial));
  return CompleteSweepIfDone(trial.sweep_id);
}

absl::Status WriteTransaction::Rescore(const SweepSpec& spec, const TrialRow& trial) {
  STORE_ASSIGN_OR_RETURN(const Configuration* configuration, FindConfiguration(spec, trial));
  std::vector<Replicate> replicates;
  if (spec.replicates > 1) {
    STORE_ASSIGN_OR_RETURN(replicates, SelectOtherReplicates(database_, trial));
  }
  replicates.push_back({.trial_id = trial.id,
                        .number = trial.replicate,
                        .result = {.state = trial.state, .result = trial.result}});
  std::sort(replicates.begin(), replicates.end(),
            [](const Replicate& a, const Replicate& b) { return a.number < b.number; });
  std::vector<ReplicateResult> results;
  for (Replicate& replicate : replicates) results.push_back(std::move(replicate.result));
  const ConfigurationScore score = ScoreConfiguration(spec, *configuration, results);
  STORE_ASSIGN_OR_RETURN(const std::string gates, EncodeGates(score.gates));

  Statement before = database_.Prepare("SELECT qualifies FROM configurations WHERE id = ?");
  STORE_RETURN_IF_ERROR(before.Bind(trial.configuration_id).Step().status());
  const bool qualified = before.Int(0) != 0;
  STORE_RETURN_IF_ERROR(database_.Run(
      "UPDATE configurations SET has_value = ?, qualifies = ?, held = ?, metric = ?, rank_key = "
      "?, epochs_to_target = ?, best_trial_id = ?, best_replicate = ?, replicates = ?, "
      "mean_last = ?, mean_half_width = ?, gates = ? WHERE id = ?",
      score.has_value, score.qualifies, EncodeMeasurements(score.values), score.metric,
      CostOf(spec.objective(), score.has_value ? score.metric : std::nan("")),
      score.epochs_to_target,
      replicates.at(static_cast<std::size_t>(score.best_replicate)).trial_id, score.best_replicate,
      score.replicates, score.replicates > 0 ? score.mean_last : std::nan(""),
      score.mean_half_width, gates, trial.configuration_id));
  if (score.qualifies == qualified) return absl::OkStatus();
  return database_.Run("UPDATE sweeps SET qualifying = qualifying + ? WHERE id = ?",
                       score.qualifies ? 1 : -1, trial.sweep_id);
}

absl::StatusOr<const Configuration*> WriteTransaction::FindConfiguration(const SweepSpec& spec,
                                                                         const TrialRow& trial) {
  if (auto found = configurations_.find(trial.configuration_id); found != configurations_.end()) {
    return &found->second;
  }
  absl::StatusOr<Configuration> configuration =
      spec.Complete(trial.configuration, trial.parameters);
  if (!configuration.ok()) {
    return absl::InternalError(fmt::format("sweep '{}': configuration {} cannot be built again: {}",
                                           trial.sweep, trial.configuration,
                                           std::string(configuration.status().message())));
  }
  return RememberConfiguration(trial.configuration_id, *std::move(configuration));
}

const Configuration* WriteTransaction::RememberConfiguration(std::int64_t id,
                                                             Configuration configuration) {
  if (configurations_.size() >= kMaxCachedConfigurations) configurations_.clear();
  return &configurations_.emplace(id, std::move(configuration)).first->second;
}

}  // namespace sweep
