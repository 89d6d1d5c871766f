#include "cli/training/repetition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "proto/epochs.h"

namespace sweep::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

const ReadyMessage kTrainer{.build = "sweep-trainer 0.1.0, libtorch 2.13.0",
                            .device = "cpu",
                            .backend = "lanes",
                            .build_id = "29aa",
                            .instructions = "AVX3",
                            .threads = 1};

EpochMetrics Epoch(int number, double accuracy, double loss, double seconds = 1) {
  return {.epoch = number,
          .values = {
              {kValidationAccuracy, accuracy}, {kValidationLoss, loss}, {kTrainSeconds, seconds}}};
}

RepeatedEpoch Compare(const EpochMetrics& stored, const EpochMetrics& again,
                      bool expects_same = true) {
  RepeatedEpoch compared = CompareEpoch(ToProto(stored), again);
  compared.expects_same = expects_same;
  return compared;
}

TEST(RepetitionTest, TimesAreNotCompared) {
  const RepeatedEpoch compared = Compare(Epoch(1, 0.9, 0.3, 1.5), Epoch(1, 0.9, 0.3, 7));
  EXPECT_TRUE(compared.is_same());
  EXPECT_EQ(compared.Find(kTrainSeconds), nullptr);
  ASSERT_NE(compared.Find("accuracy"), nullptr) << "by its alias";
  EXPECT_EQ(compared.Find("accuracy")->stored, 0.9);
}

TEST(RepetitionTest, OneBitIsADifference) {
  const double next = std::nextafter(0.3, 1.0);
  const RepeatedEpoch compared = Compare(Epoch(1, 0.9, 0.3), Epoch(1, 0.9, next));
  EXPECT_FALSE(compared.is_same());
  EXPECT_TRUE(compared.is_close());
  EXPECT_TRUE(compared.Find(kValidationAccuracy)->is_same);
}

TEST(RepetitionTest, NaNIsTheSameAsNaNOnly) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(Compare(Epoch(1, 0.9, nan), Epoch(1, 0.9, nan)).is_same());
  EXPECT_FALSE(Compare(Epoch(1, 0.9, nan), Epoch(1, 0.9, 0.3)).is_close());
  const double infinite = std::numeric_limits<double>::infinity();
  EXPECT_TRUE(Compare(Epoch(1, 0.9, infinite), Epoch(1, 0.9, infinite)).is_same());
  EXPECT_FALSE(Compare(Epoch(1, 0.9, infinite), Epoch(1, 0.9, 1)).is_close());
}

TEST(RepetitionTest, AMeasureThatIsMissingDiffers) {
  EpochMetrics more = Epoch(1, 0.9, 0.3);
  more.values.Set("val/f1", 0.5);
  for (const RepeatedEpoch& one :
       {Compare(more, Epoch(1, 0.9, 0.3)), Compare(Epoch(1, 0.9, 0.3), more)}) {
    EXPECT_FALSE(one.is_close());
    EXPECT_FALSE(one.Find("val/f1")->is_same);
  }
}

TEST(RepetitionTest, TheTolerance) {
  EXPECT_TRUE(Compare(Epoch(1, 0.9, 1.0), Epoch(1, 0.959, 1.4)).is_close());
  EXPECT_FALSE(Compare(Epoch(1, 0.9, 1.0), Epoch(1, 0.961, 1.0)).is_close());
  EXPECT_FALSE(Compare(Epoch(1, 0.9, 1.0), Epoch(1, 0.9, 1.5)).is_close());
  EXPECT_FALSE(Compare(Epoch(1, 0.9, 1.5), Epoch(1, 0.9, 1.0)).is_close());
  EXPECT_TRUE(Compare(Epoch(1, 0.9, 0.01), Epoch(1, 0.9, 0.059)).is_close()) << "near 0";
}

