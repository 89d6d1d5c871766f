#include "worker/trainer/schedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <stdexcept>
#include <utility>
#include <vector>

namespace sweep {
namespace {

using ::testing::DoubleNear;
using ::testing::Pointwise;

constexpr int kStepsPerEpoch = 3;

TrialSpec Spec(const std::string& schedule, int epochs) {
  TrialSpec spec;
  spec.schedule = schedule;
  spec.epochs = epochs;
  spec.lr = 0.2;
  return spec;
}

std::vector<double> AllRates(const TrialSpec& spec, int steps_per_epoch) {
  const Schedule schedule(spec, steps_per_epoch);
  std::vector<double> rates;
  for (int step = 0; step < spec.epochs * steps_per_epoch; ++step) {
    rates.push_back(schedule.LearningRate(step));
  }
  return rates;
}

testing::Matcher<std::vector<double>> Near(const std::vector<double>& expected) {
  return Pointwise(DoubleNear(1e-14), expected);
}

TEST(Schedule, ConstantIsConstant) {
  EXPECT_THAT(AllRates(Spec("constant", 2), kStepsPerEpoch), Near({0.2, 0.2, 0.2, 0.2, 0.2, 0.2}));
}

TEST(Schedule, StepDecaysEverySoManyEpochs) {
  TrialSpec spec = Spec("step", 5);
  spec.step_epochs = 2;
  spec.step_gamma = 0.5;
  EXPECT_THAT(AllRates(spec, 2), Near({0.2, 0.2, 0.2, 0.2, 0.1, 0.1, 0.1, 0.1, 0.05, 0.05}));
}

TEST(Schedule, CosineEndsAtItsFraction) {
  TrialSpec spec = Spec("cosine", 3);
  spec.final_lr_fraction = 0.1;
  const std::vector<double> rates = AllRates(spec, kStepsPerEpoch);
  EXPECT_DOUBLE_EQ(rates.front(), 0.2);
  EXPECT_NEAR(rates[4], 0.11, 1e-14);  // the middle one
  EXPECT_NEAR(rates[2], 0.02 + 0.09 * (1 + std::cos(std::numbers::pi / 4)), 1e-14);
  EXPECT_NEAR(rates.back(), 0.02, 1e-14);
}

// docs/training.md states this.
TEST(Schedule, CosineIsPyTorchsOfOneStepLess) {
  const double lr = Spec("cosine", 1).lr;
  for (const int steps : {5, 10}) {
    const std::vector<double> rates = AllRates(Spec("cosine", steps), 1);
    EXPECT_EQ(rates.back(), 0.0) << "exactly";
    // CosineAnnealingLR in closed form.
    const auto pytorch = [&](int step, int t_max) {
      return lr / 2 * (1 + std::cos(std::numbers::pi * step / t_max));
    };
    for (int step = 0; step < steps; ++step) {
      EXPECT_NEAR(rates[static_cast<std::size_t>(step)], pytorch(step, steps - 1), 1e-14);
    }
  }
}

TEST(Schedule, WarmupRisesLinearlyAndTheCosineFollows) {
  TrialSpec spec = Spec("cosine", 3);
  spec.warmup_epochs = 1;
  const std::vector<double> rates = AllRates(spec, 4);
  EXPECT_NEAR(rates[0], 0.05, 1e-14);
  EXPECT_NEAR(rates[1], 0.10, 1e-14);
  EXPECT_NEAR(rates[3], 0.20, 1e-14);
  EXPECT_NEAR(rates[4], 0.20, 1e-14);
  EXPECT_NEAR(rates.back(), 0.0, 1e-14);
}

// The numbers were printed by torch.optim.lr_scheduler.OneCycleLR(max_lr=0.2, total_steps=12),
// PyTorch 2.13.
TEST(Schedule, OneCycleIsPyTorchsByDefault) {
  EXPECT_THAT(AllRates(Spec("one_cycle", 4), kStepsPerEpoch),
              Near({0.0080000000000000071, 0.069957930843916605, 0.17585703182442575,
                    0.19888308709018238, 0.18660259396828235, 0.16234913078995261,
                    0.12947579953902066, 0.092527420533395008, 0.056612199641739844,
                    0.026695506037766121, 0.0069133974850790446, 7.9999999999999996e-07}));
}

// The same with max_lr=0.5, total_steps=10, pct_start=0.25, div_factor=10, final_div_factor=100.
TEST(Schedule, OneCycleIsPyTorchsWithOtherNumbers) {
  TrialSpec spec = Spec("one_cycle", 5);
  spec.lr = 0.5;
  spec.one_cycle_warmup = 0.25;
  spec.one_cycle_start_divisor = 10;
  spec.one_cycle_final_divisor = 100;
  EXPECT_THAT(
      AllRates(spec, 2),
      Near({0.049999999999999989, 0.38749999999999996, 0.49454236328326795, 0.45230199434514312,
            0.37512499999999999, 0.27635598370109649, 0.17307300565485689, 0.083134631061875242,
            0.022092021953760407, 0.00050000000000000001}));
}

TEST(Schedule, ExtremeShapesStayFinite) {
  for (const char* name : {"constant", "step", "cosine", "one_cycle"}) {
    for (const double warmup : {0.0, 0.5, 1.0}) {
      for (const int steps : {1, 2}) {
        TrialSpec spec = Spec(name, 1);
        spec.one_cycle_warmup = warmup;
        spec.warmup_epochs = warmup;
        for (const double rate : AllRates(spec, steps)) {
          EXPECT_TRUE(std::isfinite(rate) && rate >= 0 && rate <= spec.lr)
              << name << " " << warmup << " " << steps << ": " << rate;
        }
      }
    }
  }
}

TEST(Schedule, AnUnknownOneIsRefused) {
  EXPECT_THROW(Schedule(Spec("sawtooth", 1), 1), std::invalid_argument);
}

}  // namespace
}  // namespace sweep
