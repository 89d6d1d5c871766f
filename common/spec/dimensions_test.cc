#include "common/spec/dimensions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/base/philox.h"
#include "common/spec/testing/sweep_testing.h"

namespace sweep {
namespace {

using ::testing::HasSubstr;

// Every kind of parameter, a fixed one, and two with conditions.
constexpr char kEveryKind[] = R"(name: s
model: {values: [cnn-18718, cnn-17216]}
method: random
run_cap: 10
parameters:
  lr: {distribution: log_uniform_values, min: 0.001, max: 1.0}
  momentum: {min: 0.5, max: 0.9}
  nesterov: {values: [true, false], probabilities: [0.9, 0.1]}
  batch_size: {distribution: q_log_uniform_values, min: 8, max: 512, q: 8}
  dropout: {distribution: q_uniform, min: 0.0, max: 0.3, q: 0.1}
  epochs: {min: 5, max: 12}
  label_smoothing: {value: 0.1}
  weight_decay: {distribution: log_normal, mu: -7, sigma: 1, min: 0.00001, max: 0.1}
  final_lr_fraction: {distribution: normal, mu: 0.5, sigma: 0.25, min: 0, max: 1}
  warmup_epochs: {distribution: q_normal, mu: 2, sigma: 1, q: 0.5, min: 0, max: 4}
  shift_pixels: {distribution: q_log_normal, mu: 1, sigma: 0.5, q: 1, min: 1, max: 9}
  schedule: {values: [constant, step, cosine]}
  step_epochs: {min: 2, max: 4, when: "schedule == 'step'"}
  step_gamma: {min: 0.1, max: 0.5, when: "schedule == 'step' and step_epochs > 2"}
)";

Dimension Of(const SearchSpace& space, const std::string& name) {
  for (std::size_t i = 0; i < space.dimensions().size(); ++i) {
    if (space.axis(i).name == name) return space.dimensions()[i];
  }
  ADD_FAILURE() << "no dimension " << name;
  return {};
}

TEST(SearchSpace, TheFileSaysWhichListsAreOrdered) {
  const auto is_ordered = [](const std::string& lists) {
    const SweepSpec spec = MustParse(
        "name: s\nprogram: ./none\nepochs: 1\nrun_cap: 5\nmetric: {name: f, goal: minimize}\n"
        "parameters:\n  size: {values: " +
        lists + "}\n");
    return DimensionOf(spec.parameters.front()).ordered;
  };
  EXPECT_FALSE(is_ordered("[small, medium, large]"));
  EXPECT_TRUE(is_ordered("[small, medium, large], ordered: true"));
  EXPECT_TRUE(is_ordered("[[8], [8, 8], [16, 8, 8]], ordered: true"));
  EXPECT_TRUE(is_ordered("[8, 16, 32]"));
  EXPECT_FALSE(is_ordered("[8, 16, 32], ordered: false"));
  EXPECT_FALSE(is_ordered("[16, 8, 32]"));
  EXPECT_TRUE(is_ordered("[16, 8, 32], ordered: true"));
  EXPECT_TRUE(is_ordered("[a, b], ordered: true, probabilities: [0.5, 0.5]"));
  EXPECT_FALSE(is_ordered("[a, b], ordered: false, probabilities: [0.9, 0.1]"));
}

TEST(SearchSpace, HasADimensionForEachParameterOfSeveralValues) {
  const SweepSpec spec = MustParse(kEveryKind);
  const SearchSpace space(&spec);
  EXPECT_EQ(space.dimensions().size(), spec.parameters.size() - 1) << "label_smoothing is fixed";
  EXPECT_EQ(space.axis(0).name, "model");
  EXPECT_EQ(Of(space, "model").scale, Dimension::Scale::kCategory);
  EXPECT_EQ(Of(space, "lr").scale, Dimension::Scale::kLog);
  EXPECT_EQ(Of(space, "batch_size").scale, Dimension::Scale::kLog);
  EXPECT_TRUE(Of(space, "batch_size").whole);
  EXPECT_FALSE(Of(space, "dropout").whole);
  EXPECT_TRUE(Of(space, "epochs").whole);
  EXPECT_EQ(Of(space, "momentum").scale, Dimension::Scale::kLinear);
  EXPECT_TRUE(Of(space, "momentum").ordered);
  EXPECT_FALSE(Of(space, "nesterov").ordered);
  EXPECT_FALSE(Of(space, "schedule").ordered);
  EXPECT_EQ(Of(space, "weight_decay").scale, Dimension::Scale::kLog);
  EXPECT_EQ(Of(space, "final_lr_fraction").scale, Dimension::Scale::kLinear);
  EXPECT_FALSE(Of(space, "warmup_epochs").whole);
  EXPECT_EQ(Of(space, "shift_pixels").scale, Dimension::Scale::kLog);
  EXPECT_TRUE(Of(space, "shift_pixels").whole);
}

TEST(SearchSpace, ListsOfRisingOrFallingNumbersAreOrdered) {
  const SweepSpec spec = MustParse(
      "name: s\nprogram: ./none\nmethod: random\nrun_cap: 10\nparameters:\n"
      "  rising: {values: [16, 32, 512]}\n  falling: {values: [1, 0.5, 0.1]}\n"
      "  odd: {values: [3, 1, 2]}\n  mixed: {values: [1, 2, many]}\n");
  const SearchSpace space(&spec);
  EXPECT_TRUE(Of(space, "rising").ordered);
  EXPECT_TRUE(Of(space, "falling").ordered);
  EXPECT_FALSE(Of(space, "odd").ordered);
  EXPECT_FALSE(Of(space, "mixed").ordered);
}

// Encoding and decoding a completed point gives the same point.
TEST(SearchSpace, DecodeIsTheReverseOfEncode) {
  const SweepSpec spec = MustParse(kEveryKind);
  const SearchSpace space(&spec);
  PhiloxStream stream(DeriveKey(7, "test"), 0);
  int with_gamma = 0;
  for (int draw = 0; draw < 300; ++draw) {
    std::vector<double> drawn(space.dimensions().size());
    for (double& coordinate : drawn) coordinate = stream.NextUniform();
    const auto point = spec.Complete(1, space.Decode(drawn));
    ASSERT_TRUE(point.ok()) << point.status();
    const auto place = space.Encode(point->parameters);
    ASSERT_TRUE(place.ok()) << place.status();
    std::vector<double> dense;
    for (const std::optional<double>& coordinate : *place) {
      dense.push_back(coordinate.value_or(0.5));
      EXPECT_TRUE(dense.back() >= 0 && dense.back() < 1) << dense.back();
    }
    const auto again = spec.Complete(1, space.Decode(dense));
    ASSERT_TRUE(again.ok()) << again.status();
    ASSERT_EQ(again->parameters.size(), point->parameters.size());
    for (const auto& [name, value] : point->parameters) {
      const Value& other = again->parameters.at(name);
      if (std::holds_alternative<double>(value)) {
        EXPECT_NEAR(std::get<double>(other), std::get<double>(value), 1e-12) << name;
      } else {
        EXPECT_EQ(other, value) << name;
      }
    }
    with_gamma += point->parameters.contains("step_gamma") ? 1 : 0;
  }
  EXPECT_GT(with_gamma, 20);
}

TEST(SearchSpace, AParameterThatDoesNotExistHasNoCoordinate) {
  const SweepSpec spec = MustParse(kEveryKind);
  const SearchSpace space(&spec);
  std::vector<double> place(space.dimensions().size(), 0.0);  // schedule: constant
  const auto point = spec.Complete(1, space.Decode(place));
  ASSERT_TRUE(point.ok()) << point.status();
  const auto encoded = space.Encode(point->parameters);
  ASSERT_TRUE(encoded.ok()) << encoded.status();
  for (std::size_t i = 0; i < encoded->size(); ++i) {
    const std::string& name = space.axis(i).name;
    EXPECT_EQ((*encoded)[i].has_value(), name != "step_epochs" && name != "step_gamma") << name;
  }
}

TEST(SearchSpace, RefusesWhatIsNoPoint) {
  const SweepSpec spec = MustParse(
      "name: s\nmodel: cnn-18718\nmethod: random\nrun_cap: 1\nparameters:\n"
      "  dropout: {distribution: q_uniform, min: 0.0, max: 0.3, q: 0.1}\n  lr: {min: 0.1, max: "
      "0.2}\n");
  const SearchSpace space(&spec);
  const auto message = [&](const ParameterMap& point) {
    return std::string(space.Encode(point).status().message());
  };
  EXPECT_EQ(message({{"dropout", 0.3}, {"lr", 0.15}}), "");
  EXPECT_THAT(message({{"dropout", 0.25}, {"lr", 0.15}}), HasSubstr("'dropout' has no value 0.25"));
  EXPECT_THAT(message({{"dropout", 0.2}, {"lr", 0.3}}), HasSubstr("'lr' has no value 0.3"));
  EXPECT_THAT(message({{"dropout", 0.2}, {"lr", std::nan("")}}), HasSubstr("'lr'"));
  EXPECT_THAT(message({{"dropout", 0.2}, {"lr", std::string("x")}}), HasSubstr("'lr'"));
  EXPECT_THAT(message({{"dropout", 0.2}}), HasSubstr("lr has no value"));
  EXPECT_THAT(message({{"drop", 0.2}}), HasSubstr("'drop'"));
}

TEST(SearchSpace, AnEndOfAContinuousRangeIsWithin) {
  const SweepSpec spec = MustParse(
      "name: s\nmodel: cnn-18718\nmethod: random\nrun_cap: 1\nparameters:\n"
      "  lr: {distribution: log_uniform_values, min: 0.001, max: 1.0}\n  momentum: {min: 0.5, max: "
      "0.9}\n");
  const SearchSpace space(&spec);
  for (const bool high : {false, true}) {
    const auto place = space.Encode({{"lr", high ? 1.0 : 0.001}, {"momentum", high ? 0.9 : 0.5}});
    ASSERT_TRUE(place.ok()) << place.status();
    for (const auto& coordinate : *place) {
      EXPECT_NEAR(*coordinate, high ? 1 : 0, 1e-12);
      EXPECT_LT(*coordinate, 1);
    }
  }
}

}  // namespace
}  // namespace sweep
