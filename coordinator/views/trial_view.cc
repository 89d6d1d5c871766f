// The document of one trial.

#include <algorithm>
#include <cmath>
#include <utility>

#include "common/base/utf8.h"
#include "coordinator/scheduler/explanation.h"
#include "coordinator/scheduler/trial_spec_json.h"
#include "coordinator/store/log_lines.h"
#include "coordinator/store/queries.h"
#include "coordinator/views/attempt_outcome.h"
#include "coordinator/views/fitting_rows.h"
#include "coordinator/views/page_token.h"
#include "coordinator/views/view_context.h"
#include "fmt/format.h"
#include "nlohmann/json.hpp"
#include "proto/documents/print_json.h"

namespace sweep {
namespace {

constexpr int kMaxEpochRows = 1000;
constexpr std::size_t kMaxAttempts = 200;
constexpr std::size_t kMaxWholeReasonBytes = 2000;
// The size of all printed attempts; epochs and network need the rest of the document.
constexpr std::size_t kMaxAttemptsBytes = 100'000;
constexpr std::size_t kLeastReasonBytes = 30;
constexpr int kMaxLinesPerAnswer = 500;

// The page token of logs is a number whose upper bits are the attempt and whose lower are the line.
constexpr int kLogLineBits = 40;
static_assert(kMaxLogLineNumber < std::int64_t{1} << kLogLineBits);

absl::Status AddEpochs(Store* store, const TrialRow& trial, documents::TrialView* view) {
  const absl::StatusOr<std::vector<EpochRow>> epochs =
      store->Read(SelectEpochs, trial.sweep, trial.number, 0, kMaxEpochRows);
  if (!epochs.ok()) return epochs.status();
  for (const EpochRow& row : *epochs) {
    documents::EpochRow* const made = view->add_epoch_rows();
    made->set_attempt(row.attempt);
    made->set_epoch(row.metrics.epoch);
    *made->mutable_values() = NamedNumbers(row.metrics.values);
    made->set_report_time(TimeText(row.reported));
  }
  if (std::ssize(*epochs) < kMaxEpochRows) return absl::OkStatus();
  const absl::StatusOr<std::int64_t> total = store->Read(CountEpochs, trial.id);
  if (!total.ok()) return total.status();
  view->set_epoch_rows_left_out(std::max<std::int64_t>(*total - kMaxEpochRows, 0));
  return absl::OkStatus();
}

void AddLineage(const TrialRow& trial, const std::string& metric,
                documents::TrialDetails* details) {
  for (const AncestorRow& row : trial.lineage) {
    documents::Ancestor* const added = details->add_lineage();
    added->set_trial(row.trial);
    added->set_member(row.member);
    added->set_start_epoch(row.start_epoch);
    added->set_epoch(row.epoch);
    if (const MeasureSummary* const summary = row.measures.Find(metric)) {
      added->set_last(summary->last);
    }
    if (!row.chosen_source.empty()) added->set_chosen_source(row.chosen_source);
    for (const auto& [name, value] : row.parameters) {
      documents::NamedValue* const entry = added->add_parameters();
      entry->set_name(name);
      *entry->mutable_value() = DocumentValue(value);
    }
  }
}

void AddDetails(const TrialRow& trial, documents::TrialDetails* details) {
  details->set_create_time(TimeText(trial.created));
  if (trial.started) details->set_start_time(TimeText(*trial.started));
  if (trial.ended) details->set_end_time(TimeText(*trial.ended));
  for (const ArtifactRow& artifact : trial.artifacts) {
    documents::TrialDetails::Artifact* const made = details->add_artifacts();
    made->set_role(artifact.role);
    made->set_sha256(artifact.sha256);
    made->set_size_bytes(artifact.size_bytes);
  }
}

std::string ChosenText(const TrialRow& trial) {
  const std::optional<SuggestionOrigin> origin = trial.origin();
  return origin ? SuggestionOriginText(*origin) : "";
}

// Adds the last attempts, with reasons shortened until they fit.
void AddAttempts(const std::vector<AttemptRow>& attempts, documents::TrialView* view) {
  const std::size_t skipped = attempts.size() - std::min(attempts.size(), kMaxAttempts);
  for (std::size_t reason_bytes = kMaxWholeReasonBytes;; reason_bytes /= 2) {
    std::size_t bytes = 0;
    view->clear_attempts();
    for (std::size_t i = skipped; i < attempts.size(); ++i) {
      *view->add_attempts() = DescribeAttempt(attempts[i], reason_bytes);
      bytes += PrintJson(*view->attempts().rbegin()).size() + 1;
    }
    if (bytes <= kMaxAttemptsBytes || reason_bytes <= kLeastReasonBytes) return;
  }
}

// The gates' results for this trial alone.
std::vector<GateOutcome> GatesOf(const SweepSpec& spec, const TrialRow& trial,
                                 const Configuration& configuration) {
  return ScoreConfiguration(spec, configuration, {{.state = trial.state, .result = trial.result}})
      .gates;
}

// Replaces integers that a browser's numbers cannot represent by text. The trainer gets numbers.
void WriteLargeIntegersAsText(nlohmann::json* json) {
  constexpr std::int64_t kMostExact = std::int64_t{1} << 53;
  if (json->is_structured()) {
    for (nlohmann::json& item : *json) WriteLargeIntegersAsText(&item);
    return;
  }
  const bool is_large = json->is_number_unsigned()
                            ? json->get<std::uint64_t>() > static_cast<std::uint64_t>(kMostExact)
                            : json->is_number_integer() && json->get<std::int64_t>() < -kMostExact;
  if (is_large) *json = json->dump();
}

// The trainer's input line in a form for browsers.
std::string ShownLine(const std::string& line, std::uint64_t seed) {
  nlohmann::json json = nlohmann::json::parse(line, nullptr, false);
  if (!json.is_object()) json = nlohmann::json::object();
  WriteLargeIntegersAsText(&json);
  json["seed"] = std::to_string(seed);  // always text, also for a small seed
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// Adds what follows from the sweep's file.
void AddSpec(const StoredSpec& stored, const SweepSource& source, const TrialRow& trial,
             documents::TrialView* view) {
  const SweepSpec& spec = *stored.spec;
  view->set_spec("{}");
  if (!stored.is_accepted()) return;  // a refused file does not determine what a trainer gets
  const absl::StatusOr<std::string> line = BuildTrialSpecJson(spec, trial);
  view->set_spec(ShownLine(line.value_or("{}"), trial.seed));
  const absl::StatusOr<Configuration> configuration =
      spec.Complete(trial.configuration, trial.parameters);
  if (!configuration.ok()) return;
  if (!configuration->network.layers.empty()) {
    *view->mutable_network() = DescribeNetwork(configuration->network);
    view->mutable_details()->set_fully_connected(trial.fully_connected);
  }
  // Without a measured epoch gates have no result.
  if (trial.result.epoch > 0) {
    *view->mutable_gates() = DescribeGates(GatesOf(spec, trial, *configuration));
  }
  const Replay replay =
      ReplayOf(spec, source, trial, *configuration, line.ok() ? *line : std::string());
  *view->mutable_replay() = {replay.commands.begin(), replay.commands.end()};
  view->set_replay_note(replay.note);
}

// Adds objectives, gates and reported measures.
void AddMeasures(const SweepSpec& spec, const TrialRow& trial, documents::TrialView* view) {
  view->set_metric(spec.objective().name);
  view->set_maximize(spec.objective().maximize);
  for (const std::string& name : spec.JudgedMeasures()) view->add_judged(name);
  std::vector<std::string> reported;
  for (const auto& [name, summary] : trial.result.measures) reported.push_back(name);
  *view->mutable_reported() = DescribeMeasures(spec, reported);
  *view->mutable_target() = TargetOf(spec);
  const std::int64_t images = EvaluationImages(spec);
  if (images == 0) return;
  view->mutable_details()->set_evaluation_images(images);
  const Objective accuracy;
  const double best = trial.result.Best(accuracy);
  if (std::isnan(best)) return;
  const Interval interval = WilsonInterval(best, images);
  view->mutable_interval()->set_low(interval.low);
  view->mutable_interval()->set_high(interval.high);
}

std::vector<std::string> ReasonsOf(const ViewContext& context, const TrialRow& trial,
                                   const StoredSpec& stored,
                                   const std::vector<AttemptRow>& attempts) {
  TrialSituation situation = context.options.scheduler->insight().Situation(trial);
  situation.max_failures = stored.spec->max_failures;
  situation.file_refusal = stored.refusal;
  const absl::StatusOr<std::optional<RacePlace>> race =
      context.options.scheduler->insight().Race(trial, stored.spec);
  if (race.ok()) situation.race = *race;
  situation.first_replicates = stored.spec->FirstReplicates();
  if (!attempts.empty()) situation.last_attempt = attempts.back();
  return Explain(situation).reasons;
}

}  // namespace

absl::StatusOr<documents::TrialView> TrialViewDocument(const ViewContext& context,
                                                       const std::string& sweep_name,
                                                       std::int64_t number) {
  Store* const store = context.options.store;
  const absl::StatusOr<TrialRow> trial = store->Read(FindTrial, sweep_name, number);
  if (!trial.ok()) return trial.status();
  const absl::StatusOr<SweepRow> sweep = store->Read(FindSweepById, trial->sweep_id);
  if (!sweep.ok()) return sweep.status();
  const absl::StatusOr<StoredSpec> stored = context.options.specs->Show(*sweep);
  if (!stored.ok()) return stored.status();
  const absl::StatusOr<std::vector<AttemptRow>> attempts =
      store->Read(SelectAttempts, sweep_name, number);
  if (!attempts.ok()) return attempts.status();
  documents::TrialView view;
  *view.mutable_row() = DescribeTrial(*trial, *stored->spec, context.options.clock->Now());
  view.mutable_row()->mutable_facts()->set_reason(Shortened(trial->reason, kMaxWholeReasonBytes));
  view.set_sweep(sweep_name);
  view.set_sweep_state(StateOf(sweep->state));
  AddMeasures(*stored->spec, *trial, &view);
  AddDetails(*trial, view.mutable_details());
  AddLineage(*trial, std::string(CanonicalMeasure(stored->spec->objective().name)),
             view.mutable_details());
  AddAttempts(*attempts, &view);
  view.set_chosen(ChosenText(*trial));
  for (const std::string& reason : ReasonsOf(context, *trial, *stored, *attempts)) {
    view.add_reasons(reason);
  }
  AddSpec(*stored, sweep->source, *trial, &view);
  if (absl::Status added = AddEpochs(store, *trial, &view); !added.ok()) return added;
  return view;
}

absl::StatusOr<documents::LogsView> LogsDocument(const ViewContext& context,
                                                 const std::string& sweep, std::int64_t number,
                                                 const ViewQuery& query) {
  const absl::StatusOr<std::int64_t> limit =
      query.Int("limit", kMaxLinesPerAnswer, 1, kMaxLinesPerAnswer);
  if (!limit.ok()) return limit.status();
  const std::string key = fmt::format("logs {}/{}", sweep, number);
  const absl::StatusOr<std::int64_t> after = DecodePageToken(query.Text("after"), key);
  if (!after.ok()) return after.status();
  const absl::StatusOr<std::vector<LogRow>> rows = context.options.store->Read(
      SelectLogLines, sweep, number, static_cast<int>(*after >> kLogLineBits),
      *after & kMaxLogLineNumber, static_cast<int>(*limit) + 1);
  if (!rows.ok()) return rows.status();
  documents::LogsView view;
  FittingRows fitting(view);
  std::int64_t position = *after;
  for (const LogRow& row : *rows) {
    documents::LogsView::LogLine line;
    line.set_attempt(row.attempt);
    line.set_line(row.line);
    line.set_time(TimeText(row.time));
    line.set_text(row.text);
    if (view.lines_size() == *limit || !fitting.Add(line)) break;
    *view.add_lines() = std::move(line);
    position = (static_cast<std::int64_t>(row.attempt) << kLogLineBits) + row.line;
  }
  view.set_more(view.lines_size() < std::ssize(*rows));
  view.set_next(EncodePageToken(position, key));
  return view;
}

}  // namespace sweep