TEST(RepetitionTest, WhatDiffersBetweenTrainers) {
  EXPECT_EQ(TrainerDifference(kTrainer, kTrainer), "");
  ReadyMessage other = kTrainer;
  other.backend = "torch";
  other.threads = 4;
  EXPECT_EQ(TrainerDifference(kTrainer, other), "backend lanes, here torch; 1 thread, here 4");
  other = kTrainer;
  other.build_id = "30bb";
  EXPECT_EQ(TrainerDifference(kTrainer, other),
            "another build of sweep-trainer 0.1.0, libtorch 2.13.0");
  other.build = "sweep-trainer 0.2.0, libtorch 2.13.0";
  EXPECT_THAT(TrainerDifference(kTrainer, other), HasSubstr("here sweep-trainer 0.2.0"));
  other = kTrainer;
  other.instructions = "AVX2";
  EXPECT_EQ(TrainerDifference(kTrainer, other), "instruction set AVX3, here AVX2");
}

TEST(RepetitionTest, ALineOfAnEarlierOrLaterTrainer) {
  EXPECT_FALSE(ReadTrainer("").has_value());
  EXPECT_FALSE(ReadTrainer("not JSON").has_value());
  EXPECT_FALSE(ReadTrainer("{\"type\":\"ready\",\"protocol\":7}").has_value());
  EXPECT_FALSE(ReadTrainer("{\"type\":").has_value());
  EXPECT_FALSE(
      ReadTrainer(TrainerMessageToJson(DoneMessage{.trial = "s/1", .epochs = 1})).has_value());
  const auto read = ReadTrainer(TrainerMessageToJson(kTrainer));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(TrainerDifference(kTrainer, *read), "");
  EXPECT_EQ(TrainerText(*read), "sweep-trainer 0.1.0, libtorch 2.13.0: lanes, AVX3, cpu, 1 thread");
}

TEST(RepetitionTest, WhatIsIncompleteIsNotGood) {
  const EpochMetrics a = Epoch(1, 0.9, 0.3), near = Epoch(1, 0.901, 0.3);
  for (const RepetitionVerdict& incomplete :
       {JudgeRepetition({Compare(a, a)}, "", /*is_complete=*/false),
        JudgeRepetition({Compare(a, near, false)}, "backend", /*is_complete=*/false)}) {
    EXPECT_FALSE(incomplete.is_good);
    EXPECT_EQ(incomplete.kind, "incomplete");
    EXPECT_EQ(incomplete.text, "");
  }
  EXPECT_EQ(JudgeRepetition({Compare(a, near)}, "", /*is_complete=*/false).kind, "different")
      << "what differs has been found";
}

TEST(RepetitionTest, TheVerdict) {
  const EpochMetrics a = Epoch(1, 0.9, 0.3), near = Epoch(1, 0.901, 0.3), far = Epoch(1, 0.5, 2);
  const auto same = JudgeRepetition({Compare(a, a), Compare(a, a)}, "");
  EXPECT_TRUE(same.is_good);
  EXPECT_EQ(same.kind, "same");
  EXPECT_EQ(same.text, "all 2 epochs are the same, bit for bit");

  // Better than it had to be.
  EXPECT_EQ(JudgeRepetition({Compare(a, a, false)}, "backend lanes, here torch").kind, "same");

  const auto broken = JudgeRepetition({Compare(a, a), Compare(a, near)}, "");
  EXPECT_FALSE(broken.is_good);
  EXPECT_EQ(broken.kind, "different");
  EXPECT_THAT(broken.text, AllOf(HasSubstr("epoch 1 differs"), HasSubstr("same backend"),
                                 HasSubstr("another build of the same libtorch")));

  const auto close = JudgeRepetition({Compare(a, near, false)}, "backend lanes, here torch");
  EXPECT_TRUE(close.is_good);
  EXPECT_EQ(close.kind, "close");
  EXPECT_THAT(close.text, AllOf(HasSubstr("within the tolerance"), HasSubstr("here torch")));

  const auto different = JudgeRepetition({Compare(a, far, false)}, "backend lanes, here torch");
  EXPECT_FALSE(different.is_good);
  EXPECT_THAT(different.text,
              AllOf(HasSubstr("more than the tolerance"), Not(HasSubstr("although"))));
}

}  // namespace
}  // namespace sweep::cli
