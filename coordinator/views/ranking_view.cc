// The ranking of a sweep's configurations.

#include <algorithm>
#include <limits>

#include "coordinator/store/queries.h"
#include "coordinator/views/view_context.h"

namespace sweep {
namespace {

constexpr std::string_view kByRank = "rank";
constexpr std::string_view kByRankDescending = "rank desc";

void Describe(const Interval& interval, documents::Interval* made) {
  made->set_low(interval.low);
  made->set_high(interval.high);
}

// The group, and how many replicates qualify.
void DescribeStatistics(const RankedRow& ranked, documents::RankingFacts* row) {
  if (ranked.group > 0) {
    row->set_group(ranked.group);
    row->set_group_size(ranked.group_size);
  }
  if (!ranked.runs) return;
  row->set_ended_runs(ranked.runs->ended);
  row->set_qualifying_runs(ranked.runs->qualifying);
  Describe(QualifyingInterval(*ranked.runs), row->mutable_qualifying_interval());
}

// The result over all replicates.
void DescribeScore(const ConfigurationScore& score, const SweepSpec& spec,
                   documents::RankingFacts* row) {
  row->set_qualifies(score.qualifies);
  row->set_value(score.metric);
  *row->mutable_values() = NamedNumbers(score.values);
  if (const auto interval = MetricInterval(spec, score, EvaluationImages(spec))) {
    Describe(*interval, row->mutable_interval());
  }
  if (score.replicates > 0) row->set_mean_last(score.mean_last);
  if (score.replicates > 1) row->set_mean_half_width(score.mean_half_width);
  if (const auto mean = MeanInterval(spec.objective(), score.mean_last, score.mean_half_width,
                                     score.replicates)) {
    Describe(*mean, row->mutable_mean_interval());
  }
  row->set_replicates(score.replicates);
  if (score.epochs_to_target > 0) row->set_epochs_to_target(score.epochs_to_target);
  *row->mutable_gates() = DescribeGates(score.gates);
}

void Describe(const RankedRow& ranked, const SweepSpec& spec, documents::RankingRow* row) {
  const TrialRow& trial = ranked.trial;
  const TrialResult& result = trial.result;
  row->set_rank(ranked.rank);
  if (ranked.front > 0) row->set_front(ranked.front);
  row->set_trial(trial.number);
  documents::RankingFacts* const facts = row->mutable_facts();
  facts->set_configuration(trial.configuration);
  facts->set_state(StateOf(trial.state));
  DescribeScore(ranked.score, spec, facts);
  DescribeStatistics(ranked, facts);
  if (const int epoch = ValueOf(spec, result).epoch; epoch > 0) facts->set_value_epoch(epoch);
  facts->set_last(result.Last(spec.objective().name));
  *facts->mutable_measures() = NamedSummaries(result.measures);
  if (trial.network_parameters > 0) facts->set_network_parameters(trial.network_parameters);
  facts->set_model(trial.model);
  facts->set_seed(std::to_string(trial.seed));
  *facts->mutable_parameters() = NamedValues(trial.parameters);
  *facts->mutable_defaults() = DefaultsOf(trial);
}

// Ranks and fronts by configuration number. Configurations without a rank come last.
class Ranks {
 public:
  explicit Ranks(const std::vector<RankPlace>& order) {
    for (std::size_t i = 0; i < order.size(); ++i) {
      const auto configuration = static_cast<std::size_t>(order[i].configuration);
      if (configuration >= places_.size()) places_.resize(configuration + 1, Place{});
      places_[configuration] = {.rank = static_cast<std::int64_t>(i) + 1, .front = order[i].front};
    }
  }
  std::int64_t Of(std::int64_t configuration) const { return PlaceOf(configuration).rank; }
  int FrontOf(std::int64_t configuration) const { return PlaceOf(configuration).front; }

