#include "coordinator/search/pbt_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <deque>
#include <limits>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "fmt/format.h"

namespace sweep {
namespace {

using testing::HasSubstr;

constexpr double kNoValue = std::numeric_limits<double>::quiet_NaN();

SweepSpec ParsePbtSpec(const std::string& pbt, const std::string& more = "",
                       const std::string& parameters = "  lr: {min: 0.0, max: 1.0}\n") {
  Diagnostics diagnostics;
  const auto spec = SweepSpec::Parse(
      {.file = "s.yaml",
       .text = fmt::format("name: s\nprogram: ./none\nmethod: pbt\nseed: 3\nepochs: 6\nmetric: "
                           "{{name: value, goal: maximize}}\npbt: {}\n{}parameters:\n{}",
                           pbt, more, parameters)},
      &diagnostics);
  EXPECT_TRUE(spec.ok()) << FormatDiagnostics(diagnostics);
  return *spec;
}

// A search that is told what happens, and can be told it again.
class Population {
 public:
  explicit Population(const SweepSpec* spec) : spec_(*spec), search_(spec) {}

  // The next segment; nullopt when there is none.
  std::optional<Segment> Ask() {
    const auto next = search_.Peek(asked_ + 1);
    EXPECT_TRUE(next.ok()) << next.status();
    if (!next.ok() || !next->has_value()) return std::nullopt;
    ++asked_;
    EXPECT_EQ((*next)->configuration.number, asked_);
    origin_ = (*next)->origin;
    points_.push_back((*next)->configuration.parameters);
    segments_.push_back(*(*next)->segment);
    Tell({.configuration = asked_,
          .state = TrialState::kPending,
          .parameters = &points_.back(),
          .segment = &segments_.back()});
    return segments_.back();
  }
  // Asks until nothing comes.
  void AskAll() {
    while (Ask()) {
    }
  }
  void End(std::int64_t number, double value, TrialState state = TrialState::kCompleted) {
    Tell({.configuration = number, .epoch = 1, .value = value, .state = TrialState::kRunning});
    Tell({.configuration = number, .state = state});
  }
  void Say(std::int64_t number, TrialState state) {
    Tell({.configuration = number, .state = state});
  }
  // What a search suggests that has only read the events.
  std::optional<Suggestion> AgainAfterARestart() const {
    PbtSearch again(&spec_);
    for (const Observation& one : told_) again.Observe(one);
    return again.Peek(asked_ + 1).value_or(std::nullopt);
  }

  Search::None WhyNone() const { return search_.WhyNone(); }
  const ParameterMap& point(std::int64_t number) const {
    return points_[static_cast<std::size_t>(number - 1)];
  }
  const SuggestionOrigin& origin() const { return origin_; }
  std::int64_t asked() const { return asked_; }

 private:
  void Tell(Observation observation) {
    observation.sequence = std::ssize(told_) + 1;
    told_.push_back(observation);
    search_.Observe(observation);
  }

