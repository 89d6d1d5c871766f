// Points to try first, as a sweep file gives them.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "common/spec/testing/sweep_testing.h"

namespace sweep {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

constexpr char kSpace[] = R"(name: s
model: {values: [cnn-18718, cnn-17216]}
run_cap: 4
parameters:
  lr: {distribution: log_uniform_values, min: 0.001, max: 0.1}
  momentum: {min: 0.5, max: 0.9}
  batch_size: {distribution: q_uniform, min: 16, max: 80, q: 16}
  schedule: {values: [constant, step, cosine], probabilities: [0.3, 0.7, 0]}
  step_gamma: {min: 0.1, max: 0.5, when: "schedule == 'step'"}
  nesterov: false
constraints: ["lr * batch_size < 5"]
try_first: )";

TEST(TryFirst, APointHasEveryParameterThatExistsThere) {
  const SweepSpec spec = MustParse(std::string(kSpace) + R"(
  - {}
  - {lr: 0.05, schedule: constant, batch_size: 80.0, model: cnn-17216}
  - {momentum: 0.5, nesterov: false, step_gamma: 0.5}
)");
  ASSERT_EQ(spec.try_first.size(), 3u);
  EXPECT_THAT(spec.try_first[0],
              ElementsAre(Pair("batch_size", Value(std::int64_t{48})),
                          Pair("lr", Value(spec.parameters[1].Quantile(0.5))),
                          Pair("model", Value("cnn-18718")), Pair("momentum", Value(0.7)),
                          Pair("nesterov", Value(false)), Pair("schedule", Value("step")),
                          Pair("step_gamma", Value(0.3))))
      << "medians, and of a list the most likely value";
  EXPECT_THAT(spec.try_first[1],
              ElementsAre(Pair("batch_size", Value(std::int64_t{80})), Pair("lr", Value(0.05)),
                          Pair("model", Value("cnn-17216")), Pair("momentum", Value(0.7)),
                          Pair("nesterov", Value(false)), Pair("schedule", Value("constant"))));
  EXPECT_EQ(spec.try_first[2].at("step_gamma"), Value(0.5));
  EXPECT_EQ(MustParse(Random("parameters: {lr: {min: 0.5, max: 1.5}}\ntry_first: [{lr: 1}]\n"))
                .try_first[0]
                .at("lr"),
            Value(1.0))
      << "of the type that draws have";
}

// One error each, with its line.
TEST(TryFirst, APointThatCannotBeIsRefused) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"{lr: 0.05}", "s.yaml:12: 'try_first' must be a list of points, such as [{lr: 0.1}]"},
      {"[]", "s.yaml:12: 'try_first' must be a list of points"},
      {"[0.05]", "s.yaml:12: point 1 of 'try_first' must be a mapping (key: value), not"},
      {"\n  - {lr: 0.05}\n  - {lr: 0.5}",
       "s.yaml:14: 'lr' of point 2 of 'try_first' is 0.5; it must be a number in [0.001, 0.1]"},
      {"[{lr: fast}]", "is 'fast'; it must be a number in"},
      {"[{lr: [0.1]}]", "'lr' of point 1 of 'try_first' must be a single value, not a list"},
      {"[{momentun: 0.5}]",
       "point 1 of 'try_first' has 'momentun', which is no parameter of the sweep; did you mean "
       "'momentum'?"},
      {"[{dropout: 0.5}]", "has 'dropout', which is no parameter of the sweep"},
      {"[{batch_size: 20}]", "is 20; it must be a multiple of 16 in [16, 80]"},
      {"[{schedule: cosine}]", "is 'cosine'; it must be one of constant, step"},
      {"[{nesterov: true}]", "is true; it must be false"},
      {"[{model: cnn-19046}]", "is 'cnn-19046'; it must be one of cnn-18718, cnn-17216"},
      {"[{schedule: constant, step_gamma: 0.2}]",
       "point 1 of 'try_first' has 'step_gamma', which does not exist there: 'schedule == "
       "'step'' does not hold"},
      {"[{lr: 0.1, batch_size: 80}]", "is excluded by constraint 'lr * batch_size < 5'"},
      {"[{lr: 0.05}, {lr: 0.05, momentum: 0.7}]", "is the same as point 1 of 'try_first'"},
      {"[{lr: 0.01}, {lr: 0.02}, {lr: 0.03}, {lr: 0.04}, {lr: 0.05}]",
       "s.yaml:12: 'try_first' has 5 points, more than 'run_cap', which is 4"},
  };
  for (const auto& [points, complaint] : cases) {
    const std::string complaints = Complaints(kSpace + points + "\n");
    EXPECT_THAT(complaints, AllOf(HasSubstr(complaint), Not(HasSubstr("\n")))) << points;
  }
}

TEST(TryFirst, APointMayStandTwiceWherePointsMayBeRepeated) {
  const SweepSpec spec = MustParse(std::string("repeat_points: true\n") + kSpace +
                                   "[{lr: 0.05}, {lr: 0.05, momentum: 0.7}]\n");
  ASSERT_EQ(spec.try_first.size(), 2u);
  EXPECT_EQ(spec.try_first[0], spec.try_first[1]);
}

TEST(TryFirst, IsForMethodsThatChoose) {
  EXPECT_EQ(Complaints(Grid("parameters: {lr: {values: [0.1, 0.2]}}\ntry_first: [{lr: 0.1}]\n")),
            "s.yaml:5: 'try_first' goes with a method that chooses points; a grid tries all of "
            "them in order");
  for (const char* method : {"random", "sobol", "tpe"}) {
    EXPECT_EQ(Complaints(Random(std::string("method: ") + method +
                                "\nparameters: {lr: {values: [0.1, 0.2]}}\n"
                                "try_first: [{lr: 0.1}]\n")),
              "");
  }
}

TEST(TryFirst, ErrorsOfParametersAreNotRepeated) {
  EXPECT_EQ(Complaints(Random("parameters: {lr: {min: 0.3, max: 0.1}}\ntry_first: [{lr: 0.2}]\n")),
            "s.yaml:4: parameter 'lr' has min 0.3 above max 0.1");
}

}  // namespace
}  // namespace sweep
