#include "cli/present/measure_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

namespace sweep::cli {
namespace {

using ::testing::ElementsAre;

constexpr double kNotANumber = std::numeric_limits<double>::quiet_NaN();

TEST(MeasureText, ASharesUnitIsPercentAndNoOthers) {
  EXPECT_EQ(MeasureText("accuracy", 0.9944), "99.44 %");
  EXPECT_EQ(MeasureText("train_accuracy", 1), "100.00 %");
  EXPECT_EQ(MeasureText("loss", 0.04134), "0.04134");
  EXPECT_EQ(MeasureText("val/f1", 0.91), "0.91") << "nobody has said that it is a share";
  EXPECT_EQ(MeasureText("images_per_second", 4721.4), "4721");
}

TEST(MeasureText, WhatIsUnknownIsNeverZero) {
  EXPECT_EQ(MeasureText("accuracy", std::nullopt), "–");
  EXPECT_EQ(MeasureText("accuracy", kNotANumber), "NaN");
  EXPECT_EQ(MeasureText("loss", std::numeric_limits<double>::infinity()), "inf");
  EXPECT_TRUE(MeasureCell("val/f1", std::nullopt).value.is_null());
  EXPECT_TRUE(MeasureCell("val/f1", kNotANumber).value.is_null());
}

TEST(MeasureText, NamesWhatABareNumberDoesNotTell) {
  EXPECT_EQ(NamedMeasureText("accuracy", 0.9944), "99.44 %");
  EXPECT_EQ(NamedMeasureText("validation_loss", 0.25), "loss 0.25");
  EXPECT_EQ(NamedMeasureText("val/f1", kNotANumber), "val/f1 NaN");
}

TEST(MeasureText, IntervalsAndDistancesAreInTheUnitOfTheMeasure) {
  EXPECT_EQ(IntervalText("accuracy", 0.99256, 0.99571), "99.26–99.57");
  EXPECT_EQ(IntervalText("val/f1", 0.9, 0.95), "0.9–0.95");
  EXPECT_EQ(DistanceText("accuracy", 0.001), "0.10 pt");
  EXPECT_EQ(DistanceText("val/f1", 0.001), "0.001");
}

TEST(EpochText, SaysWhatWasReportedAndNothingElse) {
  EXPECT_EQ(EpochText({.epoch = 3,
                       .values = {{kTrainLoss, 0.05},
                                  {kValidationAccuracy, 0.9877},
                                  {kLearningRate, 0.1},
                                  {kImagesPerSecond, 4721.4}}}),
            "train loss 0.05  val acc 98.77 %  4721 images/s");
  EXPECT_EQ(EpochText({.epoch = 3, .values = {{"val/f1", 0.5}}}), "val/f1 0.5");
  EXPECT_EQ(EpochText({.epoch = 3}), "");
}

TEST(ReportedMeasures, ThePredefinedOnesComeFirst) {
  EXPECT_THAT(ReportedMeasures({{.epoch = 1, .values = {{"a", 1}, {"accuracy", 0.5}}},
                                {.epoch = 2, .values = {{"train_loss", 1}}}}),
              ElementsAre("train_loss", "validation_accuracy", "a"));
}

TEST(Objectives, OfASweepThatHasOne) {
  v1::Sweep sweep;
  sweep.set_metric("val/f1");
  sweep.set_maximize(true);
  EXPECT_EQ(ObjectiveOf(sweep), (Objective{.name = "val/f1", .maximize = true}));
  sweep.add_objectives()->set_name("loss");
  EXPECT_EQ(ObjectiveOf(sweep), (Objective{.name = "loss", .maximize = false}));
}

TEST(Objectives, WhatIsBestFollowsTheGoal) {
  v1::Trial trial;
  v1::MeasureSummary& loss = (*trial.mutable_measures())["validation_loss"];
  loss.set_last(0.4);
  loss.set_low(0.3);
  loss.set_high(0.9);
  EXPECT_EQ(BestOf(trial, {.name = "loss", .maximize = false}), 0.3);
  EXPECT_EQ(BestOf(trial, {.name = "loss", .maximize = true}), 0.9);
  EXPECT_EQ(LastOf(trial, "loss"), 0.4);
  EXPECT_EQ(LastOf(trial, "val/f1"), std::nullopt);
}

}  // namespace
}  // namespace sweep::cli
