#include "worker/trainer/trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/protocol/hyperparameters.h"
#include "common/tensors/safetensors.h"
#include "worker/data/batch.h"
#include "worker/data/data_digest.h"
#include "worker/data/dataset.h"
#include "worker/trainer/checkpoint.h"
#include "worker/trainer/schedule.h"
#include "worker/trainer/testing/trainer_testing.h"

namespace sweep {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Key;
using ::testing::SizeIs;

// The parameter is the backend.
class TrainerTest : public testing::TestWithParam<std::string> {
 protected:
  TrialSpec Spec() const { return SmallTrial(folder_.path()); }

  TrainingResult Train(const TrialSpec& spec, Recorder* recorder) {
    return trainer_.Train(spec, recorder);
  }
  std::vector<EpochMetrics> TrainEpochs(const TrialSpec& spec) {
    Recorder recorder;
    Train(spec, &recorder);
    return WithoutTimes(recorder.epochs);
  }
  // The error's text; `*retryable` may be null.
  std::string Failure(const TrialSpec& spec, bool* retryable = nullptr) {
    Recorder recorder;
    try {
      Train(spec, &recorder);
    } catch (const TrainingError& error) {
      if (retryable != nullptr) *retryable = error.retryable();
      return error.what();
    }
    return "";
  }

