#include "coordinator/search/region_box.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "coordinator/search/sobol_sequence.h"

namespace sweep {
namespace {

constexpr double kNoPlace = std::numeric_limits<double>::quiet_NaN();

// Two ranges and a list of three, of which the second is half of all.
std::vector<RegionAxis> Axes() {
  return {{}, {.steps = 8}, {.ordered = false, .ends = {0.25, 0.75, 1}}};
}

RegionBox Whole() { return {{}, {}, {.categories = {true, true, true}}}; }

std::vector<RegionSample> SamplesOf(double (*chance)(const CubePoint&),
                                    std::uint32_t count = 4096) {
  const SobolSequence sequence({1, 2, 3});
  std::vector<RegionSample> samples;
  for (std::uint32_t i = 0; i < count; ++i) {
    CubePoint point;
    for (std::size_t d = 0; d < 3; ++d) point.push_back(sequence.Coordinate(i, d));
    samples.push_back({.point = point, .chance = chance(point), .low = chance(point)});
  }
  return samples;
}

double Inner(const CubePoint& point) {
  return point[0] >= 0.25 && point[0] < 0.75 && point[1] >= 0.5 && point[2] < 0.75 ? 1 : 0;
}

TEST(RegionBox, HasAVolumeAndKnowsWhatIsInside) {
  RegionBox box = Whole();
  EXPECT_DOUBLE_EQ(VolumeOf(Axes(), box), 1);
  box[0] = {.low = 0.2, .high = 0.7};
  box[2].categories = {true, false, true};
  EXPECT_DOUBLE_EQ(VolumeOf(Axes(), box), 0.25);
  EXPECT_TRUE(IsInside(Axes(), box, {0.2, 0.9, 0.1}));
  EXPECT_FALSE(IsInside(Axes(), box, {0.7, 0.9, 0.1})) << "the upper end is not inside";
  EXPECT_FALSE(IsInside(Axes(), box, {0.2, 0.9, 0.5}));
  EXPECT_FALSE(IsInside(Axes(), box, {0.2, kNoPlace, 0.1}));
  box[1].exists = false;
  EXPECT_TRUE(IsInside(Axes(), box, {0.2, kNoPlace, 0.1}));
  EXPECT_FALSE(IsInside(Axes(), box, {0.2, 0.5, 0.1}));
  EXPECT_DOUBLE_EQ(VolumeOf(Axes(), box), 0.25);
}

TEST(RegionBox, DrawsEveryPointInside) {
  RegionBox box = Whole();
  box[0] = {.low = 0.2, .high = 0.7};
  box[2].categories = {true, false, true};
  const SobolSequence sequence({1, 2, 3});
  int third = 0;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    const CubePoint point =
        PlaceIn(Axes(), box,
                {sequence.Coordinate(i, 0), sequence.Coordinate(i, 1), sequence.Coordinate(i, 2)});
    EXPECT_TRUE(IsInside(Axes(), box, point));
    third += CategoryAt(Axes()[2], point[2]) == 2 ? 1 : 0;
  }
  EXPECT_NEAR(third, 500, 5);
}

TEST(RegionCells, PeelsDownToWhatHolds) {
  const std::vector<RegionAxis> axes = Axes();
  const std::vector<RegionSample> samples = SamplesOf(Inner);
  RegionCells cells(axes, Whole(), samples, {0.5, 0.9, 0.1});
  EXPECT_FALSE(cells.Holds({.chance = 0.9}));
  EXPECT_TRUE(cells.PeelUntil({.chance = 0.99, .low = 0}, 1));
  const RegionBox box = cells.Box();
  EXPECT_NEAR(box[0].low, 0.25, 1e-9);
  EXPECT_NEAR(box[0].high, 0.75, 1e-9);
  EXPECT_EQ(box[1].low, 0.5);
  EXPECT_EQ(box[1].high, 1);
  EXPECT_EQ(box[2].categories, (std::vector<bool>{true, true, false}));
}

TEST(RegionCells, GrowsAsFarAsItHoldsAndExchangesForMore) {
  const std::vector<RegionAxis> axes = Axes();
  const std::vector<RegionSample> samples = SamplesOf(Inner);
  RegionCells cells(axes, Whole(), samples, {0.3, 0.9, 0.1});
  RegionBox small = Whole();
  small[0] = {.low = 0.28, .high = 0.32};
  small[1] = {.low = 0.75, .high = 1};
  small[2].categories = {true, false, false};
  cells.Set(small);
  cells.Grow({.chance = 1, .low = 1});
  EXPECT_NEAR(cells.Volume(), 0.5 * 0.5 * 0.75, 1e-9);
  // A box with a category of which half is bad, and too small elsewhere for it.
  cells.Set(small);
  cells.Exchange({.chance = 1, .low = 1}, 4);
  EXPECT_NEAR(cells.Volume(), 0.5 * 0.5 * 0.75, 1e-9);
}

TEST(RegionCells, KeepsTheAnchorAndNothingForeign) {
  const std::vector<RegionAxis> axes = Axes();
  std::vector<RegionSample> samples = SamplesOf([](const CubePoint&) { return 1.0; });
  for (RegionSample& sample : samples) {
    sample.is_foreign = sample.point[2] >= 0.25 && sample.point[2] < 0.75;
    sample.counts = sample.point[0] < 0.5;  // the rest is excluded, and counts for nothing
  }
  RegionCells cells(axes, Whole(), samples, {0.9, 0.1, 0.9});
  EXPECT_TRUE(cells.PeelUntil({.chance = 0.9, .low = 0.8}, 1));
  EXPECT_EQ(cells.Box()[2].categories, (std::vector<bool>{true, false, true}));
  EXPECT_EQ(cells.Box()[1].low, 0) << "nothing else is taken away";
  // Nothing holds: all goes but the anchor's cell.
  const std::vector<RegionSample> bad = SamplesOf([](const CubePoint&) { return 0.0; });
  RegionCells none(axes, Whole(), bad, {0.9, 0.1, 0.9});
  EXPECT_FALSE(none.PeelUntil({.chance = 0.9, .low = 0.8}, 0));
  EXPECT_TRUE(IsInside(axes, none.Box(), {0.9, 0.1, 0.9}));
  EXPECT_LT(none.Volume(), 0.01);
}

}  // namespace
}  // namespace sweep
