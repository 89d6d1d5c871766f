#include "common/spec/truncated_normal.h"

#include <algorithm>
#include <cmath>

#include "common/base/normal.h"

namespace sweep {

TruncatedNormal::TruncatedNormal(double mu, double sigma, double low, double high)
    : mu_(mu),
      sigma_(sigma),
      low_(std::isinf(low) ? mu - kReach * sigma : low),
      high_(std::isinf(high) ? mu + kReach * sigma : high) {
  const double from = (low_ - mu) / sigma, to = (high_ - mu) / sigma;
  from_above_ = from + to > 0;
  start_ = NormalCdf(from_above_ ? -to : from);
  mass_ = NormalCdf(from_above_ ? -from : to) - start_;
}

double TruncatedNormal::Quantile(double u) const {
  if (u <= 0) return low_;
  if (u >= 1) return high_;
  const double z = NormalQuantile(start_ + (from_above_ ? 1 - u : u) * mass_);
  return std::clamp(mu_ + sigma_ * (from_above_ ? -z : z), low_, high_);
}

double TruncatedNormal::Cdf(double x) const {
  if (x <= low_) return 0;
  if (x >= high_) return 1;
  const double z = (x - mu_) / sigma_;
  const double share = (NormalCdf(from_above_ ? -z : z) - start_) / mass_;
  return std::clamp(from_above_ ? 1 - share : share, 0.0, 1.0);
}

}  // namespace sweep
