#include "worker/trainer/lanes/plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "worker/trainer/testing/trainer_testing.h"

namespace sweep::lanes {
namespace {

using Kind = Operator::Kind;
using ::testing::ElementsAre;

Plan PlanOf(std::vector<Layer> layers) {
  layers.push_back({.kind = LayerKind::kGlobalAvgPool});
  Plan plan;
  EXPECT_EQ(MakePlan(MakeNetwork("planned", std::move(layers)), &plan), "");
  return plan;
}

std::vector<Kind> Kinds(const Plan& plan) {
  std::vector<Kind> kinds;
  for (const Operator& made : plan.operators) kinds.push_back(made.kind);
  return kinds;
}

Layer Conv(int out) { return {.kind = LayerKind::kConv, .out = out, .kernel = 3}; }
Layer Dropout() { return {.kind = LayerKind::kDropout, .p = 0.1}; }
const Layer kRelu{.kind = LayerKind::kRelu};
const Layer kBatchNorm{.kind = LayerKind::kBatchNorm};
const Layer kMaxPool{.kind = LayerKind::kMaxPool, .kernel = 2, .stride = 2};

TEST(Plan, ABlockIsOneOperator) {
  const Plan plan = PlanOf({Conv(4), kRelu, kBatchNorm, Dropout(), Conv(5)});
  EXPECT_THAT(Kinds(plan), ElementsAre(Kind::kConvolution, Kind::kConvolution, Kind::kAveragePool));
  EXPECT_TRUE(plan.activations[1].relu);
  EXPECT_EQ(plan.activations[1].norm, 2);
  EXPECT_EQ(plan.activations[1].dropout, 3);
  EXPECT_FALSE(plan.activations[2].relu);
  EXPECT_EQ(plan.activations[2].norm, -1);
}

TEST(Plan, EachReadsWhatTheOneBeforeItWrote) {
  const Plan plan = PlanOf({Conv(4), kBatchNorm, kRelu, kMaxPool, kBatchNorm, Conv(5)});
  int last = 0;
  for (const Operator& made : plan.operators) {
    EXPECT_EQ(made.input, last);
    if (made.kind == Kind::kStatistics) continue;
    EXPECT_EQ(made.output, last + 1);
    last = made.output;
  }
  EXPECT_EQ(last + 1, static_cast<int>(plan.activations.size()));
}

TEST(Plan, AReluBehindABatchNormStoresWhatItMakes) {
  EXPECT_THAT(Kinds(PlanOf({Conv(4), kBatchNorm, kRelu})),
              ElementsAre(Kind::kConvolution, Kind::kStore, Kind::kAveragePool));
}

TEST(Plan, ABatchNormBehindAPoolSumsOnItsOwn) {
  EXPECT_THAT(
      Kinds(PlanOf({Conv(4), kMaxPool, kBatchNorm})),
      ElementsAre(Kind::kConvolution, Kind::kMaxPool, Kind::kStatistics, Kind::kAveragePool));
}

TEST(Plan, WhatCannotBeAppliedOnLoadIsStored) {
  EXPECT_THAT(Kinds(PlanOf({Conv(4), Dropout(), Dropout()})),
              ElementsAre(Kind::kConvolution, Kind::kStore, Kind::kAveragePool));
  EXPECT_THAT(Kinds(PlanOf({Conv(4), Dropout(), kBatchNorm})),
              ElementsAre(Kind::kConvolution, Kind::kStore, Kind::kAveragePool));
  EXPECT_THAT(Kinds(PlanOf({Conv(4), kBatchNorm, kBatchNorm})),
              ElementsAre(Kind::kConvolution, Kind::kStore, Kind::kAveragePool));
  EXPECT_THAT(
      Kinds(PlanOf({Conv(4), kBatchNorm, {.kind = LayerKind::kLinear, .out = 7}})),
      ElementsAre(Kind::kConvolution, Kind::kStore, Kind::kConvolution, Kind::kAveragePool));
}

TEST(Plan, TheLossReadsWhatIsStored) {
  Plan plan;
  ASSERT_EQ(
      MakePlan(MakeNetwork("flat", {{.kind = LayerKind::kLinear, .out = 10}, kBatchNorm}), &plan),
      "");
  EXPECT_THAT(Kinds(plan), ElementsAre(Kind::kConvolution, Kind::kStore));
}

TEST(Plan, ADropoutThatDropsNothingIsNone) {
  EXPECT_EQ(PlanOf({Conv(4), {.kind = LayerKind::kDropout}}).activations[1].dropout, -1);
}

TEST(Plan, NamesTheLayerThatItCannotCompute) {
  Plan plan;
  EXPECT_EQ(
      MakePlan(
          MakeNetwork("strided", {Conv(4),
                                  {.kind = LayerKind::kConv, .out = 6, .kernel = 3, .stride = 2},
                                  {.kind = LayerKind::kGlobalAvgPool}}),
          &plan),
      "layer 2 (" + DescribeLayer({.kind = LayerKind::kConv, .out = 6, .kernel = 3, .stride = 2}) +
          "): stride 2");
  EXPECT_EQ(MakePlan(MakeNetwork("wide", {{.kind = LayerKind::kLinear, .out = 300}}), &plan),
            "300 classes");
}

}  // namespace
}  // namespace sweep::lanes
