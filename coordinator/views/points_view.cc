// One row per trial: history, parallel coordinates, slices, Pareto front.

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include "common/stats/objective.h"
#include "coordinator/views/view_context.h"
#include "proto/documents/print_json.h"

namespace sweep {
namespace {

constexpr std::int64_t kMaxRows = 2000;
constexpr std::size_t kBest = 200;
// The number of records and of points of the front; of more, the last ones are kept.
constexpr std::size_t kMaxMarked = 500;

// A fixed pseudo-random order, so that repeated requests sample the same trials (the finaliser of
// splitmix64, Steele et al. 2014).
std::uint64_t Shuffled(std::uint64_t value) {
  value += 0x9e3779b97f4a7c15;
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
  value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
  return value ^ (value >> 31);
}

// Chooses the trials that are shown.
class Sample {
 public:
  explicit Sample(const SweepIndex& index) : index_(index), objective_(index.spec().objective()) {
    for (std::size_t row = 0; row < index.trials().size(); ++row) {
      const IndexedTrial& trial = index.trials()[row];
      if (trial.state == TrialState::kDiverged) {
        diverged_.push_back(row);
      } else if (!std::isnan(trial.best)) {
        rows_.push_back(row);
      }
    }
  }

  std::size_t total() const { return rows_.size() + diverged_.size(); }

  // Trials that were the best so far, by number; the last one is the best of all. As in a ranking,
  // qualifying trials come before the metric, and only trials that represent their configuration
  // count.
  std::vector<std::size_t> Records() const {
    std::vector<std::size_t> records;
    std::pair<bool, double> best(false, kNothing);
    for (std::size_t row = 0; row < index_.trials().size(); ++row) {
      const IndexedTrial& trial = index_.trials()[row];
      if (!trial.IsRanked() || std::isnan(trial.metric)) continue;
      const std::pair<bool, double> merit(trial.qualifies, -CostOf(objective_, trial.metric));
      if (merit <= best) continue;
      best = merit;
      records.push_back(row);
    }
    return Latest(std::move(records));
  }

  // The Pareto front over the network's size: each trial is better than all smaller ones.
  std::vector<std::size_t> Front() const {
    std::map<std::int64_t, std::size_t> best_of_size;  // the first one of the best
    for (const std::size_t row : rows_) {
      const auto [place, is_new] =
          best_of_size.try_emplace(index_.trials()[row].network_parameters, row);
      if (!is_new && Merit(row) > Merit(place->second)) place->second = row;
    }
    std::vector<std::size_t> front;
    double best = kNothing;
    for (const auto& [size, row] : best_of_size) {
      if (Merit(row) <= best) continue;
      best = Merit(row);
      front.push_back(row);
    }
    return Latest(std::move(front));
  }

  // Records and front, the best trials, and others up to `limit`, by number.
  std::vector<std::size_t> Shown(const std::vector<std::size_t>& records,
                                 const std::vector<std::size_t>& front, std::size_t limit) const {
    std::vector<std::size_t> all;
    std::merge(rows_.begin(), rows_.end(), diverged_.begin(), diverged_.end(),
               std::back_inserter(all));
    if (all.size() <= limit) return all;
    std::set<std::size_t> shown(records.begin(), records.end());
    shown.insert(front.begin(), front.end());
    const auto best =
        Ordered(rows_, std::min(kBest, limit), [this](std::size_t row) { return -Merit(row); });
    shown.insert(best.begin(), best.end());
    const auto others =
        Ordered(std::move(all), limit, [](std::size_t row) { return Shuffled(row); });
    for (const std::size_t row : others) {
      if (shown.size() >= limit) break;
      shown.insert(row);
    }
    return {shown.begin(), shown.end()};
  }

 private:
  static constexpr double kNothing = -std::numeric_limits<double>::infinity();

  // More is better.
  double Merit(std::size_t row) const { return -CostOf(objective_, index_.trials()[row].best); }

  static std::vector<std::size_t> Latest(std::vector<std::size_t> rows) {
    if (rows.size() > kMaxMarked) rows.erase(rows.begin(), rows.end() - kMaxMarked);
    return rows;
  }

  // The first `count` by `key`, then by number.
  template <typename Key>
  static std::vector<std::size_t> Ordered(std::vector<std::size_t> rows, std::size_t count,
                                          Key key) {
    count = std::min(count, rows.size());
    std::partial_sort(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(count), rows.end(),
                      [&key](std::size_t a, std::size_t b) {
                        const auto key_a = key(a);
                        const auto key_b = key(b);
                        return key_a != key_b ? key_a < key_b : a < b;
                      });
    rows.resize(count);
    return rows;
  }

  const SweepIndex& index_;
  const Objective objective_;
  std::vector<std::size_t> rows_;      // with a measured epoch
  std::vector<std::size_t> diverged_;  // shown without values
};

// Appends the cells of a row in the order of the columns.
class RowWriter {
 public:
  RowWriter(int columns, documents::PointsView::Row* row) : row_(*row) {
    row_.mutable_cells()->Reserve(columns);
  }

