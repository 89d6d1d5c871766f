#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <vector>

#include "common/base/sha256.h"
#include "worker/data/dataset.h"
#include "worker/data/testing/data_testing.h"

namespace sweep {
namespace {

using sweep::testing::DataErrorOf;
using ::testing::Each;
using ::testing::HasSubstr;

TEST(SyntheticDigits, AnImageIsAFunctionOfSeedAndNumberAlone) {
  const ImageSet few = SyntheticDigits(37, 5);
  const ImageSet many = SyntheticDigits(120, 5);
  EXPECT_TRUE(std::equal(few.pixels.begin(), few.pixels.end(), many.pixels.begin()));
  EXPECT_TRUE(std::equal(few.labels.begin(), few.labels.end(), many.labels.begin()));
  EXPECT_NE(SyntheticDigits(37, 6).pixels, few.pixels);
}

TEST(SyntheticDigits, StaysWhatItWas) {
  // Pinned: recorded trials on synthetic data must mean the same after an update. Another drawing
  // needs another kSyntheticGenerator.
  const ImageSet set = SyntheticDigits(10, 1);
  EXPECT_EQ(Sha256Hex({reinterpret_cast<const char*>(set.labels.data()), set.labels.size()}),
            "19166d293d22a9c9f49f7417c6e7d2b82a016472915dd496158abda9bbb7c1f9");
  EXPECT_EQ(Sha256Hex({reinterpret_cast<const char*>(set.pixels.data()), set.pixels.size()}),
            "c5b0c9139dd542309770572f7c5e9e034b53146c46875ee6b84474d17790f5b8");
}

TEST(SyntheticDigits, EveryTenImagesHoldEveryDigitInVaryingOrder) {
  const ImageSet set = SyntheticDigits(1000, 3);
  ASSERT_EQ(set.labels.size(), 1000u);
  std::array<int, 10> firsts{};
  for (int i = 0; i < 1000; i += 10) {
    std::array<int, 10> seen{};
    for (int k = 0; k < 10; ++k) ++seen.at(set.labels[i + k]);
    EXPECT_THAT(seen, Each(1)) << i;
    ++firsts[set.labels[i]];
  }
  EXPECT_GE(*std::ranges::min_element(firsts), 1);
}

TEST(SyntheticDigits, LooksLikeHandwritingInItsGreyValues) {
  const ImageSet set = SyntheticDigits(2000, 1);
  double sum = 0, squares = 0;
  int border = 0;
  for (std::size_t i = 0; i < set.pixels.size(); ++i) {
    const double value = set.pixels[i] / 255.0;
    sum += value;
    squares += value * value;
    const std::size_t y = i % 784 / 28, x = i % 28;
    border += (y == 0 || y == 27 || x == 0 || x == 27) && set.pixels[i] > 60;
  }
  const double mean = sum / set.pixels.size();
  // MNIST has 0.1307 and 0.3081; the networks' usual normalisation must fit.
  EXPECT_NEAR(mean, 0.1307, 0.03);
  EXPECT_NEAR(std::sqrt(squares / set.pixels.size() - mean * mean), 0.3081, 0.07);
  EXPECT_LT(border, 2000 * 108 / 100);  // digits hardly ever reach the edge
}

// Classifies by the nearest of 1,000 training images, by squared distance. Guards against labels
// that do not belong to their pictures, and against digits too alike to be learned.
TEST(SyntheticDigits, CanBeTakenApart) {
  const ImageSet train = SyntheticDigits(1000, 1);
  const ImageSet test = SyntheticDigits(100, 2);
  int right = 0;
  for (int i = 0; i < test.count; ++i) {
    long best = std::numeric_limits<long>::max();
    int guess = -1;
    for (int k = 0; k < train.count; ++k) {
      long distance = 0;
      for (int p = 0; p < 784; ++p) {
        const int difference = int{test.pixels[i * 784 + p]} - int{train.pixels[k * 784 + p]};
        distance += difference * difference;
      }
      if (distance < best) {
        best = distance;
        guess = train.labels[k];
      }
    }
    right += guess == test.labels[i];
  }
  EXPECT_GE(right, 85);
}

TEST(SyntheticDigits, RefusesSizesThatCannotBe) {
  EXPECT_THAT(DataErrorOf([] { SyntheticDigits(-1, 1); }), HasSubstr("-1 images"));
  EXPECT_THAT(DataErrorOf([] { SyntheticDigits(2'000'000'000, 1); }), HasSubstr("2000000000"));
}

}  // namespace
}  // namespace sweep
