// Documents of sweeps: the list, one of them.

#include <algorithm>

#include "absl/strings/ascii.h"
#include "coordinator/store/queries.h"
#include "coordinator/views/fitting_rows.h"
#include "coordinator/views/page_token.h"
#include "coordinator/views/view_context.h"

namespace sweep {
namespace {

constexpr int kMaxShown = 200;
constexpr int kMaxLookedAt = 2000;  // sweeps, by one search
constexpr std::size_t kMaxSourceBytes = 100'000;
constexpr std::size_t kMaxNetworkBytes = 30'000;

Json CountsJson(const TrialCounts& counts) {
  return {{"pending", counts.pending},     {"running", counts.running},
          {"completed", counts.completed}, {"stopped", counts.stopped},
          {"failed", counts.failed},       {"diverged", counts.diverged},
          {"cancelled", counts.cancelled}, {"on_hold", counts.on_hold}};
}

Json ObjectivesJson(const SweepSpec& spec) {
  Json objectives = Json::array();
  for (const Objective& objective : spec.objectives) {
    objectives.push_back(MeasureJson(spec, objective.name));
  }
  return objectives;
}

void AddBest(Store* store, const SweepRow& sweep, Json* summary) {
  (*summary)["best_trial"] = "";
  (*summary)["best_value"] = nullptr;
  (*summary)["best_qualifies"] = false;
  const absl::StatusOr<std::vector<RankedRow>> best = store->Read(SelectRanking, sweep.name, 0, 1);
  if (!best.ok() || best->empty() || !best->front().score.has_value) return;
  (*summary)["best_trial"] = best->front().trial.short_name();
  (*summary)["best_value"] = NumberJson(best->front().score.metric);
  (*summary)["best_qualifies"] = best->front().score.qualifies;
}

// In letters of either case, as far as they are ASCII.
bool Contains(const std::string& text, const std::string& lower) {
  return absl::AsciiStrToLower(text).find(lower) != std::string::npos;
}

bool Matches(const SweepRow& sweep, const std::string& lower) {
  if (Contains(sweep.name, lower)) return true;
  return std::any_of(sweep.labels.begin(), sweep.labels.end(), [&](const auto& label) {
    return Contains(label.first + "=" + label.second, lower);
  });
}

struct FoundSweeps {
  std::vector<SweepRow> matching;
  std::int64_t last_id = 0;  // of the last that was looked at
  bool more = false;         // beyond it
};

// At least `count` that match, where there are so many among as many as one question may look at.
absl::StatusOr<FoundSweeps> FindSweeps(Store* store, std::int64_t before, std::int64_t count,
                                       const std::string& search) {
  const std::string lower = absl::AsciiStrToLower(search);
  FoundSweeps found{.last_id = before};
  for (int looked = 0; looked < kMaxLookedAt; looked += kMaxShown) {
    const int limit = search.empty() ? static_cast<int>(count) : kMaxShown;
    absl::StatusOr<std::vector<SweepRow>> rows =
        store->Read(SelectSweeps, found.last_id, limit + 1, /*archived=*/false);
    if (!rows.ok()) return rows.status();
    found.more = std::ssize(*rows) > limit;
    if (found.more) rows->pop_back();
    for (SweepRow& row : *rows) {
      found.last_id = row.id;
      if (Matches(row, lower)) found.matching.push_back(std::move(row));
    }
    if (!found.more || std::ssize(found.matching) >= count) break;
  }
  return found;
}

}  // namespace

absl::StatusOr<Json> SweepSummaryJson(const ViewContext& context, const SweepRow& sweep,
                                      const StoredSpec& stored) {
  const SweepSpec& known = *stored.spec;
  Json gates = Json::array();
  for (const Gate& gate : known.require) gates.push_back(gate.name + " " + gate.ToString());
  Json summary = {{"name", sweep.name},
                  {"state", SweepStateName(sweep.state)},
                  {"method", known.method->word},
                  {"metric", known.objective().name},
                  {"maximize", known.objective().maximize},
                  {"objectives", ObjectivesJson(known)},
                  {"planned_trials", sweep.planned_configurations * known.replicates},
                  {"replicates", known.replicates},
                  {"epochs", known.epochs},
                  {"trials", CountsJson(sweep.counts)},
                  {"gates", gates},
                  {"qualifying", sweep.qualifying},
                  {"create_time", TimeJson(sweep.created)},
                  {"end_time", TimeJson(sweep.ended)},
                  {"labels", sweep.labels},
                  {"search_reason", sweep.search_reason},
                  {"pause_reason", sweep.pause_reason},
                  {"file_refusal", stored.refusal},
                  {"archived", sweep.archived},
                  {"disk_bytes", sweep.disk_bytes}};
  AddBest(context.options.store, sweep, &summary);
  std::optional<double> seconds;
  if (stored.is_accepted() && context.time_left != nullptr) {
    seconds = context.time_left->SecondsLeft(sweep, known);
  }
  summary["seconds_left"] = seconds ? NumberJson(*seconds) : Json(nullptr);
  return summary;
}

absl::StatusOr<Json> SweepsDocument(const ViewContext& context, const ViewQuery& query) {
  constexpr std::string_view kToken = "sweeps";
  const absl::StatusOr<std::int64_t> size = query.Int("page_size", 50, 1, kMaxShown);
  if (!size.ok()) return size.status();
  const absl::StatusOr<std::int64_t> before = DecodePageToken(query.Text("page_token"), kToken);
  if (!before.ok()) return before.status();
  Store* const store = context.options.store;
  const absl::StatusOr<FoundSweeps> rows = FindSweeps(store, *before, *size, query.Text("search"));
  if (!rows.ok()) return rows.status();
  const absl::StatusOr<std::int64_t> total = store->Read(CountSweeps);
  if (!total.ok()) return total.status();
  Json document = {{"sweeps", Json::array()},
                   {"next_page_token", ""},
                   {"total", *total},
                   {"coordinator",
                    {{"version", context.options.version},
                     {"database", context.options.database},
                     {"actions_allowed", context.actions_allowed}}}};
  FittingRows sweeps(document);
  std::int64_t last = 0;  // looked at
  bool is_first = true;
  for (const SweepRow& row : rows->matching) {
    if (static_cast<std::int64_t>(sweeps.size()) == *size) break;
    const absl::StatusOr<StoredSpec> stored = context.options.specs->Show(row);
    if (absl::IsNotFound(stored.status())) {  // deleted since the list was read
      last = row.id;
      continue;
    }
    if (!stored.ok()) return stored.status();
    absl::StatusOr<Json> summary = SweepSummaryJson(context, row, *stored);
    if (!summary.ok()) return summary.status();
    if (!sweeps.Add(*std::move(summary))) break;
    if (is_first) context.indexes->Prepare(row.id, stored->spec);  // the likely next click
    is_first = false;
    last = row.id;
  }
  const bool is_all = sweeps.size() == rows->matching.size();
  if (is_all) last = rows->last_id;
  if (!is_all || rows->more) document["next_page_token"] = EncodePageToken(last, kToken);
  document["sweeps"] = sweeps.Take();
  return document;
}

absl::StatusOr<Json> SweepViewDocument(const ViewContext& context, const SweepRow& sweep) {
  const absl::StatusOr<StoredSpec> stored = context.options.specs->Show(sweep);
  if (!stored.ok()) return stored.status();
  const SweepSpec& spec = *stored->spec;
  absl::StatusOr<Json> document = SweepSummaryJson(context, sweep, *stored);
  if (!document.ok()) return document.status();
  Json files = Json::object();
  for (const auto& [name, text] : sweep.source.network_files) {
    files[name] = Shortened(text, files.size() < 4 ? kMaxNetworkBytes : 0);
  }
  document->update({{"description", spec.description},
                    {"source", Shortened(sweep.source.text, kMaxSourceBytes)},
                    {"source_file", sweep.source.file},
                    {"network_files", files},
                    {"program", spec.program},
                    {"data_sha256", sweep.data_sha256},
                    {"models", spec.models},
                    {"dimensions", DimensionsJson(spec)},
                    {"measures", KnownMeasuresJson(spec)},
                    {"target", TargetJson(spec)}});
  return document;
}

}  // namespace sweep
