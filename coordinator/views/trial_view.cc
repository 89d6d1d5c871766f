// Everything about one trial.

#include <algorithm>
#include <cmath>
#include <utility>

#include "coordinator/scheduler/explanation.h"
#include "coordinator/scheduler/trial_spec_json.h"
#include "coordinator/store/log_lines.h"
#include "coordinator/store/queries.h"
#include "coordinator/views/attempt_outcome.h"
#include "coordinator/views/fitting_rows.h"
#include "coordinator/views/page_token.h"
#include "coordinator/views/view_context.h"
#include "fmt/format.h"

namespace sweep {
namespace {

constexpr int kMaxEpochRows = 1000;
constexpr std::size_t kMaxAttempts = 200;
constexpr std::size_t kMaxWholeReasonBytes = 2000;
// Of all attempts, as they are sent; the epochs and the network need the rest of the document.
constexpr std::size_t kMaxAttemptsBytes = 100'000;
constexpr std::size_t kLeastReasonBytes = 30;
constexpr int kMaxLinesPerAnswer = 500;

// A token of logs is one number: the attempt above the line's number.
constexpr int kLogLineBits = 40;
static_assert(kMaxLogLineNumber < std::int64_t{1} << kLogLineBits);

Json EpochRowJson(const EpochRow& row) {
  const EpochMetrics& metrics = row.metrics;
  return {{"attempt", row.attempt},
          {"epoch", metrics.epoch},
          {"values", ValuesJson(metrics.values)},
          {"report_time", TimeJson(row.reported)}};
}

Json ReportedJson(const SweepSpec& spec, const TrialResult& result) {
  std::vector<std::string> names;
  for (const auto& [name, summary] : result.measures) names.push_back(name);
  return MeasuresJson(spec, names);
}

absl::Status AddEpochs(Store* store, const TrialRow& trial, Json* document) {
  const absl::StatusOr<std::vector<EpochRow>> epochs =
      store->Read(SelectEpochs, trial.sweep, trial.number, 0, kMaxEpochRows);
  if (!epochs.ok()) return epochs.status();
  Json rows = Json::array();
  for (const EpochRow& row : *epochs) rows.push_back(EpochRowJson(row));
  std::int64_t left_out = 0;
  if (std::ssize(*epochs) == kMaxEpochRows) {
    const absl::StatusOr<std::int64_t> total = store->Read(CountEpochs, trial.id);
    if (!total.ok()) return total.status();
    left_out = std::max<std::int64_t>(*total - kMaxEpochRows, 0);
  }
  (*document)["epoch_rows"] = std::move(rows);
  (*document)["epoch_rows_left_out"] = left_out;
  return absl::OkStatus();
}

Json AttemptsJson(const std::vector<AttemptRow>& attempts, std::size_t reason_bytes) {
  Json rows = Json::array();
  const std::size_t skipped = attempts.size() - std::min(attempts.size(), kMaxAttempts);
  for (std::size_t i = skipped; i < attempts.size(); ++i) {
    const AttemptRow& attempt = attempts[i];
    rows.push_back({{"attempt", attempt.attempt},
                    {"worker", attempt.worker},
                    {"start_time", TimeJson(attempt.started)},
                    {"end_time", TimeJson(attempt.ended)},
                    {"outcome", ShownOutcome(attempt)},
                    {"reason", Shortened(attempt.reason, reason_bytes)}});
  }
  return rows;
}

// With reasons as long as fits; what is cut of them shows as "…".
Json FittingAttemptsJson(const std::vector<AttemptRow>& attempts) {
  std::size_t reason_bytes = kMaxWholeReasonBytes;
  Json rows = AttemptsJson(attempts, reason_bytes);
  while (DumpJson(rows).size() > kMaxAttemptsBytes && reason_bytes > kLeastReasonBytes) {
    reason_bytes /= 2;
    rows = AttemptsJson(attempts, reason_bytes);
  }
  return rows;
}

Json LogLineJson(const LogRow& row) {
  return {{"attempt", row.attempt},
          {"line", row.line},
          {"time", TimeJson(row.time)},
          {"text", row.text}};
}

Json ArtifactsJson(const std::vector<ArtifactRow>& artifacts) {
  Json rows = Json::array();
  for (const ArtifactRow& artifact : artifacts) {
    rows.push_back({{"role", artifact.role},
                    {"sha256", artifact.sha256},
                    {"size_bytes", artifact.size_bytes}});
  }
  return rows;
}

// What the gates say of this trial alone.
std::vector<GateOutcome> GatesOf(const SweepSpec& spec, const TrialRow& trial,
                                 const Configuration& configuration) {
  return ScoreConfiguration(spec, configuration, {{.state = trial.state, .result = trial.result}})
      .gates;
}

// Integers that 64 bits hold and a browser's numbers do not, as text. The trainer gets numbers.
void WriteLargeIntegersAsText(Json* json) {
  constexpr std::int64_t kMostExact = std::int64_t{1} << 53;
  if (json->is_structured()) {
    for (Json& item : *json) WriteLargeIntegersAsText(&item);
    return;
  }
  const bool is_large = json->is_number_unsigned()
                            ? json->get<std::uint64_t>() > static_cast<std::uint64_t>(kMostExact)
                            : json->is_number_integer() && json->get<std::int64_t>() < -kMostExact;
  if (is_large) *json = json->dump();
}

void AddSpec(const StoredSpec& stored, const SweepSource& source, const TrialRow& trial,
             Json* document) {
  const SweepSpec& spec = *stored.spec;
  Json& result = *document;
  result["spec"] = Json::object();
  result["network"] = nullptr;
  result["gates"] = Json::array();
  result["replay"] = Json::array();
  result["replay_note"] = "";
  if (!stored.is_accepted()) return;  // nobody can say what a trainer is told
  const absl::StatusOr<std::string> line = BuildTrialSpecJson(spec, trial);
  if (line.ok()) result["spec"] = Json::parse(*line, nullptr, false);
  WriteLargeIntegersAsText(&result["spec"]);
  // A small seed too, so that a seed is always a text.
  if (result["spec"].is_object()) result["spec"]["seed"] = std::to_string(trial.seed);
  const absl::StatusOr<Configuration> configuration =
      spec.Complete(trial.configuration, trial.parameters);
  if (!configuration.ok()) return;
  if (!configuration->network.layers.empty()) {
    result["network"] = NetworkJson(configuration->network);
    result["fully_connected"] = trial.fully_connected;
  }
  // Before it has measured anything there is nothing to hold against a gate.
  if (trial.result.epoch > 0) result["gates"] = GatesJson(GatesOf(spec, trial, *configuration));
  Replay replay = ReplayOf(spec, source, trial, *configuration, line.ok() ? *line : std::string());
  result["replay"] = std::move(replay.commands);
  result["replay_note"] = std::move(replay.note);
}

std::vector<std::string> ReasonsOf(const ViewContext& context, const TrialRow& trial,
                                   const StoredSpec& stored,
                                   const std::vector<AttemptRow>& attempts) {
  TrialSituation situation = context.options.scheduler->insight().Situation(trial);
  situation.max_failures = stored.spec->max_failures;
  situation.file_refusal = stored.refusal;
  if (!attempts.empty()) situation.last_attempt = attempts.back();
  return Explain(situation).reasons;
}

}  // namespace

absl::StatusOr<Json> TrialViewDocument(const ViewContext& context, const std::string& sweep_name,
                                       std::int64_t number) {
  Store* const store = context.options.store;
  const absl::StatusOr<TrialRow> trial = store->Read(FindTrial, sweep_name, number);
  if (!trial.ok()) return trial.status();
  const absl::StatusOr<SweepRow> sweep = store->Read(FindSweepById, trial->sweep_id);
  if (!sweep.ok()) return sweep.status();
  const absl::StatusOr<StoredSpec> stored = context.options.specs->Show(*sweep);
  if (!stored.ok()) return stored.status();
  const SharedSpec& spec = stored->spec;
  const absl::StatusOr<std::vector<AttemptRow>> attempts =
      store->Read(SelectAttempts, sweep_name, number);
  if (!attempts.ok()) return attempts.status();
  const std::int64_t images = EvaluationImages(*spec);
  Json document = TrialRowJson(*trial, *spec, context.options.clock->Now());
  document.update({{"sweep", sweep_name},
                   {"sweep_state", SweepStateName(sweep->state)},
                   {"metric", spec->objective().name},
                   {"maximize", spec->objective().maximize},
                   {"judged", spec->JudgedMeasures()},
                   {"reported", ReportedJson(*spec, trial->result)},
                   {"seed", std::to_string(trial->seed)},
                   {"fully_connected", nullptr},
                   {"evaluation_images", KnownCountJson(images)},
                   {"interval", nullptr},
                   {"reason", Shortened(trial->reason, kMaxWholeReasonBytes)},
                   {"create_time", TimeJson(trial->created)},
                   {"start_time", TimeJson(trial->started)},
                   {"end_time", TimeJson(trial->ended)},
                   {"target", TargetJson(*spec)},
                   {"attempts", FittingAttemptsJson(*attempts)},
                   {"artifacts", ArtifactsJson(trial->artifacts)},
                   {"reasons", ReasonsOf(context, *trial, *stored, *attempts)}});
  const Objective accuracy;
  if (const double best = trial->result.Best(accuracy); images > 0 && !std::isnan(best)) {
    const Interval interval = WilsonInterval(best, images);
    document["interval"] = {NumberJson(interval.low), NumberJson(interval.high)};
  }
  AddSpec(*stored, sweep->source, *trial, &document);
  if (absl::Status added = AddEpochs(store, *trial, &document); !added.ok()) return added;
  return document;
}

absl::StatusOr<Json> LogsDocument(const ViewContext& context, const std::string& sweep,
                                  std::int64_t number, const ViewQuery& query) {
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
  Json document = {{"lines", Json::array()}, {"next", ""}, {"more", false}};
  FittingRows lines(document);
  std::int64_t position = *after;
  for (const LogRow& row : *rows) {
    if (static_cast<std::int64_t>(lines.size()) == *limit || !lines.Add(LogLineJson(row))) break;
    position = (static_cast<std::int64_t>(row.attempt) << kLogLineBits) + row.line;
  }
  document["more"] = lines.size() < rows->size();
  document["next"] = EncodePageToken(position, key);
  document["lines"] = lines.Take();
  return document;
}

}  // namespace sweep
