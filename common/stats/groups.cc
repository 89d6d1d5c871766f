#include "common/stats/groups.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "common/stats/intervals.h"

namespace sweep {
namespace {

constexpr double kRisk = 0.05;  // of telling apart any two that are the same

bool IsKnown(const Estimate& estimate) {
  return std::isfinite(estimate.value) && std::isfinite(estimate.variance);
}

// The largest probability of a pair that Holm's procedure rejects, below 0 when it rejects none.
double LargestRejected(std::vector<double> probabilities) {
  std::sort(probabilities.begin(), probabilities.end());
  double largest = -1;
  for (std::size_t i = 0; i < probabilities.size(); ++i) {
    if (probabilities[i] > kRisk / static_cast<double>(probabilities.size() - i)) break;
    largest = probabilities[i];
  }
  return largest;
}

void RaiseSmallVariances(std::vector<Estimate>* estimates) {
  const auto is_mean = [](const Estimate& one) {
    return IsKnown(one) && std::isfinite(one.degrees);
  };
  std::vector<double> variances;
  for (const Estimate& one : *estimates) {
    if (is_mean(one)) variances.push_back(one.variance);
  }
  if (variances.empty()) return;
  const auto median = variances.begin() + static_cast<std::ptrdiff_t>(variances.size() / 2);
  std::nth_element(variances.begin(), median, variances.end());
  for (Estimate& one : *estimates) {
    if (is_mean(one)) one.variance = std::max(one.variance, *median);
  }
}

}  // namespace

Estimate EstimateOfMean(double mean, double deviation, int runs) {
  if (runs < 2) return {.value = mean};
  return {.value = mean,
          .variance = deviation * deviation / runs,
          .degrees = static_cast<double>(runs - 1)};
}

Estimate EstimateOfShare(double share, std::int64_t n) {
  if (n <= 0) return {.value = share};
  const double count = static_cast<double>(n) + 2;
  const double moved = (share * static_cast<double>(n) + 1) / count;
  return {.value = moved, .variance = moved * (1 - moved) / count};
}

Estimate EstimateOf(const SweepSpec& spec, const ConfigurationScore& score, std::int64_t images) {
  if (score.replicates > 1) {
    return EstimateOfMean(score.mean_last, DeviationOfLast(score), score.replicates);
  }
  // Beside means of last epochs the best epoch of one run would be too good.
  const double value = spec.replicates > 1 ? score.mean_last : score.metric;
  if (CanonicalMeasure(spec.objective().name) != kValidationAccuracy) return {.value = value};
  return EstimateOfShare(value, images);
}

double DifferenceProbability(const Estimate& a, const Estimate& b) {
  if (!IsKnown(a) || !IsKnown(b)) return std::numeric_limits<double>::quiet_NaN();
  const double distance = std::fabs(a.value - b.value);
  const double variance = a.variance + b.variance;
  if (variance <= 0) return distance > 0 ? 0 : 1;
  // Welch and Satterthwaite's degrees of freedom.
  const double shares = a.variance * a.variance / a.degrees + b.variance * b.variance / b.degrees;
  const double degrees =
      shares > 0 ? variance * variance / shares : std::numeric_limits<double>::infinity();
  return 2 * StudentUpperTail(distance / std::sqrt(variance), degrees);
}

std::vector<std::optional<int>> GroupsOf(const std::vector<Estimate>& given) {
  std::vector<Estimate> best_first = given;
  RaiseSmallVariances(&best_first);
  std::vector<std::size_t> known;
  for (std::size_t i = 0; i < best_first.size(); ++i) {
    if (IsKnown(best_first[i])) known.push_back(i);
  }
  std::vector<double> probabilities;
  for (std::size_t i = 0; i < known.size(); ++i) {
    for (std::size_t j = i + 1; j < known.size(); ++j) {
      probabilities.push_back(DifferenceProbability(best_first[known[i]], best_first[known[j]]));
    }
  }
  const double largest = LargestRejected(std::move(probabilities));
  std::vector<std::optional<int>> groups(best_first.size());
  int group = 0;
  std::size_t leader = 0;
  for (const std::size_t i : known) {
    if (group == 0 || DifferenceProbability(best_first[leader], best_first[i]) <= largest) {
      ++group;
      leader = i;
    }
    groups[i] = group;
  }
  return groups;
}

}  // namespace sweep
