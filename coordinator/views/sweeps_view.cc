// The list of sweeps, and one sweep.

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "common/base/utf8.h"
#include "coordinator/specs/planned_trials.h"
#include "coordinator/store/queries.h"
#include "coordinator/views/fill_facts.h"
#include "coordinator/views/fitting_rows.h"
#include "coordinator/views/page_token.h"
#include "coordinator/views/view_context.h"

namespace sweep {
namespace {

constexpr int kMaxShown = 200;
constexpr int kMaxLookedAt = 2000;  // sweeps that one search reads
constexpr std::size_t kMaxSourceBytes = 100'000;
constexpr std::size_t kMaxNetworkBytes = 30'000;
constexpr int kMaxNetworkFiles = 4;  // with their text

void Describe(const TrialCounts& counts, documents::TrialCounts* made) {
  made->set_pending(counts.pending);
  made->set_running(counts.running);
  made->set_completed(counts.completed);
  made->set_stopped(counts.stopped);
  made->set_failed(counts.failed);
  made->set_diverged(counts.diverged);
  made->set_cancelled(counts.cancelled);
  made->set_on_hold(counts.on_hold);
}

void AddBest(Store* store, const SweepRow& sweep, documents::SweepSummary* summary) {
  const absl::StatusOr<std::vector<RankedRow>> best = store->Read(SelectRanking, sweep.name, 0, 1);
  if (!best.ok() || best->empty() || !best->front().score.has_value) return;
  summary->mutable_details()->set_best_trial(best->front().trial.short_name());
  summary->mutable_facts()->set_best_value(best->front().score.metric);
  summary->mutable_facts()->set_best_qualifies(best->front().score.qualifies);
}

// Ignores the case of ASCII letters.
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
  std::int64_t last_id = 0;  // of the last sweep that was read
  bool more = false;         // after that one
};

// Reads until `count` sweeps match, but at most kMaxLookedAt sweeps.
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

documents::SweepSummary DescribeSweep(const ViewContext& context, const SweepRow& sweep,
                                      const StoredSpec& stored) {
  const SweepSpec& known = *stored.spec;
  documents::SweepSummary summary;
  documents::SweepFacts& facts = *summary.mutable_facts();
  facts.set_name(sweep.name);
  facts.set_state(StateOf(sweep.state));
  facts.set_qualifying(sweep.qualifying);
  if (stored.is_accepted() && context.time_left != nullptr) {
    const std::optional<double> seconds = context.time_left->SecondsLeft(sweep, known);
    if (seconds) facts.set_seconds_left(*seconds);
  }
  facts.set_create_time(TimeText(sweep.created));
  *facts.mutable_labels() = NamedTexts(sweep.labels);
  facts.set_pause_reason(sweep.pause_reason);
  facts.set_file_refusal(stored.refusal);
  facts.set_archived(sweep.archived);
  facts.set_disk_bytes(sweep.disk_bytes);
  documents::SweepDetails& details = *summary.mutable_details();
  details.set_method(std::string(known.method->word));
  details.set_method_reason(known.method_reason);
  details.set_metric(known.objective().name);
  details.set_maximize(known.objective().maximize);
  for (const Objective& objective : known.objectives) {
    documents::Objective* const made = details.add_objectives();
    made->set_name(objective.name);
    made->set_maximize(objective.maximize);
    *summary.add_objective_measures() = DescribeMeasure(known, objective.name);
  }
  const PlannedTrials planned = PlannedTrialsOf(sweep, known);
  details.set_planned_trials(planned.known);
  details.set_most_trials(planned.most);
  details.set_replicates(known.replicates);
  details.set_min_replicates(known.FirstReplicates());
  details.set_epochs(known.epochs);
  Describe(sweep.counts, details.mutable_trials());
  for (const Gate& gate : known.require) details.add_gates(GateText(known, gate));
  if (sweep.ended) details.set_end_time(TimeText(*sweep.ended));
  details.set_search_reason(sweep.search_reason);
  AddBest(context.options.store, sweep, &summary);
  return summary;
}

absl::StatusOr<documents::SweepsView> SweepsDocument(const ViewContext& context,
                                                     const ViewQuery& query) {
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
  documents::SweepsView view;
  view.set_total(*total);
  view.mutable_coordinator()->set_version(context.options.version);
  view.mutable_coordinator()->set_database(context.options.database);
  view.mutable_coordinator()->set_actions_allowed(context.actions_allowed);
  FittingRows fitting(view);
  std::int64_t last = 0;  // looked at
  bool is_first = true;
  for (const SweepRow& row : rows->matching) {
    if (view.sweeps_size() == *size) break;
    const absl::StatusOr<StoredSpec> stored = context.options.specs->Show(row);
    if (absl::IsNotFound(stored.status())) {  // deleted since the list was read
      last = row.id;
      continue;
    }
    if (!stored.ok()) return stored.status();
    documents::SweepSummary summary = DescribeSweep(context, row, *stored);
    if (!fitting.Add(summary)) break;
    *view.add_sweeps() = std::move(summary);
    if (is_first) context.indexes->Prepare(row.id, stored->spec);  // the likely next click
    is_first = false;
    last = row.id;
  }
  const bool is_all = view.sweeps_size() == std::ssize(rows->matching);
  if (is_all) last = rows->last_id;
  if (!is_all || rows->more) view.set_next_page_token(EncodePageToken(last, kToken));
  return view;
}

absl::StatusOr<documents::SweepView> SweepViewDocument(const ViewContext& context,
                                                       const SweepRow& sweep) {
  const absl::StatusOr<StoredSpec> stored = context.options.specs->Show(sweep);
  if (!stored.ok()) return stored.status();
  const SweepSpec& spec = *stored->spec;
  documents::SweepView view;
  *view.mutable_summary() = DescribeSweep(context, sweep, *stored);
  view.set_description(spec.description);
  view.set_source(Shortened(sweep.source.text, kMaxSourceBytes));
  view.set_source_file(sweep.source.file);
  *view.mutable_network_files() = NamedTexts(sweep.source.network_files);
  for (int i = 0; i < view.network_files_size(); ++i) {
    std::string* const text = view.mutable_network_files(i)->mutable_text();
    *text = Shortened(*text, i < kMaxNetworkFiles ? kMaxNetworkBytes : 0);
  }
  *view.mutable_program() = {spec.program.begin(), spec.program.end()};
  view.set_data_sha256(sweep.data_sha256);
  *view.mutable_models() = {spec.models.begin(), spec.models.end()};
  *view.mutable_dimensions() = DescribeDimensions(spec);
  *view.mutable_measures() = KnownMeasures(spec);
  *view.mutable_target() = TargetOf(spec);
  documents::SweepOrigin& origin = *view.mutable_origin();
  if (stored->is_accepted()) origin.set_trained_by(std::string(spec.TrainedBy()));
  origin.set_revision(sweep.revision);
  FillWarmStarts(sweep, &origin);
  return view;
}

}  // namespace sweep
