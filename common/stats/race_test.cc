#include "common/stats/race.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>

#include "common/stats/intervals.h"

namespace sweep {
namespace {

using ::testing::ElementsAre;

std::vector<RaceRun> Completed(const std::vector<double>& values, int open = 0) {
  std::vector<RaceRun> runs;
  for (const double value : values) runs.push_back({TrialState::kCompleted, value});
  for (int i = 0; i < open; ++i) runs.push_back({TrialState::kRunning, std::nullopt});
  return runs;
}

std::vector<Contender> Contenders(const std::vector<std::vector<RaceRun>>& runs) {
  std::vector<Contender> made;
  for (const std::vector<RaceRun>& one : runs) {
    made.push_back(ContenderOf(std::ssize(made) + 1, one));
  }
  return made;
}

constexpr RaceRules kRules = {.max = 10, .left = 100};

TEST(ContenderOf, HasTheCompleteRunsAndCountsTheOthers) {
  const Contender one = ContenderOf(7, Completed({0.94, 0.96, 0.95}, /*open=*/2));
  EXPECT_EQ(one.configuration, 7);
  EXPECT_EQ(one.ended, 3);
  EXPECT_EQ(one.open, 2);
  EXPECT_EQ(one.all, 5);
  EXPECT_NEAR(one.mean, 0.95, 1e-12);
  EXPECT_NEAR(one.squares, 0.0002, 1e-12);
  EXPECT_FALSE(one.is_out);
  EXPECT_FALSE(one.is_queued);
  EXPECT_TRUE(ContenderOf(1, {{TrialState::kPending, std::nullopt}}).is_queued);
  EXPECT_FALSE(ContenderOf(1, {{TrialState::kRunning, 0.9}}).is_queued);
}

TEST(ContenderOf, OneRunThatDidNotCompleteTakesItOut) {
  for (const TrialState state : {TrialState::kStopped, TrialState::kFailed, TrialState::kDiverged,
                                 TrialState::kCancelled, TrialState::kOnHold}) {
    std::vector<RaceRun> runs = Completed({0.9});
    runs.push_back({state, 0.9});
    EXPECT_TRUE(ContenderOf(1, runs).is_out) << TrialStateName(state);
  }
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(ContenderOf(1, Completed({nan})).is_out) << "it ranks nowhere";
  EXPECT_TRUE(ContenderOf(1, {{TrialState::kCompleted, std::nullopt}}).is_out);
}

// Until the deviation is known with four degrees of freedom, the five best get further runs, those
// with the fewest first.
TEST(JudgeRace, ScoutsTheDeviationAmongTheFiveBest) {
  std::vector<Contender> contenders =
      Contenders({Completed({0.90}), Completed({0.95}), Completed({0.91}), Completed({0.94}),
                  Completed({0.93}), Completed({0.92}), Completed({0.80})});
  std::vector<std::int64_t> seeds;
  for (int i = 0; i < 10; ++i) {
    const RaceVerdict verdict = JudgeRace(kRules, contenders);
    EXPECT_FALSE(verdict.deviation.has_value());
    EXPECT_EQ(verdict.leader, 1u);
    EXPECT_FALSE(verdict.is_over);
    if (!verdict.next) break;
    seeds.push_back(contenders[*verdict.next].configuration);
    ++contenders[*verdict.next].open;
  }
  EXPECT_THAT(seeds, ElementsAre(2, 4, 5, 6));
}

// s² = (0.0002 + 0.0002) / 4, so s = 0.01. Of three configurations with ten runs each at most the
// level is 0.05 / (2 · 10), and t with four degrees of freedom 5.5976.
std::vector<Contender> Three(double third) {
  return Contenders(
      {Completed({0.94, 0.96, 0.95}), Completed({0.93, 0.95, 0.94}), Completed({third})});
}

TEST(JudgeRace, RulesOutWhatIsFurtherBehindThanTheSpreadAllows) {
  const RaceVerdict verdict = JudgeRace(kRules, Three(0.90));
  EXPECT_NEAR(verdict.deviation.value(), 0.01, 1e-12);
  EXPECT_EQ(verdict.degrees, 4);
  EXPECT_NEAR(verdict.quantile, 5.5976, 1e-4);
  // The third is 0.05 behind; 5.5976 · 0.01 · √(1/3 + 1) = 0.06464.
  EXPECT_THAT(verdict.standings,
              ElementsAre(RaceStanding::kLeads, RaceStanding::kRaces, RaceStanding::kRaces));
  EXPECT_EQ(verdict.racing, 2);
  EXPECT_THAT(JudgeRace(kRules, Three(0.8854)).standings,
              ElementsAre(RaceStanding::kLeads, RaceStanding::kRaces, RaceStanding::kRaces));
  EXPECT_THAT(JudgeRace(kRules, Three(0.8853)).standings,
              ElementsAre(RaceStanding::kLeads, RaceStanding::kRaces, RaceStanding::kRuledOut));
}

TEST(JudgeRace, ADifferenceWithinWhatDoesNotMatterIsNoReasonToGoOn) {
  RaceRules rules = kRules;
  rules.within = 0.014;  // 0.05 + 0.014 < 0.06464
  EXPECT_EQ(JudgeRace(rules, Three(0.90)).standings[2], RaceStanding::kRaces);
  rules.within = 0.015;
  EXPECT_EQ(JudgeRace(rules, Three(0.90)).standings[2], RaceStanding::kRuledOut);
  // The second is 0.01 behind, and 5.5976 · 0.01 · √(2/3) = 0.04570.
  rules.within = 0.036;
  const RaceVerdict over = JudgeRace(rules, Three(0.90));
  EXPECT_EQ(over.standings[1], RaceStanding::kRuledOut);
  EXPECT_EQ(over.racing, 0);
  EXPECT_EQ(over.next, std::nullopt);
  EXPECT_TRUE(over.is_over);
}

// The cost of the second is 0.01² / (2/3) = 0.00015, that of the third 0.05² / (4/3) = 0.001875:
// the second is harder to tell from the leader.
TEST(JudgeRace, GivesTheNextSeedToTheLeaderOrItsClosestRival) {
  std::vector<Contender> contenders = Three(0.90);
  std::vector<std::int64_t> seeds;
  while (const auto next = JudgeRace(kRules, contenders).next) {
    seeds.push_back(contenders[*next].configuration);
    ++contenders[*next].open;
  }
  // With 4 and 4 runs the second costs 0.0002, and four seeds are under way at once.
  EXPECT_THAT(seeds, ElementsAre(1, 2, 1, 2));
  EXPECT_FALSE(JudgeRace(kRules, contenders).is_over) << "they are under way";
}

TEST(JudgeRace, ALuckyRunGetsOneMoreFirst) {
  std::vector<Contender> contenders = Three(0.99);
  EXPECT_EQ(JudgeRace(kRules, contenders).next, 2u);
  ++contenders[2].open;
  EXPECT_EQ(JudgeRace(kRules, contenders).next, 0u) << "its rival, since it has one under way";
}

TEST(JudgeRace, GoesOnWithTheRivalWhenTheLeaderHasAllItsRuns) {
  RaceRules rules = kRules;
  rules.max = 3;
  EXPECT_EQ(JudgeRace(rules, Three(0.93)).next, 2u) << "the second has all, too";
  const RaceVerdict over =
      JudgeRace(rules, Contenders({Completed({0.94, 0.96, 0.95}), Completed({0.93, 0.95, 0.94})}));
  EXPECT_EQ(over.racing, 1);
  EXPECT_TRUE(over.is_over) << "they cannot be told apart";
}

TEST(JudgeRace, WaitsForTheSlotsOfFirstRunsButNotForTheirEnd) {
  std::vector<Contender> contenders = Three(0.90);
  contenders.push_back(ContenderOf(4, {{TrialState::kPending, std::nullopt}}));
  EXPECT_EQ(JudgeRace(kRules, contenders).next, std::nullopt);
  contenders.back() = ContenderOf(4, {{TrialState::kLeased, std::nullopt}});
  EXPECT_EQ(JudgeRace(kRules, contenders).next, 0u);
  EXPECT_EQ(JudgeRace(kRules, contenders).standings[3], RaceStanding::kWaits);
}

// It is the best however late it comes: it leads at once, and gets the runs that it lacks.
// Criteria at a confidence judge a configuration with all of its runs only.
TEST(JudgeRace, TheLastSeedsAreKeptForTheLeader) {
  RaceRules rules = kRules;
  rules.leader_to_max = true;
  const std::vector<Contender> alone = Contenders({Completed({0.9})});
  EXPECT_EQ(JudgeRace(rules, alone).next, 0u);
  rules.left = 7;  // the leader has three of ten runs
  EXPECT_EQ(JudgeRace(rules, Three(0.90)).next, 0u);
  std::vector<Contender> busy = Three(0.90);
  busy[0].open = busy[0].ended;
  rules.left = 4;
  EXPECT_EQ(JudgeRace(rules, busy).next, std::nullopt) << "its runs are under way";
  EXPECT_FALSE(JudgeRace(rules, busy).is_over);
}

TEST(JudgeRace, OneThatComesLateCanStillWin) {
  std::vector<Contender> contenders = Three(0.90);
  contenders.push_back(ContenderOf(4, Completed({0.96})));
  const RaceVerdict verdict = JudgeRace(kRules, contenders);
  EXPECT_EQ(verdict.leader, 3u);
  EXPECT_EQ(verdict.next, 3u);
}

TEST(JudgeRace, EndsWhenTheSweepHasNoSeedsLeft) {
  RaceRules rules = kRules;
  rules.left = 0;
  EXPECT_EQ(JudgeRace(rules, Three(0.90)).next, std::nullopt);
  EXPECT_TRUE(JudgeRace(rules, Three(0.90)).is_over);
}

TEST(JudgeRace, OfALossTheLowestLeads) {
  RaceRules rules = kRules;
  rules.maximize = false;
  const RaceVerdict verdict =
      JudgeRace(rules, Contenders({Completed({0.94, 0.96, 0.95}), Completed({0.93, 0.95, 0.94}),
                                   Completed({1.01})}));
  EXPECT_EQ(verdict.leader, 1u);
  EXPECT_EQ(verdict.standings[2], RaceStanding::kRuledOut);
}

// Their means and places are left out; what is open is waited for.
TEST(JudgeRace, WhatDidNotCompleteDoesNotRace) {
  std::vector<Contender> contenders = Three(0.90);
  contenders.push_back(
      ContenderOf(4, {{TrialState::kCompleted, 0.99}, {TrialState::kFailed, std::nullopt}}));
  const RaceVerdict verdict = JudgeRace(kRules, contenders);
  EXPECT_EQ(verdict.leader, 0u);
  EXPECT_EQ(verdict.standings[3], RaceStanding::kOut);
}

// A training that ignores its seed gives the same value always: nothing more can be learned of two
// that are equal than `max` runs say, and all others are behind.
TEST(JudgeRace, RunsWithoutSpreadRuleOutAllOthers) {
  const RaceVerdict verdict =
      JudgeRace(kRules, Contenders({Completed({0.9, 0.9, 0.9}), Completed({0.8, 0.8, 0.8}),
                                    Completed({0.7}), Completed({0.899999})}));
  EXPECT_EQ(verdict.deviation, 0);
  EXPECT_EQ(verdict.racing, 0);
  EXPECT_TRUE(verdict.is_over);
}

// Two equal runs by chance are no proof of a deviation of 0.
TEST(JudgeRace, AFewEqualRunsRuleOutNobody) {
  const RaceVerdict verdict =
      JudgeRace(kRules, Contenders({Completed({0.9, 0.9}), Completed({0.8})}));
  EXPECT_EQ(verdict.deviation, std::nullopt);
  EXPECT_EQ(verdict.standings[1], RaceStanding::kRaces);
  EXPECT_EQ(verdict.next, 1u);
}

TEST(JudgeRace, AloneThereIsNothingToTellApart) {
  EXPECT_TRUE(JudgeRace(kRules, Contenders({Completed({0.9})})).is_over);
  EXPECT_TRUE(JudgeRace(kRules, {}).is_over);
  EXPECT_FALSE(JudgeRace(kRules, Contenders({Completed({}, 1)})).is_over);
}

// Criteria with a confidence are judged when a configuration has all its runs.
TEST(JudgeRace, TheLeaderCanBeAskedToHaveAllItsRuns) {
  RaceRules rules = {.max = 4, .left = 100, .within = 0.05, .leader_to_max = true};
  std::vector<Contender> contenders = Three(0.80);
  EXPECT_EQ(JudgeRace(rules, contenders).racing, 0);
  EXPECT_EQ(JudgeRace(rules, contenders).next, 0u);
  contenders[0] = ContenderOf(1, Completed({0.94, 0.96, 0.95, 0.95}));
  EXPECT_TRUE(JudgeRace(rules, contenders).is_over);
}

}  // namespace
}  // namespace sweep
