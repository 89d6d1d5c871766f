#pragma once

#include <cstdint>
#include <limits>
#include <vector>

namespace sweep {

// A histogram of one measure's values in one epoch over all trials, for quantiles. For a share,
// with values in [0, 1], bins are 0.0001 wide above 0.9 and 0.001 below, centred on multiples. For
// other measures they are 1 % wide, on both sides of 0. Not thread-safe.
class MetricHistogram {
 public:
  MetricHistogram(bool is_share, bool maximize) : is_share_(is_share), maximize_(maximize) {}

  // NaN and infinities do not count: a document cannot show them.
  void Add(double value);
  std::int64_t count() const { return count_; }
  // The quantile `q` by nearest rank, exact to the width of a bin; NaN without values.
  double Quantile(double q) const;
  // Exact; NaN without values.
  double best() const;

 private:
  void Count(int bin);
  int BinOf(double value) const;
  double CentreOf(int bin) const;

  bool is_share_;
  bool maximize_;
  std::int64_t count_ = 0;
  double least_ = std::numeric_limits<double>::infinity();
  double most_ = -std::numeric_limits<double>::infinity();
  // From the lowest bin with a value to the highest one: some 1,400 for values of which one is 10^6
  // times the other, and 8,331 at most.
  std::vector<std::uint32_t> bins_;
  int first_bin_ = 0;
};

}  // namespace sweep
