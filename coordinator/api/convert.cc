#include "coordinator/api/convert.h"

#include "common/base/sha256.h"
#include "common/base/utf8.h"
#include "common/protocol/program_files.h"
#include "coordinator/specs/planned_trials.h"
#include "coordinator/views/attempt_outcome.h"
#include "coordinator/views/fill_facts.h"
#include "fmt/format.h"
#include "proto/epochs.h"
#include "proto/names.h"

namespace sweep {
namespace {

constexpr std::string_view kDiverged = "diverged:";  // as in docs/protocol.md
constexpr std::size_t kMaxFileBytes = 1 << 20;
constexpr int kMaxNetworkFiles = 64;
constexpr int kMaxEpochsPerReport = 16;
constexpr int kMaxLinesPerCall = 200;
constexpr std::size_t kMaxRequestIdBytes = 128;
constexpr int kMaxProgressItems = 1024;
constexpr std::size_t kMaxDescriptionBytes = 16 << 10;

absl::Status CheckFile(const std::string& what, const std::string& text) {
  if (text.size() <= kMaxFileBytes) return absl::OkStatus();
  return absl::InvalidArgumentError(
      fmt::format("{} has {} bytes; at most {} are possible", what, text.size(), kMaxFileBytes));
}

}  // namespace

// ---- To the wire

static v1::SweepState ToProto(SweepState state) {
  switch (state) {
    case SweepState::kActive:
      return v1::SWEEP_STATE_ACTIVE;
    case SweepState::kPaused:
      return v1::SWEEP_STATE_PAUSED;
    case SweepState::kCompleted:
      return v1::SWEEP_STATE_COMPLETED;
    case SweepState::kCancelled:
      return v1::SWEEP_STATE_CANCELLED;
  }
  return v1::SWEEP_STATE_UNSPECIFIED;
}

static v1::TrialCounts ToProto(const TrialCounts& counts) {
  v1::TrialCounts proto;
  proto.set_pending(counts.pending);
  proto.set_running(counts.running);
  proto.set_completed(counts.completed);
  proto.set_stopped(counts.stopped);
  proto.set_failed(counts.failed);
  proto.set_cancelled(counts.cancelled);
  proto.set_diverged(counts.diverged);
  proto.set_on_hold(counts.on_hold);
  return proto;
}

google::protobuf::Timestamp ToProto(absl::Time time) {
  google::protobuf::Timestamp proto;
  const std::int64_t seconds = absl::ToUnixSeconds(time);
  proto.set_seconds(seconds);
  proto.set_nanos(
      static_cast<int>(absl::ToInt64Nanoseconds(time - absl::FromUnixSeconds(seconds))));
  return proto;
}

google::protobuf::Duration ToProto(absl::Duration duration) {
  google::protobuf::Duration proto;
  absl::Duration rest;
  proto.set_seconds(absl::IDivDuration(duration, absl::Seconds(1), &rest));
  proto.set_nanos(static_cast<int>(absl::ToInt64Nanoseconds(rest)));
  return proto;
}

v1::Value ToProto(const Value& value) {
  v1::Value proto;
  if (const bool* flag = std::get_if<bool>(&value)) proto.set_bool_value(*flag);
  if (const auto* integer = std::get_if<std::int64_t>(&value)) proto.set_int_value(*integer);
  if (const double* real = std::get_if<double>(&value)) proto.set_double_value(*real);
  if (const auto* text = std::get_if<std::string>(&value)) proto.set_string_value(*text);
  if (const auto* list = std::get_if<ListValue>(&value)) proto.set_list_value(list->json);
  return proto;
}

v1::TrialState ToProto(TrialState state) {
  switch (state) {
    case TrialState::kPending:
      return v1::TRIAL_STATE_PENDING;
    case TrialState::kLeased:
      return v1::TRIAL_STATE_LEASED;
    case TrialState::kRunning:
      return v1::TRIAL_STATE_RUNNING;
    case TrialState::kCompleted:
      return v1::TRIAL_STATE_COMPLETED;
    case TrialState::kStopped:
      return v1::TRIAL_STATE_STOPPED;
    case TrialState::kFailed:
      return v1::TRIAL_STATE_FAILED;
    case TrialState::kDiverged:
      return v1::TRIAL_STATE_DIVERGED;
    case TrialState::kCancelled:
      return v1::TRIAL_STATE_CANCELLED;
    case TrialState::kOnHold:
      return v1::TRIAL_STATE_ON_HOLD;
  }
  return v1::TRIAL_STATE_UNSPECIFIED;
}

v1::SweepSource ToProto(const SweepSource& source) {
  v1::SweepSource proto;
  proto.set_file(source.file);
  proto.set_text(source.text);
  for (const auto& [name, text] : source.network_files)
    (*proto.mutable_network_files())[name] = text;
  for (const auto& [name, text] : source.program_files)
    (*proto.mutable_program_files())[name] = text;
  return proto;
}

v1::Sweep ToProto(const SweepRow& row, const StoredSpec& stored) {
  const SweepSpec& spec = *stored.spec;
  v1::Sweep proto;
  proto.set_name(SweepResource(row.name));
  proto.set_state(ToProto(row.state));
  proto.set_digest(row.digest);
  proto.set_method(std::string(spec.method->word));
  proto.set_method_reason(spec.method_reason);
  const PlannedTrials planned = PlannedTrialsOf(row, spec);
  proto.set_planned_trials(planned.known);
  proto.set_most_trials(planned.most);
  *proto.mutable_counts() = ToProto(row.counts);
  proto.set_epochs(spec.epochs);
  for (const Gate& gate : spec.require) proto.add_gates(GateText(spec, gate));
  proto.set_early_terminate(StopsInWords(spec.early_terminate, spec.stop_when));
  proto.set_qualifying(row.qualifying);
  *proto.mutable_create_time() = ToProto(row.created);
  *proto.mutable_update_time() = ToProto(row.updated);
  if (row.ended) *proto.mutable_end_time() = ToProto(*row.ended);
  for (const auto& [key, value] : row.labels) (*proto.mutable_labels())[key] = value;
  proto.set_principal(row.principal);
  proto.set_metric(spec.objective().name);
  proto.set_maximize(spec.objective().maximize);
  for (const Objective& objective : spec.objectives) {
    v1::Objective* const added = proto.add_objectives();
    added->set_name(objective.name);
    added->set_maximize(objective.maximize);
  }
  for (const std::string& word : spec.program) proto.add_program(word);
  proto.set_planned_configurations(row.planned_configurations);
  proto.set_replicates(spec.replicates);
  proto.set_min_replicates(spec.FirstReplicates());
  proto.set_search_reason(row.search_reason);
  proto.set_pause_reason(row.pause_reason);
  proto.set_keep_going(row.keep_going);
  proto.set_archived(row.archived);
  proto.set_disk_bytes(row.disk_bytes);
  proto.set_data_sha256(row.data_sha256);
  proto.set_file_refusal(stored.refusal);
  if (stored.is_accepted()) proto.set_trained_by(std::string(spec.TrainedBy()));
  proto.set_revision(row.revision);
  FillWarmStarts(row, &proto);
  return proto;
}

v1::SweepRevision ToProto(const RevisionRow& row) {
  v1::SweepRevision proto;
  proto.set_revision(row.revision);
  proto.set_first_configuration(row.first_configuration);
  proto.set_text(row.text);
  proto.set_digest(row.digest);
  *proto.mutable_start_time() = ToProto(row.started);
  return proto;
}

static v1::Ancestor ToProto(const AncestorRow& row, const SweepSpec& spec) {
  v1::Ancestor proto;
  proto.set_trial(row.trial);
  proto.set_member(row.member);
  proto.set_start_epoch(row.start_epoch);
  proto.set_epoch(row.epoch);
  const std::string metric(CanonicalMeasure(spec.objective().name));
  if (const MeasureSummary* const summary = row.measures.Find(metric)) {
    proto.set_last(summary->last);
  }
  if (!row.chosen_source.empty()) proto.set_chosen_source(row.chosen_source);
  for (const auto& [name, value] : row.parameters) {
    (*proto.mutable_parameters())[name] = ToProto(value);
  }
  return proto;
}

v1::Trial ToProto(const TrialRow& row, const SweepSpec& spec) {
  v1::Trial proto;
  FillFacts(row, &proto);
  proto.set_name(TrialResource(row.sweep, row.number));
  proto.set_state(ToProto(row.state));
  for (const auto& [name, value] : row.parameters) {
    (*proto.mutable_parameters())[name] = ToProto(value);
  }
  proto.set_seed(row.seed);
  *proto.mutable_measures() = ToProto(row.result.measures);
  if (const MeasureSummary* const accuracy = row.result.measures.Find(kValidationAccuracy)) {
    proto.set_best_accuracy(accuracy->high);
    proto.set_last_accuracy(accuracy->last);
  }
  if (const MeasureSummary* const loss = row.result.measures.Find(kValidationLoss)) {
    proto.set_best_loss(loss->low);
    proto.set_last_loss(loss->last);
  }
  proto.set_network_parameters(row.network_parameters);
  for (const AncestorRow& ancestor : row.lineage) {
    *proto.add_lineage() = ToProto(ancestor, spec);
  }
  proto.set_reason(row.reason);
  proto.set_worker(WorkerResource(row.worker));
  *proto.mutable_create_time() = ToProto(row.created);
  if (row.started) *proto.mutable_start_time() = ToProto(*row.started);
  if (row.ended) *proto.mutable_end_time() = ToProto(*row.ended);
  for (const ArtifactRow& artifact : row.artifacts) {
    v1::Artifact* const added = proto.add_artifacts();
    added->set_role(artifact.role);
    added->set_sha256(artifact.sha256);
    added->set_size_bytes(artifact.size_bytes);
  }
  proto.set_evaluation_images(EvaluationImages(spec));
  *proto.mutable_attempt_duration() = ToProto(row.AttemptTime(absl::Now()));
  for (const auto* const entry : row.Defaults()) {
    (*proto.mutable_defaults())[entry->first] = ToProto(entry->second);
  }
  const RunValue value = ValueOf(spec, row.result);
  if (value.values.Get(spec.objective().name)) proto.set_value(value.metric);
  proto.set_value_epoch(value.epoch);
  return proto;
}

v1::Epoch ToProto(const EpochRow& row) {
  v1::Epoch proto = ToProto(row.metrics);
  proto.set_attempt(row.attempt);
  *proto.mutable_report_time() = ToProto(row.reported);
  return proto;
}

v1::Attempt ToProto(const AttemptRow& row) {
  v1::Attempt proto;
  proto.set_attempt(row.attempt);
  proto.set_worker(WorkerResource(row.worker));
  *proto.mutable_start_time() = ToProto(row.started);
  if (row.ended) *proto.mutable_end_time() = ToProto(*row.ended);
  proto.set_outcome(std::string(ShownOutcome(row)));
  proto.set_reason(row.reason);
  proto.set_trainer(row.trainer);
  return proto;
}

v1::RankedConfiguration ToProto(const RankedRow& row, const SweepSpec& spec) {
  const ConfigurationScore& score = row.score;
  v1::RankedConfiguration proto;
  proto.set_rank(row.rank);
  proto.set_front(row.front);
  proto.set_sweep(SweepResource(row.trial.sweep));
  proto.set_configuration(row.trial.configuration);
  *proto.mutable_trial() = ToProto(row.trial, spec);
  proto.set_qualifies(score.qualifies);
  proto.set_value(score.metric);
  for (const auto& [name, value] : score.values) (*proto.mutable_values())[name] = value;
  for (const GateOutcome& gate : score.gates) {
    v1::GateResult* const added = proto.add_gates();
    added->set_gate(gate.gate);
    added->set_met(gate.met);
    if (gate.value) *added->mutable_value() = ToProto(*gate.value);
    added->set_missed_by(gate.missed_by);
  }
  proto.set_replicates(score.replicates);
  proto.set_mean_last(score.mean_last);
  proto.set_mean_half_width(score.mean_half_width);
  proto.set_value_epoch(ValueOf(spec, row.trial.result).epoch);
  if (const auto interval = MetricInterval(spec, score, EvaluationImages(spec))) {
    proto.set_interval_low(interval->low);
    proto.set_interval_high(interval->high);
  }
  proto.set_group(row.group);
  proto.set_group_size(row.group_size);
  if (row.runs) {
    proto.set_ended_runs(row.runs->ended);
    proto.set_qualifying_runs(row.runs->qualifying);
  }
  return proto;
}

v1::Worker ToProto(const WorkerInfo& worker) {
  v1::Worker proto;
  proto.set_name(WorkerResource(worker.name));
  proto.set_host(worker.description.host);
  proto.set_pid(worker.description.pid);
  proto.set_slots(worker.description.slots);
  for (const std::string& device : worker.description.devices) proto.add_devices(device);
  proto.set_build(worker.description.build);
  for (const auto& [key, value] : worker.description.labels) (*proto.mutable_labels())[key] = value;
  proto.set_connected(worker.connected);
  proto.set_draining(worker.draining);
  for (const std::string& trial : worker.trials) proto.add_trials(trial);
  *proto.mutable_create_time() = ToProto(worker.created);
  *proto.mutable_last_seen_time() = ToProto(worker.last_seen);
  proto.set_completed(worker.completed);
  proto.set_failed(worker.failed);
  proto.set_images_per_second(worker.images_per_second);
  proto.set_memory_bytes(worker.description.memory_bytes);
  if (!worker.expected_build.empty()) proto.set_expected_build(worker.expected_build);
  proto.set_allows_programs(worker.description.allows_programs);
  for (const std::string& sweep : worker.description.only_sweeps) proto.add_only_sweeps(sweep);
  if (worker.put_aside) {
    proto.mutable_put_aside()->set_failures(worker.put_aside->failures);
    proto.mutable_put_aside()->set_reason(worker.put_aside->reason);
    *proto.mutable_put_aside()->mutable_until_time() = ToProto(worker.put_aside->until);
  }
  for (const OtherData& data : worker.other_data) {
    v1::OtherData* const other = proto.add_other_data();
    other->set_sweep(data.sweep);
    other->set_data_sha256(data.sha256);
    other->set_path(data.place);
    other->set_sweep_data_sha256(data.sweep_sha256);
  }
  return proto;
}

v1::Progress ToProto(const TrialProgress& progress) {
  v1::Progress proto;
  proto.set_trial(TrialResource(progress.sweep, progress.number));
  proto.set_epoch(progress.message.epoch);
  proto.set_step(progress.message.step);
  proto.set_steps(progress.message.steps);
  proto.set_loss(progress.message.loss);
  proto.set_images_per_second(progress.message.images_per_second);
  return proto;
}

v1::LeaseToken ToProto(const LeaseToken& token) {
  v1::LeaseToken proto;
  proto.set_trial(TrialResource(token.sweep, token.number));
  proto.set_attempt(token.attempt);
  proto.set_secret(token.secret);
  return proto;
}

v1::Lease ToProto(const LeaseOffer& offer) {
  v1::Lease proto;
  *proto.mutable_token() = ToProto(offer.token);
  proto.set_spec_json(*offer.spec_json);
  proto.set_checkpoint_sha256(offer.checkpoint_sha256);
  proto.set_checkpoint_epoch(offer.checkpoint_epoch);
  for (const std::string& word : offer.program) proto.add_program(word);
  proto.set_program_digest(offer.program_digest);
  proto.set_data_sha256(offer.data_sha256);
  return proto;
}

v1::SuggestedTrial ToProto(const AskedTrial& asked) {
  v1::SuggestedTrial proto;
  *proto.mutable_token() = ToProto(asked.token);
  for (const auto& [name, value] : asked.trial.parameters) {
    (*proto.mutable_parameters())[name] = ToProto(value);
  }
  proto.set_epochs(asked.trial.epochs);
  proto.set_seed(asked.trial.seed);
  proto.set_epoch(asked.trial.result.epoch);
  if (asked.spec_json != nullptr) proto.set_spec_json(*asked.spec_json);
  return proto;
}

v1::LogLine ToProto(const LogRow& row) {
  v1::LogLine proto;
  proto.set_attempt(row.attempt);
  proto.set_line(row.line);
  *proto.mutable_time() = ToProto(row.time);
  proto.set_text(row.text);
  return proto;
}

// ---- From the wire

absl::StatusOr<SweepSource> FromProto(const v1::SweepSource& source) {
  if (absl::Status checked = CheckFile("the sweep file", source.text()); !checked.ok()) {
    return checked;
  }
  if (source.network_files_size() > kMaxNetworkFiles) {
    return absl::InvalidArgumentError(fmt::format("{} network files; at most {} are possible",
                                                  source.network_files_size(), kMaxNetworkFiles));
  }
  SweepSource result{.file = CutText(source.file(), 4096), .text = source.text()};
  for (const auto& [name, text] : source.network_files()) {
    absl::Status checked = CheckFile("the network file " + CutText(name, 256), text);
    if (!checked.ok()) return checked;
    result.network_files[name] = text;
  }
  result.program_files = {source.program_files().begin(), source.program_files().end()};
  if (const std::string refusal = CheckProgramFiles(result.program_files); !refusal.empty()) {
    return absl::InvalidArgumentError(refusal);
  }
  return result;
}

absl::StatusOr<LeaseToken> FromProto(const v1::LeaseToken& token) {
  absl::StatusOr<TrialId> trial = ParseTrialResource(token.trial());
  if (!trial.ok()) return trial.status();
  return LeaseToken{.sweep = trial->sweep,
                    .number = trial->number,
                    .attempt = token.attempt(),
                    .secret = token.secret()};
}

absl::StatusOr<std::vector<EpochMetrics>> FromProto(
    const google::protobuf::RepeatedPtrField<v1::Epoch>& epochs) {
  if (epochs.size() > kMaxEpochsPerReport) {
    return absl::InvalidArgumentError(fmt::format("{} epochs in a report; at most {} are possible",
                                                  epochs.size(), kMaxEpochsPerReport));
  }
  std::vector<EpochMetrics> rows;
  for (const v1::Epoch& epoch : epochs) rows.push_back(FromProto(epoch));
  return rows;
}

absl::StatusOr<std::vector<LogRow>> FromProto(
    const google::protobuf::RepeatedPtrField<v1::LogLine>& lines) {
  if (lines.size() > kMaxLinesPerCall) {
    return absl::InvalidArgumentError(fmt::format("{} log lines in a call; at most {} are possible",
                                                  lines.size(), kMaxLinesPerCall));
  }
  std::vector<LogRow> rows;
  for (const v1::LogLine& line : lines) {
    rows.push_back({.line = line.line(),
                    .time = absl::FromUnixSeconds(line.time().seconds()) +
                            absl::Nanoseconds(line.time().nanos()),
                    .text = line.text()});
  }
  return rows;
}

absl::StatusOr<SynchronizeCall> FromProto(const v1::SynchronizeRequest& request) {
  const v1::Worker& worker = request.description();
  if (worker.ByteSizeLong() > kMaxDescriptionBytes) {
    return absl::InvalidArgumentError(
        fmt::format("worker {}: its description has {} bytes; at most {} are possible",
                    CutText(request.worker(), 128), worker.ByteSizeLong(), kMaxDescriptionBytes));
  }
  SynchronizeCall call{
      .session = request.session(),
      .worker = request.worker(),
      .description = {.host = worker.host(),
                      .pid = worker.pid(),
                      .slots = worker.slots(),
                      .devices = {worker.devices().begin(), worker.devices().end()},
                      .build = worker.build(),
                      .labels = {worker.labels().begin(), worker.labels().end()},
                      .memory_bytes = worker.memory_bytes(),
                      .allows_programs = worker.allows_programs(),
                      .only_sweeps = {worker.only_sweeps().begin(), worker.only_sweeps().end()}},
      .protocol = request.protocol(),
      .draining = request.draining(),
      .no_wait = request.no_wait()};
  const auto& changed = request.changed_data_sha256();
  call.changed_data.assign(changed.begin(), changed.end());
  for (const v1::LeaseToken& token : request.held()) {
    absl::StatusOr<LeaseToken> held = FromProto(token);
    if (!held.ok()) return held.status();
    call.held.push_back(*std::move(held));
  }
  return call;
}

absl::StatusOr<TrialState> FromProto(v1::TrialState state) {
  switch (state) {
    case v1::TRIAL_STATE_PENDING:
      return TrialState::kPending;
    case v1::TRIAL_STATE_LEASED:
      return TrialState::kLeased;
    case v1::TRIAL_STATE_RUNNING:
      return TrialState::kRunning;
    case v1::TRIAL_STATE_COMPLETED:
      return TrialState::kCompleted;
    case v1::TRIAL_STATE_STOPPED:
      return TrialState::kStopped;
    case v1::TRIAL_STATE_FAILED:
      return TrialState::kFailed;
    case v1::TRIAL_STATE_DIVERGED:
      return TrialState::kDiverged;
    case v1::TRIAL_STATE_CANCELLED:
      return TrialState::kCancelled;
    case v1::TRIAL_STATE_ON_HOLD:
      return TrialState::kOnHold;
    default:
      return absl::InvalidArgumentError(
          fmt::format("{} is not a state of a trial", static_cast<int>(state)));
  }
}

absl::StatusOr<LeaseOutcome> OutcomeOf(const v1::FinishLeaseRequest& request) {
  switch (request.outcome()) {
    case v1::LEASE_OUTCOME_COMPLETED:
      return LeaseOutcome::kCompleted;
    case v1::LEASE_OUTCOME_FAILED:
      return LeaseOutcome::kFailed;
    case v1::LEASE_OUTCOME_FAILED_FOR_GOOD:
      return request.reason().starts_with(kDiverged) ? LeaseOutcome::kDiverged
                                                     : LeaseOutcome::kFailedForGood;
    case v1::LEASE_OUTCOME_GIVEN_BACK:
      return LeaseOutcome::kGivenBack;
    case v1::LEASE_OUTCOME_STOPPED:
      return LeaseOutcome::kStopped;
    case v1::LEASE_OUTCOME_HELD:
      return LeaseOutcome::kHeld;
    default:
      return absl::InvalidArgumentError(
          fmt::format("{} is no outcome of a lease", static_cast<int>(request.outcome())));
  }
}

std::vector<TrialProgress> FromProto(const v1::ReportProgressRequest& request) {
  std::vector<TrialProgress> progress;
  for (const v1::Progress& item : request.progress()) {
    absl::StatusOr<TrialId> trial = ParseTrialResource(item.trial());
    if (!trial.ok()) continue;
    progress.push_back({.sweep = trial->sweep,
                        .number = trial->number,
                        .message = {.trial = trial->short_name(),
                                    .epoch = item.epoch(),
                                    .step = item.step(),
                                    .steps = item.steps(),
                                    .loss = item.loss(),
                                    .images_per_second = item.images_per_second()}});
    if (progress.size() == kMaxProgressItems) break;
  }
  return progress;
}

std::string CutText(std::string_view text, std::size_t limit) {
  return std::string(CutUtf8(text, limit));
}

std::string RequestId(std::string_view text) {
  return text.size() <= kMaxRequestIdBytes ? std::string(text) : Sha256Hex(text);
}

}  // namespace sweep
