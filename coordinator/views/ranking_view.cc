// The ranking of a sweep's configurations.

#include <algorithm>
#include <limits>

#include "coordinator/store/queries.h"
#include "coordinator/views/view_context.h"

namespace sweep {
namespace {

constexpr std::string_view kByRank = "rank";
constexpr std::string_view kByRankDescending = "rank desc";

Json RankingRowJson(const RankedRow& row, const SweepSpec& spec) {
  const ConfigurationScore& score = row.score;
  const TrialRow& trial = row.trial;
  const TrialResult& result = trial.result;
  const auto pair = [](const std::optional<Interval>& interval) {
    return interval ? Json::array({NumberJson(interval->low), NumberJson(interval->high)})
                    : Json(nullptr);
  };
  const bool has_mean = score.replicates > 0;
  const std::optional<Interval> mean =
      MeanInterval(spec.objective(), score.mean_last, score.mean_half_width, score.replicates);
  return {
      {"rank", row.rank},
      {"front", KnownCountJson(row.front)},
      {"trial", trial.number},
      {"configuration", trial.configuration},
      {"state", TrialStateName(trial.state)},
      {"qualifies", score.qualifies},
      {"value", NumberJson(score.metric)},
      {"values", ValuesJson(score.values)},
      {"interval", pair(MetricInterval(spec, score, EvaluationImages(spec)))},
      {"value_epoch", KnownCountJson(ValueOf(spec, result).epoch)},
      {"last", NumberJson(result.Last(spec.objective().name))},
      {"measures", SummariesJson(result.measures)},
      {"mean_last", has_mean ? NumberJson(score.mean_last) : Json(nullptr)},
      {"mean_half_width", score.replicates > 1 ? NumberJson(score.mean_half_width) : Json(nullptr)},
      {"mean_interval", pair(mean)},
      {"replicates", score.replicates},
      {"epochs_to_target", KnownCountJson(score.epochs_to_target)},
      {"network_parameters", KnownCountJson(trial.network_parameters)},
      {"model", trial.model},
      {"gates", GatesJson(score.gates)},
      {"parameters", ParametersJson(trial.parameters)},
      {"defaults", ParametersJson(trial.Defaults())}};
}

// Ranks and fronts by configuration number; those that have none come last.
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

// As it stands in the store, which knows no other order.
absl::StatusOr<RankedPage> WholeRanking(Store* store, const SweepRow& sweep,
                                        const PageRange& range) {
  const absl::StatusOr<std::int64_t> total = store->Read(CountRanked, sweep.id);
  if (!total.ok()) return total.status();
  absl::StatusOr<std::vector<RankedRow>> rows =
      store->Read(SelectRanking, sweep.name, range.offset, static_cast<int>(range.limit));
  if (!rows.ok()) return rows.status();
  // Those without an epoch come last.
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
      store->Read(SelectRankedRows, sweep.id, range.Of(*numbers));
  if (!rows.ok()) return rows.status();
  page.rows = *std::move(rows);
  for (RankedRow& row : page.rows) {
    row.rank = ranks.Of(row.trial.configuration);
    row.front = ranks.FrontOf(row.trial.configuration);
  }
  return page;
}

}  // namespace

Json GatesJson(const std::vector<GateOutcome>& gates) {
  Json array = Json::array();
  for (const GateOutcome& gate : gates) {
    array.push_back({{"gate", gate.gate},
                     {"met", gate.met},
                     {"value", gate.value ? ValueJson(*gate.value) : Json(nullptr)},
                     {"missed_by", NumberJson(gate.missed_by)}});
  }
  return array;
}

bool IsWholeRanking(const ViewQuery& query) {
  const std::string sort = query.Text("sort");
  return (sort.empty() || sort == kByRank) && query.Text("where").empty() &&
         query.Text("state").empty() && query.Text("qualifying").empty();
}

absl::StatusOr<Json> RankingDocument(const ViewContext& context, const SweepRow& sweep,
                                     const LookedAt& looked, const ViewQuery& query) {
  const absl::StatusOr<PageRange> range = query.Page();
  if (!range.ok()) return range.status();
  absl::StatusOr<IndexQuery> parsed = ParseIndexQuery(context, query, looked.spec);
  if (!parsed.ok()) return parsed.status();
  if (query.Text("sort").empty()) parsed->order_by = kByRank;
  parsed->ranked = true;
  parsed->qualifying = query.Text("qualifying") == "1";
  Store* const store = context.options.store;
  const absl::StatusOr<RankedPage> page =
      IsWholeRanking(query) ? WholeRanking(store, sweep, *range)
                            : PartOfRanking(store, sweep, looked, *parsed, *range);
  if (!page.ok()) return page.status();
  Json document = {{"rows", Json::array()}, {"total", page->total}};
  for (const RankedRow& row : page->rows) {
    document["rows"].push_back(RankingRowJson(row, *looked.spec));
  }
  return document;
}

}  // namespace sweep
