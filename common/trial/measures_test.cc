#include "common/trial/measures.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace sweep {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

TEST(Measurements, TellWhatIsUnknownFromNaN) {
  Measurements values = {{"val/f1", 0.5}, {"loss", kNaN}};
  EXPECT_EQ(values.Get("val/f1"), 0.5);
  ASSERT_TRUE(values.Get("validation_loss").has_value());
  EXPECT_TRUE(std::isnan(*values.Get("validation_loss")));
  EXPECT_EQ(values.Get("accuracy"), std::nullopt);
  EXPECT_TRUE(std::isnan(values.GetOrNaN("accuracy")));
  values.Set("val/f1", 0.75);
  EXPECT_EQ(values.Get("val/f1"), 0.75);
  EXPECT_EQ(values.size(), 2U);
}

TEST(PredefinedMeasures, SayWhatTheyAre) {
  for (const Measure& measure : PredefinedMeasures()) {
    EXPECT_FALSE(measure.title.empty()) << measure.name;
    EXPECT_TRUE(measure.help.ends_with(".")) << measure.name;
    EXPECT_FALSE(measure.gate.empty()) << measure.name;
  }
}

TEST(Measurements, AliasesAreTheMeasureItself) {
  EXPECT_EQ((Measurements{{"accuracy", 0.9}}), (Measurements{{"validation_accuracy", 0.9}}));
  EXPECT_EQ((Measurements{{"loss", kNaN}}), (Measurements{{"validation_loss", kNaN}}));
  EXPECT_NE((Measurements{{"a", 1}}), (Measurements{{"b", 1}}));
  EXPECT_NE((Measurements{{"a", 1}}), (Measurements{{"a", 2}}));
  EXPECT_NE((Measurements{{"a", 1}}), (Measurements{{"a", 1}, {"b", 1}}));
}

TEST(Measurements, AreInTheOrderOfTheirNames) {
  const Measurements values = {{"b", 2}, {"a", 1}, {"c", 3}};
  std::string names;
  for (const auto& [name, value] : values) names += name;
  EXPECT_EQ(names, "abc");
  EXPECT_EQ(values.Sum({"a", "c", "z"}), 4);
}

TEST(Measure, NamesAreLettersDigitsAndFourSigns) {
  for (const char* good : {"val/f1", "a", "val_loss", "top-5", "metrics.mAP50-95", "9"}) {
    EXPECT_TRUE(IsMeasureName(good)) << good;
  }
  for (const std::string& bad : {std::string(""), std::string("a b"), std::string("f1\n"),
                                 std::string("\xc3\xa9"), std::string(65, 'a')}) {
    EXPECT_FALSE(IsMeasureName(bad)) << bad;
  }
}

TEST(Measure, PredefinedOnesHaveRanges) {
  const Measure* const accuracy = FindMeasure("accuracy");
  ASSERT_NE(accuracy, nullptr);
  EXPECT_EQ(accuracy, FindMeasure("validation_accuracy"));
  EXPECT_TRUE(accuracy->Allows(1));
  EXPECT_TRUE(accuracy->Allows(kNaN));
  EXPECT_FALSE(accuracy->Allows(99.4));
  EXPECT_FALSE(accuracy->Allows(-0.1));
  const Measure* const seconds = FindMeasure("train_seconds");
  ASSERT_NE(seconds, nullptr);
  EXPECT_FALSE(seconds->Allows(kNaN));
  EXPECT_FALSE(seconds->Allows(std::numeric_limits<double>::infinity()));
  EXPECT_EQ(FindMeasure("val/f1"), nullptr);
  EXPECT_EQ(FindMeasure(""), nullptr);
}

TEST(Measure, SameSeedsNeedNotTakeTheSameTime) {
  const Measurements a = {{"loss", 0.5}, {"train_seconds", 1}};
  EXPECT_TRUE(SameReproducible(a, {{"loss", 0.5}, {"train_seconds", 2}}));
  EXPECT_TRUE(SameReproducible(a, {{"loss", 0.5}}));
  EXPECT_FALSE(SameReproducible(a, {{"loss", 0.6}, {"train_seconds", 1}}));
  EXPECT_FALSE(SameReproducible(a, {{"loss", 0.5}, {"val/f1", 1}}));
  EXPECT_TRUE(SameReproducible({{"loss", kNaN}}, {{"loss", kNaN}}));
}

TEST(MeasureSummary, LeavesNaNOutOfLowAndHigh) {
  MeasureSummaries summaries;
  for (const double value : {kNaN, 0.5, 0.25, 0.75, kNaN}) {
    AddToSummaries({{"val/f1", value}}, &summaries);
  }
  ASSERT_NE(summaries.Find("val/f1"), nullptr);
  const MeasureSummary& summary = *summaries.Find("val/f1");
  EXPECT_EQ(summary.low, 0.25);
  EXPECT_EQ(summary.high, 0.75);
  EXPECT_TRUE(std::isnan(summary.last));
  EXPECT_EQ(summary.Best(1), 0.75);
  EXPECT_EQ(summary.Best(-1), 0.25);
}

}  // namespace
}  // namespace sweep
