#include "common/stats/sequential.h"

#include <algorithm>
#include <cmath>

namespace sweep {
namespace {

constexpr double kDecides = 20;  // evidence: 1 / 0.05

using Verdict = SequentialResult::Verdict;

// The evidence against a mean of 0 of `n` differences: with r = 1 + n and u = t² / (n - 1), the
// square root of ((1 + u) / (1 + u / r))^n / r. An infinite u is that of differences without
// spread.
double EvidenceOf(double u, int n) {
  const double r = 1 + n;
  const double ratio = std::isinf(u) ? r : (1 + u) / (1 + u / r);
  return std::sqrt(std::pow(ratio, n) / r);
}

// The u at which the evidence decides; nullopt where no u is enough.
std::optional<double> DecidingU(int n) {
  const double r = 1 + n;
  const double ratio = std::pow(kDecides * kDecides * r, 1.0 / n);
  if (ratio >= r) return std::nullopt;
  return (ratio - 1) / (1 - ratio / r);
}

Verdict VerdictOf(const SequentialResult& result, double margin) {
  if (!result.interval) return Verdict::kUnknown;
  if (result.evidence >= kDecides) return result.mean > 0 ? Verdict::kPositive : Verdict::kNegative;
  const bool is_within = result.interval->low >= -margin && result.interval->high <= margin;
  return margin > 0 && is_within ? Verdict::kSame : Verdict::kUnknown;
}

}  // namespace

SequentialResult CompareInTurn(const std::vector<double>& differences, double margin) {
  SequentialResult result;
  double squares = 0;  // from the mean, by Welford's update
  for (const double difference : differences) {
    const int n = ++result.pairs;
    const double before = n == 1 ? 0 : result.mean;
    result.mean = before + (difference - before) / n;
    squares += (difference - before) * (difference - result.mean);
    if (n < 2) continue;
    // t² = n · mean² / s², and s² = squares / (n - 1).
    const double shift = n * result.mean * result.mean;
    const double u = squares > 0 ? shift / squares
                     : shift > 0 ? std::numeric_limits<double>::infinity()
                                 : 0;
    result.evidence = EvidenceOf(u, n);
    if (const std::optional<double> deciding = DecidingU(n)) {
      const double half = std::sqrt(*deciding * squares / n);
      result.interval = {result.mean - half, result.mean + half};
    }
    result.verdict = VerdictOf(result, margin);
    if (result.verdict != Verdict::kUnknown) break;
  }
  return result;
}

}  // namespace sweep
