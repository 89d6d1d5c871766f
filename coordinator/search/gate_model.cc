#include "coordinator/search/gate_model.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "coordinator/search/excess_values.h"

namespace sweep {
namespace {

constexpr double kWholeDoubt = 1.959964;  // deviations, for 95 %
constexpr std::size_t kLeastFitted = 40;
// Wide: with the search's, which takes runs of one configuration for alike, boxes promise too much
// where few noisy runs are known (robust_region_test.cc).
constexpr NoisePrior kNoisePrior = {.power = 0.5, .rate = 5};
// Runs that a first, coarse model looks at, to choose among them.
constexpr std::size_t kMostLookedAt = 4000;

double Normal(double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); }

// At most `most`, evenly spread over the list, in its order.
template <typename T>
std::vector<T> Evenly(const std::vector<T>& all, std::size_t most) {
  if (all.size() <= most) return all;
  std::vector<T> chosen;
  for (std::size_t i = 0; i < most; ++i) chosen.push_back(all[i * all.size() / most]);
  return chosen;
}

}  // namespace

GateModel::GateModel(std::vector<GaussianAxis> axes, std::size_t gates,
                     const std::vector<Run>& runs)
    : axes_(std::move(axes)),
      // The time of a fit grows with its cube.
      most_fitted_(
          std::max(kLeastFitted, static_cast<std::size_t>(static_cast<double>(kMostFitted) /
                                                          std::cbrt(static_cast<double>(gates))))) {
  for (std::size_t gate = 0; gate < gates; ++gate) {
    gates_.push_back({.process = GaussianProcess(axes_)});
  }
  Build(Choose(runs));
}

std::vector<const GateModel::Run*> GateModel::Choose(const std::vector<Run>& runs) const {
  std::vector<const Run*> all;
  for (const Run& run : runs) all.push_back(&run);
  if (all.size() <= kMostPoints) return all;
  all = Evenly(all, kMostLookedAt);
  GateModel coarse(axes_, gates_.size(), [&] {
    std::vector<Run> some;
    for (const Run* const run : Evenly(all, most_fitted_)) some.push_back(*run);
    return some;
  }());
  std::vector<GaussianPoint> points;
  for (const Run* const run : all) points.push_back(run->point);
  const std::vector<Chance> chances = coarse.Predict(points);
  std::vector<std::size_t> order(all.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return chances[a].mean > chances[b].mean; });
  const auto half = order.begin() + kMostPoints / 2;
  std::vector<std::size_t> others(half, order.end());
  std::sort(others.begin(), others.end());
  others = Evenly(others, kMostPoints / 2);
  order.erase(half, order.end());
  order.insert(order.end(), others.begin(), others.end());
  std::sort(order.begin(), order.end());
  std::vector<const Run*> chosen;
  for (const std::size_t i : order) chosen.push_back(all[i]);
  return chosen;
}

void GateModel::Build(const std::vector<const Run*>& runs) {
  const std::vector<const Run*> fitted = Evenly(runs, most_fitted_);
  for (std::size_t gate = 0; gate < gates_.size(); ++gate) {
    std::vector<double> excesses;
    for (const Run* const run : runs) excesses.push_back(run->excesses[gate]);
    const ExcessValues values = CompressExcesses(std::move(excesses));
    GaussianData data;
    const std::vector<double> all(values.values.begin(), values.values.end());
    data.values = Evenly(all, most_fitted_);
    for (const Run* const run : fitted) data.points.push_back(run->point);
    data.counts.assign(fitted.size(), 1);
    GaussianProcess& process = gates_[gate].process;
    process.Reset(FitGaussianProcess(axes_, data, kNoisePrior));
    for (const Run* const run : runs) process.Add(run->point, 1);
    process.SetValues(values.values);
    gates_[gate].limit = values.limit;
  }
}

std::vector<GateModel::Chance> GateModel::Predict(const std::vector<GaussianPoint>& points) const {
  std::vector<Chance> chances(points.size(), {.mean = 1, .low = 1, .least = 1, .most = 1});
  for (const Gate& gate : gates_) {
    const GaussianProcess::Predictions predictions = gate.process.Predict(points);
    const double noise = gate.process.noise();
    for (std::size_t i = 0; i < points.size(); ++i) {
      const double distance = gate.limit - predictions.means(static_cast<int>(i));
      const double variance = predictions.variances(static_cast<int>(i));
      const double deviation = std::sqrt(variance);
      const auto if_worse_by = [&](double deviations) {
        return Normal((distance - deviations * deviation) / std::sqrt(noise));
      };
      chances[i].mean *= Normal(distance / std::sqrt(variance + noise));
      chances[i].low *= if_worse_by(kDoubt);
      chances[i].least *= if_worse_by(kWholeDoubt);
      chances[i].most *= if_worse_by(-kWholeDoubt);
    }
  }
  return chances;
}

}  // namespace sweep
