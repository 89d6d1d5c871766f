#pragma once

#include <cstdint>
#include <limits>
#include <map>

namespace sweep {

// The values of a measure that many trials have reported in one epoch, counted in bins: quantiles
// without keeping the values. Bins of a share (all values within [0, 1]) are 0.0001 wide above 0.9
// and 0.001 below, centred on multiples; those of other measures are 1 % wide, on both sides of 0.
// One thread.
class MetricHistogram {
 public:
  MetricHistogram(bool is_share, bool maximize) : is_share_(is_share), maximize_(maximize) {}

  // NaN and infinities do not count: a document cannot show them.
  void Add(double value);
  std::int64_t count() const { return count_; }
  // The value at share `q` of the counted ones (nearest rank), to the width of a bin; NaN when
  // there is none.
  double Quantile(double q) const;
  // Exact; NaN when there is none.
  double best() const;

 private:
  int BinOf(double value) const;
  double CentreOf(int bin) const;

  bool is_share_;
  bool maximize_;
  std::int64_t count_ = 0;
  double least_ = std::numeric_limits<double>::infinity();
  double most_ = -std::numeric_limits<double>::infinity();
  std::map<int, std::uint32_t> bins_;
};

}  // namespace sweep