  const SweepSpec& spec_;
  PbtSearch search_;
  std::int64_t asked_ = 0;
  SuggestionOrigin origin_;
  std::deque<ParameterMap> points_;  // the observations refer to them
  std::deque<Segment> segments_;
  std::vector<Observation> told_;
};

TEST(PbtSearch, TheQuantileIsRoundedUpAndAtMostAHalf) {
  EXPECT_EQ(PbtSearch::QuantileOf(1, 0.25), 0u);
  EXPECT_EQ(PbtSearch::QuantileOf(2, 0.25), 1u);
  EXPECT_EQ(PbtSearch::QuantileOf(3, 0.5), 1u);
  EXPECT_EQ(PbtSearch::QuantileOf(4, 0.25), 1u);
  EXPECT_EQ(PbtSearch::QuantileOf(5, 0.25), 2u);
  EXPECT_EQ(PbtSearch::QuantileOf(8, 0.25), 2u);
  EXPECT_EQ(PbtSearch::QuantileOf(8, 0.5), 4u);
}

TEST(PbtSearch, APopulationBeginsUntrainedWithPointsOfItsOwn) {
  const SweepSpec spec =
      ParsePbtSpec("{population: 4, segment_epochs: 2}", "try_first: [{lr: 0.5}]\n");
  EXPECT_EQ(spec.PlannedConfigurations(), 12);
  Population population(&spec);
  std::set<ParameterMap> points;
  for (int member = 1; member <= 4; ++member) {
    EXPECT_EQ(population.Ask(), (Segment{.member = member, .target_epoch = 2}));
    EXPECT_EQ(population.origin().source,
              member == 1 ? SuggestionSource::kTryFirst : SuggestionSource::kStartUp);
    points.insert(population.point(member));
  }
  EXPECT_EQ(points.size(), 4u);
  EXPECT_EQ(AsDouble(population.point(1).at("lr")), 0.5);
  EXPECT_EQ(population.Ask(), std::nullopt);
  EXPECT_TRUE(population.WhyNone().is_for_now);
  EXPECT_EQ(population.WhyNone().reason,
            "4 of the 4 members of the population are at a segment; one goes on when it has ended "
            "its own");
}

// Which members copy, and from whom, when all have ended a segment.
struct Decision {
  std::string name;
  std::string pbt;
  std::vector<double> values;  // of each member; NaN: it reported none
  std::set<int> copying;
  std::set<std::int64_t> donors;  // from which each of them may copy
};

class PbtDecisionTest : public testing::TestWithParam<Decision> {};

TEST_P(PbtDecisionTest, TheWorstCopyTheBest) {
  const Decision& decision = GetParam();
  const auto size = static_cast<int>(decision.values.size());
  const SweepSpec spec = ParsePbtSpec(decision.pbt);
  Population population(&spec);
  for (int member = 1; member <= size; ++member) ASSERT_TRUE(population.Ask());
  for (int member = 1; member <= size; ++member) {
    population.End(member, decision.values[static_cast<std::size_t>(member - 1)]);
  }
  for (int member = 1; member <= size; ++member) {
    const std::optional<Suggestion> again = population.AgainAfterARestart();
    const auto segment = population.Ask();
    ASSERT_TRUE(segment);
    EXPECT_EQ(segment->member, member) << "in the order in which they ended";
    EXPECT_EQ(segment->start_epoch, 2);
    EXPECT_EQ(segment->target_epoch, 4);
    ASSERT_TRUE(again);
    EXPECT_EQ(again->segment, segment);
    EXPECT_EQ(again->configuration.parameters, population.point(population.asked()));
    if (decision.copying.contains(member)) {
      EXPECT_TRUE(decision.donors.contains(segment->parent)) << member << ": " << segment->parent;
      EXPECT_EQ(population.origin().source, SuggestionSource::kCopied);
      EXPECT_NE(population.point(population.asked()), population.point(segment->parent));
    } else {
      EXPECT_EQ(segment->parent, member);
      EXPECT_EQ(population.origin().source, SuggestionSource::kWentOn);
      EXPECT_EQ(population.point(population.asked()), population.point(member));
    }
  }
  EXPECT_EQ(population.origin().seen_results, size);
}

INSTANTIATE_TEST_SUITE_P(
    Members, PbtDecisionTest,
    testing::Values(
        Decision{"four", "{population: 4}", {0.3, 0.9, 0.1, 0.5}, {3}, {2}},
        Decision{"five", "{population: 5}", {0.3, 0.9, 0.1, 0.5, 0.2}, {3, 5}, {2, 4}},
        Decision{
            "eight", "{population: 8}", {0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1}, {7, 8}, {1, 2}},
        Decision{"a_half", "{population: 4, quantile: 0.5}", {4, 3, 2, 1}, {3, 4}, {1, 2}},
        // Of equal ones the lower number is the better one; none copies what is no better.
        Decision{"ties", "{population: 4}", {0.5, 0.2, 0.2, 0.2}, {4}, {1}},
        Decision{"all_the_same", "{population: 4}", {0.5, 0.5, 0.5, 0.5}, {}, {}},
        Decision{"nan", "{population: 4}", {kNoValue, 0.1, 0.2, 0.3}, {1}, {4}},
        Decision{"two", "{population: 2}", {0.1, 0.2}, {1}, {2}}),
    [](const auto& info) { return info.param.name; });

TEST(PbtSearch, AnObjectiveToMinimizeCopiesTheLowest) {
  SweepSpec spec = ParsePbtSpec("{population: 4}");
  spec.objectives.front().maximize = false;
  Population population(&spec);
  population.AskAll();
  for (int member = 1; member <= 4; ++member) population.End(member, member);
  for (int member = 1; member <= 3; ++member) EXPECT_EQ(population.Ask()->parent, member);
  EXPECT_EQ(population.Ask()->parent, 1);
}

TEST(PbtSearch, AMemberIsComparedWithThoseThatHaveEndedTheSameSegment) {
  const SweepSpec spec = ParsePbtSpec("{population: 4}");
  Population population(&spec);
  population.AskAll();
  population.End(2, 0.9);
  EXPECT_EQ(population.Ask()->parent, 2) << "nobody to compare with";
  population.End(1, 0.1);
  EXPECT_EQ(population.Ask()->parent, 2) << "the segment of epoch 2, though member 2 has gone on";
  EXPECT_EQ(population.Ask(), std::nullopt);
  // The member of the earlier epoch goes first.
  population.End(5, 0.95);
  population.End(3, 0.5);
  EXPECT_EQ(population.Ask()->member, 3);
  EXPECT_EQ(population.Ask()->member, 2);
}

TEST(PbtSearch, TheLastValueOfASegmentCounts) {
  const SweepSpec spec = ParsePbtSpec("{population: 2}");
  Population population(&spec);
  population.AskAll();
  population.End(1, 0.5);
  population.End(2, 0.9, TrialState::kRunning);
  population.End(2, 0.4);
  EXPECT_EQ(population.Ask()->parent, 1) << "member 1 is the better one in the end";
  EXPECT_EQ(population.Ask()->parent, 1);
}

TEST(PbtSearch, EveryMemberHasAsManySegments) {
  const SweepSpec spec = ParsePbtSpec("{population: 5, segment_epochs: 4}");  // epochs 1-4 and 5-6
  EXPECT_EQ(spec.PlannedConfigurations(), 10);
  Population population(&spec);
  std::vector<Segment> segments;
  for (int ended = 0; const auto segment = population.Ask();) {
    segments.push_back(*segment);
    while (population.asked() >= 5 && ended < population.asked()) {
      ++ended;
      population.End(ended, 0.1 * ended);
    }
  }
  ASSERT_EQ(segments.size(), 10u);
  std::multiset<int> members;
  for (const Segment& segment : segments) members.insert(segment.member);
  for (int member = 1; member <= 5; ++member) EXPECT_EQ(members.count(member), 2u);
  EXPECT_EQ(segments.back().start_epoch, 4);
  EXPECT_EQ(segments.back().target_epoch, 6);
  EXPECT_FALSE(population.WhyNone().is_for_now);
  EXPECT_THAT(population.WhyNone().reason, HasSubstr("last segment"));
}

TEST(PbtSearch, OneThatFailedCopiesAGoodOneOnceThereIsOne) {
  for (const TrialState state :
       {TrialState::kFailed, TrialState::kDiverged, TrialState::kCancelled, TrialState::kStopped}) {
    const SweepSpec spec = ParsePbtSpec("{population: 3}");
    Population population(&spec);
    population.AskAll();
    population.End(1, 0.9, state);
    EXPECT_EQ(population.Ask(), std::nullopt);
    EXPECT_EQ(
        population.WhyNone().reason,
        "2 of the 3 members of the population are at a segment, and 1 waits until others have "
        "ended the same one");
    population.End(3, 0.2);
    const auto replaced = population.Ask();
    ASSERT_TRUE(replaced);
    EXPECT_EQ(*replaced, (Segment{.member = 1, .parent = 3, .start_epoch = 2, .target_epoch = 4}));
    EXPECT_EQ(population.Ask()->member, 3);
    EXPECT_EQ(population.Ask(), std::nullopt) << "member 2 is still at its own";
  }
}

TEST(PbtSearch, ItEndsWhenAllHaveFailed) {
  const SweepSpec spec = ParsePbtSpec("{population: 2}");
  Population population(&spec);
  population.AskAll();
  population.End(1, 0.9, TrialState::kFailed);
  population.Say(2, TrialState::kDiverged);
  EXPECT_EQ(population.Ask(), std::nullopt);
  EXPECT_FALSE(population.WhyNone().is_for_now);
  EXPECT_EQ(population.WhyNone().reason,
            "no member of the population has completed epochs 1 to 2, so there is none to go on "
            "from; the last that failed is trial 2");
}

TEST(PbtSearch, OneThatIsTriedAgainHasNotEnded) {
  const SweepSpec spec = ParsePbtSpec("{population: 2}");
  Population population(&spec);
  population.AskAll();
  population.Say(1, TrialState::kFailed);
  population.Say(1, TrialState::kPending);
  population.End(2, 0.5);
  EXPECT_EQ(population.Ask()->member, 2);
  EXPECT_EQ(population.Ask(), std::nullopt);
  population.End(1, 0.6);
  EXPECT_EQ(*population.Ask(),
            (Segment{.member = 1, .parent = 1, .start_epoch = 2, .target_epoch = 4}));
}

TEST(PbtSearch, ASynchronousOneWaitsForTheSlowest) {
  const SweepSpec spec = ParsePbtSpec("{population: 3, synchronous: true}");
  Population population(&spec);
  EXPECT_TRUE(population.Ask());
  population.End(1, 0.1);
  EXPECT_TRUE(population.Ask());
  EXPECT_TRUE(population.Ask());
  EXPECT_EQ(population.Ask(), std::nullopt);
  population.End(3, 0.3);
  EXPECT_EQ(population.Ask(), std::nullopt);
  population.Say(2, TrialState::kFailed);
  for (const int member : {1, 2, 3}) {
    const std::optional<Segment> next = population.Ask();
    ASSERT_TRUE(next.has_value());
    EXPECT_EQ(next->member, member);
    EXPECT_EQ(next->parent, 3) << "the worse of two, one that failed, and the best";
  }
}

// ---- Changed values

Parameter ParameterOf(const std::string& text) {
  return ParsePbtSpec("{}", "", "  x: " + text + "\n").parameters.front();
}

Value Changed(const std::string& text, const Value& value, bool up) {
  return PbtSearch::Perturbed(ParameterOf(text), value, up);
}

TEST(PbtSearch, ANumberIsMultipliedWithinItsRange) {
  EXPECT_DOUBLE_EQ(AsDouble(Changed("{min: 0.0, max: 1.0}", 0.5, true)), 0.6);
  EXPECT_DOUBLE_EQ(AsDouble(Changed("{min: 0.0, max: 1.0}", 0.5, false)), 0.4);
  EXPECT_EQ(Changed("{min: 0.0, max: 1.0}", 0.9, true), Value(1.0));
  EXPECT_EQ(Changed("{min: 0.45, max: 1.0}", 0.5, false), Value(0.45));
  EXPECT_DOUBLE_EQ(
      AsDouble(Changed("{distribution: log_uniform_values, min: 0.001, max: 0.1}", 0.01, true)),
      0.012);
}

TEST(PbtSearch, AWholeNumberStaysOneAndMoves) {
  EXPECT_EQ(Changed("{min: 1, max: 100}", std::int64_t{10}, true), Value(std::int64_t{12}));
  EXPECT_EQ(Changed("{min: 1, max: 100}", std::int64_t{10}, false), Value(std::int64_t{8}));
  EXPECT_EQ(Changed("{min: 1, max: 100}", std::int64_t{1}, true), Value(std::int64_t{2}));
  EXPECT_EQ(Changed("{min: 1, max: 100}", std::int64_t{2}, false), Value(std::int64_t{1}));
  EXPECT_EQ(Changed("{min: 1, max: 100}", std::int64_t{1}, false), Value(std::int64_t{1}));
  EXPECT_EQ(Changed("{min: 0, max: 10}", std::int64_t{0}, true), Value(std::int64_t{1}));
}

TEST(PbtSearch, AMultipleStaysOne) {
  const std::string steps = "{distribution: q_uniform, min: 0.0, max: 1.0, q: 0.1}";
  EXPECT_DOUBLE_EQ(AsDouble(Changed(steps, 0.5, true)), 0.6);
  EXPECT_DOUBLE_EQ(AsDouble(Changed(steps, 0.2, true)), 0.3) << "0.24 would be 0.2 again";
  const std::string whole = "{distribution: q_log_uniform_values, min: 8, max: 128, q: 8}";
  EXPECT_EQ(Changed(whole, std::int64_t{64}, true), Value(std::int64_t{80}));
  EXPECT_EQ(Changed(whole, std::int64_t{64}, false), Value(std::int64_t{48}));
  EXPECT_EQ(Changed(whole, std::int64_t{128}, true), Value(std::int64_t{128}));
}

TEST(PbtSearch, AListGivesANeighbour) {
  EXPECT_EQ(Changed("{values: [a, b, c]}", std::string("b"), true), Value(std::string("c")));
  EXPECT_EQ(Changed("{values: [a, b, c]}", std::string("b"), false), Value(std::string("a")));
  EXPECT_EQ(Changed("{values: [a, b, c]}", std::string("c"), true), Value(std::string("c")));
  EXPECT_EQ(Changed("{values: [32, 64, 128]}", std::int64_t{64}, true), Value(std::int64_t{128}));
  EXPECT_EQ(Changed("{values: [c, a, b], ordered: true}", std::string("c"), false),
            Value(std::string("c")));
  for (const bool up : {true, false}) {
    EXPECT_NE(Changed("{values: [1, 2, 3], ordered: false}", std::int64_t{3}, up),
              Value(std::int64_t{3}))
        << "no value is at an end";
  }
}

TEST(PbtSearch, AChangedPointIsOneOfTheSpaceAndSatisfiesTheConstraints) {
  const SweepSpec spec = ParsePbtSpec(
      "{population: 8, quantile: 0.5, resample: 0.3}", "constraints: [\"lr * width < 4\"]\n",
      "  lr: {distribution: log_uniform_values, min: 0.01, max: 1.0}\n"
      "  width: {min: 3, max: 12}\n  kind: {values: [a, b]}\n"
      "  depth: {min: 0.0, max: 1.0, when: \"kind == 'b'\"}\n");
  Population population(&spec);
  population.AskAll();
  for (int number = 1; number <= 8; ++number) population.End(number, number);
  int copies = 0, drawn = 0;
  for (int number = 9; number <= 16; ++number) {
    const auto segment = population.Ask();
    ASSERT_TRUE(segment);
    if (population.origin().source != SuggestionSource::kCopied) continue;
    ++copies;
    const ParameterMap& point = population.point(number);
    const ParameterMap& donor = population.point(segment->parent);
    EXPECT_EQ(point.contains("depth"), point.at("kind") == Value(std::string("b")));
    EXPECT_LT(AsDouble(point.at("lr")) * AsDouble(point.at("width")), 4);
    const double factor = AsDouble(point.at("lr")) / AsDouble(donor.at("lr"));
    const bool is_near = std::abs(factor - 1.2) < 1e-9 || std::abs(factor - 0.8) < 1e-9;
    const bool is_end = point.at("lr") == Value(0.01) || point.at("lr") == Value(1.0);
    if (!is_near && !is_end) ++drawn;
  }
  EXPECT_EQ(copies, 4);
  EXPECT_LT(drawn, 4) << "most are changed a little";
}

}  // namespace
}  // namespace sweep