 private:
  struct Place {
    std::int64_t rank = std::numeric_limits<std::int64_t>::max();
    int front = 0;
  };
  Place PlaceOf(std::int64_t configuration) const {
    const auto number = static_cast<std::size_t>(configuration);
    return number < places_.size() ? places_[number] : Place{};
  }
  std::vector<Place> places_;
};

// The numbers of the configurations that match, in order.
absl::StatusOr<std::vector<std::int64_t>> Select(const SweepIndex& index, IndexQuery query,
                                                 const Ranks& ranks) {
  const bool descending = query.order_by == kByRankDescending;
  const bool by_rank = descending || query.order_by == kByRank;
  if (by_rank) query.order_by = "number";
  const absl::StatusOr<std::vector<std::size_t>> rows = SelectRows(index, query);
  if (!rows.ok()) return rows.status();
  std::vector<std::int64_t> numbers;
  for (const std::size_t row : *rows) numbers.push_back(index.trials()[row].configuration);
  if (by_rank) {
    std::sort(numbers.begin(), numbers.end(), [&](std::int64_t a, std::int64_t b) {
      return descending ? ranks.Of(b) < ranks.Of(a) : ranks.Of(a) < ranks.Of(b);
    });
  }
  return numbers;
}

struct RankedPage {
  std::vector<RankedRow> rows;
  std::int64_t total = 0;
};

// The number of ranked configurations: of the index when it has seen every event, since the store
// counts a large sweep for milliseconds.
absl::StatusOr<std::int64_t> Count(Store* store, const SweepRow& sweep, const LookedAt& looked) {
  const absl::StatusOr<std::int64_t> last = store->Read(FindLastSequence, sweep.id);
  if (!last.ok()) return last.status();
  const bool is_current = looked.index.ready && looked.index.sequence == *last;
  if (!is_current) return store->Read(CountRanked, sweep.id);
  return looked.index.entry->Look([](const SweepIndex& index) -> std::int64_t {
    return std::count_if(index.trials().begin(), index.trials().end(),
                         [](const IndexedTrial& trial) { return trial.IsRanked(); });
  });
}

// The ranking in the store's order.
absl::StatusOr<RankedPage> WholeRanking(Store* store, const SweepRow& sweep, const LookedAt& looked,
                                        const PageRange& range) {
  const absl::StatusOr<std::int64_t> total = Count(store, sweep, looked);
  if (!total.ok()) return total.status();
  absl::StatusOr<std::vector<RankedRow>> rows =
      store->Read([&](Database& database) -> absl::StatusOr<std::vector<RankedRow>> {
        absl::StatusOr<std::vector<RankedRow>> page =
            SelectRanking(database, sweep.name, range.offset, static_cast<int>(range.limit));
        if (!page.ok()) return page.status();
        return WithStatistics(database, *looked.spec, sweep.id, *std::move(page));
      });
  if (!rows.ok()) return rows.status();
  // Configurations without an epoch are not ranked.
  std::erase_if(*rows, [](const RankedRow& row) { return !row.score.has_value; });
  return RankedPage{.rows = *std::move(rows), .total = *total};
}

absl::StatusOr<RankedPage> PartOfRanking(Store* store, const SweepRow& sweep,
                                         const LookedAt& looked, const IndexQuery& query,
                                         const PageRange& range) {
  if (!looked.index.ready) return StillReading(sweep.name);
  const absl::StatusOr<std::vector<RankPlace>> order = store->Read(SelectRankOrder, sweep.id);
  if (!order.ok()) return order.status();
  const Ranks ranks(*order);
  absl::StatusOr<std::vector<std::int64_t>> numbers = looked.index.entry->Look(
      [&](const SweepIndex& index) { return Select(index, query, ranks); });
  if (!numbers.ok()) return numbers.status();
  RankedPage page{.total = std::ssize(*numbers)};
  absl::StatusOr<std::vector<RankedRow>> rows =
      store->Read([&](Database& database) -> absl::StatusOr<std::vector<RankedRow>> {
        absl::StatusOr<std::vector<RankedRow>> part =
            SelectRankedRows(database, sweep.id, range.Of(*numbers));
        if (!part.ok()) return part.status();
        return WithStatistics(database, *looked.spec, sweep.id, *std::move(part));
      });
  if (!rows.ok()) return rows.status();
  page.rows = *std::move(rows);
  for (RankedRow& row : page.rows) {
    row.rank = ranks.Of(row.trial.configuration);
    row.front = ranks.FrontOf(row.trial.configuration);
  }
  return page;
}

}  // namespace

Repeated<documents::GateOutcome> DescribeGates(const std::vector<GateOutcome>& gates) {
  Repeated<documents::GateOutcome> outcomes;
  for (const GateOutcome& gate : gates) {
    documents::GateOutcome* const made = outcomes.Add();
    made->set_gate(gate.gate);
    made->set_met(gate.met);
    if (gate.value) *made->mutable_value() = DocumentValue(*gate.value);
    made->set_missed_by(gate.missed_by);
  }
  return outcomes;
}

bool IsWholeRanking(const ViewQuery& query) {
  const std::string sort = query.Text("sort");
  return (sort.empty() || sort == kByRank) && query.Text("where").empty() &&
         query.Text("state").empty() && query.Text("qualifying").empty();
}

absl::StatusOr<documents::RankingView> RankingDocument(const ViewContext& context,
                                                       const SweepRow& sweep,
                                                       const LookedAt& looked,
                                                       const ViewQuery& query) {
  const absl::StatusOr<PageRange> range = query.Page();
  if (!range.ok()) return range.status();
  absl::StatusOr<IndexQuery> parsed = ParseIndexQuery(context, query, looked.spec);
  if (!parsed.ok()) return parsed.status();
  if (query.Text("sort").empty()) parsed->order_by = kByRank;
  parsed->ranked = true;
  parsed->qualifying = query.Text("qualifying") == "1";
  Store* const store = context.options.store;
  const absl::StatusOr<RankedPage> page =
      IsWholeRanking(query) ? WholeRanking(store, sweep, looked, *range)
                            : PartOfRanking(store, sweep, looked, *parsed, *range);
  if (!page.ok()) return page.status();
  documents::RankingView view;
  for (const RankedRow& row : page->rows) Describe(row, *looked.spec, view.add_rows());
  view.set_total(page->total);
  return view;
}

}  // namespace sweep
