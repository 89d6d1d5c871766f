// Documents of sweeps: the list, one of them, its ranking.

#include <algorithm>

#include "coordinator/views/fitting_rows.h"
#include "coordinator/views/page_token.h"
#include "coordinator/views/view_context.h"

namespace sweep {
namespace {

constexpr int kMaxPageSize = 200;
constexpr std::size_t kMaxSourceBytes = 100'000;
constexpr std::size_t kMaxNetworkBytes = 30'000;

Json CountsJson(const TrialCounts& counts) {
  return {{"pending", counts.pending}, {"running", counts.running}, {"completed", counts.completed},
          {"stopped", counts.stopped}, {"failed", counts.failed},   {"cancelled", counts.cancelled}};
}

void AddBest(Store* store, const SweepRow& sweep, Json* summary) {
  (*summary)["best_trial"] = "";
  (*summary)["best_value"] = nullptr;
  const absl::StatusOr<std::vector<RankedRow>> best = store->Rank(sweep.name, 1);
  if (!best.ok() || best->empty() || !best->front().score.has_value) return;
  (*summary)["best_trial"] = best->front().trial.short_name();
  (*summary)["best_value"] = NumberJson(best->front().score.metric);
}

Json RankingRowJson(const RankedRow& row, const SweepSpec& spec) {
  const ConfigurationScore& score = row.score;
  const TrialRow& trial = row.trial;
  const TrialResult& result = trial.result;
  const Interval interval = ValueInterval(spec, score, EvaluationImages(spec));
  return {{"rank", row.rank},
          {"trial", trial.number},
          {"configuration", trial.configuration},
          {"state", TrialStateName(trial.state)},
          {"qualifies", score.qualifies},
          {"accuracy", NumberJson(score.value)},
          {"interval", Json::array({NumberJson(interval.low), NumberJson(interval.high)})},
          {"best_epoch", ValueEpoch(spec, result)},
          {"last_accuracy", MeasuredJson(result.epoch, result.last_accuracy)},
          {"best_loss", MeasuredJson(result.epoch, result.best_loss)},
          {"mean_last_accuracy", MeasuredJson(score.replicates, score.mean_last_accuracy)},
          {"mean_half_width", MeasuredJson(score.replicates - 1, score.mean_half_width)},
          {"replicates", score.replicates},
          {"epochs_to_target", score.epochs_to_target},
          {"network_parameters", trial.network_parameters},
          {"model", trial.model},
          {"gates", GatesJson(score.gates)},
          {"parameters", ParametersJson(trial.parameters)}};
}

}  // namespace

Json GatesJson(const std::vector<GateOutcome>& gates) {
  Json array = Json::array();
  for (const GateOutcome& gate : gates) {
    array.push_back({{"gate", gate.gate},
                     {"met", gate.met},
                     {"value", ValueJson(gate.value)},
                     {"missed_by", NumberJson(gate.missed_by)}});
  }
  return array;
}

absl::StatusOr<Json> SweepSummaryJson(const ViewContext& context, const SweepRow& sweep,
                                      const SweepSpec* spec) {
  const SweepSpec unknown;
  const SweepSpec& known = spec == nullptr ? unknown : *spec;
  Json gates = Json::array();
  for (const Gate& gate : known.require) gates.push_back(gate.name + " " + gate.ToString());
  Json summary = {{"name", sweep.name},
                  {"state", SweepStateName(sweep.state)},
                  {"method", known.method == Method::kGrid ? "grid" : "random"},
                  {"metric", known.metric},
                  {"maximize", known.maximize},
                  {"planned_trials", sweep.planned_configurations * known.replicates},
                  {"replicates", known.replicates},
                  {"epochs", known.epochs},
                  {"trials", CountsJson(sweep.counts)},
                  {"gates", gates},
                  {"qualifying", sweep.qualifying},
                  {"create_time", TimeJson(sweep.created)},
                  {"end_time", TimeJson(sweep.ended)},
                  {"labels", sweep.labels},
                  {"search_reason", sweep.search_reason}};
  AddBest(context.options.store, sweep, &summary);
  std::optional<double> seconds;
  if (spec != nullptr) {
    seconds = context.time_left->SecondsLeft(context.options.store, sweep, *spec);
  }
  summary["seconds_left"] = seconds ? NumberJson(*seconds) : Json(nullptr);
  return summary;
}

absl::StatusOr<Json> SweepsDocument(const ViewContext& context, const ViewQuery& query) {
  constexpr std::string_view kToken = "sweeps";
  const absl::StatusOr<std::int64_t> size = query.Int("page_size", 50, 1, kMaxPageSize);
  if (!size.ok()) return size.status();
  const absl::StatusOr<std::int64_t> before = DecodePageToken(query.Text("page_token"), kToken);
  if (!before.ok()) return before.status();
  Store* const store = context.options.store;
  const absl::StatusOr<std::vector<SweepRow>> rows =
      store->ListSweeps(*before, static_cast<int>(*size) + 1);
  if (!rows.ok()) return rows.status();
  const absl::StatusOr<std::int64_t> total = store->CountSweeps();
  if (!total.ok()) return total.status();
  Json document = {{"sweeps", Json::array()},
                   {"next_page_token", ""},
                   {"total", *total},
                   {"coordinator",
                    {{"version", context.options.version},
                     {"database", context.options.database},
                     {"actions_allowed", context.actions_allowed}}}};
  FittingRows sweeps(document);
  std::int64_t last = 0;
  for (const SweepRow& row : *rows) {
    if (static_cast<std::int64_t>(sweeps.size()) == *size) break;
    const absl::StatusOr<SharedSpec> spec = context.options.specs->Get(row.name);
    absl::StatusOr<Json> summary =
        SweepSummaryJson(context, row, spec.ok() ? spec->get() : nullptr);
    if (!summary.ok()) return summary.status();
    if (!sweeps.Add(*std::move(summary))) break;
    last = row.id;
  }
  if (sweeps.size() < rows->size()) document["next_page_token"] = EncodePageToken(last, kToken);
  document["sweeps"] = sweeps.Take();
  return document;
}

absl::StatusOr<Json> SweepViewDocument(const ViewContext& context, const SweepRow& sweep) {
  const absl::StatusOr<SharedSpec> spec = context.options.specs->Get(sweep.name);
  if (!spec.ok()) return spec.status();
  absl::StatusOr<Json> document = SweepSummaryJson(context, sweep, spec->get());
  if (!document.ok()) return document.status();
  Json files = Json::object();
  for (const auto& [name, text] : sweep.source.network_files) {
    files[name] = Shortened(text, files.size() < 4 ? kMaxNetworkBytes : 0);
  }
  document->update({{"source", Shortened(sweep.source.text, kMaxSourceBytes)},
                    {"source_file", sweep.source.file},
                    {"network_files", files},
                    {"program", (*spec)->program},
                    {"models", (*spec)->models},
                    {"dimensions", DimensionsJson(**spec)},
                    {"target", TargetJson(**spec)}});
  return document;
}

absl::StatusOr<Json> RankingDocument(const ViewContext& context, const SweepRow& sweep,
                                     const ViewQuery& query) {
  const absl::StatusOr<std::int64_t> limit = query.Int("limit", 50, 1, kMaxPageSize);
  if (!limit.ok()) return limit.status();
  const absl::StatusOr<std::int64_t> offset = query.Int("offset", 0, 0, INT64_MAX / 2);
  if (!offset.ok()) return offset.status();
  const absl::StatusOr<SharedSpec> spec = context.options.specs->Get(sweep.name);
  if (!spec.ok()) return spec.status();
  Store* const store = context.options.store;
  const absl::StatusOr<std::int64_t> total = store->CountRanked(sweep.id);
  if (!total.ok()) return total.status();
  const absl::StatusOr<std::vector<RankedRow>> ranked =
      store->Rank(sweep.name, static_cast<int>(*limit), *offset);
  if (!ranked.ok()) return ranked.status();
  Json document = {{"rows", Json::array()}, {"total", *total}};
  for (const RankedRow& row : *ranked) {
    if (!row.score.has_value) break;  // those without an epoch come last
    document["rows"].push_back(RankingRowJson(row, **spec));
  }
  return document;
}

Json ProgressDocument(const ViewContext& context, const SweepRow& sweep) {
  Json items = Json::array();
  for (const TrialProgress& item : context.options.scheduler->Progress(sweep.name)) {
    const ProgressMessage& message = item.message;
    items.push_back({{"trial", item.number},
                     {"epoch", message.epoch},
                     {"step", message.step},
                     {"steps", message.steps},
                     {"loss", NumberJson(message.loss)},
                     {"images_per_second", NumberJson(message.images_per_second)}});
    if (items.size() == 1000) break;
  }
  return {{"progress", items}};
}

}  // namespace sweep
