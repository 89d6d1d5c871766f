#include "coordinator/stopping/bands_rule.h"

#include <algorithm>
#include <cmath>

#include "fmt/format.h"

namespace sweep {
namespace {

constexpr double kMostIterations = 10'000;
// As there; with an eta close to 1 they would not end.
constexpr int kMostBands = 100;

}  // namespace

std::vector<int> BandsRule::BandsOf(const EarlyTerminate& options) {
  std::vector<int> bands;
  if (options.max_iter > 0) {
    double band = options.max_iter;
    for (int i = 0; i < options.s; ++i) {
      band /= options.eta;
      if (band < 1) break;
      bands.insert(bands.begin(), static_cast<int>(band));
    }
  } else {
    double band = options.min_iter;
    for (int i = 0; i < kMostBands && band <= kMostIterations; ++i) {
      bands.push_back(static_cast<int>(band));
      band *= options.eta;
    }
  }
  bands.erase(std::unique(bands.begin(), bands.end()), bands.end());
  return bands;
}

BandsRule::BandsRule(const EarlyTerminate& options, bool maximize)
    : strict_(options.strict), sign_(maximize ? 1 : -1) {
  for (const int band : BandsOf(options)) {
    bands_.push_back({.iteration = band, .values = BestShare(options.eta, /*extra=*/1)});
  }
}

std::vector<StopDecision> BandsRule::OnEpoch(const Observation& seen) {
  if (!seen.has_value || !std::isfinite(seen.value)) return {};
  Trial& trial = trials_[{seen.configuration, seen.replicate}];
  if (trial.is_stopped) return {};
  const double value = sign_ * seen.value;
  trial.best = trial.reports == 0 ? value : std::max(trial.best, value);
  ++trial.reports;
  const auto next = static_cast<std::size_t>(trial.passed);
  if (next < bands_.size() && trial.reports == bands_[next].iteration) {
    ++trial.passed;
    trial.at_band = value;
    bands_[next].values.Add({.value = value, .order = ++values_});
  }
  if (trial.passed == 0) return {};
  const Band& band = bands_[static_cast<std::size_t>(trial.passed) - 1];
  const double threshold = band.values.Last().value;
  const double judged = strict_ ? trial.at_band : trial.best;
  if (judged >= threshold) return {};
  trial.is_stopped = true;
  return {{.action = StopDecision::Action::kStop,
           .configuration = seen.configuration,
           .replicate = seen.replicate,
           .reason = fmt::format(
               "stopped after epoch {} by hyperband: its {} {:.6g} is worse than {:.6g}, which {} "
               "of {} trials reached at band {}",
               seen.epoch, strict_ ? "value there" : "best value", sign_ * judged,
               sign_ * threshold, band.values.best(), band.values.size(), band.iteration)}};
}

}  // namespace sweep
