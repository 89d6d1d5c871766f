#include "common/stats/importance.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>

#include "common/base/normal.h"

namespace sweep {
namespace {

constexpr double kTopShare = 0.1;
constexpr std::size_t kLeastTop = 2;
constexpr std::size_t kGridSteps = 50;
constexpr double kPriorWeight = 1;
constexpr double kTiny = 1e-12;
// Keeps at least 90 % of a kernel within a grid cell.
constexpr double kLeastSigma = 0.5 / 1.64;

using Counts = std::vector<double>;  // trials per grid point or category

// The highest cost of the top trials.
double Cutoff(std::vector<double> costs) {
  const auto count = static_cast<double>(costs.size());
  const auto top = static_cast<std::size_t>(std::ceil(kTopShare * count));
  const auto nth = costs.begin() + static_cast<std::ptrdiff_t>(std::max(top, kLeastTop) - 1);
  std::nth_element(costs.begin(), nth, costs.end());
  return *nth;
}

std::size_t GridSize(const ImportanceDimension& dimension) {
  if (dimension.categories > 0) return dimension.categories;
  const double range = dimension.high - dimension.low;
  double steps = static_cast<double>(kGridSteps);
  if (dimension.integer && dimension.log) {
    steps = std::ceil(std::log2(range + 1)) + 1;
  } else if (dimension.step > 0) {
    steps = std::round(range / dimension.step) + 1;
  }
  return static_cast<std::size_t>(std::clamp(steps, 2.0, static_cast<double>(kGridSteps)));
}

// The grid index of each trial; -1 without a value.
std::vector<int> GridIndices(const ImportanceDimension& dimension, std::size_t size) {
  const auto scaled = [&dimension](double x) { return dimension.log ? std::log(x) : x; };
  const double low = scaled(dimension.low);
  const double width = (scaled(dimension.high) - low) / static_cast<double>(size - 1);
  std::vector<int> indices;
  indices.reserve(dimension.values.size());
  for (const double value : dimension.values) {
    double index = value;
    if (dimension.categories == 0) index = std::ceil((scaled(value) - low) / width - 0.5);
    const double last = static_cast<double>(size - 1);
    indices.push_back(std::isnan(index) ? -1 : static_cast<int>(std::clamp(index, 0.0, last)));
  }
  return indices;
}

// Scott's rule, made robust against outliers by the quartiles (D. W. Scott, "Multivariate Density
// Estimation", 1992, equation 3.31).
double Bandwidth(const Counts& counts, double total) {
  std::vector<std::size_t> points;
  std::vector<double> cumulated;
  double mean = 0, sum = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] == 0) continue;
    points.push_back(i);
    mean += static_cast<double>(i) * counts[i] / total;
    cumulated.push_back(sum += counts[i]);
  }
  double squares = 0;
  for (const std::size_t i : points) {
    squares += (static_cast<double>(i) - mean) * (static_cast<double>(i) - mean) * counts[i];
  }
  const double sigma = std::sqrt(squares / std::max(1.0, total - 1));
  const auto lower = std::lower_bound(cumulated.begin(), cumulated.end(), std::floor(total / 4));
  const auto upper =
      std::upper_bound(cumulated.begin(), cumulated.end(), std::floor(total * 3 / 4));
  const auto last = std::ssize(points) - 1;
  const auto first_quarter = points[static_cast<std::size_t>(lower - cumulated.begin())];
  const auto third_quarter =
      points[static_cast<std::size_t>(std::min(upper - cumulated.begin(), last))];
  const double range = static_cast<double>(third_quarter) - static_cast<double>(first_quarter);
  return std::max(1.059 * std::min(range / 1.34, sigma) * std::pow(total, -0.2), kLeastSigma);
}

