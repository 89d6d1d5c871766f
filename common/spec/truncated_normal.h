#pragma once

namespace sweep {

// A normal distribution without what lies outside two ends. An end may be infinite; it then lies at
// kReach standard deviations, beyond which one draw in 10^15 would fall.
class TruncatedNormal {
 public:
  static constexpr double kReach = 8;

  // Requires sigma > 0 and low <= high.
  TruncatedNormal(double mu, double sigma, double low, double high);

  double low() const { return low_; }
  double high() const { return high_; }
  // The share of the whole normal distribution that lies between the ends.
  double mass() const { return mass_; }
  // The number at u in [0, 1], and its inverse, which numbers outside the ends have at 0 and 1.
  double Quantile(double u) const;
  double Cdf(double x) const;

 private:
  const double mu_;
  const double sigma_;
  double low_;
  double high_;
  // Measured from the end whose tail is the smaller one, where doubles are finer than near 1.
  bool from_above_ = false;
  double start_ = 0;  // the tail outside that end
  double mass_ = 0;
};

}  // namespace sweep