  TemporaryFolder folder_;
  Trainer trainer_{{.device = "cpu", .backend = GetParam()}};
};

TEST_P(TrainerTest, ReportsEveryEpoch) {
  Recorder recorder;
  const TrainingResult result = Train(Spec(), &recorder);
  EXPECT_EQ(result.epochs, 3);
  EXPECT_FALSE(result.stopped);
  ASSERT_THAT(recorder.epochs, SizeIs(3));
  for (int i = 0; i < 3; ++i) {
    const EpochMetrics& metrics = recorder.epochs[static_cast<std::size_t>(i)];
    EXPECT_EQ(metrics.epoch, i + 1);
    EXPECT_GT(metrics.Get("train_loss"), 0);
    EXPECT_GT(metrics.Get("train_seconds"), 0);
    EXPECT_GT(metrics.Get("evaluate_seconds"), 0);
    EXPECT_NEAR(metrics.Get("images_per_second") * metrics.Get("train_seconds"), 520, 1e-6);
    EXPECT_DOUBLE_EQ(metrics.Get("lr"), 0.1);
  }
  EXPECT_LT(recorder.epochs[2].Get("train_loss"), recorder.epochs[0].Get("train_loss"));
}

TEST_P(TrainerTest, SameSpecSameSeedSameEpochs) {
  TrialSpec spec = Spec();
  spec.augmentation = "shift_rotation";
  const std::vector<EpochMetrics> first = TrainEpochs(spec);
  TrainEpochs(Spec());  // something else between
  EXPECT_EQ(TrainEpochs(spec), first);
  spec.seed += 1;
  EXPECT_NE(TrainEpochs(spec), first);
}

TEST_P(TrainerTest, EveryHyperparameterReachesTheTraining) {
  const std::vector<EpochMetrics> base = TrainEpochs(Spec());
  const std::vector<std::pair<std::string, std::function<void(TrialSpec*)>>> changes = {
      {"lr", [](TrialSpec* spec) { spec->lr = 0.11; }},
      {"momentum", [](TrialSpec* spec) { spec->momentum = 0.8; }},
      {"nesterov", [](TrialSpec* spec) { spec->nesterov = true; }},
      {"weight_decay", [](TrialSpec* spec) { spec->weight_decay = 0.01; }},
      {"label_smoothing", [](TrialSpec* spec) { spec->label_smoothing = 0.1; }},
      {"schedule", [](TrialSpec* spec) { spec->schedule = "one_cycle"; }},
      {"augmentation", [](TrialSpec* spec) { spec->augmentation = "shift"; }},
      {"loss", [](TrialSpec* spec) { spec->loss = "nll_batch_softmax"; }},
      {"normalize_mean", [](TrialSpec* spec) { spec->normalize_mean = 0.2; }},
      {"dropout", [](TrialSpec* spec) { spec->network.layers[3].p = 0; }},
      {"dropout2d", [](TrialSpec* spec) { spec->network.layers[8].p = 0; }},
      {"holdout", [](TrialSpec* spec) { spec->holdout = 20; }}};
  // Those that schedules and augmentations use have tests there; the others, tests below.
  const std::set<std::string_view> elsewhere = {"epochs",
                                                "batch_size",
                                                "decay_norm_and_bias",
                                                "one_cycle_start_divisor",
                                                "one_cycle_warmup",
                                                "warmup_epochs",
                                                "one_cycle_final_divisor",
                                                "final_lr_fraction",
                                                "step_epochs",
                                                "step_gamma",
                                                "shift_pixels",
                                                "rotation_degrees"};
  for (const KnownParameter& known : KnownParameters()) {
    const bool is_changed = std::any_of(changes.begin(), changes.end(), [&](const auto& change) {
      return change.first == known.name;
    });
    EXPECT_NE(is_changed, elsewhere.contains(known.name))
        << "nobody tests that " << known.name << " reaches the training";
  }
  for (const auto& [name, change] : changes) {
    TrialSpec spec = Spec();
    spec.epochs = 1;
    change(&spec);
    EXPECT_NE(TrainEpochs(spec).front().Get("train_loss"), base.front().Get("train_loss")) << name;
  }
}

TEST_P(TrainerTest, DecayCanLeaveNormAndBiasAlone) {
  TrialSpec spec = Spec();
  spec.epochs = 1;
  spec.weight_decay = 0.05;
  const std::vector<EpochMetrics> all = TrainEpochs(spec);
  spec.decay_norm_and_bias = false;
  EXPECT_NE(TrainEpochs(spec), all);
}

// A learning rate below the precision of a float leaves the weights alone, so that only random
// draws change the results.
constexpr double kNoLearning = 1e-30;

TEST_P(TrainerTest, DropoutIsDrawnAnewInEveryStepOfEveryEpoch) {
  TrialSpec spec = Spec();
  spec.network = MakeNetwork("dropped", {{.kind = LayerKind::kDropout, .p = 0.5},
                                         {.kind = LayerKind::kLinear, .out = 10}});
  spec.dataset = {.name = "synthetic", .train_size = 1, .test_size = 1};
  spec.lr = kNoLearning;
  const std::vector<EpochMetrics> epochs = TrainEpochs(spec);
  EXPECT_NE(epochs[0].Get("train_loss"), epochs[1].Get("train_loss"));
  EXPECT_NE(epochs[1].Get("train_loss"), epochs[2].Get("train_loss"));
  EXPECT_EQ(epochs[0].Get("validation_loss"), epochs[2].Get("validation_loss"));
}

TEST_P(TrainerTest, AugmentationBelongsToTheImageNotToTheBatch) {
  TrialSpec spec = Spec();
  spec.network = MakeNetwork("linear", {{.kind = LayerKind::kLinear, .out = 10}});
  spec.augmentation = "shift_rotation";
  spec.lr = kNoLearning;
  const std::vector<EpochMetrics> small_batches = TrainEpochs(spec);
  spec.batch_size = 520;
  const std::vector<EpochMetrics> one_batch = TrainEpochs(spec);
  EXPECT_NEAR(small_batches[1].Get("train_loss"), one_batch[1].Get("train_loss"), 1e-6);
  EXPECT_NE(one_batch[0].Get("train_loss"), one_batch[1].Get("train_loss"));
}

TEST_P(TrainerTest, TheRateFollowsTheScheduleOverAllEpochs) {
  TrialSpec spec = Spec();
  spec.schedule = "one_cycle";
  const std::vector<EpochMetrics> epochs = TrainEpochs(spec);
  const Schedule schedule(spec, 11);
  for (const EpochMetrics& metrics : epochs) {
    EXPECT_EQ(metrics.Get("lr"), schedule.LearningRate(11 * metrics.epoch - 1));
  }
}

TEST_P(TrainerTest, LearnsDrawnDigits) {
  TrialSpec spec = Spec();
  spec.epochs = 2;
  spec.batch_size = 32;
  spec.schedule = "one_cycle";
  spec.dataset = {.name = "synthetic", .train_size = 4096, .test_size = 1000};
  const std::vector<EpochMetrics> epochs = TrainEpochs(spec);
  EXPECT_GT(epochs.back().Get("validation_accuracy"), 0.95);
}

TEST_P(TrainerTest, ProgressIsWithinTheEpochAndNotTooOften) {
  Recorder recorder;
  TrialSpec spec = Spec();
  spec.epochs = 6;
  const auto start = std::chrono::steady_clock::now();
  Train(spec, &recorder);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  EXPECT_LE(recorder.progress.size(), took.count() * 4 + 1);
  for (const ProgressMessage& progress : recorder.progress) {
    EXPECT_EQ(progress.trial, "test/1");
    EXPECT_EQ(progress.steps, 11);
    EXPECT_THAT(progress.step, AllOf(testing::Ge(1), testing::Le(11)));
    EXPECT_TRUE(std::isfinite(progress.loss));
  }
}

TEST_P(TrainerTest, KeepsBestAndLastWeightsAndPredictions) {
  TrialSpec spec = Spec();
  spec.epochs = 5;
  Recorder recorder;
  const TrainingResult result = Train(spec, &recorder);
  EXPECT_THAT(result.files,
              ElementsAre(Key("predictions"), Key("weights_best"), Key("weights_last")));
  // The first of equals.
  const auto best = std::max_element(
      recorder.epochs.begin(), recorder.epochs.end(), [](const auto& a, const auto& b) {
        return a.Get("validation_accuracy") < b.Get("validation_accuracy");
      });
  const SafeTensors weights = ReadSafeTensors(result.files.at("weights_best"));
  EXPECT_EQ(weights.metadata.at("epoch"), std::to_string(best->epoch));
  EXPECT_EQ(weights.metadata.at("trial"), "test/1");
  EXPECT_EQ(weights.metadata.at("seed"), "11");
  EXPECT_DOUBLE_EQ(std::stod(weights.metadata.at("accuracy")), best->Get("validation_accuracy"));
  EXPECT_THAT(weights.metadata.at("network"), HasSubstr("batch_norm"));
  EXPECT_EQ(weights.Find("layers.0.weight")->shape, (std::vector<std::int64_t>{8, 1, 3, 3}));
  EXPECT_EQ(weights.Find("layers.2.num_batches_tracked")->dtype, "I64");
  EXPECT_EQ(ReadSafeTensors(result.files.at("weights_last")).metadata.at("epoch"), "5");

  const SafeTensors predictions = ReadSafeTensors(result.files.at("predictions"));
  const std::string& predicted = predictions.Find("predictions")->bytes;
  const Dataset data = LoadDataset(spec.dataset, "");
  ASSERT_THAT(predicted, SizeIs(130));
  int right = 0;
  for (std::size_t i = 0; i < predicted.size(); ++i) {
    right += static_cast<std::uint8_t>(predicted[i]) == data.test.labels[i];
  }
  EXPECT_DOUBLE_EQ(right / 130.0, best->Get("validation_accuracy"));
  EXPECT_EQ(predictions.Find("labels")->bytes,
            std::string(data.test.labels.begin(), data.test.labels.end()));
  EXPECT_EQ(predictions.Find("images")->shape,
            (std::vector<std::int64_t>{std::min(130 - right, 128), 1, 28, 28}));
}

TEST_P(TrainerTest, OfEqualEpochsTheFirstIsTheBest) {
  TrialSpec spec = Spec();
  spec.lr = 1e-12;
  spec.network = MakeNetwork("linear", {{.kind = LayerKind::kLinear, .out = 10}});
  Recorder recorder;
  const TrainingResult result = Train(spec, &recorder);
  ASSERT_EQ(recorder.epochs[0].Get("validation_accuracy"),
            recorder.epochs[2].Get("validation_accuracy"));
  EXPECT_EQ(ReadSafeTensors(result.files.at("weights_best")).metadata.at("epoch"), "1");
}

TEST_P(TrainerTest, HoldoutIsEvaluatedInsteadOfTheTestImages) {
  TrialSpec spec = Spec();
  spec.holdout = 60;
  Recorder recorder;
  const TrainingResult result = Train(spec, &recorder);
  const SafeTensors predictions = ReadSafeTensors(result.files.at("predictions"));
  EXPECT_THAT(predictions.Find("predictions")->bytes, SizeIs(60));
  const Dataset data = LoadDataset(spec.dataset, "");
  std::string labels;
  for (const std::int32_t index : HoldoutSplit(520, 60, spec.seed).holdout) {
    labels += static_cast<char>(data.train.labels[static_cast<std::size_t>(index)]);
  }
  EXPECT_EQ(predictions.Find("labels")->bytes, labels);
  EXPECT_NEAR(recorder.epochs[0].Get("images_per_second") * recorder.epochs[0].Get("train_seconds"),
              460, 1e-6);
}

// Where the network is sure of the labels, the batch softmax of B images and C classes gives ln(B /
// C), that is 2.55 here; a softmax over the classes gives less than 0.5 at this accuracy.
TEST_P(TrainerTest, BatchSoftmaxHasTheLossOfTheWriteUp) {
  TrialSpec spec = Spec();
  spec.loss = "nll_batch_softmax";
  spec.batch_size = 128;
  spec.epochs = 4;
  spec.dataset = {.name = "synthetic", .train_size = 2048, .test_size = 256};
  spec.evaluate_with = "batch_softmax";
  const std::vector<EpochMetrics> epochs = TrainEpochs(spec);
  EXPECT_GT(epochs.back().Get("validation_accuracy"), 0.9);
  EXPECT_NEAR(epochs.back().Get("validation_loss"), std::log(12.8), 0.8);
}

// Hardly trained, so that the predictions depend on the other images in the batch.
TEST_P(TrainerTest, TheBatchSoftmaxIsEvaluatedOverBatchesOf128InOrder) {
  TrialSpec spec = Spec();
  spec.epochs = 1;
  spec.lr = 1e-6;
  spec.evaluate_with = "batch_softmax";
  const auto predictions = [&](int images) {
    spec.dataset.test_size = images;
    Recorder recorder;
    const TrainingResult result = Train(spec, &recorder);
    return ReadSafeTensors(result.files.at("predictions")).Find("predictions")->bytes;
  };
  const std::string three_batches = predictions(384);
  ASSERT_THAT(three_batches, SizeIs(384));
  EXPECT_EQ(predictions(128), three_batches.substr(0, 128));
  EXPECT_NE(predictions(120), three_batches.substr(0, 120));
  spec.evaluate_with = "class_softmax";
  EXPECT_NE(predictions(128), three_batches.substr(0, 128));
}

TEST_P(TrainerTest, AStopEndsWithinAStepAndLeavesACheckpoint) {
  Recorder recorder;
  int steps_after_epoch = 0;
  int asked_at_stop = 0;
  recorder.ask = [&] {
    if (recorder.epochs.size() != 1 || ++steps_after_epoch < 3) return TrainingRequest::kNone;
    asked_at_stop = recorder.asked;
    return TrainingRequest::kStop;
  };
  const TrainingResult result = Train(Spec(), &recorder);
  EXPECT_TRUE(result.stopped);
  EXPECT_EQ(result.epochs, 1);
  EXPECT_THAT(recorder.epochs, SizeIs(1));
  EXPECT_EQ(recorder.asked, asked_at_stop);  // nothing was done afterwards
  ASSERT_THAT(recorder.checkpoints, SizeIs(1));
  EXPECT_EQ(recorder.checkpoints[0].first, 1);
  EXPECT_TRUE(std::filesystem::exists(recorder.checkpoints[0].second));
  // Files of the last whole epoch, since the trial may not go on.
  ASSERT_THAT(result.files, SizeIs(3));
  EXPECT_EQ(ReadSafeTensors(result.files.at("weights_last")).metadata.at("epoch"), "1");
}

// A trial that is held at an epoch and goes on later has the same schedule as one without a pause.
TEST_P(TrainerTest, ATargetEpochEndsATrialAndChangesNoneOfItsEpochs) {
  TrialSpec spec = Spec();
  spec.epochs = 4;
  spec.schedule = "cosine";
  Recorder whole;
  Train(spec, &whole);

  spec.target_epoch = 2;
  Recorder first;
  const TrainingResult rested = Train(spec, &first);
  EXPECT_FALSE(rested.stopped);
  EXPECT_EQ(rested.epochs, 2);
  EXPECT_THAT(rested.files, SizeIs(3));
  ASSERT_THAT(first.checkpoints, SizeIs(1));
  EXPECT_EQ(first.checkpoints[0].first, 2);

  spec.target_epoch = 0;
  spec.resume_from = first.checkpoints[0].second;
  Recorder second;
  Train(spec, &second);
  std::vector<EpochMetrics> all = first.epochs;
  all.insert(all.end(), second.epochs.begin(), second.epochs.end());
  EXPECT_EQ(WithoutTimes(all), WithoutTimes(whole.epochs));
}

// A segment of a population goes on from the weights of another one, with other values.
TEST_P(TrainerTest, ATrialThatBeginsWithAnotherOnesCheckpointGoesOnFromItsWeights) {
  TrialSpec parent = Spec();
  parent.epochs = 4;
  parent.schedule = "cosine";
  Recorder whole;
  Train(parent, &whole);
  parent.target_epoch = 2;
  Recorder first;
  Train(parent, &first);

  TrialSpec child = parent;
  child.start_epoch = 2;
  child.target_epoch = 0;
  child.resume_from = first.checkpoints.at(0).second;
  Recorder same;
  const TrainingResult result = Train(child, &same);
  ASSERT_THAT(same.epochs, SizeIs(2));
  EXPECT_EQ(WithoutTimes(same.epochs), WithoutTimes({whole.epochs.begin() + 2, whole.epochs.end()}))
      << "with the parent's values nothing changes";
  EXPECT_GE(std::stoi(ReadSafeTensors(result.files.at("weights_best")).metadata.at("epoch")), 3)
      << "the best epoch is one of its own";

  child.lr *= 0.5;
  child.momentum = 0.5;
  child.batch_size = 26;
  for (Layer& layer : child.network.layers) layer.p *= 2;
  child.target_epoch = 3;
  Recorder other;
  Train(child, &other);
  ASSERT_THAT(other.epochs, SizeIs(1));
  EXPECT_EQ(other.epochs[0].epoch, 3);
  EXPECT_NE(WithoutTimes(other.epochs), WithoutTimes({whole.epochs[2]}));

  // Its own checkpoint is that of its own training.
  child.resume_from = other.checkpoints.at(0).second;
  child.target_epoch = 0;
  Recorder last;
  Train(child, &last);
  EXPECT_EQ(last.epochs.at(0).epoch, 4);
  child.lr *= 0.5;
  EXPECT_THAT(Failure(child), HasSubstr("does not belong to this trial: it has lr"));
}

TEST_P(TrainerTest, ACheckpointThatCannotBeTakenOverIsRefused) {
  TrialSpec parent = Spec();
  parent.target_epoch = 1;
  Recorder first;
  Train(parent, &first);
  TrialSpec child = parent;
  child.target_epoch = 0;
  child.start_epoch = 1;
  bool retryable = true;
  EXPECT_THAT(Failure(child, &retryable),
              HasSubstr("goes on after epoch 1 of another one, whose checkpoint is not there"));
  EXPECT_FALSE(retryable);
  child.resume_from = first.checkpoints.at(0).second;
  child.start_epoch = 2;
  EXPECT_THAT(Failure(child, &retryable),
              HasSubstr("it is of epoch 1, and the trial goes on after 2"));
  EXPECT_FALSE(retryable);
  child.start_epoch = 1;
  child.seed += 1;
  EXPECT_THAT(Failure(child), HasSubstr("it has seed 11, the trial has 12"));
  child.seed -= 1;
  child.network.layers[0].out = 12;
  ASSERT_EQ(InferShapes(&child.network), "");
  EXPECT_THAT(Failure(child), HasSubstr("layers.0.weight"));
}

TEST_P(TrainerTest, ACheckpointIsWrittenWhenAskedForAndTrainingGoesOn) {
  Recorder recorder;
  bool asked = false;
  recorder.ask = [&] {
    if (recorder.epochs.size() != 2 || std::exchange(asked, true)) return TrainingRequest::kNone;
    return TrainingRequest::kCheckpoint;
  };
  EXPECT_EQ(Train(Spec(), &recorder).epochs, 3);
  ASSERT_THAT(recorder.checkpoints, SizeIs(1));
  EXPECT_EQ(recorder.checkpoints[0].first, 2);
}

TEST_P(TrainerTest, CheckpointsComeAtEpochEndsWithoutBeingAskedFor) {
  Trainer eager({.device = "cpu", .backend = GetParam(), .checkpoint_seconds = 0});
  Recorder recorder;
  eager.Train(Spec(), &recorder);
  ASSERT_THAT(recorder.checkpoints, SizeIs(2));  // not after the last epoch
  EXPECT_EQ(recorder.checkpoints[1].first, 2);
}

// Moving a trial to another worker depends on this.
TEST_P(TrainerTest, AResumedTrialRepeatsTheUndisturbedOneBitForBit) {
  TrialSpec spec = Spec();
  spec.epochs = 5;
  spec.schedule = "one_cycle";
  spec.augmentation = "shift_rotation";
  spec.weight_decay = 1e-3;
  spec.nesterov = true;
  Recorder whole;
  const TrainingResult undisturbed = Train(spec, &whole);
  std::map<std::string, SafeTensors> files;
  for (const auto& [role, path] : undisturbed.files) files[role] = ReadSafeTensors(path);

  for (const std::size_t at : {1u, 3u}) {
    const TemporaryFolder first_folder;
    spec.output_dir = first_folder.path();
    spec.resume_from.clear();
    Recorder first;
    int steps = 0;
    first.ask = [&] {
      const bool stop = first.epochs.size() == at && ++steps == 5;
      return stop ? TrainingRequest::kStop : TrainingRequest::kNone;
    };
    Train(spec, &first);
    ASSERT_THAT(first.checkpoints, SizeIs(1));

    const TemporaryFolder second_folder;
    spec.output_dir = second_folder.path();
    spec.resume_from = first.checkpoints[0].second;
    Recorder second;
    Trainer other_process({.device = "cpu", .backend = GetParam()});
    const TrainingResult resumed = other_process.Train(spec, &second);
    EXPECT_EQ(resumed.epochs, 5);
    const auto whole_epochs = WithoutTimes(whole.epochs);
    EXPECT_EQ(WithoutTimes(second.epochs),
              std::vector<EpochMetrics>(whole_epochs.begin() + static_cast<std::ptrdiff_t>(at),
                                        whole_epochs.end()));
    ASSERT_EQ(resumed.files.size(), files.size());
    for (const auto& [role, path] : resumed.files) {
      EXPECT_TRUE(ReadSafeTensors(path) == files[role]) << role;
    }
  }
}

TEST_P(TrainerTest, ACheckpointOfTheLastEpochNeedsNoMoreTraining) {
  Trainer eager({.device = "cpu", .backend = GetParam(), .checkpoint_seconds = 0});
  Recorder recorder;
  eager.Train(Spec(), &recorder);
  const std::string path = recorder.checkpoints.back().second;
  Checkpoint checkpoint = CheckpointFromSafeTensors(ReadSafeTensors(path), path);
  ASSERT_EQ(checkpoint.epoch, 2);
  EXPECT_EQ(WithoutTimes({checkpoint.last}), WithoutTimes({recorder.epochs[1]}));
  TrialSpec spec = Spec();
  spec.epochs = 2;
  checkpoint.spec = TrainingIdentity(spec);
  WriteSafeTensors(path, CheckpointToSafeTensors(checkpoint));
  spec.resume_from = path;
  Recorder resumed;
  const TrainingResult result = Train(spec, &resumed);
  EXPECT_EQ(result.epochs, 2);
  EXPECT_FALSE(result.stopped);
  EXPECT_THAT(resumed.epochs, IsEmpty());
  const SafeTensors last = ReadSafeTensors(result.files.at("weights_last"));
  EXPECT_EQ(last.metadata.at("epoch"), "2");
  EXPECT_DOUBLE_EQ(std::stod(last.metadata.at("accuracy")),
                   recorder.epochs[1].Get("validation_accuracy"));
}

TEST_P(TrainerTest, ACheckpointOfAnotherTrainingIsRefused) {
  Trainer eager({.device = "cpu", .backend = GetParam(), .checkpoint_seconds = 0});
  Recorder recorder;
  eager.Train(Spec(), &recorder);
  TrialSpec spec = Spec();
  spec.resume_from = recorder.checkpoints.back().second;
  spec.momentum = 0.5;
  bool retryable = true;
  EXPECT_THAT(Failure(spec, &retryable), HasSubstr("momentum 0.9, the trial has 0.5"));
  EXPECT_FALSE(retryable);
  spec.resume_from = folder_.path() + "/nothing";
  EXPECT_THAT(Failure(spec), HasSubstr("/nothing"));
}

TEST_P(TrainerTest, ADamagedCheckpointIsRefused) {
  Trainer eager({.device = "cpu", .backend = GetParam(), .checkpoint_seconds = 0});
  Recorder recorder;
  eager.Train(Spec(), &recorder);
  TrialSpec spec = Spec();
  spec.resume_from = recorder.checkpoints.back().second;
  const SafeTensors whole = ReadSafeTensors(spec.resume_from);
  SafeTensors content = whole;
  std::erase_if(content.tensors,
                [](const auto& t) { return t.name == "momentum/layers.5.weight"; });
  WriteSafeTensors(spec.resume_from, content);
  EXPECT_THAT(Failure(spec), HasSubstr("layers.5.weight"));

  Checkpoint checkpoint = CheckpointFromSafeTensors(whole, "checkpoint");
  checkpoint.predictions.pop_back();
  WriteSafeTensors(spec.resume_from, CheckpointToSafeTensors(checkpoint));
  EXPECT_THAT(Failure(spec), HasSubstr("129 predictions for 130 evaluated images"));
}

TEST_P(TrainerTest, DivergenceIsAnErrorThatIsNotRetried) {
  TrialSpec spec = Spec();
  spec.lr = 1e30;
  bool retryable = true;
  EXPECT_THAT(Failure(spec, &retryable),
              AllOf(HasSubstr("diverged: training loss is"), HasSubstr("epoch 1, step"),
                    HasSubstr("lr 1e+30, momentum 0.9")));
  EXPECT_FALSE(retryable);
}

// The only step's loss is that of the untrained network; no training loss is computed after it.
TEST_P(TrainerTest, WeightsThatBreakInTheLastStepAreDivergence) {
  TrialSpec spec = Spec();
  spec.lr = 1e30;
  spec.epochs = 1;
  spec.batch_size = 520;
  bool retryable = true;
  EXPECT_THAT(Failure(spec, &retryable),
              AllOf(HasSubstr("diverged: validation loss is"), HasSubstr("after epoch 1")));
  EXPECT_FALSE(retryable);
}

TEST_P(TrainerTest, ALossFarAboveGuessingIsDivergenceToo) {
  TrialSpec spec = Spec();
  spec.network = MakeNetwork("linear", {{.kind = LayerKind::kLinear, .out = 10}});
  spec.lr = 50;
  spec.momentum = 0;
  EXPECT_THAT(Failure(spec),
              testing::MatchesRegex("diverged: mean training loss is [0-9.e+]{1,9} in epoch "
                                    "[0-9]+, above 23.03, ten times that of guessing "
                                    ".lr 50, momentum 0."));
}

TEST_P(TrainerTest, ABatchOfOneIsRefusedWhereBatchNormHasOneValue) {
  TrialSpec spec = Spec();
  spec.network = MakeNetwork(
      "flat", {{.kind = LayerKind::kLinear, .out = 10}, {.kind = LayerKind::kBatchNorm}});
  spec.batch_size = 173;  // 520 = 3 · 173 + 1
  bool retryable = true;
  EXPECT_THAT(Failure(spec, &retryable),
              AllOf(HasSubstr("batch_size 173"), HasSubstr("520 images"), HasSubstr("batch_norm")));
  EXPECT_FALSE(retryable);
  spec.batch_size = 174;
  spec.epochs = 1;
  EXPECT_EQ(Failure(spec), "");
}

TEST_P(TrainerTest, WhatDoesNotFitTheDataIsRefused) {
  TrialSpec spec = Spec();
  spec.network = {.name = "wide", .input = {1, 32, 32}, .layers = SmallNetwork().layers};
  ASSERT_EQ(InferShapes(&spec.network), "");
  EXPECT_THAT(Failure(spec), AllOf(HasSubstr("1×32×32"), HasSubstr("1×28×28")));
  spec.network = MakeNetwork("few", {{.kind = LayerKind::kLinear, .out = 4}});
  EXPECT_THAT(Failure(spec), HasSubstr("4 outputs"));
  spec = Spec();
  spec.holdout = 520;
  bool retryable = true;
  EXPECT_THAT(Failure(spec, &retryable), HasSubstr("holdout is 520"));
  EXPECT_FALSE(retryable);
}

TEST_P(TrainerTest, ErrorsOfThePlaceCanBeRetried) {
  TrialSpec spec = Spec();
  bool retryable = false;
  spec.dataset = {.name = "mnist"};
  spec.data_dir = folder_.path();
  EXPECT_THAT(Failure(spec, &retryable), HasSubstr(folder_.path()));
  EXPECT_TRUE(retryable);
  spec = Spec();
  spec.output_dir = folder_.path() + "/missing";
  spec.epochs = 1;
  retryable = false;
  EXPECT_THAT(Failure(spec, &retryable), HasSubstr("/missing"));
  EXPECT_TRUE(retryable);
}

TEST_P(TrainerTest, TrainsOnTheDataThatIsMeantAndOnNoOther) {
  TrialSpec spec = Spec();
  spec.epochs = 1;
  spec.data_sha256 = DataDigest(spec.dataset, "");
  EXPECT_EQ(Failure(spec), "");
  const std::string digest = std::exchange(spec.data_sha256, std::string(64, 'b'));
  bool retryable = false;
  EXPECT_THAT(Failure(spec, &retryable), AllOf(HasSubstr(digest), HasSubstr(spec.data_sha256)))
      << "though data is loaded";
  EXPECT_TRUE(retryable);
  spec.data_sha256 = digest;
  EXPECT_EQ(Failure(spec), "");
}

TEST_P(TrainerTest, DevicesThatAreNotThereAreNamed) {
  TrialSpec spec = Spec();
  spec.device = "cuda:97";
  EXPECT_THAT(Failure(spec), HasSubstr("cuda:97"));
  EXPECT_THROW(DescribeDevice("cuda:97"), TrainingError);
  for (const char* name : {"abacus", "cudafoo", "cuda:", "cuda:x", "cuda:-1", "cuda:0x", ""}) {
    EXPECT_THROW(DescribeDevice(name), TrainingError) << name;
  }
  EXPECT_EQ(DescribeDevice("cpu"), "cpu");
}

TEST_P(TrainerTest, MnistIsLearnt) {
  const char* folder = std::getenv("SWEEP_DATA_DIR");
  if (folder == nullptr) GTEST_SKIP() << "SWEEP_DATA_DIR is not set";
  TrialSpec spec = Spec();
  spec.dataset = {.name = "mnist", .train_size = 6000, .test_size = 2000};
  spec.data_dir = folder;
  spec.epochs = 2;
  spec.schedule = "cosine";
  EXPECT_GT(TrainEpochs(spec).back().Get("validation_accuracy"), 0.8);
}

const std::string kBackends[] = {
#ifdef SWEEP_HAS_LANES
    "lanes",
#endif
    "torch"};

INSTANTIATE_TEST_SUITE_P(Backends, TrainerTest, testing::ValuesIn(kBackends),
                         [](const auto& info) { return info.param; });

#ifdef SWEEP_HAS_LANES
Network Strided() {
  return MakeNetwork("strided", {{.kind = LayerKind::kConv, .out = 4, .kernel = 3, .stride = 2},
                                 {.kind = LayerKind::kRelu},
                                 {.kind = LayerKind::kLinear, .out = 10}});
}

TEST(TrainerBackend, ANetworkThatLanesCannotComputeIsTrainedByTorchWhichSaysSo) {
  const TemporaryFolder folder;
  TrialSpec spec = SmallTrial(folder.path());
  spec.network = Strided();
  testing::internal::CaptureStderr();
  Recorder recorder;
  Trainer({.device = "cpu"}).Train(spec, &recorder);
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "backend torch: lanes do not train network strided: layer 1 (" +
                DescribeLayer(spec.network.layers[0]) + "): stride 2\n");
  EXPECT_THAT(recorder.epochs, SizeIs(3));
}

