#include "coordinator/search/slice_coordinates.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

namespace sweep {
namespace {

std::vector<Value> ValuesAlong(const Parameter& parameter, double own, int count) {
  std::vector<Value> values;
  for (const double coordinate : SliceCoordinates(parameter, DimensionOf(parameter), own, count)) {
    EXPECT_GE(coordinate, 0);
    EXPECT_LT(coordinate, 1);
    values.push_back(parameter.Quantile(coordinate));
  }
  return values;
}

TEST(SliceCoordinates, ARangeIsEvenOnItsAxisAndHasTheOwnValue) {
  const Parameter linear{.name = "x", .distribution = Distribution::kUniform, .min = 0, .max = 4};
  const std::vector<Value> values = ValuesAlong(linear, 0.3, 5);
  ASSERT_EQ(values.size(), 6u);
  EXPECT_EQ(AsDouble(values[0]), 0);
  EXPECT_NEAR(AsDouble(values[1]), 1, 1e-9);
  EXPECT_NEAR(AsDouble(values[2]), 1.2, 1e-9);  // its own
  EXPECT_NEAR(AsDouble(values[5]), 4, 1e-9);

  const Parameter log{
      .name = "lr", .distribution = Distribution::kLogUniform, .min = 1e-4, .max = 1};
  const std::vector<Value> powers = ValuesAlong(log, 0, 5);
  ASSERT_EQ(powers.size(), 5u);
  for (int i = 0; i < 5; ++i) {
    EXPECT_NEAR(std::log10(AsDouble(powers[static_cast<std::size_t>(i)])), i - 4, 1e-6);
  }
}

TEST(SliceCoordinates, ANormalDistributionIsEvenInItsValues) {
  const Parameter normal{.name = "x",
                         .distribution = Distribution::kNormal,
                         .min = -INFINITY,
                         .max = INFINITY,
                         .mu = 2,
                         .sigma = 1};
  const std::vector<Value> values = ValuesAlong(normal, 0.5, 11);
  ASSERT_GE(values.size(), 11u);
  EXPECT_NEAR(AsDouble(values.front()), 2 - 4.4, 0.1);
  EXPECT_NEAR(AsDouble(values.back()), 2 + 4.4, 0.1);
  EXPECT_NEAR(AsDouble(values[1]) - AsDouble(values[0]), 0.88, 0.02);
}

TEST(SliceCoordinates, HasEveryRoundValueOnce) {
  const Parameter whole{.name = "n", .distribution = Distribution::kIntUniform, .min = 3, .max = 6};
  EXPECT_EQ(ValuesAlong(whole, 0.9, 50), (std::vector<Value>{3, 4, 5, 6}));
  const Parameter halves{
      .name = "q", .distribution = Distribution::kQUniform, .min = 0, .max = 1, .q = 0.5};
  EXPECT_EQ(ValuesAlong(halves, 0, 50), (std::vector<Value>{0.0, 0.5, 1.0}));
}

TEST(SliceCoordinates, AListHasItsValuesInItsOrderWithoutThoseThatNothingDraws) {
  Parameter list{.name = "kind",
                 .distribution = Distribution::kCategorical,
                 .values = {std::string("b"), std::string("a"), std::string("c")},
                 .probabilities = {0.5, 0, 0.5}};
  EXPECT_EQ(ValuesAlong(list, 0.1, 50), (std::vector<Value>{std::string("b"), std::string("c")}));
  list.probabilities.clear();
  list.values.clear();
  for (std::int64_t i = 0; i < 1000; ++i) list.values.emplace_back(1000 - i);
  const std::vector<Value> some = ValuesAlong(list, 0.1, 50);
  ASSERT_EQ(some.size(), 200u);
  EXPECT_EQ(some[0], Value(std::int64_t{1000}));
  EXPECT_EQ(some[199], Value(std::int64_t{5}));
}

}  // namespace
}  // namespace sweep