  void Add(documents::Value value) { *row_.add_cells() = std::move(value); }
  void AddNothing() { row_.add_cells(); }
  void AddNumber(double number) { row_.add_cells()->set_number(RoundToSixDigits(number)); }
  void AddInteger(std::int64_t number) { row_.add_cells()->set_integer(number); }
  void AddFlag(bool flag) { row_.add_cells()->set_flag(flag); }
  void AddText(std::string_view text) { row_.add_cells()->set_text(std::string(text)); }
  // Null for 0, which means that there is no value.
  void AddCount(std::int64_t count) { count > 0 ? AddInteger(count) : AddNothing(); }

 private:
  documents::PointsView::Row& row_;
};

void AddRow(const SweepIndex& index, const std::string& measure,
            const std::vector<ViewDimension>& dimensions, const SweepIndex::Getter& source_of,
            std::size_t row, documents::PointsView* view) {
  const IndexedTrial& trial = index.trials()[row];
  RowWriter cells(view->columns_size(), view->add_rows());
  const bool diverged = trial.state == TrialState::kDiverged;
  const auto add_measured = [&cells, diverged](double value) {
    diverged ? cells.AddNothing() : cells.AddNumber(value);
  };
  cells.AddInteger(static_cast<std::int64_t>(row) + 1);
  const MeasureSummary summary = index.SummaryOf(row, measure);
  add_measured(summary.Best(index.DirectionOf(measure)));
  add_measured(summary.last);
  cells.AddCount(trial.epochs_to_target);
  cells.AddCount(trial.network_parameters);
  cells.AddFlag(trial.qualifies);
  cells.AddText(TrialStateName(trial.state));
  trial.IsRanked() ? cells.AddNumber(trial.metric) : add_measured(trial.own_metric);
  const std::optional<Value> source = source_of(row);
  source ? cells.Add(DocumentValue(*source)) : cells.AddNothing();
  for (const ViewDimension& dimension : dimensions) {
    const std::optional<Value> value = index.ParameterOf(row, dimension.parameter);
    const double* const number = value ? std::get_if<double>(&*value) : nullptr;
    // The page looks a category up among those of the dimension, which are not rounded.
    if (number != nullptr && dimension.kind != documents::Dimension::KIND_CATEGORY) {
      cells.AddNumber(*number);
    } else {
      value ? cells.Add(DocumentValue(*value)) : cells.AddNothing();
    }
  }
}

documents::PointsView Points(const SweepIndex& index, const std::string& measure,
                             std::size_t limit) {
  documents::PointsView view;
  const std::vector<ViewDimension> dimensions = DimensionsOf(index.spec());
  for (const char* column : {"trial", "best", "last", "epochs_to_target", "network_parameters",
                             "qualifies", "state", "value", "chosen_source"}) {
    view.add_columns(column);
  }
  for (const ViewDimension& dimension : dimensions) view.add_columns(dimension.name);
  const Sample sample(index);
  const std::vector<std::size_t> records = sample.Records();
  const std::vector<std::size_t> front = sample.Front();
  const std::vector<std::size_t> shown = sample.Shown(records, front, limit);
  view.set_metric(measure);
  *view.mutable_measures() = DescribeMeasures(index.spec(), index.Measures());
  *view.mutable_dimensions() = DescribeDimensions(index.spec());
  view.set_total(static_cast<std::int64_t>(sample.total()));
  view.set_sampled(shown.size() < sample.total());
  const SweepIndex::Getter source_of =
      index.Find(std::string(kTrialPrefix).append("chosen_source"));
  for (const std::size_t row : shown) AddRow(index, measure, dimensions, source_of, row, &view);
  for (const std::size_t row : records) view.add_records(static_cast<std::int64_t>(row) + 1);
  for (const std::size_t row : front) view.add_front(static_cast<std::int64_t>(row) + 1);
  return view;
}

}  // namespace

absl::StatusOr<documents::PointsView> PointsDocument(const LookedAt& looked,
                                                     const ViewQuery& query) {
  const absl::StatusOr<std::int64_t> limit = query.Int("limit", 1000, 1, kMaxRows);
  if (!limit.ok()) return limit.status();
  const absl::StatusOr<std::string> measure = MeasureOf(*looked.spec, query);
  if (!measure.ok()) return measure.status();
  return looked.index.entry->Look([&](const SweepIndex& index) {
    // Fewer rows when there are many columns, to limit the size of the answer.
    const std::int64_t columns = 9 + std::ssize(DimensionsOf(index.spec()));
    const std::int64_t fitting = static_cast<std::int64_t>(kMaxDocumentBytes) / (10 * columns);
    return Points(index, *measure,
                  static_cast<std::size_t>(std::min(*limit, std::max<std::int64_t>(fitting, 300))));
  });
}

}  // namespace sweep
