#include "worker/trainer/dropout_bits.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <vector>

namespace sweep {
namespace {

constexpr DropoutStream kStream{.key = DropoutKey(7), .step = 3, .layer = 5};

std::vector<float> Mask(const DropoutStream& stream, double p, std::size_t count) {
  std::vector<float> mask(count, -1.0f);
  FillDropoutMask(stream, p, count, mask.data());
  return mask;
}

TEST(DropoutBits, MaskFollowsTheDefinition) {
  const double p = 0.3;
  const float kept = static_cast<float>(1 / 0.7);
  const std::vector<float> mask = Mask(kStream, p, 1000);
  for (std::size_t element = 0; element < mask.size(); ++element) {
    const bool drop = DropoutDraw(kStream, element) < DropoutThreshold(p);
    ASSERT_EQ(mask[element], drop ? 0.0f : kept) << element;
  }
}

// Random123's known answer for Philox4x32-10 with counter and key zero ties the draws to the paper.
TEST(DropoutBits, DrawsAreHalvesOfPhiloxWords) {
  const DropoutStream zero{};
  const std::uint32_t words[] = {0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u};
  for (std::uint64_t element = 0; element < 8; ++element) {
    const std::uint32_t word = words[element / 2];
    EXPECT_EQ(DropoutDraw(zero, element), element % 2 == 0 ? word & 0xFFFF : word >> 16);
  }
}

TEST(DropoutBits, AnElementsFactorDoesNotDependOnHowManyThereAre) {
  const std::vector<float> all = Mask(kStream, 0.5, 5000);
  for (const std::size_t count : {1u, 7u, 8u, 255u, 256u, 257u, 4097u}) {
    const std::vector<float> part = Mask(kStream, 0.5, count);
    EXPECT_TRUE(std::equal(part.begin(), part.end(), all.begin())) << count;
  }
}

TEST(DropoutBits, SeedStepAndLayerChangeTheMask) {
  const std::vector<float> mask = Mask(kStream, 0.5, 256);
  DropoutStream other = kStream;
  other.key = DropoutKey(8);
  EXPECT_NE(Mask(other, 0.5, 256), mask);
  other = kStream;
  other.step += 1;
  EXPECT_NE(Mask(other, 0.5, 256), mask);
  other = kStream;
  other.layer += 1;
  EXPECT_NE(Mask(other, 0.5, 256), mask);
}

TEST(DropoutBits, DropsTheShareAskedForAndKeepsTheMean) {
  constexpr std::size_t kCount = 1 << 20;
  for (const double p : {0.01, 0.05, 0.25, 0.5, 0.9}) {
    const std::vector<float> mask = Mask(kStream, p, kCount);
    const auto dropped = static_cast<double>(std::count(mask.begin(), mask.end(), 0.0f));
    const double five_sigma = 5 * std::sqrt(kCount * p * (1 - p));
    EXPECT_NEAR(dropped, kCount * p, five_sigma + kCount / 65536.0) << p;
  }
}

TEST(DropoutBits, NeighboursAreIndependent) {
  constexpr std::size_t kCount = 1 << 20;
  const std::vector<float> mask = Mask(kStream, 0.5, kCount);
  for (const std::size_t distance : {1u, 2u, 8u, 28u, 784u}) {
    double both = 0;
    for (std::size_t i = 0; i + distance < kCount; ++i)
      both += mask[i] == 0 && mask[i + distance] == 0;
    EXPECT_NEAR(both / kCount, 0.25, 0.003) << distance;
  }
}

TEST(DropoutBits, TheEndsOfTheRangeOfP) {
  for (const float factor : Mask(kStream, 0.0, 300)) ASSERT_EQ(factor, 1.0f);
  // 65536 · p rounds to 65536: everything is dropped.
  for (const float factor : Mask(kStream, 1 - 1e-9, 300)) ASSERT_EQ(factor, 0.0f);
}

}  // namespace
}  // namespace sweep
