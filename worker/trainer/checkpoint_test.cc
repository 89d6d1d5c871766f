#include "worker/trainer/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace sweep {
namespace {

using ::testing::HasSubstr;

TrialSpec Spec() {
  TrialSpec spec;
  spec.trial = "s/1";
  spec.network.name = "tiny";
  spec.network.layers = {{.kind = LayerKind::kLinear, .out = 10}};
  EXPECT_EQ(InferShapes(&spec.network), "");
  return spec;
}

Checkpoint Example() {
  return {.spec = TrainingIdentity(Spec()),
          .epoch = 3,
          .network = {{"layers.0.bias", "F32", {1}, "abcd"}},
          .momentum = {{"layers.0.bias", "F32", {1}, "efgh"}},
          .last = {.epoch = 3, .values = {{"train_loss", 0.05}, {"validation_accuracy", 0.97}}},
          .best = {.epoch = 2, .values = {{"train_loss", 0.1}, {"validation_accuracy", 0.98}}},
          .best_network = {{"layers.0.bias", "F32", {1}, "ijkl"}},
          .predictions = "\1\2\3"};
}

TEST(Checkpoint, WhatIsWrittenIsReadBack) {
  const std::string bytes = SerializeSafeTensors(CheckpointToSafeTensors(Example()));
  EXPECT_EQ(CheckpointFromSafeTensors(ParseSafeTensors(bytes, "c"), "c"), Example());
}

TEST(Checkpoint, OtherFilesAreRefused) {
  SafeTensors content = CheckpointToSafeTensors(Example());
  content.metadata["format"] = "else";
  EXPECT_THROW(CheckpointFromSafeTensors(content, "c"), SafeTensorsError);
  content = CheckpointToSafeTensors(Example());
  content.metadata["epoch"] = "many";
  EXPECT_THROW(CheckpointFromSafeTensors(content, "c"), SafeTensorsError);
  for (const char* epoch : {"-3", "0", "1", "4"}) {
    content.metadata["epoch"] = epoch;
    EXPECT_THROW(CheckpointFromSafeTensors(content, "c"), SafeTensorsError) << epoch;
  }
  content = CheckpointToSafeTensors(Example());
  content.tensors[0].name = "stranger";
  EXPECT_THROW(CheckpointFromSafeTensors(content, "c"), SafeTensorsError);
}

TEST(Checkpoint, BelongsToAnyAttemptOfTheSameTraining) {
  TrialSpec spec = Spec();
  spec.trial = "s/2";
  spec.data_dir = "/data";
  spec.output_dir = "/out";
  spec.resume_from = "/checkpoint";
  spec.device = "cuda:1";
  spec.parameters = {{"lr", 0.5}, {"width", std::int64_t{7}}};
  EXPECT_EQ(ExplainMismatch(Example(), spec), "");
}

TEST(Checkpoint, SaysWhatIsAnotherTraining) {
  TrialSpec spec = Spec();
  spec.lr = 0.05;
  EXPECT_EQ(ExplainMismatch(Example(), spec), "it has lr 0.01, the trial has 0.05");
  spec = Spec();
  spec.seed = 2;
  EXPECT_THAT(ExplainMismatch(Example(), spec), HasSubstr("seed"));
  spec = Spec();
  spec.network.name = "other";
  EXPECT_THAT(ExplainMismatch(Example(), spec), HasSubstr("network tiny, the trial's is other"));
  spec = Spec();
  spec.network.layers.insert(spec.network.layers.begin(), {.kind = LayerKind::kRelu});
  ASSERT_EQ(InferShapes(&spec.network), "");
  EXPECT_THAT(ExplainMismatch(Example(), spec), HasSubstr("tiny with other layers"));
  Checkpoint damaged = Example();
  damaged.spec = "?";
  EXPECT_NE(ExplainMismatch(damaged, Spec()), "");
}

TEST(Checkpoint, OfOtherDataIsAnotherTraining) {
  TrialSpec spec = Spec();
  spec.data_sha256 = std::string(64, 'a');
  Checkpoint checkpoint = Example();
  checkpoint.spec = TrainingIdentity(spec);
  EXPECT_EQ(ExplainMismatch(checkpoint, spec), "");
  EXPECT_EQ(ExplainMismatch(checkpoint, Spec()), "") << "one that does not say what it has";
  EXPECT_EQ(ExplainMismatch(Example(), spec), "") << "a checkpoint that does not say it";
  spec.data_sha256 = std::string(64, 'b');
  const std::string reason = ExplainMismatch(checkpoint, spec);
  EXPECT_THAT(reason, HasSubstr("other data"));
  EXPECT_THAT(reason, HasSubstr(std::string(64, 'a')));
  EXPECT_THAT(reason, HasSubstr(std::string(64, 'b')));
}

TEST(Checkpoint, OfSomethingElseThanANetworkIsAnotherTrainingToo) {
  const std::string identity = TrainingIdentity(Spec());
  const std::size_t begin = identity.find("\"network\":") + 10;
  ASSERT_EQ(identity[begin], '{');
  std::size_t end = begin + 1;
  for (int depth = 1; depth > 0; ++end) depth += (identity[end] == '{') - (identity[end] == '}');
  for (const char* other : {"3", "\"tiny\"", "[]", "{\"name\":3}", "null"}) {
    Checkpoint checkpoint = Example();
    checkpoint.spec = identity.substr(0, begin) + other + identity.substr(end);
    EXPECT_EQ(ExplainMismatch(checkpoint, Spec()), "it is of the network ?, the trial's is tiny")
        << other;
  }
}

}  // namespace
}  // namespace sweep
