#include "coordinator/views/metric_histogram.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace sweep {
namespace {

// Accuracy: kCoarse bins of 0.001 from 0 to 0.9, then bins of 0.0001 up to 1.
constexpr int kCoarse = 900;
constexpr int kFine = 1001;
// Loss: bins of 1 % from kLeastLoss on.
constexpr double kLeastLoss = 1e-6;
constexpr double kStep = 0.00995033085316808;  // log(1.01)
constexpr int kLossBins = 2778;                // up to 1e6

}  // namespace

int MetricHistogram::BinOf(double value) const {
  if (metric_ == Metric::kLoss) {
    if (!(value > kLeastLoss)) return 0;
    const double bin = std::round(std::log(value / kLeastLoss) / kStep);
    return static_cast<int>(std::min(bin, static_cast<double>(kLossBins - 1)));
  }
  const double share = std::clamp(value, 0.0, 1.0);
  if (share < 0.8995) return static_cast<int>(std::lround(share * 1000));
  return kCoarse + std::max(0, static_cast<int>(std::lround((share - 0.9) * 10000)));
}

double MetricHistogram::CentreOf(int bin) const {
  if (metric_ == Metric::kLoss) return kLeastLoss * std::exp(bin * kStep);
  return bin < kCoarse ? bin / 1000.0 : (9000 + bin - kCoarse) / 10000.0;
}

void MetricHistogram::Add(double value) {
  if (std::isnan(value)) return;
  if (bins_.empty()) bins_.resize(metric_ == Metric::kLoss ? kLossBins : kCoarse + kFine);
  ++bins_[static_cast<std::size_t>(BinOf(value))];
  ++count_;
  least_ = std::min(least_, value);
  most_ = std::max(most_, value);
  best_ = metric_ == Metric::kLoss ? least_ : most_;
}

double MetricHistogram::Quantile(double q) const {
  if (count_ == 0) return std::numeric_limits<double>::quiet_NaN();
  const auto rank = std::max<std::int64_t>(
      1, static_cast<std::int64_t>(std::ceil(q * static_cast<double>(count_))));
  std::int64_t seen = 0;
  for (std::size_t bin = 0; bin < bins_.size(); ++bin) {
    seen += bins_[bin];
    if (seen >= rank) return std::clamp(CentreOf(static_cast<int>(bin)), least_, most_);
  }
  return most_;
}

}  // namespace sweep
