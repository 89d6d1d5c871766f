#include "common/base/normal.h"

#include <gtest/gtest.h>

#include <cmath>

namespace sweep {
namespace {

// Values of SciPy 1.15's norm.ppf.
TEST(NormalQuantile, IsThatOfTables) {
  EXPECT_EQ(NormalQuantile(0.5), 0);
  EXPECT_NEAR(NormalQuantile(0.975), 1.959963984540054, 1e-15);
  EXPECT_NEAR(NormalQuantile(0.01), -2.3263478740408408, 1e-15);
  EXPECT_NEAR(NormalQuantile(1e-10), -6.361340902404056, 1e-14);
  EXPECT_NEAR(NormalQuantile(1e-300), -37.0471, 1e-4);
}

TEST(NormalQuantile, IsTheInverseOfTheDistributionFunction) {
  for (double z = -37; z <= 0; z += 1.0 / 64) {
    EXPECT_NEAR(NormalQuantile(NormalCdf(z)), z, 1e-13) << z;
  }
  for (double z = 0; z <= 5; z += 1.0 / 64) {
    // A double near 1 leaves this much of the tail.
    const double lost = 0x1.0p-53 / (1 - NormalCdf(z));
    EXPECT_NEAR(NormalQuantile(NormalCdf(z)), z, 1e-13 + 4 * lost) << z;
  }
}

TEST(NormalQuantile, IsFinite) {
  EXPECT_LT(NormalQuantile(0), -37);
  EXPECT_GT(NormalQuantile(1), 8);
  EXPECT_TRUE(std::isfinite(NormalQuantile(0)) && std::isfinite(NormalQuantile(1)));
}

}  // namespace
}  // namespace sweep
