// Configurations of an earlier file, or of another sweep, as points of a space.

#include "common/spec/known_points.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/spec/dimensions.h"
#include "common/spec/testing/sweep_testing.h"

namespace sweep {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

SweepSpec ParseSpace(const std::string& parameters) {
  return MustParse(
      "name: s\nmodel: cnn-18718\ndataset: synthetic\nmethod: random\nrun_cap: 5\nepochs: 5\n"
      "parameters:\n" +
      parameters);
}

class KnownPointsTest : public ::testing::Test {
 protected:
  // Of a configuration that this sweep has trained.
  absl::StatusOr<ParameterMap> In(const std::string& parameters, const ParameterMap& chosen) {
    const Configuration made = *before_.Complete(1, chosen);
    return PointIn(ParseSpace(parameters), made.parameters, made.resolved);
  }
  static constexpr char kBefore[] =
      "  lr: {min: 0.001, max: 0.1}\n  batch_size: {values: [16, 32]}\n  momentum: {value: 0.5}\n";
  const SweepSpec before_ = ParseSpace(kBefore);
  const ParameterMap chosen_ = {{"lr", 0.05}, {"batch_size", std::int64_t{32}}, {"momentum", 0.5}};
};

TEST_F(KnownPointsTest, APointOfTheSameSpaceStays) { EXPECT_EQ(*In(kBefore, chosen_), chosen_); }

TEST_F(KnownPointsTest, WhatWasNotChosenHasTheValueThatItWasTrainedWith) {
  const Configuration made = *before_.Complete(1, chosen_);
  const auto point = In(std::string(kBefore) + "  dropout: {min: 0.0, max: 0.5}\n", chosen_);
  ASSERT_TRUE(point.ok()) << point.status();
  EXPECT_EQ(point->at("dropout"), made.resolved.at("dropout"));
}

TEST_F(KnownPointsTest, AValueIsWrittenAsTheSpaceHasIt) {
  const auto point =
      In("  lr: {min: 0.01, max: 0.7}\n  batch_size: {min: 8, max: 64}\n  momentum: {values: [0, "
         "0.5]}\n",
         chosen_);
  ASSERT_TRUE(point.ok()) << point.status();
  EXPECT_THAT(*point, ElementsAre(Pair("batch_size", Value(std::int64_t{32})),
                                  Pair("lr", Value(0.05)), Pair("momentum", Value(0.5))));
}

TEST_F(KnownPointsTest, AValueOutsideIsNamed) {
  const auto outside = [&](const std::string& parameters) {
    return std::string(In(parameters, chosen_).status().message());
  };
  EXPECT_EQ(outside("  lr: {min: 0.06, max: 0.7}\n  batch_size: {values: [16, 32]}\n  momentum: "
                    "{value: 0.5}\n"),
            "lr = 0.05 lies outside");
  EXPECT_EQ(outside("  lr: {min: 0.01, max: 0.7}\n  batch_size: {values: [16, 64]}\n  momentum: "
                    "{value: 0.5}\n"),
            "batch_size = 32 lies outside");
  EXPECT_EQ(outside("  lr: {min: 0.01, max: 0.7}\n  batch_size: {values: [16, 32]}\n  momentum: "
                    "{value: 0.9}\n"),
            "momentum = 0.5 lies outside");
}

TEST_F(KnownPointsTest, WhatTheSweepTrainsOtherwiseIsNamed) {
  const SweepSpec other = MustParse(
      "name: s\nmodel: cnn-18718\ndataset: synthetic\nmethod: random\nrun_cap: 5\nepochs: 9\n"
      "parameters:\n" +
      std::string(kBefore));
  const Configuration made = *before_.Complete(1, chosen_);
  EXPECT_EQ(PointIn(other, made.parameters, made.resolved).status().message(),
            "epochs was 5 and is 9");
}

TEST_F(KnownPointsTest, AParameterThatDoesNotExistThereIsLeftOut) {
  const std::string space =
      "  lr: {min: 0.001, max: 0.1}\n  batch_size: {values: [16, 32]}\n  momentum: {min: 0.8, max: "
      "0.9, when: \"batch_size == 16\"}\n";
  const Configuration made =
      *ParseSpace("  lr: {min: 0.001, max: 0.1}\n  batch_size: {values: [16, 32]}\n")
           .Complete(1, {{"lr", 0.05}, {"batch_size", std::int64_t{32}}});
  const auto point = PointIn(ParseSpace(space), made.parameters, made.resolved);
  ASSERT_TRUE(point.ok()) << point.status();
  EXPECT_THAT(*point,
              ElementsAre(Pair("batch_size", Value(std::int64_t{32})), Pair("lr", Value(0.05))));
}

// Nested names and lists are values as any others.
TEST_F(KnownPointsTest, ListsAndNestedNamesHaveTheirPlaces) {
  const auto of = [](const std::string& parameters) {
    return MustParse("name: s\nprogram: ./train\nmethod: random\nrun_cap: 5\nparameters:\n" +
                     parameters);
  };
  const Configuration made =
      *of("  optimizer: {lr: {min: 0.1, max: 0.5}, name: {values: [sgd, adam]}}\n"
          "  layers: {values: [[64, 32], [128]]}\n  betas: {value: [0.9, 1]}\n")
           .Complete(1, {{"optimizer.lr", 0.25},
                         {"optimizer.name", "adam"},
                         {"layers", ListValue("[64,32]")},
                         {"betas", ListValue("[0.9,1]")}});
  const auto in = [&](const std::string& parameters) {
    return PointIn(of(parameters), made.parameters, made.resolved);
  };
  const std::string betas = "  betas: {values: [[0.9, 1.0], [0.5, 0.5]]}\n";
  const std::string optimizer = "  optimizer: {lr: {min: 0, max: 0.3}, name: adam}\n";
  const auto point = in(optimizer + betas + "  layers: {values: [[1], [64.0, 32]]}\n");
  ASSERT_TRUE(point.ok()) << point.status();
  EXPECT_THAT(*point, ElementsAre(Pair("betas", Value(ListValue("[0.9,1.0]"))),
                                  Pair("layers", Value(ListValue("[64.0,32]"))),
                                  Pair("optimizer.lr", Value(0.25)),
                                  Pair("optimizer.name", Value("adam"))));
  EXPECT_EQ(in(optimizer + betas + "  layers: {values: [[1], [64]]}\n").status().message(),
            "layers = [64,32] lies outside");
  EXPECT_EQ(in("  optimizer: {lr: {min: 0.3, max: 0.5}, name: adam}\n" + betas +
               "  layers: {values: [[1], [64, 32]]}\n")
                .status()
                .message(),
            "optimizer.lr = 0.25 lies outside");
  EXPECT_EQ(
      in(optimizer + "  betas: {value: [0.9]}\n  layers: {value: [64, 32]}\n").status().message(),
      "betas = [0.9,1] lies outside");
}

// Not even where the condition holds and nobody knows what it was trained with.
TEST_F(KnownPointsTest, WhatExistsHasAValue) {
  constexpr char kBase[] =
      "name: s\nprogram: ./train\nmethod: random\nrun_cap: 5\nepochs: 5\nparameters:\n"
      "  optimizer: {values: [sgd, adam]}\n";
  const SweepSpec before = MustParse(kBase);
  const SweepSpec after =
      MustParse(std::string(kBase) + "  mu: {min: 0.5, max: 0.99, when: \"optimizer == 'sgd'\"}\n");
  const SweepSpec constant = MustParse(std::string(kBase) + "  decay: {value: 0.0005}\n");
  for (const char* const optimizer : {"sgd", "adam"}) {
    const Configuration made = *before.Complete(1, {{"optimizer", optimizer}});
    const bool exists = std::string(optimizer) == "sgd";
    EXPECT_EQ(PointIn(after, made.parameters, made.resolved).ok(), !exists);
    EXPECT_EQ(SearchSpace(&after).Encode(made.parameters).ok(), !exists);
    EXPECT_THAT(PointIn(constant, made.parameters, made.resolved).status().message(),
                HasSubstr("decay has no value"));
    EXPECT_FALSE(SearchSpace(&constant).Encode(made.parameters).ok());
  }
}

// No search takes such a point for one of its space.
TEST_F(KnownPointsTest, AnotherConstantHasNoPlace) {
  const SweepSpec space = ParseSpace("  lr: {min: 0.001, max: 0.1}\n  momentum: {value: 0.9}\n");
  EXPECT_TRUE(SearchSpace(&space).Encode({{"lr", 0.05}, {"momentum", 0.9}}).ok());
  EXPECT_THAT(SearchSpace(&space).Encode({{"lr", 0.05}, {"momentum", 0.5}}).status().message(),
              HasSubstr("'momentum' has no value 0.5"));
}

}  // namespace
}  // namespace sweep
