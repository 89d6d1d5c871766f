#include "worker/data/batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <set>
#include <utility>

#include "worker/data/testing/data_testing.h"

namespace sweep {
namespace {

using sweep::testing::DataErrorOf;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr double kMean = 0.1307;
constexpr double kStddev = 0.3081;

std::vector<std::int32_t> AllOf(const ImageSet& set) {
  std::vector<std::int32_t> indices(set.count);
  std::iota(indices.begin(), indices.end(), 0);
  return indices;
}

std::vector<float> Fill(const ImageSet& set, const std::vector<std::int32_t>& indices,
                        const BatchOptions& options) {
  // One float more, to see that nothing is written past the end.
  std::vector<float> out(indices.size() * set.height * set.width + 1, 12345.0f);
  FillBatch(set, indices, options, out.data());
  EXPECT_EQ(out.back(), 12345.0f);
  out.pop_back();
  return out;
}

// One bright pixel in the middle of each of `count` images with odd sides.
ImageSet Dots(int count, int height = 15, int width = 21) {
  ImageSet set{.count = count, .height = height, .width = width};
  set.pixels.resize(static_cast<std::size_t>(count) * height * width);
  set.labels.resize(count);
  for (int i = 0; i < count; ++i) {
    set.pixels[(i * height + height / 2) * width + width / 2] = 255;
  }
  return set;
}

TEST(EpochOrder, IsAPermutationThatDependsOnSeedAndEpoch) {
  const std::vector<std::int32_t> order = EpochOrder(1000, 7, 3);
  std::vector<std::int32_t> sorted = order;
  std::sort(sorted.begin(), sorted.end());
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(sorted[i], i);
  EXPECT_EQ(EpochOrder(1000, 7, 3), order);
  EXPECT_NE(EpochOrder(1000, 7, 4), order);
  EXPECT_NE(EpochOrder(1000, 8, 3), order);
  EXPECT_TRUE(EpochOrder(0, 7, 3).empty());
  EXPECT_THAT(EpochOrder(1, 7, 3), ElementsAre(0));
}

TEST(EpochOrder, StaysWhatItWas) {
  // Pinned: a trial that is resumed by a newer build must see the same order.
  EXPECT_THAT(EpochOrder(8, 1, 1), ElementsAre(5, 7, 0, 6, 3, 4, 2, 1));
}

TEST(EpochOrder, PutsEveryImageEverywhereEquallyOften) {
  constexpr int kEpochs = 6000;
  int counts[4][4] = {};
  for (int epoch = 1; epoch <= kEpochs; ++epoch) {
    const auto order = EpochOrder(4, 99, epoch);
    for (int place = 0; place < 4; ++place) ++counts[order[place]][place];
  }
  // Standard deviation of a cell: sqrt(6000 * 1/4 * 3/4) = 34.
  for (const auto& row : counts) {
    for (int count : row) EXPECT_NEAR(count, kEpochs / 4, 5 * 34);
  }
}

TEST(HoldoutSplit, SplitsIntoTwoAscendingParts) {
  const Split split = HoldoutSplit(100, 30, 5);
  EXPECT_EQ(split.train.size(), 70u);
  EXPECT_EQ(split.holdout.size(), 30u);
  EXPECT_TRUE(std::is_sorted(split.train.begin(), split.train.end()));
  EXPECT_TRUE(std::is_sorted(split.holdout.begin(), split.holdout.end()));
  std::set<std::int32_t> both(split.train.begin(), split.train.end());
  both.insert(split.holdout.begin(), split.holdout.end());
  EXPECT_EQ(both.size(), 100u);
  EXPECT_EQ(HoldoutSplit(100, 30, 5).holdout, split.holdout);
  EXPECT_NE(HoldoutSplit(100, 30, 6).holdout, split.holdout);
  EXPECT_TRUE(HoldoutSplit(100, 0, 5).holdout.empty());
}

TEST(HoldoutSplit, RefusesToLeaveNothingToTrainOn) {
  EXPECT_THAT(DataErrorOf([] { HoldoutSplit(100, 100, 1); }), HasSubstr("holdout is 100"));
  EXPECT_THAT(DataErrorOf([] { HoldoutSplit(100, -1, 1); }), HasSubstr("holdout is -1"));
}

TEST(MakeAugmentation, SwitchesOffWhatTheKindDoesNotName) {
  EXPECT_TRUE(MakeAugmentation("none", 2, 10).none());
  EXPECT_EQ(MakeAugmentation("shift", 2, 10).shift_pixels, 2);
  EXPECT_EQ(MakeAugmentation("shift", 2, 10).rotation_degrees, 0);
  EXPECT_EQ(MakeAugmentation("rotation", 2, 10).shift_pixels, 0);
  EXPECT_EQ(MakeAugmentation("rotation", 2, 10).rotation_degrees, 10);
  EXPECT_EQ(MakeAugmentation("shift_rotation", 2, 10).shift_pixels, 2);
  EXPECT_EQ(MakeAugmentation("shift_rotation", 2, 10).rotation_degrees, 10);
}

TEST(MakeAugmentation, RefusesWhatItDoesNotKnow) {
  EXPECT_THAT(DataErrorOf([] { MakeAugmentation("shear", 2, 10); }), HasSubstr("'shear'"));
  EXPECT_THAT(DataErrorOf([] { MakeAugmentation("shift", -1, 10); }), HasSubstr("-1"));
  EXPECT_THAT(DataErrorOf([] {
                MakeAugmentation("rotation", 0, std::numeric_limits<double>::quiet_NaN());
              }),
              HasSubstr("rotation_degrees is nan"));
}

TEST(FillBatch, NormalisesEveryGreyValue) {
  ImageSet set{.count = 1, .height = 16, .width = 16};
  for (int value = 0; value < 256; ++value) set.pixels.push_back(static_cast<std::uint8_t>(value));
  set.labels = {0};
  const std::vector<float> out = Fill(set, {0}, {.mean = kMean, .stddev = kStddev});
  for (int value = 0; value < 256; ++value) {
    EXPECT_NEAR(out[value], (value / 255.0 - kMean) / kStddev, 1e-6);
  }
}

TEST(FillBatch, TakesTheImagesInTheOrderAsked) {
  const ImageSet set = SyntheticDigits(10, 4);
  const std::vector<float> all = Fill(set, AllOf(set), {});
  const std::vector<float> some = Fill(set, {7, 2, 7}, {});
  EXPECT_TRUE(std::equal(some.begin(), some.begin() + 784, all.begin() + 7 * 784));
  EXPECT_TRUE(std::equal(some.begin() + 784, some.begin() + 1568, all.begin() + 2 * 784));
  EXPECT_TRUE(std::equal(some.begin() + 1568, some.end(), all.begin() + 7 * 784));
}

TEST(FillBatch, ShiftMovesPixelsExactlyAndFillsWithBackground) {
  constexpr int kCount = 500;
  const ImageSet set = Dots(kCount);
  const std::vector<float> out =
      Fill(set, AllOf(set), {.augmentation = {.shift_pixels = 2}, .mean = 0, .stddev = 1});
  std::set<std::pair<int, int>> moves;
  for (int i = 0; i < kCount; ++i) {
    const float* image = out.data() + i * 15 * 21;
    ASSERT_EQ(std::count(image, image + 15 * 21, 0.0f), 15 * 21 - 1);
    const int at = static_cast<int>(std::find(image, image + 15 * 21, 1.0f) - image);
    moves.insert({at / 21 - 7, at % 21 - 10});
  }
  // All of [-2, 2] × [-2, 2], and nothing else.
  EXPECT_EQ(moves.size(), 25u);
  EXPECT_EQ(*moves.begin(), std::make_pair(-2, -2));
  EXPECT_EQ(*moves.rbegin(), std::make_pair(2, 2));
}

TEST(FillBatch, ShiftMayPushTheWholeImageOut) {
  ImageSet set{.count = 200, .height = 3, .width = 3};
  set.pixels.assign(200 * 9, 255);
  set.labels.resize(200);
  const BatchOptions options{
      .augmentation = {.shift_pixels = 50}, .mean = kMean, .stddev = kStddev};
  const float background = static_cast<float>(-kMean / kStddev);
  const std::vector<float> out = Fill(set, AllOf(set), options);
  EXPECT_GT(std::count(out.begin(), out.end(), background), 190 * 9);
  for (float value : out) EXPECT_TRUE(value == background || value > 2) << value;
}

TEST(FillBatch, RotationByNothingIsTheIdentity) {
  const ImageSet set = SyntheticDigits(20, 9);
  // Too small to turn anything, but not 0, so it takes the path of rotation.
  const std::vector<float> turned =
      Fill(set, AllOf(set), {.augmentation = {.rotation_degrees = 1e-300}});
  EXPECT_EQ(turned, Fill(set, AllOf(set), {}));
}

TEST(FillBatch, RotationByNothingAndShiftIsTheShift) {
  const ImageSet set = SyntheticDigits(50, 9);
  const BatchOptions shifted{.augmentation = {.shift_pixels = 5}};
  BatchOptions both = shifted;
  both.augmentation.rotation_degrees = 1e-300;
  EXPECT_EQ(Fill(set, AllOf(set), both), Fill(set, AllOf(set), shifted));
}

TEST(FillBatch, RotationTurnsAboutTheCentreWithinItsBounds) {
  constexpr int kCount = 400;
  constexpr int kSide = 29;
  // A blot to the right of the centre; its centre of mass shows the angle.
  ImageSet set{.count = kCount, .height = kSide, .width = kSide};
  set.pixels.resize(kCount * kSide * kSide);
  for (int i = 0; i < kCount; ++i) {
    for (int y = 13; y <= 15; ++y) {
      for (int x = 23; x <= 25; ++x) set.pixels[(i * kSide + y) * kSide + x] = 200;
    }
  }
  const std::vector<float> out =
      Fill(set, AllOf(set), {.augmentation = {.rotation_degrees = 30}, .mean = 0, .stddev = 1});
  double smallest = 90, largest = -90;
  for (int i = 0; i < kCount; ++i) {
    double sum = 0, sum_x = 0, sum_y = 0;
    for (int y = 0; y < kSide; ++y) {
      for (int x = 0; x < kSide; ++x) {
        const double value = out[(i * kSide + y) * kSide + x];
        sum += value;
        sum_x += value * (x - 14);
        sum_y += value * (y - 14);
      }
    }
    EXPECT_NEAR(sum, 9 * 200 / 255.0, 0.2);
    EXPECT_NEAR(std::hypot(sum_x, sum_y) / sum, 10, 0.15);
    const double degrees = std::atan2(sum_y, sum_x) * 180 / 3.14159265358979;
    smallest = std::min(smallest, degrees);
    largest = std::max(largest, degrees);
  }
  EXPECT_GT(smallest, -30.5);
  EXPECT_LT(smallest, -25);
  EXPECT_LT(largest, 30.5);
  EXPECT_GT(largest, 25);
}

TEST(FillBatch, ALargeRotationStaysWithinTheImage) {
  const ImageSet set = SyntheticDigits(200, 2);
  const std::vector<float> out =
      Fill(set, AllOf(set),
           {.augmentation = {.shift_pixels = 40, .rotation_degrees = 360}, .mean = 0, .stddev = 1});
  for (float value : out) ASSERT_TRUE(value >= 0 && value <= 1) << value;
}

TEST(FillBatch, BatchesMaySplitAnEpochAnyhow) {
  const ImageSet set = SyntheticDigits(40, 2);
  const std::vector<std::int32_t> order = EpochOrder(40, 5, 2);
  BatchOptions options{
      .augmentation = {.shift_pixels = 2, .rotation_degrees = 10}, .seed = 5, .epoch = 2};
  const std::vector<float> whole = Fill(set, order, options);
  std::vector<float> parts(whole.size());
  for (const auto& [first, count] : {std::pair{33, 7}, std::pair{0, 32}, std::pair{32, 1}}) {
    options.first_position = first;
    FillBatch(set, std::span(order).subspan(first, count), options, parts.data() + first * 784);
  }
  EXPECT_EQ(parts, whole);
}

TEST(FillBatch, DrawsAnewForEachSeedEpochAndPosition) {
  const ImageSet set = Dots(60);
  const BatchOptions base{.augmentation = {.shift_pixels = 3}, .seed = 1, .epoch = 1};
  const std::vector<float> first = Fill(set, AllOf(set), base);
  EXPECT_EQ(Fill(set, AllOf(set), base), first);
  BatchOptions other = base;
  other.seed = 2;
  EXPECT_NE(Fill(set, AllOf(set), other), first);
  other = base;
  other.epoch = 2;
  EXPECT_NE(Fill(set, AllOf(set), other), first);
  other = base;
  other.first_position = 1;
  EXPECT_NE(Fill(set, AllOf(set), other), first);
}

}  // namespace
}  // namespace sweep
