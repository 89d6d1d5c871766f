// The table of trials.

#include "common/base/utf8.h"
#include "coordinator/store/queries.h"
#include "coordinator/views/attempt_outcome.h"
#include "coordinator/views/fill_facts.h"
#include "coordinator/views/view_context.h"
#include "fmt/format.h"

namespace sweep {

absl::StatusOr<std::string> MeasureOf(const SweepSpec& spec, const ViewQuery& query) {
  const std::string asked = query.Text("metric");
  if (!asked.empty() && !IsMeasureName(asked)) {
    return absl::InvalidArgumentError(
        fmt::format("metric: '{}' is not the name of a measure", Shortened(asked, kShownBytes)));
  }
  return std::string(CanonicalMeasure(asked.empty() ? spec.objective().name : asked));
}

absl::StatusOr<IndexQuery> ParseIndexQuery(const ViewContext& context, const ViewQuery& query,
                                           const SharedSpec& spec) {
  IndexQuery result{.filter_time = context.options.filter_time};
  if (const std::string sort = query.Text("sort"); !sort.empty()) result.order_by = sort;
  if (const std::string state = query.Text("state"); !state.empty()) {
    const absl::StatusOr<TrialState> parsed = ParseTrialState(state);
    if (!parsed.ok()) {
      return absl::InvalidArgumentError(
          fmt::format("'{}' is not a state of a trial", Shortened(state, kShownBytes)));
    }
    result.state = *parsed;
  }
  if (const std::string where = query.Text("where"); !where.empty()) {
    absl::StatusOr<TrialFilter> filter = TrialFilter::Parse(where, spec);
    if (!filter.ok()) return filter.status();
    result.filter = *std::move(filter);
  }
  return result;
}

namespace {

struct TrialPage {
  std::vector<std::int64_t> numbers;
  std::int64_t total = 0;
};

TrialPage Cut(const std::vector<std::size_t>& rows, const PageRange& range) {
  TrialPage page{.total = std::ssize(rows)};
  for (const std::size_t row : range.Of(rows)) {
    page.numbers.push_back(static_cast<std::int64_t>(row) + 1);
  }
  return page;
}

documents::TrialsView Describe(const std::vector<TrialRow>& trials, const SweepSpec& spec,
                               std::int64_t total, absl::Time now) {
  documents::TrialsView view;
  for (const TrialRow& trial : trials) *view.add_rows() = DescribeTrial(trial, spec, now);
  view.set_total(total);
  return view;
}

// Leased trials count as running.
std::int64_t Total(const TrialCounts& counts, const std::optional<TrialState>& state) {
  if (!state) return counts.total();
  switch (*state) {
    case TrialState::kPending:
      return counts.pending;
    case TrialState::kLeased:
    case TrialState::kRunning:
      return counts.running;
    case TrialState::kCompleted:
      return counts.completed;
    case TrialState::kStopped:
      return counts.stopped;
    case TrialState::kFailed:
      return counts.failed;
    case TrialState::kDiverged:
      return counts.diverged;
    case TrialState::kCancelled:
      return counts.cancelled;
    case TrialState::kOnHold:
      return counts.on_hold;
  }
  return 0;
}

// While the index is being built, pages without a filter come from the store.
absl::StatusOr<documents::TrialsView> FromStore(const ViewContext& context, const SweepRow& sweep,
                                                const SweepSpec& spec, const IndexQuery& query,
                                                const PageRange& range) {
  const absl::StatusOr<std::vector<TrialRow>> trials =
      context.options.store->Read(SelectTrials, {.sweep = sweep.name,
                                                 .state = query.state,
                                                 .order_by = query.order_by,
                                                 .offset = range.offset,
                                                 .limit = static_cast<int>(range.limit)});
  if (!trials.ok()) return trials.status();
  return Describe(*trials, spec, Total(sweep.counts, query.state), context.options.clock->Now());
}

}  // namespace

documents::TrialRow DescribeTrial(const TrialRow& trial, const SweepSpec& spec, absl::Time now) {
  const TrialResult& result = trial.result;
  documents::TrialRow row;
  row.set_trial(trial.number);
  row.set_qualifies(trial.qualifies);
  documents::TrialFacts& facts = *row.mutable_facts();
  FillFacts(trial, &facts);
  facts.set_state(StateOf(trial.state));
  facts.set_best(result.Best(spec.objective()));
  facts.set_last(result.Last(spec.objective().name));
  *facts.mutable_measures() = NamedSummaries(result.measures);
  if (trial.network_parameters > 0) facts.set_network_parameters(trial.network_parameters);
  facts.set_seed(std::to_string(trial.seed));
  facts.set_reason(Shortened(trial.reason, kMaxReasonBytes));
  if (trial.attempt > 0) facts.set_attempt_seconds(absl::ToDoubleSeconds(trial.AttemptTime(now)));
  *facts.mutable_parameters() = NamedValues(trial.parameters);
  *facts.mutable_defaults() = DefaultsOf(trial);
  return row;
}

absl::StatusOr<documents::TrialsView> TrialsDocument(const ViewContext& context,
                                                     const SweepRow& sweep, const LookedAt& looked,
                                                     const ViewQuery& query) {
  const absl::StatusOr<PageRange> range = query.Page();
  if (!range.ok()) return range.status();
  const absl::StatusOr<IndexQuery> parsed = ParseIndexQuery(context, query, looked.spec);
  if (!parsed.ok()) return parsed.status();
  if (!looked.index.ready) {
    if (!parsed->filter) return FromStore(context, sweep, *looked.spec, *parsed, *range);
    return StillReading(sweep.name);
  }
  const absl::StatusOr<TrialPage> page =
      looked.index.entry->Look([&](const SweepIndex& index) -> absl::StatusOr<TrialPage> {
        const absl::StatusOr<std::vector<std::size_t>> rows = SelectRows(index, *parsed);
        if (!rows.ok()) return rows.status();
        return Cut(*rows, *range);
      });
  if (!page.ok()) return page.status();
  const absl::StatusOr<std::vector<TrialRow>> trials =
      context.options.store->Read(SelectTrialsByNumber, sweep.name, page->numbers);
  if (!trials.ok()) return trials.status();
  return Describe(*trials, *looked.spec, page->total, context.options.clock->Now());
}

}  // namespace sweep
