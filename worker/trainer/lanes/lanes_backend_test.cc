#include "worker/trainer/lanes/lanes_backend.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "worker/data/batch.h"
#include "worker/data/dataset.h"
#include "worker/trainer/testing/trainer_testing.h"

namespace sweep {
namespace {

// Makes batches of drawn digits.
class LanesBackendTest : public testing::Test {
 protected:
  LanesBackendTest() : spec_(SmallTrial("")), digits_(SyntheticDigits(200, 5)), images_(200 * 784) {
    std::vector<std::int32_t> all(200);
    std::iota(all.begin(), all.end(), 0);
    FillBatch(digits_, all, {}, images_.data());
  }

  std::unique_ptr<Backend> Make(int threads = 1) {
    std::unique_ptr<Backend> backend;
    EXPECT_EQ(MakeLanesBackend(spec_, threads, &backend), "");
    return backend;
  }
  Batch Images(int first, int count) const {
    return {.count = count, .images = &images_[first * 784], .labels = &digits_.labels[first]};
  }
  // Some steps with the spec's batch size, and one with the rest.
  void Train(Backend* backend) const {
    for (int step = 0; step < 4; ++step) {
      backend->TrainStep(Images(step * 50, step < 3 ? 50 : 23), step, 0.05);
    }
  }

  TrialSpec spec_;
  const ImageSet digits_;
  std::vector<float> images_;
};

// Large enough that a block has several row strips, which may go to different units.
Network WideNetwork() {
  return MakeNetwork("wide", {{.kind = LayerKind::kConv, .out = 24, .kernel = 3, .padding = 1},
                              {.kind = LayerKind::kRelu},
                              {.kind = LayerKind::kBatchNorm},
                              {.kind = LayerKind::kDropout, .p = 0.1},
                              {.kind = LayerKind::kConv, .out = 16, .kernel = 3, .padding = 1},
                              {.kind = LayerKind::kRelu},
                              {.kind = LayerKind::kMaxPool, .kernel = 4, .stride = 4},
                              {.kind = LayerKind::kLinear, .out = 10}});
}

TEST_F(LanesBackendTest, AnyNumberOfThreadsGivesTheSameBits) {
  spec_.network = WideNetwork();
  for (const int batch_size : {50, 20, 140}) {
    spec_.batch_size = batch_size;
    const auto train = [&](Backend* backend) {
      backend->TrainStep(Images(0, batch_size), 0, 0.1);
      backend->TrainStep(Images(7, batch_size - 1), 1, 0.1);
    };
    const std::unique_ptr<Backend> alone = Make(1);
    train(alone.get());
    const TrainingState expected = alone->Save();
    std::vector<std::uint8_t> predictions(200);
    const BatchTotals totals = alone->Evaluate(Images(0, 200), predictions.data());
    for (const int threads : {2, 3, 7}) {
      SCOPED_TRACE(std::to_string(threads) + " threads, batch " + std::to_string(batch_size));
      const std::unique_ptr<Backend> together = Make(threads);
      train(together.get());
      const TrainingState state = together->Save();
      EXPECT_EQ(state.network, expected.network);
      EXPECT_EQ(state.momentum, expected.momentum);
      std::vector<std::uint8_t> same(200);
      EXPECT_EQ(together->Evaluate(Images(0, 200), same.data()).loss, totals.loss);
      EXPECT_EQ(same, predictions);
    }
  }
}

TEST_F(LanesBackendTest, ALoadedStateGoesOnAsIfUndisturbed) {
  const std::unique_ptr<Backend> first = Make();
  Train(first.get());
  const std::unique_ptr<Backend> second = Make();
  second->Load(first->Save(), "state");
  EXPECT_EQ(second->Save().network, first->Save().network);
  Train(first.get());
  Train(second.get());
  EXPECT_EQ(second->Save().network, first->Save().network);
  EXPECT_EQ(second->Save().momentum, first->Save().momentum);
}

TEST_F(LanesBackendTest, EvaluationDoesNotDependOnHowItIsCut) {
  const std::unique_ptr<Backend> backend = Make();
  Train(backend.get());
  std::vector<std::uint8_t> all(200), parts(200);
  const BatchTotals totals = backend->Evaluate(Images(0, 200), all.data());
  BatchTotals sums;
  for (int first = 0; first < 200; first += 29) {
    const int count = std::min(29, 200 - first);
    const BatchTotals part = backend->Evaluate(Images(first, count), parts.data() + first);
    sums.loss += part.loss;
    sums.right += part.right;
  }
  EXPECT_EQ(parts, all);
  EXPECT_EQ(sums.right, totals.right);
  EXPECT_NEAR(sums.loss, totals.loss, 1e-9 * totals.loss);
}

TEST_F(LanesBackendTest, EvaluationLeavesTheTrainingAlone) {
  const std::unique_ptr<Backend> disturbed = Make();
  const std::unique_ptr<Backend> undisturbed = Make();
  std::vector<std::uint8_t> predictions(200);
  for (int step = 0; step < 3; ++step) {
    disturbed->TrainStep(Images(0, 50), step, 0.05);
    disturbed->Evaluate(Images(0, 200), predictions.data());
    undisturbed->TrainStep(Images(0, 50), step, 0.05);
  }
  EXPECT_EQ(disturbed->Save().network, undisturbed->Save().network);
}

TEST_F(LanesBackendTest, TotalsAreOverTheStepsSinceTheLastLook) {
  const std::unique_ptr<Backend> backend = Make();
  backend->TrainStep(Images(0, 50), 0, 0.05);
  const double first = backend->LastLoss();
  backend->TrainStep(Images(50, 30), 1, 0.05);
  const double second = backend->LastLoss();
  const BatchTotals totals = backend->TakeTotals();
  EXPECT_DOUBLE_EQ(totals.loss, 50 * first + 30 * second);
  EXPECT_LE(totals.right, 80);
  EXPECT_EQ(backend->TakeTotals().loss, 0);
}

TEST_F(LanesBackendTest, NothingHidesANaN) {
  images_[10 * 784 + 300] = std::numeric_limits<float>::quiet_NaN();
  const std::unique_ptr<Backend> backend = Make();
  backend->TrainStep(Images(0, 50), 0, 0.05);
  EXPECT_TRUE(std::isnan(backend->LastLoss()));
}

TEST_F(LanesBackendTest, AStateOfAnotherNetworkIsRefused) {
  const std::unique_ptr<Backend> backend = Make();
  TrainingState state = backend->Save();
  state.momentum.clear();
  try {
    backend->Load(state, "x.safetensors");
    FAIL();
  } catch (const SafeTensorsError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("x.safetensors: has no tensor 'layers.0.weight'"));
  }
}

}  // namespace
}  // namespace sweep