// Adds `weight` times a normal density that is cut off at the ends of the grid.
void AddKernel(double weight, double mu, double sigma, std::vector<double>* density) {
  const double end = static_cast<double>(density->size()) - 0.5;
  const double mass = NormalCdf((end - mu) / sigma) - NormalCdf((-0.5 - mu) / sigma);
  for (std::size_t i = 0; i < density->size(); ++i) {
    const double x = static_cast<double>(i);
    (*density)[i] +=
        weight / mass * (NormalCdf((x + 0.5 - mu) / sigma) - NormalCdf((x - 0.5 - mu) / sigma));
  }
}

std::vector<double> NumberDensity(const Counts& counts) {
  const double total = std::accumulate(counts.begin(), counts.end(), 0.0);
  std::vector<double> density(counts.size());
  const double sigma = Bandwidth(counts, total);
  const double weights = total + kPriorWeight;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] > 0) AddKernel(counts[i] / weights, static_cast<double>(i), sigma, &density);
  }
  const double size = static_cast<double>(counts.size());
  AddKernel(kPriorWeight / weights, 0.5 * (size - 1), size, &density);
  return density;
}

// Each category that occurs is a kernel, which gives a small share to all other categories.
std::vector<double> CategoryDensity(const Counts& counts) {
  const double total = std::accumulate(counts.begin(), counts.end(), 0.0);
  const auto occurring = static_cast<double>(
      std::count_if(counts.begin(), counts.end(), [](double count) { return count > 0; }));
  const double base = kPriorWeight / (occurring + 1);
  const double categories = static_cast<double>(counts.size());
  const double mass = 1 + categories * base;
  std::vector<double> density(counts.size());
  for (std::size_t i = 0; i < counts.size(); ++i) {
    density[i] = (counts[i] * (1 + base) + (total - counts[i]) * base) / mass;
    density[i] = (density[i] + kPriorWeight / categories) / (total + kPriorWeight);
  }
  return density;
}

// The Pearson divergence of the top trials' density from that of all trials.
double Divergence(const ImportanceDimension& dimension, const std::vector<double>& costs,
                  double cutoff) {
  const std::size_t size = GridSize(dimension);
  if (size < 2 || (dimension.categories == 0 && !(dimension.high > dimension.low))) return 0;
  const std::vector<int> indices = GridIndices(dimension, size);
  Counts all(size), top(size);
  double top_total = 0;
  for (std::size_t trial = 0; trial < costs.size(); ++trial) {
    if (indices[trial] < 0) continue;
    const auto index = static_cast<std::size_t>(indices[trial]);
    ++all[index];
    // The cutoff is infinite when few trials gave a finite cost; then only these are the top.
    if (costs[trial] > cutoff || !std::isfinite(costs[trial])) continue;
    ++top[index];
    ++top_total;
  }
  if (top_total == 0) return 0;
  const bool is_category = dimension.categories > 0;
  const std::vector<double> all_density = is_category ? CategoryDensity(all) : NumberDensity(all);
  const std::vector<double> top_density = is_category ? CategoryDensity(top) : NumberDensity(top);
  double divergence = 0;
  for (std::size_t i = 0; i < size; ++i) {
    const double local = all_density[i] + kTiny;
    const double ratio = (top_density[i] + kTiny) / local - 1;
    divergence += local * ratio * ratio;
  }
  return divergence;
}

}  // namespace

std::vector<Importance> PedAnova(const std::vector<ImportanceDimension>& dimensions,
                                 const std::vector<double>& costs) {
  if (costs.size() <= kLeastTop) return {};
  const double cutoff = Cutoff(costs);
  std::vector<Importance> importances;
  double sum = 0;
  for (const ImportanceDimension& dimension : dimensions) {
    importances.push_back({dimension.name, Divergence(dimension, costs, cutoff)});
    sum += importances.back().share;
  }
  if (!(sum > 0)) return {};
  for (Importance& importance : importances) importance.share /= sum;
  std::stable_sort(importances.begin(), importances.end(),
                   [](const Importance& a, const Importance& b) { return a.share > b.share; });
  return importances;
}

}  // namespace sweep
