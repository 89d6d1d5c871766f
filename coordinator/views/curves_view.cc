// Curves over epochs: quantile bands of all trials, and curves of some.

#include <algorithm>
#include <limits>
#include <map>
#include <span>
#include <utility>

#include "common/stats/objective.h"
#include "coordinator/store/queries.h"
#include "coordinator/views/view_context.h"

namespace sweep {
namespace {

constexpr int kMaxCurves = 200;
// Limits the size of the answer.
constexpr std::int64_t kMaxValues = 20'000;

struct Chosen {
  std::int64_t number = 0;
  TrialState state = TrialState::kPending;
  bool qualifies = false;
  documents::CurvesView::Reason reason = documents::CurvesView::REASON_BEST;
};

// Adds nothing for a measure without bands.
void AddBands(const SweepIndex& index, const std::string& measure, documents::CurvesView* view) {
  const std::vector<std::string> banded = BandedMeasures(index.spec());
  const auto place = std::find(banded.begin(), banded.end(), measure);
  if (place == banded.end()) return;
  for (const auto& [epoch, band] : index.bands()) {
    const MetricHistogram& values = band[static_cast<std::size_t>(place - banded.begin())];
    if (values.count() == 0) continue;
    documents::CurvesView::Band* const made = view->add_bands();
    made->set_epoch(epoch);
    made->set_count(values.count());
    made->set_p5(values.Quantile(0.05));
    made->set_p25(values.Quantile(0.25));
    made->set_p50(values.Quantile(0.5));
    made->set_p75(values.Quantile(0.75));
    made->set_p95(values.Quantile(0.95));
    made->set_best(values.best());
  }
}

// Chooses the trials whose curves are shown: half of them the best, a quarter running, the rest the
// latest. Each trial appears once.
class Choice {
 public:
  Choice(const SweepIndex& index, const std::string& measure, std::size_t limit)
      : index_(index), measure_(measure), direction_(index.DirectionOf(measure)), limit_(limit) {}

  std::vector<Chosen> Make() {
    const std::vector<std::size_t> measured = Measured();
    Take(Best(measured), documents::CurvesView::REASON_BEST, (limit_ + 1) / 2);
    std::vector<std::size_t> running;
    for (const std::size_t row : measured) {
      if (index_.trials()[row].state == TrialState::kRunning) running.push_back(row);
    }
    std::reverse(running.begin(), running.end());
    Take(running, documents::CurvesView::REASON_RUNNING, limit_ - limit_ / 4);
    Take({measured.rbegin(), measured.rend()}, documents::CurvesView::REASON_LATEST, limit_);
    return chosen_;
  }

 private:
  std::vector<std::size_t> Measured() const {
    std::vector<std::size_t> rows;
    for (std::size_t row = 0; row < index_.trials().size(); ++row) {
      if (index_.trials()[row].epoch > 0) rows.push_back(row);
    }
    return rows;
  }

  // The rows with the lowest cost, the first ones of equal cost.
  std::vector<std::size_t> Best(const std::vector<std::size_t>& rows) const {
    const Objective objective = {.name = measure_, .maximize = direction_ > 0};
    const std::span<const MeasureSummary> summaries = index_.SummariesOf(measure_);
    std::vector<std::pair<double, std::size_t>> costs;
    for (const std::size_t row : rows) {
      const MeasureSummary summary = SummaryAt(summaries, row);
      costs.emplace_back(CostOf(objective, summary.Best(direction_)), row);
    }
    const std::size_t count = std::min(rows.size(), limit_);
    std::partial_sort(costs.begin(), costs.begin() + static_cast<std::ptrdiff_t>(count),
                      costs.end());
    std::vector<std::size_t> first;
    for (std::size_t i = 0; i < count; ++i) first.push_back(costs[i].second);
    return first;
  }

  void Take(const std::vector<std::size_t>& rows, documents::CurvesView::Reason reason,
            std::size_t up_to) {
    for (const std::size_t row : rows) {
      if (chosen_.size() >= up_to) return;
      const auto number = static_cast<std::int64_t>(row) + 1;
      const bool is_there =
          std::any_of(chosen_.begin(), chosen_.end(),
                      [number](const Chosen& other) { return other.number == number; });
      if (is_there) continue;
      const IndexedTrial& trial = index_.trials()[row];
      chosen_.push_back({number, trial.state, trial.qualifies, reason});
    }
  }

  const SweepIndex& index_;
  const std::string measure_;
  const int direction_;
  const std::size_t limit_;
  std::vector<Chosen> chosen_;
};

// The first acknowledged value of every epoch, per trial.
std::map<std::int64_t, std::vector<double>> ValuesOf(const std::vector<MeasuredEpoch>& rows) {
  std::map<std::int64_t, std::vector<double>> values;
  for (const MeasuredEpoch& row : rows) {
    std::vector<double>& curve = values[row.number];
    const auto epoch = static_cast<std::size_t>(row.epoch);
    if (epoch <= curve.size()) continue;
    curve.resize(epoch - 1, std::numeric_limits<double>::quiet_NaN());
    curve.push_back(row.values.front());
  }
  return values;
}

}  // namespace

absl::StatusOr<documents::CurvesView> CurvesDocument(const ViewContext& context,
                                                     const SweepRow& sweep, const LookedAt& looked,
                                                     const ViewQuery& query) {
  const absl::StatusOr<std::string> measure = MeasureOf(*looked.spec, query);
  if (!measure.ok()) return measure.status();
  const absl::StatusOr<std::int64_t> asked = query.Int("limit", 60, 1, kMaxCurves);
  if (!asked.ok()) return asked.status();
  const int epochs = std::max(looked.spec->epochs, 1);
  const std::int64_t limit = std::clamp<std::int64_t>(kMaxValues / epochs, 1, *asked);
  documents::CurvesView view;
  view.set_metric(*measure);
  view.set_epochs(epochs);
  view.set_ready(looked.index.ready);
  const std::vector<Chosen> chosen = looked.index.entry->Look([&](const SweepIndex& index) {
    view.set_total_trials(index.measured());
    *view.mutable_measures() = DescribeMeasures(index.spec(), index.Measures());
    AddBands(index, *measure, &view);
    return Choice(index, *measure, static_cast<std::size_t>(limit)).Make();
  });
  std::vector<KnownTrial> numbers;
  for (const Chosen& trial : chosen) numbers.push_back({.number = trial.number});
  const absl::StatusOr<std::vector<MeasuredEpoch>> rows =
      context.options.store->Read(SelectNewEpochs, sweep.id, numbers, {*measure});
  if (!rows.ok()) return rows.status();
  const std::map<std::int64_t, std::vector<double>> values = ValuesOf(*rows);
  for (const Chosen& trial : chosen) {
    const auto found = values.find(trial.number);
    if (found == values.end()) continue;
    documents::CurvesView::Curve* const curve = view.add_curves();
    curve->set_trial(trial.number);
    curve->set_state(StateOf(trial.state));
    curve->set_qualifies(trial.qualifies);
    curve->set_reason(trial.reason);
    curve->mutable_values()->Add(found->second.begin(), found->second.end());
  }
  return view;
}

}  // namespace sweep
