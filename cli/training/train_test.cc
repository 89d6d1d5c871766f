#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "cli/training/train_plan.h"
#include "cli/training/training_folder.h"
#include "cli/training/training_log.h"

namespace sweep::cli {
namespace {

std::vector<std::string> ignored_warnings;

using ::testing::HasSubstr;

TEST(TrainPlan, IsTheNetworksRecipeAndOverItWhatWasAskedFor) {
  const absl::StatusOr<TrialSpec> plain = PlanTraining({.network = "cnn-18718"}, &ignored_warnings);
  ASSERT_TRUE(plain.ok()) << plain.status();
  EXPECT_EQ(plain->lr, 0.095);
  EXPECT_EQ(plain->momentum, 0.95);
  EXPECT_EQ(plain->epochs, 19);
  EXPECT_EQ(plain->network.layers[3].p, 0.05);

  const absl::StatusOr<TrialSpec> asked =
      PlanTraining({.network = "cnn-18718",
                    .flags = {{"lr", "0.5"}, {"momentum", ""}, {"schedule", "one_cycle"}},
                    .settings = {"dropout=0.25", "one_cycle_warmup=0.2"},
                    .dataset = "synthetic",
                    .train_images = 100,
                    .seed = 9},
                   &ignored_warnings);
  ASSERT_TRUE(asked.ok()) << asked.status();
  EXPECT_EQ(asked->lr, 0.5);
  EXPECT_EQ(asked->momentum, 0.95) << "not asked for";
  EXPECT_EQ(asked->schedule, "one_cycle");
  EXPECT_EQ(asked->one_cycle_warmup, 0.2);
  EXPECT_EQ(asked->network.layers[3].p, 0.25);
  EXPECT_EQ(asked->dataset.name, "synthetic");
  EXPECT_EQ(asked->dataset.train_size, 100);
  EXPECT_EQ(asked->seed, 9u);
}

TEST(TrainPlan, AFolderIsADataSetOfIdxFiles) {
  const absl::StatusOr<TrialSpec> spec =
      PlanTraining({.network = "cnn-18718", .dataset = "some/dir"}, &ignored_warnings);
  ASSERT_TRUE(spec.ok());
  EXPECT_EQ(spec->dataset.name, "idx");
  EXPECT_EQ(spec->dataset.path, "some/dir");
}

TEST(TrainPlan, WrongValuesNameTheFlag) {
  const auto complaint = [](TrainRequest request) {
    request.network = "cnn-18718";
    return std::string(PlanTraining(request, &ignored_warnings).status().message());
  };
  EXPECT_THAT(complaint({.flags = {{"batch_size", "x"}}}), HasSubstr("--batch-size: 'batch_size'"));
  EXPECT_THAT(complaint({.settings = {"lr=-1"}}), HasSubstr("--set 'lr'"));
  EXPECT_THAT(complaint({.flags = {{"momentum", "0"}}, .settings = {"nesterov=true"}}),
              HasSubstr("needs a momentum"));
}

TEST(TrainingLog, LooksLikeThatOfTheWriteUps) {
  const EpochMetrics epoch = {.epoch = 2,
                              .values = {{"train_loss", 0.05123},
                                         {"train_accuracy", 0.9843},
                                         {"validation_loss", 0.04},
                                         {"validation_accuracy", 0.9877},
                                         {"train_seconds", 13.3},
                                         {"images_per_second", 60000 / 13.3}}};
  EXPECT_EQ(StepsOf(epoch, 128), 469);
  EXPECT_EQ(EpochHeading(2), "Epoch number: 2\n");
  EXPECT_EQ(EpochBar(epoch, 469, false),
            "loss=0.0512 batch_id=468 accuracy=98.43: 100%|██████████| 469/469 [00:13<00:00, "
            "35.26it/s]\n");
  // Exactly write-up 002's second line.
  EXPECT_EQ(TestLine(epoch, 10000),
            "Test set: Average loss: 0.0400, Accuracy: 9877/10000 (98.77%)\n");
}

TEST(TrainingLog, ABarGrowsWithTheEpoch) {
  ProgressMessage progress{.epoch = 1, .step = 412, .steps = 938, .loss = 0.0413};
  EXPECT_EQ(TrainingBar(progress, absl::Seconds(6), true),
            "loss=0.0413 batch_id=411:  43%|####      | 412/938 [00:06<00:07, 68.67it/s]");
  progress.step = 0;
  EXPECT_EQ(TrainingBar(progress, absl::ZeroDuration(), true),
            "loss=0.0413 batch_id=0:   0%|          | 0/938 [00:00<?, 0.00it/s]");
  progress.steps = 0;
  progress.loss = std::nan("");
  EXPECT_THAT(TrainingBar(progress, absl::Seconds(1), false), HasSubstr("0/0"));
}

class TrainingFolderTest : public ::testing::Test {
 protected:
  TrainingFolderTest() {
    std::string pattern = (std::filesystem::temp_directory_path() / "sweep-test-XXXXXX").string();
    root_ = mkdtemp(pattern.data());
    spec_ = *PlanTraining({.network = "cnn-18718", .flags = {{"epochs", "3"}}}, &ignored_warnings);
  }
  ~TrainingFolderTest() override { std::filesystem::remove_all(root_); }
  std::string root_;
  TrialSpec spec_;
};

TEST_F(TrainingFolderTest, GoesOnFromItsCheckpointAndNotWithout) {
  const std::string path = root_ + "/a/b";
  {
    auto folder = TrainingFolder::Create(path, spec_);
    ASSERT_TRUE(folder.ok()) << folder.status();
    ASSERT_TRUE((*folder)->AddEpoch({.epoch = 1, .values = {{"train_loss", std::nan("")}}}).ok());
    EXPECT_FALSE((*folder)->HasCheckpoint());
    EXPECT_TRUE(absl::IsFailedPrecondition(TrainingFolder::Resume(path).status()))
        << "one at a time";
  }
  {
    auto again = TrainingFolder::Resume(path);
    ASSERT_TRUE(again.ok()) << again.status();
    EXPECT_EQ((*again)->spec().resume_from, "");
    EXPECT_TRUE((*again)->epochs().empty()) << "without a checkpoint it begins again";
    ASSERT_TRUE((*again)->AddEpoch({.epoch = 1}).ok());
    ASSERT_TRUE((*again)->AddEpoch({.epoch = 2}).ok());
    std::ofstream(path + "/checkpoint.safetensors") << "x";
    ASSERT_TRUE((*again)->SetCheckpoint((*again)->path() + "/checkpoint.safetensors").ok());
  }
  auto third = TrainingFolder::Resume(path);
  ASSERT_TRUE(third.ok()) << third.status();
  EXPECT_EQ((*third)->spec().resume_from, (*third)->path() + "/checkpoint.safetensors");
  EXPECT_EQ((*third)->spec().lr, spec_.lr);
  ASSERT_EQ((*third)->epochs().size(), 2u);
  ASSERT_TRUE((*third)->AddEpoch({.epoch = 2, .values = {{"validation_accuracy", 0.5}}}).ok());
  ASSERT_EQ((*third)->epochs().size(), 2u) << "an epoch measured anew takes the place of the old";
  EXPECT_EQ((*third)->epochs()[1].Get(kValidationAccuracy), 0.5);
}

TEST_F(TrainingFolderTest, ALogOfAnEarlierVersionIsUnderstood) {
  const std::string path = root_ + "/old";
  {
    auto folder = TrainingFolder::Create(path, spec_);
    ASSERT_TRUE(folder.ok()) << folder.status();
    std::ofstream(path + "/checkpoint.safetensors") << "x";
    ASSERT_TRUE((*folder)->SetCheckpoint((*folder)->path() + "/checkpoint.safetensors").ok());
    auto log = nlohmann::json::parse((*folder)->LogText());
    log["epochs"] = {{{"epoch", 1}, {"validation_accuracy", 0.5}, {"train_loss", nullptr}}};
    std::ofstream(path + "/log.json") << log;
  }
  auto folder = TrainingFolder::Resume(path);
  ASSERT_TRUE(folder.ok()) << folder.status();
  EXPECT_EQ((*folder)->epochs(),
            (std::vector<EpochMetrics>{
                {.epoch = 1, .values = {{"validation_accuracy", 0.5}, {"train_loss", NAN}}}}));
  EXPECT_NE((*folder)->LogText().find("values"), std::string::npos);
}

TEST_F(TrainingFolderTest, ADamagedLogIsNamed) {
  std::ofstream(root_ + "/log.json") << "{\"spec\": 3";
  const absl::Status status = TrainingFolder::Resume(root_).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("log.json is damaged"));
}

}  // namespace
}  // namespace sweep::cli
