// The table of trials.

#include "coordinator/store/queries.h"
#include "coordinator/views/attempt_outcome.h"
#include "coordinator/views/view_context.h"
#include "fmt/format.h"

namespace sweep {
namespace {}  // namespace

absl::StatusOr<std::string> MeasureOf(const SweepSpec& spec, const ViewQuery& query) {
  const std::string asked = query.Text("metric");
  if (!asked.empty() && !IsMeasureName(asked)) {
    return absl::InvalidArgumentError(
        fmt::format("metric: '{}' is no name of a measure", Shortened(asked, kShownBytes)));
  }
  return std::string(CanonicalMeasure(asked.empty() ? spec.objective().name : asked));
}

Json SummariesJson(const MeasureSummaries& summaries) {
  Json json = Json::object();
  for (const auto& [name, summary] : summaries) {
    json[name] = {{"last", NumberJson(summary.last)},
                  {"low", NumberJson(summary.low)},
                  {"high", NumberJson(summary.high)}};
  }
  return json;
}

Json ValuesJson(const Measurements& values) {
  Json json = Json::object();
  for (const auto& [name, value] : values) json[name] = RoundedJson(value);
  return json;
}

absl::StatusOr<IndexQuery> ParseIndexQuery(const ViewContext& context, const ViewQuery& query,
                                           const SharedSpec& spec) {
  IndexQuery result{.filter_time = context.options.filter_time};
  if (const std::string sort = query.Text("sort"); !sort.empty()) result.order_by = sort;
  if (const std::string state = query.Text("state"); !state.empty()) {
    const absl::StatusOr<TrialState> parsed = ParseTrialState(state);
    if (!parsed.ok()) {
      return absl::InvalidArgumentError(
          fmt::format("'{}' is no state of a trial", Shortened(state, kShownBytes)));
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

Json RowsJson(const std::vector<TrialRow>& trials, const SweepSpec& spec, std::int64_t total,
              absl::Time now) {
  Json rows = Json::array();
  for (const TrialRow& trial : trials) rows.push_back(TrialRowJson(trial, spec, now));
  return {{"rows", rows}, {"total", total}};
}

// Leased trials are counted among the running ones.
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

// While the index is being made, pages without a filter come from the store.
absl::StatusOr<Json> FromStore(const ViewContext& context, const SweepRow& sweep,
                               const SweepSpec& spec, const IndexQuery& query,
                               const PageRange& range) {
  const absl::StatusOr<std::vector<TrialRow>> trials =
      context.options.store->Read(SelectTrials, {.sweep = sweep.name,
                                                 .state = query.state,
                                                 .order_by = query.order_by,
                                                 .offset = range.offset,
                                                 .limit = static_cast<int>(range.limit)});
  if (!trials.ok()) return trials.status();
  return RowsJson(*trials, spec, Total(sweep.counts, query.state), context.options.clock->Now());
}

}  // namespace

Json TrialRowJson(const TrialRow& trial, const SweepSpec& spec, absl::Time now) {
  const TrialResult& result = trial.result;
  return {{"trial", trial.number},
          {"configuration", trial.configuration},
          {"replicate", trial.replicate},
          {"state", TrialStateName(trial.state)},
          {"epoch", result.epoch},
          {"epochs", trial.epochs},
          {"best", NumberJson(result.Best(spec.objective()))},
          {"best_epoch", KnownCountJson(result.best_epoch)},
          {"last", NumberJson(result.Last(spec.objective().name))},
          {"measures", SummariesJson(result.measures)},
          {"epochs_to_target", KnownCountJson(result.epochs_to_target)},
          {"qualifies", trial.qualifies},
          {"network_parameters", KnownCountJson(trial.network_parameters)},
          {"model", trial.model},
          {"worker", trial.worker},
          {"attempt", trial.attempt},
          {"failures", trial.failures},
          {"reason", Shortened(trial.reason, kMaxReasonBytes)},
          {"attempt_seconds", RoundedJson(absl::ToDoubleSeconds(trial.AttemptTime(now)))},
          {"parameters", ParametersJson(trial.parameters)},
          {"defaults", ParametersJson(trial.Defaults())}};
}

absl::StatusOr<Json> TrialsDocument(const ViewContext& context, const SweepRow& sweep,
                                    const LookedAt& looked, const ViewQuery& query) {
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
  return RowsJson(*trials, *looked.spec, page->total, context.options.clock->Now());
}

}  // namespace sweep
