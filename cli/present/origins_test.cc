#include "cli/present/origins.h"

#include <gtest/gtest.h>

namespace sweep::cli {
namespace {

v1::Trial Chosen(const char* method, const char* source, int replicate = 0) {
  v1::Trial trial;
  trial.set_chosen_by(method);
  trial.set_chosen_source(source);
  trial.set_replicate(replicate);
  return trial;
}

TEST(Origins, ATrialOfAnEarlierBuildHasNone) {
  EXPECT_EQ(OriginOf(v1::Trial()), std::nullopt);
  EXPECT_EQ(OriginOf(Chosen("gp", "from a later build")), std::nullopt);
}

TEST(Origins, ATrialSaysWhatItsModelExpected) {
  v1::Trial trial = Chosen("gp", "model");
  trial.set_expected_improvement(0.25);
  trial.set_seen_results(12);
  const std::optional<SuggestionOrigin> origin = OriginOf(trial);
  ASSERT_TRUE(origin.has_value());
  EXPECT_EQ(origin->source, SuggestionSource::kModel);
  EXPECT_EQ(origin->method, "gp");
  EXPECT_EQ(origin->expected_improvement, 0.25);
  EXPECT_EQ(origin->seen_results, 12);
}

TEST(Origins, EachConfigurationCountsOnce) {
  OriginCounts counts;
  EXPECT_EQ(counts.Text(), "");
  counts.Add(v1::Trial());
  EXPECT_EQ(counts.Text(), "") << "not known";
  counts.Add(Chosen("tpe", "model"));
  counts.Add(Chosen("tpe", "model", 1));
  counts.Add(Chosen("tpe", "start_up"));
  counts.Add(Chosen("tpe", "try_first"));
  counts.Add(Chosen("tpe", "stand_in"));
  counts.Add(Chosen("tpe", "stand_in"));
  EXPECT_EQ(counts.Text(),
            "1 from try_first, 1 start-up point of tpe, 1 by the model of tpe, 2 start-up points "
            "because the model of tpe had not answered");
}

// An edit may have changed the method.
TEST(Origins, MethodsAreCountedApart) {
  OriginCounts counts;
  counts.Add(Chosen("grid", "sequence"));
  counts.Add(Chosen("random", "sequence"));
  counts.Add(Chosen("random", "sequence"));
  EXPECT_EQ(counts.Text(), "1 by grid, 2 by random");
}

}  // namespace
}  // namespace sweep::cli
