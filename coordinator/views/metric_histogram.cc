#include "coordinator/views/metric_histogram.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace sweep {
namespace {

// Shares: kCoarse bins of 0.001 from 0 to 0.9, then bins of 0.0001 up to 1.
constexpr int kCoarse = 900;
// Other measures: bin 0 is around 0. The other bins are 1 % wide and begin at kLeast; negative
// values have negative bins.
constexpr double kLeast = 1e-6;
constexpr double kMost = 1e12;
constexpr double kStep = 0.00995033085316808;  // log(1.01)

}  // namespace

int MetricHistogram::BinOf(double value) const {
  if (is_share_) {
    const double share = std::clamp(value, 0.0, 1.0);
    if (share < 0.8995) return static_cast<int>(std::lround(share * 1000));
    return kCoarse + std::max(0, static_cast<int>(std::lround((share - 0.9) * 10000)));
  }
  const double size = std::min(std::fabs(value), kMost);
  if (size <= kLeast) return 0;
  const int bin = 1 + static_cast<int>(std::lround(std::log(size / kLeast) / kStep));
  return value < 0 ? -bin : bin;
}

double MetricHistogram::CentreOf(int bin) const {
  if (is_share_) return bin < kCoarse ? bin / 1000.0 : (9000 + bin - kCoarse) / 10000.0;
  if (bin == 0) return 0;
  const double size = kLeast * std::exp((std::abs(bin) - 1) * kStep);
  return bin < 0 ? -size : size;
}

void MetricHistogram::Add(double value) {
  if (!std::isfinite(value)) return;
  Count(BinOf(value));
  ++count_;
  least_ = std::min(least_, value);
  most_ = std::max(most_, value);
}

void MetricHistogram::Count(int bin) {
  if (bins_.empty()) first_bin_ = bin;
  if (bin < first_bin_) {
    bins_.insert(bins_.begin(), static_cast<std::size_t>(first_bin_ - bin), 0);
    first_bin_ = bin;
  }
  const auto place = static_cast<std::size_t>(bin - first_bin_);
  if (place >= bins_.size()) bins_.resize(place + 1);
  ++bins_[place];
}

double MetricHistogram::best() const {
  if (count_ == 0) return std::numeric_limits<double>::quiet_NaN();
  return maximize_ ? most_ : least_;
}

double MetricHistogram::Quantile(double q) const {
  if (count_ == 0) return std::numeric_limits<double>::quiet_NaN();
  const auto rank = std::max<std::int64_t>(
      1, static_cast<std::int64_t>(std::ceil(q * static_cast<double>(count_))));
  std::int64_t seen = 0;
  for (std::size_t i = 0; i < bins_.size(); ++i) {
    seen += bins_[i];
    if (seen >= rank) {
      return std::clamp(CentreOf(first_bin_ + static_cast<int>(i)), least_, most_);
    }
  }
  return most_;
}

}  // namespace sweep
