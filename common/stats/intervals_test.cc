#include "common/stats/intervals.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace sweep {
namespace {

constexpr double kEndless = std::numeric_limits<double>::infinity();

// scipy.stats.t.sf and ppf of SciPy 1.17.
TEST(Student, TailsAndQuantilesAreThoseOfSciPy) {
  EXPECT_NEAR(StudentUpperTail(2, 3), 0.06966298427942152, 1e-12);
  EXPECT_NEAR(StudentUpperTail(0.5, 10.7), 0.3135988963145883, 1e-12);
  EXPECT_NEAR(StudentUpperTail(12.7, 1), 0.025012163844672083, 1e-12);
  EXPECT_NEAR(StudentUpperTail(6, 40), 2.3632275663940903e-07, 1e-17);
  EXPECT_NEAR(StudentUpperTail(-1, 5), 0.8183912661754386, 1e-12);
  EXPECT_NEAR(StudentUpperTail(1.959963984540054, kEndless), 0.025, 1e-12);
  EXPECT_NEAR(StudentQuantile(0.975, 1), 12.706204736174694, 1e-9);
  EXPECT_NEAR(StudentQuantile(0.975, 19), 2.0930240544083087, 1e-10);
  EXPECT_NEAR(StudentQuantile(0.95, 4), 2.1318467863266495, 1e-10);
  EXPECT_NEAR(StudentQuantile(0.975, 7.3), 2.345066736547703, 1e-10);
  EXPECT_NEAR(StudentQuantile(0.9995, 3), 12.923978636687961, 1e-9);
}

TEST(Student, TheEdgesAreNumbers) {
  EXPECT_EQ(StudentUpperTail(kEndless, 3), 0);
  EXPECT_EQ(StudentUpperTail(-kEndless, 3), 1);
  EXPECT_EQ(StudentUpperTail(std::nan(""), 3), 0.5);
  EXPECT_NEAR(StudentUpperTail(0, 3), 0.5, 1e-15);
  EXPECT_NEAR(StudentQuantile(0.5, 3), 0, 1e-9);
}

// scipy.stats.binomtest(…).proportion_ci(method="wilson"); 60 errors of 10,000 first.
TEST(Wilson, IsThatOfSciPy) {
  const Interval images = WilsonInterval(0.994, 10'000);
  EXPECT_NEAR(images.low, 0.9922851325032213, 1e-12);
  EXPECT_NEAR(images.high, 0.9953354771065502, 1e-12);
  const Interval runs = WilsonInterval(7 / 20.0, 20);
  EXPECT_NEAR(runs.low, 0.1811918241010821, 1e-12);
  EXPECT_NEAR(runs.high, 0.5671457233147637, 1e-12);
  EXPECT_NEAR(WilsonInterval(1, 20).low, 0.8388748419471808, 1e-12);
  EXPECT_EQ(WilsonInterval(1, 20).high, 1);
  EXPECT_GT(WilsonInterval(0.0, 10).high, 0.2);
  EXPECT_EQ(WilsonInterval(0.5, 0).low, 0);
  EXPECT_EQ(WilsonInterval(0.5, 0).high, 1);
}

}  // namespace
}  // namespace sweep
