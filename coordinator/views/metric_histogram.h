#pragma once

#include <cstdint>
#include <limits>
#include <vector>

namespace sweep {

// The values that many trials have measured in one epoch, counted in fixed bins: quantiles without
// keeping the values. Bins of an accuracy are 0.0001 wide above 0.9 and 0.001 below, centred on
// multiples; those of a loss are 1 % wide from 1e-6 to 1e6. One thread.
class MetricHistogram {
 public:
  enum class Metric { kAccuracy, kLoss };
  explicit MetricHistogram(Metric metric) : metric_(metric) {}

  // NaN is no value; what is outside the bins counts in the first or last.
  void Add(double value);
  std::int64_t count() const { return count_; }
  // The value at share `q` of the counted ones (nearest rank), to the width of a bin; NaN when
  // there is none.
  double Quantile(double q) const;
  // Exact: the highest accuracy, or the lowest loss.
  double best() const { return best_; }

 private:
  int BinOf(double value) const;
  double CentreOf(int bin) const;

  Metric metric_;
  std::int64_t count_ = 0;
  double best_ = std::numeric_limits<double>::quiet_NaN();
  double least_ = std::numeric_limits<double>::infinity();
  double most_ = -std::numeric_limits<double>::infinity();
  std::vector<std::uint32_t> bins_;  // made with the first value
};

}  // namespace sweep
