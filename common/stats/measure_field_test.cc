#include "common/stats/measure_field.h"

#include <gtest/gtest.h>

namespace sweep {
namespace {

using Part = MeasureField::Part;

TEST(MeasureField, NamesAPartOfASummary) {
  const std::vector<Objective> goals = {{.name = "val/f1", .maximize = true},
                                        {.name = "latency", .maximize = false}};
  const struct {
    const char* name;
    const char* measure;
    Part part;
  } table[] = {
      {"best_accuracy", "validation_accuracy", Part::kHigh},
      {"best_loss", "validation_loss", Part::kLow},
      {"last_validation_loss", "validation_loss", Part::kLast},
      {"last_lr", "lr", Part::kLast},
      {"best.val/f1", "val/f1", Part::kHigh},
      {"best.latency", "latency", Part::kLow},
      {"low.val/f1", "val/f1", Part::kLow},
      {"high.accuracy", "validation_accuracy", Part::kHigh},
      {"last.a.b-c", "a.b-c", Part::kLast},
  };
  for (const auto& [name, measure, part] : table) {
    const auto field = ParseMeasureField(name, goals);
    ASSERT_TRUE(field.has_value()) << name;
    EXPECT_EQ(field->measure, measure) << name;
    EXPECT_EQ(field->part, part) << name;
  }
  for (const char* name : {"best_lr", "best.unknown", "best_val/f1", "last_", "last.", "accuracy",
                           "best.a b", "best_epoch", "lowest", "high"}) {
    EXPECT_FALSE(ParseMeasureField(name, goals).has_value()) << name;
  }
}

TEST(MeasureField, HasNoValueBeforeItIsReported) {
  MeasureSummaries summaries;
  const MeasureField field = *ParseMeasureField("high.val/f1", {});
  EXPECT_EQ(field.Of(summaries), std::nullopt);
  AddToSummaries({{"val/f1", 0.5}}, &summaries);
  AddToSummaries({{"val/f1", 0.25}}, &summaries);
  EXPECT_EQ(field.Of(summaries), 0.5);
  EXPECT_EQ(ParseMeasureField("low.val/f1", {})->Of(summaries), 0.25);
}

TEST(MeasureField, AllListedNamesCanBeRead) {
  for (const std::string& name : PredefinedMeasureFields()) {
    EXPECT_TRUE(ParseMeasureField(name, {}).has_value()) << name;
  }
}

}  // namespace
}  // namespace sweep
