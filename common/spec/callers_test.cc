// Sweeps without a trainer: `trained_by: callers`.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "common/spec/testing/sweep_testing.h"

namespace sweep {
namespace {

using ::testing::HasSubstr;

std::string Callers(const std::string& more) {
  return absl::StrCat("name: s\ntrained_by: callers\nmethod: grid\n", more);
}

TEST(Callers, ASweepIsTrainedByWorkersUnlessItsFileSaysOtherwise) {
  const std::string rest = "name: s\nmodel: cnn-18718\nmethod: grid\n";
  EXPECT_FALSE(MustParse(rest).trained_by_callers);
  EXPECT_FALSE(MustParse(rest).HasOwnTrainer());
  const SweepSpec workers = MustParse(rest + "trained_by: workers\n");
  EXPECT_FALSE(workers.trained_by_callers);
  EXPECT_EQ(workers.digest, MustParse(rest).digest);
  const SweepSpec callers = MustParse(rest + "trained_by: callers\n");
  EXPECT_TRUE(callers.trained_by_callers);
  EXPECT_TRUE(callers.HasOwnTrainer());
  EXPECT_NE(callers.digest, workers.digest) << "it is another sweep";
}

TEST(Callers, HaveNamesOfTheirOwnForParametersAndMeasures) {
  const SweepSpec spec = MustParse(
      Callers("metric: {name: val/runtime, goal: minimize}\nrequire: {memory: \"< 5\"}\n"
              "parameters:\n  unroll: {values: [1, 2]}\n  batch_size: {values: [0.5, 2.5]}\n"
              "constraints: [\"unroll * batch_size < 5\"]\n"));
  EXPECT_TRUE(spec.models.empty());
  EXPECT_EQ(spec.dataset.name, "none");
  EXPECT_EQ(spec.points, 3);
  EXPECT_EQ(spec.objective().name, "val/runtime");
  const absl::StatusOr<Configuration> point =
      spec.Complete(1, {{"unroll", std::int64_t{2}}, {"batch_size", 0.5}});
  ASSERT_TRUE(point.ok()) << point.status();
  const TrialSpec trial = spec.MakeTrialSpec(*point, 0);
  EXPECT_EQ(trial.parameters.at("unroll"), Value(std::int64_t{2}));
  EXPECT_EQ(trial.parameters.at("batch_size"), Value(0.5));
  EXPECT_EQ(trial.parameters.at("epochs"), Value(std::int64_t{1}));
}

TEST(Callers, ReportOnceUnlessTheFileOrTheRecipeSaysOtherwise) {
  EXPECT_EQ(MustParse(Callers("")).epochs, 1);
  EXPECT_EQ(MustParse(Callers("epochs: 7\n")).epochs, 7);
  const SweepSpec searched = MustParse(Callers("parameters: {epochs: {values: [2, 5]}}\n"));
  const absl::StatusOr<Configuration> point = searched.Complete(1, {{"epochs", std::int64_t{5}}});
  ASSERT_TRUE(point.ok()) << point.status();
  EXPECT_EQ(searched.MakeTrialSpec(*point, 0).epochs, 5);
  EXPECT_EQ(MustParse(Callers("model: cnn-18718\n")).epochs,
            MustParse("name: s\nmodel: cnn-18718\nmethod: grid\n").epochs);
}

TEST(Callers, BringNoProgram) {
  EXPECT_THAT(Complaints(Callers("program: [tool]\n")),
              HasSubstr("s.yaml:2: 'trained_by: callers' does not go with 'program'"));
  EXPECT_THAT(Complaints(Callers("files: [train.py]\n")),
              HasSubstr("s.yaml:4: 'files' goes with 'program'"));
  EXPECT_THAT(Complaints(Callers("recipe: tuned\n")), HasSubstr("'recipe' goes with 'model'"));
}

TEST(Callers, AWrongWordOrKeyIsTheOnlyComplaint) {
  EXPECT_EQ(Complaints("name: s\ntrained_by: me\nmethod: grid\nmodel: cnn-18718\n"),
            "s.yaml:2: 'trained_by' must be one of workers, callers, not 'me'");
  EXPECT_EQ(Complaints("name: s\ntraind_by: callers\nmethod: grid\nparameters: {unroll: 3}\n"),
            "s.yaml:2: unknown key 'traind_by' in the sweep file; did you mean 'trained_by'?");
}

}  // namespace
}  // namespace sweep
