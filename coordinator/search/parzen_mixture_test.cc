#include "coordinator/search/parzen_mixture.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>
#include <span>
#include <vector>

#include "common/base/normal.h"
#include "common/base/philox.h"

namespace sweep {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

// A number, a category of 3 and an ordered list of 5.
const std::vector<ParzenAxis> kAxes = {{}, {.is_ordered = false, .cells = 3}, {.cells = 5}};

CubePoint RandomPoint(PhiloxStream* random) {
  CubePoint point = {random->NextUniform(), (random->NextBelow(3) + 0.5) / 3,
                     (random->NextBelow(5) + 0.5) / 5};
  if (random->NextBelow(4) == 0) point[0] = kMissing;
  return point;
}

// The mean of the density over the cube.
double Mass(ParzenMixture* mixture) {
  std::vector<CubePoint> points;
  constexpr int kSteps = 200;
  for (int i = 0; i < kSteps; ++i) {
    for (int category = 0; category < 3; ++category) {
      for (int cell = 0; cell < 5; ++cell) {
        points.push_back({(i + 0.5) / kSteps, (category + 0.5) / 3, (cell + 0.5) / 5});
      }
    }
  }
  double sum = 0;
  for (const double density : mixture->LogDensities(points)) sum += std::exp(density);
  return sum / static_cast<double>(points.size());
}

// The density as parzen_mixture.h describes it, written down again without what makes it fast.
class SlowMixture {
 public:
  SlowMixture(std::vector<ParzenAxis> axes, std::vector<CubePoint> points)
      : axes_(std::move(axes)), points_(std::move(points)) {}

  // Of a point's kernel, the oldest first.
  double Weight(std::size_t i) const {
    const double all = Count();
    const double ramp = all - 25;
    if (static_cast<double>(i) >= ramp) return 1;
    return 1 / all + (1 - 1 / all) * static_cast<double>(i) / std::max(ramp - 1, 1.0);
  }
  double Density(const CubePoint& at) const {
    double sum = 1, total = 1;
    for (std::size_t d = 0; d < axes_.size(); ++d) sum *= OfWideKernel(axes_[d], at[d]);
    for (std::size_t i = 0; i < points_.size(); ++i) {
      double kernel = Weight(i);
      for (std::size_t d = 0; d < axes_.size(); ++d) kernel *= OfKernel(d, i, at[d]);
      sum += kernel;
      total += Weight(i);
    }
    return sum / total;
  }

 private:
  double Count() const { return static_cast<double>(points_.size()); }
  static int CellOf(const ParzenAxis& axis, double x) { return static_cast<int>(x * axis.cells); }
  // A normal distribution cut off at 0 and 1, as a density at a number or the mean over a cell.
  static double Normal(const ParzenAxis& axis, double mean, double sigma, double x) {
    const auto below = [&](double y) { return NormalCdf((y - mean) / sigma); };
    const double inside = below(1) - below(0);
    if (axis.cells > 0) {
      const double cell = CellOf(axis, x);
      return (below((cell + 1) / axis.cells) - below(cell / axis.cells)) / inside * axis.cells;
    }
    const double z = (x - mean) / sigma;
    return std::exp(-0.5 * z * z) / (sigma * std::sqrt(2 * M_PI) * inside);
  }
  static double OfWideKernel(const ParzenAxis& axis, double x) {
    return std::isnan(x) || !axis.is_ordered ? 1 : Normal(axis, 0.5, 1, x);
  }
  double OfKernel(std::size_t d, std::size_t i, double x) const {
    const ParzenAxis& axis = axes_[d];
    const double mean = points_[i][d];
    if (std::isnan(x) || std::isnan(mean)) return 1;
    if (!axis.is_ordered) {
      const double uniform = axis.cells / (Count() + 1 + axis.cells);
      return CellOf(axis, x) == CellOf(axis, mean) ? (1 - uniform) * axis.cells + uniform : uniform;
    }
    // The neighbours: of equal coordinates the older one is before; the wide kernel's before all.
    std::vector<std::pair<double, std::ptrdiff_t>> places = {{0.5, -1}};
    for (std::size_t j = 0; j < points_.size(); ++j) {
      if (!std::isnan(points_[j][d])) places.emplace_back(points_[j][d], j);
    }
    std::sort(places.begin(), places.end());
    const auto own =
        std::find(places.begin(), places.end(), std::pair(mean, static_cast<std::ptrdiff_t>(i)));
    const double left = own == places.begin() ? 0 : mean - (own - 1)->first;
    const double right = own + 1 == places.end() ? 0 : (own + 1)->first - mean;
    const double least = 1 / std::min(100.0, 2 + Count());
    return Normal(axis, mean, std::clamp(std::max(left, right), least, 1.0), x);
  }