TEST(TrainerBackend, LanesThatWereAskedForAreNotReplaced) {
  const TemporaryFolder folder;
  TrialSpec spec = SmallTrial(folder.path());
  spec.network = Strided();
  Recorder recorder;
  try {
    Trainer({.device = "cpu", .backend = "lanes"}).Train(spec, &recorder);
    FAIL();
  } catch (const TrainingError& error) {
    EXPECT_THAT(error.what(), HasSubstr("backend lanes cannot train this trial: layer 1"));
    EXPECT_FALSE(error.retryable());
  }
}

TEST(TrainerBackend, ThreadsChangeNoEpoch) {
  const TemporaryFolder folder;
  Recorder one, three;
  Trainer({.device = "cpu"}).Train(SmallTrial(folder.path()), &one);
  Trainer({.threads = 3, .device = "cpu"}).Train(SmallTrial(folder.path()), &three);
  EXPECT_EQ(WithoutTimes(three.epochs), WithoutTimes(one.epochs));
}

// A trial that moves to a worker with another backend continues there.
TEST(TrainerBackend, ATrialGoesOnInAnotherBackend) {
  const TemporaryFolder folder;
  TrialSpec spec = SmallTrial(folder.path());
  Recorder whole;
  Trainer({.device = "cpu", .backend = "torch"}).Train(spec, &whole);
  Recorder first;
  first.ask = [&] {
    return first.epochs.size() == 1 ? TrainingRequest::kStop : TrainingRequest::kNone;
  };
  Trainer({.device = "cpu", .backend = "torch"}).Train(spec, &first);
  spec.resume_from = first.checkpoints.at(0).second;
  Recorder second;
  Trainer({.device = "cpu", .backend = "lanes"}).Train(spec, &second);
  ASSERT_THAT(second.epochs, SizeIs(2));
  EXPECT_NEAR(second.epochs[1].Get("train_loss"), whole.epochs[2].Get("train_loss"), 0.02);
}
#endif

}  // namespace
}  // namespace sweep
