// Sweeps whose search knows the results of earlier ones from the start.

#include <gmock/gmock.h>

#include <set>

#include "coordinator/scheduler/testing/scheduler_testing.h"
#include "coordinator/search/point_identity.h"
#include "coordinator/search/search_replay.h"
#include "coordinator/search/search_start.h"
#include "coordinator/store/queries.h"

namespace sweep {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

SweepSource WarmSource(const std::string& name, const std::string& method,
                       const std::string& parameters, const std::string& more = "") {
  return {.file = name + ".yaml",
          .text = fmt::format("name: {}\nmodel: cnn-18718\ndataset: synthetic\nmethod: {}\n"
                              "run_cap: 12\nepochs: 5\nseed: 1\n{}parameters:\n{}",
                              name, method, more, parameters)};
}
constexpr char kRange[] = "  lr: {min: 0.001, max: 0.1}\n";
constexpr char kList[] = "  lr: {values: [0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.09]}\n";

class WarmStartTest : public SchedulerTest {
 protected:
  absl::StatusOr<SweepRow> Submit(const SweepSource& source) {
    Diagnostics diagnostics;
    const auto spec =
        std::make_shared<const SweepSpec>(Must(SweepSpec::Parse(source, &diagnostics)));
    auto result = std::make_shared<Result<absl::StatusOr<SweepRow>>>();
    scheduler_->sweeps().Submit(
        spec, source,
        {.principal = "tester", .warm_start = PlanWarmStart(store_.get(), specs_.get(), *spec)},
        [result](const auto& submission) {
          if (!submission.ok()) return result->Set(submission.status());
          result->Set(submission->sweep);
        });
    Settle();
    return result->Get().value_or(absl::UnknownError("no answer"));
  }
  // Trains up to that many trials of a sweep; the best learning rate is 0.07.
  std::vector<ParameterMap> TrainSome(const std::string& name, int count) {
    std::vector<ParameterMap> points;
    for (int i = 0; i < count; ++i) {
      const auto tokens =
          Tokens(Call("for-" + name, {.slots = 1, .no_wait = true, .only_sweeps = {name}}));
      if (tokens.empty()) break;
      points.push_back(Trial(tokens[0].number, name).parameters);
      const double lr = AsDouble(points.back().at("lr"));
      EXPECT_EQ(Report(tokens[0], 1, 5, 0.9 - std::abs(lr - 0.07)), absl::OkStatus());
      EXPECT_EQ(Finish(tokens[0], LeaseOutcome::kCompleted), absl::OkStatus());
    }
    return points;
  }
};

TEST_F(WarmStartTest, TheSearchBeginsWithWhatIsKnown) {
  ASSERT_TRUE(Submit(WarmSource("old", "random", kRange)).ok());
  EXPECT_THAT(TrainSome("old", 100), SizeIs(12));
  for (const std::string method : {"gp", "tpe", "cmaes"}) {
    const SweepRow row = Must(Submit(WarmSource(method, method, kRange, "warm_start: old\n")));
    ASSERT_THAT(row.warm_starts, SizeIs(1));
    EXPECT_EQ(row.warm_starts[0].source, "old");
    EXPECT_EQ(row.warm_starts[0].taken, 12);
    EXPECT_EQ(row.warm_starts[0].left_out, 0);
    EXPECT_EQ(row.configurations, 0) << "they are none of the sweep";
    EXPECT_EQ(row.planned_configurations, 12);
    ASSERT_TRUE(Submit(WarmSource("cold-" + method, method, kRange)).ok());
    const auto warm = TrainSome(method, 3), cold = TrainSome("cold-" + method, 3);
    EXPECT_NE(warm, cold) << method;
    for (const ParameterMap& point : warm) {
      EXPECT_NEAR(AsDouble(point.at("lr")), 0.07, 0.04) << method << ": no start-up point";
    }
  }
}

TEST_F(WarmStartTest, ARestartSuggestsTheSameAlsoWithoutTheEarlierSweep) {
  ASSERT_TRUE(Submit(WarmSource("old", "random", kRange)).ok());
  TrainSome("old", 8);
  const SweepSource source = WarmSource("new", "gp", kRange, "warm_start: [old]\n");
  ASSERT_TRUE(Submit(source).ok());
  for (int i = 0; i < 12; ++i) {
    Start();
    Settle();
    ASSERT_THAT(TrainSome("new", 1), SizeIs(1));
    if (i == 3) {
      ASSERT_EQ(CancelSweep("old"), absl::OkStatus());
      ASSERT_TRUE(Ask<std::int64_t>([&](auto callback) {
                    scheduler_->sweeps().DeleteSweep("old", "", callback);
                  }).ok());
      Pass(absl::Seconds(1));
    }
  }
  Diagnostics diagnostics;
  const auto spec = std::make_shared<const SweepSpec>(Must(SweepSpec::Parse(source, &diagnostics)));
  const std::int64_t id = Sweep("new").id;
  const auto replay = Must(SearchReplay::Make(store_.get(), id, spec, 1));
  const auto rows = Must(store_->Read(SelectSuggestions, id, std::int64_t{1}, std::int64_t{12}));
  ASSERT_THAT(rows, SizeIs(12));
  int modelled = 0;
  for (const SuggestionRow& row : rows) {
    const auto again = Must(replay->Again(row));
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ(again->configuration.parameters, row.parameters.values()) << row.number;
    modelled += row.source == SuggestionSource::kModel ? 1 : 0;
  }
  EXPECT_GE(modelled, 9) << "the eight of before count";
}

TEST_F(WarmStartTest, InASpaceOfListsWhatIsKnownIsNotTriedAgain) {
  ASSERT_TRUE(Submit(WarmSource("old", "random", kList)).ok());
  std::set<std::string> all;
  for (const ParameterMap& point : TrainSome("old", 4)) all.insert(PointIdentity(point));
  EXPECT_EQ(CancelSweep("old"), absl::OkStatus());
  ASSERT_TRUE(Submit(WarmSource("new", "tpe", kList, "warm_start: old\n")).ok());
  const std::vector<ParameterMap> points = TrainSome("new", 100);
  EXPECT_THAT(points, SizeIs(5));
  for (const ParameterMap& point : points) EXPECT_TRUE(all.insert(PointIdentity(point)).second);
  EXPECT_EQ(Sweep("new").state, SweepState::kCompleted);
  EXPECT_THAT(Sweep("new").search_reason, HasSubstr("that no earlier file or sweep has tried"));
}

TEST_F(WarmStartTest, WhatHasNoPlaceIsLeftOutAndSaid) {
  ASSERT_TRUE(Submit(WarmSource("old", "random", kList)).ok());
  EXPECT_THAT(TrainSome("old", 100), SizeIs(9));
  const SweepRow row =
      Must(Submit(WarmSource("new", "tpe", "  lr: {min: 0.035, max: 0.5}\n", "warm_start: old\n")));
  EXPECT_EQ(row.warm_starts[0].taken, 6);
  EXPECT_EQ(row.warm_starts[0].left_out, 3);
  EXPECT_THAT(row.warm_starts[0].reason, HasSubstr("lies outside"));
  Diagnostics diagnostics;
  const SweepSpec spec = Must(SweepSpec::Parse(row.source, &diagnostics));
  EXPECT_THAT(Must(ReadSearchStart(store_.get(), row.id, spec)).earlier, SizeIs(6));
  const SweepSpec wider = Must(SweepSpec::Parse(
      WarmSource("new", "tpe", "  lr: {min: 0.001, max: 0.5}\n", "warm_start: old\n"),
      &diagnostics));
  EXPECT_THAT(Must(ReadSearchStart(store_.get(), row.id, wider)).earlier, SizeIs(9))
      << "an edit may give them a place";
}

TEST_F(WarmStartTest, OnlyWhatHasEndedIsTaken) {
  ASSERT_TRUE(Submit(WarmSource("old", "random", kList, "replicates: 2\n")).ok());
  TrainSome("old", 5);
  const SweepRow row = Must(Submit(WarmSource("new", "gp", kRange, "warm_start: old\n")));
  EXPECT_EQ(row.warm_starts[0].taken, 2) << "of the third, one replicate has not ended";
  const auto points = Must(store_->Read(SelectWarmPoints, row.id, 0, 10));
  ASSERT_THAT(points, SizeIs(2));
  ASSERT_THAT(points[0].replicates, SizeIs(2));
  EXPECT_EQ(points[0].replicates[0].state, TrialState::kCompleted);
  EXPECT_EQ(points[0].replicates[0].epoch, 5);
  EXPECT_EQ(points[0].replicates[0].best, Trial(1, "old").result.Best(Objective{}));
  EXPECT_EQ(CancelSweep("old"), absl::OkStatus());
  EXPECT_EQ(
      Must(Submit(WarmSource("newer", "gp", kRange, "warm_start: old\n"))).warm_starts[0].taken, 3)
      << "one of whose replicates was cancelled, but none of which all were";
}

TEST_F(WarmStartTest, WhatCannotBeComparedIsRefusedAsAWhole) {
  ASSERT_TRUE(Submit(WarmSource("old", "random", kRange)).ok());
  const auto refusal = [&](const SweepSource& source) {
    const absl::Status status = Submit(source).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_TRUE(absl::IsNotFound(store_->Read(FindSweep, "new").status())) << "nothing is stored";
    return std::string(status.message());
  };
  EXPECT_THAT(refusal(WarmSource("new", "tpe", kRange, "warm_start: older\n")),
              HasSubstr("sweep 'new': warm_start: 'older' is no sweep of this coordinator"));
  EXPECT_THAT(refusal(WarmSource("new", "tpe", kRange, "warm_start: old\n")),
              HasSubstr("'old' has no configuration that has ended"));
  TrainSome("old", 2);
  const std::string metric = "metric: {name: validation_loss, goal: minimize}\n";
  EXPECT_THAT(refusal(WarmSource("new", "tpe", kRange, metric + "warm_start: old\n")),
              HasSubstr("metric: the highest accuracy there, the lowest validation_loss here"));
  SweepSource other = WarmSource("new", "tpe", kRange, "warm_start: old\n");
  other.text.replace(other.text.find("cnn-18718"), 9, "cnn-17216");
  EXPECT_THAT(refusal(other), HasSubstr("model: cnn-18718 there, cnn-17216 here"));
  EXPECT_THAT(
      refusal(WarmSource("new", "tpe", kRange, "evaluate: {holdout: 100}\nwarm_start: old\n")),
      HasSubstr("evaluate: test there, {holdout: 100} here"));
  other = WarmSource("new", "tpe", kRange, "warm_start: old\n");
  other.text.replace(other.text.find("epochs: 5"), 9, "epochs: 7");
  EXPECT_THAT(refusal(other),
              AllOf(HasSubstr("has 2 configurations that have ended, and none of them has a place "
                              "here: epochs was 5 and is 7")));
}

TEST_F(WarmStartTest, TheSameFileIsTheSameSweepAlsoWithoutTheEarlierOne) {
  ASSERT_TRUE(Submit(WarmSource("old", "random", kRange)).ok());
  TrainSome("old", 2);
  const SweepSource source = WarmSource("new", "tpe", kRange, "warm_start: old\n");
  const SweepRow row = Must(Submit(source));
  EXPECT_EQ(CancelSweep("old"), absl::OkStatus());
  ASSERT_TRUE(Ask<std::int64_t>([&](auto callback) {
                scheduler_->sweeps().DeleteSweep("old", "", callback);
              }).ok());
  EXPECT_EQ(Must(Submit(source)).id, row.id);
  EXPECT_EQ(CancelSweep("new"), absl::OkStatus());
  ASSERT_TRUE(Ask<std::int64_t>([&](auto callback) {
                scheduler_->sweeps().DeleteSweep("new", "", callback);
              }).ok());
  Pass(absl::Seconds(2));
  EXPECT_THAT(Must(store_->Read(SelectWarmPoints, row.id, 0, 10)), IsEmpty());
}

}  // namespace
}  // namespace sweep