  const std::vector<ParzenAxis> axes_;
  const std::vector<CubePoint> points_;
};

TEST(ParzenMixture, IsTheSameAsASlowDirectComputation) {
  PhiloxStream random(6, 0);
  for (const std::size_t count : {0, 1, 2, 24, 25, 26, 27, 60, 97, 98, 99, 250}) {
    ParzenMixture mixture(kAxes);
    std::vector<CubePoint> points;
    for (std::size_t i = 0; i < count; ++i) {
      points.push_back(RandomPoint(&random));
      // Equal coordinates.
      if (i % 5 == 4) points.back()[0] = points[i - 2][0];
      mixture.Add(static_cast<std::int64_t>(3 * i + 1), points.back());
    }
    const SlowMixture slow(kAxes, points);
    for (int i = 0; i < 15; ++i) {
      const CubePoint at = RandomPoint(&random);
      const double density = std::exp(mixture.LogDensities(std::span(&at, 1)).front());
      const double expected = slow.Density(at);
      EXPECT_NEAR(density, expected, 1e-4 * expected) << count << " points";
    }
  }
}

// What the kernels weigh, from the densities of three categories: one with the point that is looked
// at, one with all others, and one with none.
TEST(ParzenMixture, TheLatest25WeighFullyAndOlderOnesLessAndLess) {
  for (const int count : {10, 25, 26, 60, 200}) {
    SCOPED_TRACE(count);
    const double uniform = 3 / (count + 1.0 + 3), same = 3 * (1 - uniform) + uniform;
    double before = 0;
    for (int looked_at = 0; looked_at < count; ++looked_at) {
      ParzenMixture mixture({{.is_ordered = false, .cells = 3}});
      for (int i = 0; i < count; ++i) mixture.Add(i, {i == looked_at ? 0.5 : 1.0 / 6});
      const std::vector<CubePoint> at = {{0.5}, {5.0 / 6}};
      const std::vector<double> logarithms = mixture.LogDensities(at);
      const double own = std::exp(logarithms[0]), none = std::exp(logarithms[1]);
      const double of_points = (1 - none) / (none - uniform);  // the wide kernel weighs 1
      const double weight = (own - none) * (1 + of_points) / (same - uniform);
      const int ramp = count - 25;
      if (looked_at >= ramp) {
        EXPECT_NEAR(weight, 1, 1e-3) << looked_at;
      } else {
        const double least = 1.0 / count;
        const double share = ramp > 1 ? looked_at / (ramp - 1.0) : 0;
        EXPECT_NEAR(weight, least + (1 - least) * share, 1e-3) << looked_at;
        EXPECT_GT(weight, before) << looked_at;
      }
      before = weight;
    }
  }
}

// However many points are in a corner: the wide kernel, with the weight of one of them, is there.
TEST(ParzenMixture, AWideKernelKeepsAChanceEverywhere) {
  ParzenMixture mixture(kAxes);
  const CubePoint far = {0.95, 5.0 / 6, 0.9};
  const auto density = [&] { return std::exp(mixture.LogDensities(std::span(&far, 1)).front()); };
  const double alone = density();
  EXPECT_NEAR(alone, SlowMixture(kAxes, {}).Density(far), 1e-5);
  for (int i = 0; i < 20; ++i) {
    mixture.Add(i, {0.02 + 0.001 * i, 1.0 / 6, 0.1});
    EXPECT_GE(density(), 0.999 * alone / (i + 2)) << i;
  }
  EXPECT_LT(density(), 2 * alone / 21) << "the others add little";
}

TEST(ParzenMixture, IsADensityWhateverWasAddedAndRemoved) {
  PhiloxStream random(1, 0);
  ParzenMixture mixture(kAxes);
  EXPECT_NEAR(Mass(&mixture), 1, 1e-3);
  std::set<std::int64_t> numbers;
  for (std::int64_t step = 1; step <= 400; ++step) {
    if (random.NextBelow(3) == 0 && !numbers.empty()) {
      mixture.Remove(*numbers.begin());
      numbers.erase(numbers.begin());
    } else {
      mixture.Add(step, RandomPoint(&random));
      numbers.insert(step);
    }
    ASSERT_EQ(mixture.size(), numbers.size());
    if (step % 40 == 0) EXPECT_NEAR(Mass(&mixture), 1, 2e-3) << step;
  }
}

// More kernels than are looked at together, of which most are too far away to count.
TEST(ParzenMixture, IsADensityOfManyPoints) {
  PhiloxStream random(5, 0);
  ParzenMixture mixture(kAxes);
  for (std::int64_t number = 1; number <= 1300; ++number) {
    CubePoint point = RandomPoint(&random);
    if (number > 600 && number <= 1200) point[0] = 0.1;
    mixture.Add(number, point);
  }
  EXPECT_NEAR(Mass(&mixture), 1, 1e-2);
}

TEST(ParzenMixture, IsTheSameAfterAnyHistory) {
  PhiloxStream random(2, 0);
  std::vector<CubePoint> points;
  for (int i = 0; i < 300; ++i) points.push_back(RandomPoint(&random));
  ParzenMixture direct(kAxes), detour(kAxes);
  for (std::int64_t number = 0; number < 300; ++number) {
    if (number % 2 == 0) direct.Add(number, points[static_cast<std::size_t>(number)]);
  }
  // In another order (7 and 300 have no common divisor), with some that go again.
  for (std::int64_t i = 0; i < 300; ++i) {
    const std::int64_t number = 7 * i % 300;
    detour.Add(number, points[static_cast<std::size_t>(number)]);
    if (i % 3 == 0) {
      detour.Remove(number);
      detour.Add(number, points[static_cast<std::size_t>(number)]);
    }
  }
  for (std::int64_t number = 299; number > 0; number -= 2) detour.Remove(number);
  EXPECT_EQ(direct.LogDensities(points), detour.LogDensities(points)) << "to the last bit";
}

TEST(ParzenMixture, DrawsAsItsDensitySays) {
  PhiloxStream random(3, 0);
  ParzenMixture mixture(kAxes);
  for (std::int64_t number = 1; number <= 30; ++number) {
    mixture.Add(number, {0.2 + 0.01 * static_cast<double>(number % 5), 0.5, 0.9});
  }
  int low = 0, own = 0, last = 0;
  constexpr int kDraws = 20'000;
  for (int i = 0; i < kDraws; ++i) {
    const CubePoint point = mixture.Draw(&random);
    low += point[0] < 0.4 ? 1 : 0;
    own += static_cast<int>(point[1] * 3) == 1 ? 1 : 0;
    last += static_cast<int>(point[2] * 5) == 4 ? 1 : 0;
  }
  // The shares by the density, on a grid.
  double expected_low = 0, expected_own = 0, expected_last = 0, all = 0;
  for (int i = 0; i < 100; ++i) {
    for (int category = 0; category < 3; ++category) {
      for (int cell = 0; cell < 5; ++cell) {
        const CubePoint point = {(i + 0.5) / 100, (category + 0.5) / 3, (cell + 0.5) / 5};
        const double density = std::exp(mixture.LogDensities(std::span(&point, 1)).front());
        all += density;
        if (i < 40) expected_low += density;
        if (category == 1) expected_own += density;
        if (cell == 4) expected_last += density;
      }
    }
  }
  EXPECT_NEAR(static_cast<double>(low) / kDraws, expected_low / all, 0.02);
  EXPECT_NEAR(static_cast<double>(own) / kDraws, expected_own / all, 0.02);
  EXPECT_NEAR(static_cast<double>(last) / kDraws, expected_last / all, 0.02);
}

// The density is one over the cube, in which the cells have the widths of their shares.
TEST(ParzenMixture, CategoriesHaveTheirShares) {
  PhiloxStream random(4, 0);
  const std::vector<double> shares = {0.5, 0, 0.3, 0.2};
  const std::vector<double> middles = {0.25, 0.5, 0.65, 0.9};
  ParzenMixture mixture({{.is_ordered = false, .cells = 4, .shares = shares}});
  const auto drawn = [&] {
    std::vector<double> counts(4);
    constexpr int kDraws = 20'000;
    for (int i = 0; i < kDraws; ++i) {
      const double at = mixture.Draw(&random).front();
      counts[at < 0.5 ? 0 : at < 0.8 ? 2 : 3] += 1.0 / kDraws;
    }
    return counts;
  };
  const auto by_density = [&](std::size_t cell) {
    const CubePoint point = {middles[cell]};
    return shares[cell] * std::exp(mixture.LogDensities(std::span(&point, 1)).front());
  };
  std::vector<double> counts = drawn();
  for (const std::size_t cell : {0, 2, 3}) EXPECT_NEAR(counts[cell], shares[cell], 0.015) << cell;
  for (std::int64_t number = 1; number <= 6; ++number) mixture.Add(number, {middles[3]});
  counts = drawn();
  double all = 0;
  for (const std::size_t cell : {0, 2, 3}) {
    EXPECT_NEAR(counts[cell], by_density(cell), 0.015) << cell;
    all += by_density(cell);
  }
  EXPECT_NEAR(all, 1, 1e-5);
  EXPECT_GT(counts[3], 0.5);
}

}  // namespace
}  // namespace sweep
