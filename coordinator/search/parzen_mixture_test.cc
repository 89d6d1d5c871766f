#include "coordinator/search/parzen_mixture.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>
#include <span>
#include <vector>

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
