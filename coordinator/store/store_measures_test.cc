// The contract of Store: what programs report, under names of their own.
#include <bit>
#include <cmath>
#include <future>
#include <limits>

#include "common/base/sha256.h"
#include "coordinator/store/measure_names.h"
#include "coordinator/store/testing/store_test_fixture.h"
#include "fmt/format.h"

namespace sweep {
namespace {

using testing::ElementsAre;

TEST_P(StoreTest, AProgramReportsWhatAndWhenItLikes) {
  MakeSweep(2, kOwnMetric);
  const LeaseRow lease = driver_->Grant(trials_[0].id, "a");
  const auto row = driver_->Record(
      lease, spec_, {Own(2, {{"val/f1", 0.5}}), Own(4, {{"val/f1", 0.75}, {"latency", 3}})});
  ASSERT_TRUE(row.ok()) << row.status();
  const auto finished = driver_->Finish(lease, spec_, LeaseOutcome::kCompleted);
  ASSERT_TRUE(finished.ok()) << finished.status();
  EXPECT_EQ(finished->state, TrialState::kCompleted) << "epoch 5 was not evaluated";
  EXPECT_EQ(finished->result.best_epoch, 4);
  const auto ranking = Must(store_->Read(SelectRanking, "s", 0, 10));
  EXPECT_EQ(ranking[0].score.metric, 0.75);
  EXPECT_EQ(Must(store_->Read(SelectNewEpochs, sweep_.id, {{.number = 1}}, {"latency", "val/f1"}))
                .back()
                .values,
            (std::vector<double>{3, 0.75}));
  EXPECT_THAT(store_->Read(SelectTrials, {.sweep = "s", .order_by = "best desc"})->front().number,
              1);
}

TEST_P(StoreTest, TheNamesOfAReportThatRunsAgainAreThere) {
  MakeSweep(1, kOwnMetric);
  const LeaseRow lease = driver_->Grant(trials_[0].id, "a");
  std::promise<void> entered, opened, failed;
  const auto ignore = [](const absl::Status&) {};
  store_->Write(
      [&](WriteTransaction&) {
        entered.set_value();
        opened.get_future().wait();
        return absl::OkStatus();
      },
      ignore);
  entered.get_future().wait();  // what follows is one transaction
  int runs = 0;
  store_->Write(
      [&](WriteTransaction& transaction) {
        ++runs;
        bool revived = false;
        return transaction
            .RecordEpochs(StoreDriver::Token(lease), spec_,
                          {Own(1, {{"val/f1", 0.5}, {"latency", 3}})}, "", 0, &revived)
            .status();
      },
      ignore);
  store_->Write(
      [](WriteTransaction& transaction) {
        transaction.AddBlob(Sha256Hex("some bytes"), 1).IgnoreError();
        return absl::CancelledError("changed my mind");
      },
      [&](const absl::Status&) { failed.set_value(); });
  opened.set_value();
  failed.get_future().wait();
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(Must(store_->Read(SelectNewEpochs, sweep_.id, {{.number = 1}}, {"latency", "val/f1"}))
                .back()
                .values,
            (std::vector<double>{3, 0.5}));
}

// Values of the measures m00 to m13 at an epoch, one of them NaN and one infinite.
Measurements Fourteen(double offset) {
  Measurements values{{"val/f1", 0.1 * offset}};
  for (int i = 0; i < 14; ++i) values.Set(fmt::format("m{:02}", i), offset + i / 3.0);
  values.Set("m02", std::nan(""));
  values.Set("m13", -std::numeric_limits<double>::infinity());
  return values;
}

TEST_P(StoreTest, MoreMeasuresThanColumnsAreReadAsTheyWereReported) {
  MakeSweep(2, kOwnMetric);
  const LeaseRow lease = driver_->Grant(trials_[1].id, "a");
  ASSERT_TRUE(driver_->Record(lease, spec_, {Own(1, Fourteen(0.1)), Own(3, Fourteen(0.7))}).ok());
  const TrialRow running = Must(store_->Read(FindTrial, "s", 2));
  ASSERT_TRUE(driver_->Finish(lease, spec_, LeaseOutcome::kFailedForGood, "broken").ok());

  const auto epochs = Must(store_->Read(SelectEpochs, "s", 2, 0, 10));
  ASSERT_EQ(epochs.size(), 2u);
  EXPECT_EQ(epochs[0].metrics.values, Fourteen(0.1));
  EXPECT_EQ(epochs[1].metrics.values, Fourteen(0.7));
  const auto measured =
      Must(store_->Read(SelectNewEpochs, sweep_.id, {{.number = 2}}, {"m00", "m12", "m13"}));
  EXPECT_EQ(measured.at(0).values,
            (std::vector<double>{0.1, 0.1 + 12 / 3.0, -std::numeric_limits<double>::infinity()}));

  // When a trial ends, its measures move to trial_values; a retry moves them back.
  const auto expect_measures = [&](const MeasureSummaries& measures) {
    ASSERT_EQ(measures.size(), running.result.measures.size());
    for (const auto& [name, summary] : running.result.measures) {
      SCOPED_TRACE(name);
      const MeasureSummary* const found = measures.Find(name);
      ASSERT_NE(found, nullptr);
      EXPECT_THAT(std::vector({found->last, found->low, found->high}),
                  ElementsAre(testing::NanSensitiveDoubleEq(summary.last),
                              testing::NanSensitiveDoubleEq(summary.low),
                              testing::NanSensitiveDoubleEq(summary.high)));
    }
  };
  expect_measures(Must(store_->Read(FindTrial, "s", 2)).result.measures);
  expect_measures(
      Must(store_->Read(SelectSummaries, sweep_.id, 0, 10)).at(1).trial.result.measures);
  expect_measures(Must(store_->Read(SelectSummariesOf, sweep_.id, std::vector<std::int64_t>{2}))
                      .at(0)
                      .trial.result.measures);
  ASSERT_EQ(store_->WriteAndWait([&](WriteTransaction& transaction) {
    return transaction.RetryTrial(spec_, 2, false).status();
  }),
            absl::OkStatus());
  expect_measures(Must(store_->Read(FindTrial, "s", 2)).result.measures);
}

// SQLite's printf, which its JSON needs, is inexact for the largest number.
TEST_P(StoreTest, MeasuresOfATrialThatHasEndedAreExactToTheLastBit) {
  MakeSweep(1, kOwnMetric);
  Measurements reported{{"val/f1", 0.1},
                        {"validation_loss", 1.7976931348623157e308},
                        {"tiny", 4.9e-324},
                        {"largest", 1.7976931348623157e308},
                        {"large", 1.2345678901234567e250},
                        {"small", -2.2250738585072014e-308}};
  for (int i = 0; i < kMeasureSlots; ++i) reported.Set(fmt::format("m{:02}", i), i / 3.0);
  reported.Set("without/slot", 8.98846567431158e307);
  const LeaseRow lease = driver_->Grant(trials_[0].id, "a");
  ASSERT_TRUE(driver_->Record(lease, spec_, {Own(1, reported)}).ok());
  ASSERT_TRUE(driver_->Finish(lease, spec_, LeaseOutcome::kFailedForGood, "broken").ok());
  const auto expect_exact = [&](const MeasureSummaries& measures) {
    ASSERT_EQ(measures.size(), reported.size());
    for (const auto& [name, value] : reported) {
      SCOPED_TRACE(name);
      const MeasureSummary* const found = measures.Find(name);
      ASSERT_NE(found, nullptr);
      for (const double number : {found->last, found->low, found->high}) {
        EXPECT_EQ(std::bit_cast<std::uint64_t>(number), std::bit_cast<std::uint64_t>(value));
      }
    }
  };
  EXPECT_EQ(Must(store_->Read(SelectEpochs, "s", 1, 0, 10)).at(0).metrics.values, reported);
  expect_exact(Must(store_->Read(FindTrial, "s", 1)).result.measures);
  expect_exact(Must(store_->Read(SelectSummaries, sweep_.id, 0, 10)).at(0).trial.result.measures);
  expect_exact(Must(store_->Read(SelectSummariesOf, sweep_.id, std::vector<std::int64_t>{1}))
                   .at(0)
                   .trial.result.measures);
}

TEST_P(StoreTest, ATrialWithTooManyNamesKeepsItsMeasuresInItsRow) {
  MakeSweep(1, kOwnMetric);
  const LeaseRow lease = driver_->Grant(trials_[0].id, "a");
  const std::size_t names = MeasureNames::kMostNames + 10;
  std::size_t reported = 0;
  for (int epoch = 1; reported < names; ++epoch) {
    Measurements values{{"val/f1", 0.5}};
    for (int i = 0; i < 60; ++i) values.Set(fmt::format("name{}", reported++), i / 3.0);
    ASSERT_TRUE(driver_->Record(lease, spec_, {Own(epoch, values)}).ok());
  }
  const auto expect_all = [&] {
    const TrialRow trial = Must(store_->Read(FindTrial, "s", 1));
    EXPECT_EQ(trial.result.measures.size(), reported + 1);
    EXPECT_EQ(trial.result.measures.Find("name1")->last, 1 / 3.0);
    const auto listed = Must(store_->Read(SelectSummaries, sweep_.id, 0, 10));
    EXPECT_EQ(listed.at(0).trial.result.measures.size(), reported + 1);
  };
  ASSERT_TRUE(driver_->Finish(lease, spec_, LeaseOutcome::kFailedForGood, "broken").ok());
  expect_all();
  ASSERT_EQ(store_->WriteAndWait([&](WriteTransaction& transaction) {
    return transaction.RetryTrial(spec_, 1, false).status();
  }),
            absl::OkStatus());
  expect_all();
}

TEST_P(StoreTest, TrialsThatRunAndThatHaveEndedAreOrderedTogether) {
  MakeSweep(4, kOwnMetric);
  for (const auto& [i, latency] : {std::pair{0, 5.0}, {1, 2.0}, {2, 7.0}}) {
    const LeaseRow lease = driver_->Grant(trials_[static_cast<std::size_t>(i)].id, "a");
    ASSERT_TRUE(
        driver_->Record(lease, spec_, {Own(1, {{"val/f1", 0.5}, {"latency", latency}})}).ok());
    if (i != 1) ASSERT_TRUE(driver_->Finish(lease, spec_, LeaseOutcome::kCompleted).ok());
  }
  const auto numbers = [&](TrialQuery query) {
    query.sweep = "s";
    std::vector<std::int64_t> result;
    for (const TrialRow& trial : Must(store_->Read(SelectTrials, query))) {
      result.push_back(trial.number);
    }
    return result;
  };
  EXPECT_THAT(numbers({.order_by = "last.latency"}), ElementsAre(2, 1, 3, 4));
  EXPECT_THAT(numbers({.order_by = "high.latency desc"}), ElementsAre(3, 1, 2, 4));
  EXPECT_THAT(numbers({.order_by = "last.latency", .offset = 1, .limit = 2}), ElementsAre(1, 3));
  EXPECT_THAT(numbers({.order_by = "last.latency", .offset = 3, .limit = 2}), ElementsAre(4));
  EXPECT_THAT(numbers({.state = TrialState::kCompleted, .order_by = "last.latency desc"}),
              ElementsAre(3, 1));
  EXPECT_THAT(numbers({.state = TrialState::kPending, .order_by = "last.latency"}), ElementsAre(4));
}

TEST_P(StoreTest, AProgramThatNeverReportsTheMetricFails) {
  MakeSweep(1, kOwnMetric);
  const LeaseRow lease = driver_->Grant(trials_[0].id, "a");
  ASSERT_TRUE(driver_->Record(lease, spec_, {Own(1, {{"val_f1", 0.5}, {"latency", 3}})}).ok());
  for (int time = 0; time < 2; ++time) {  // a client repeats a call whose answer was lost
    const auto finished = driver_->Finish(lease, spec_, LeaseOutcome::kCompleted);
    ASSERT_TRUE(finished.ok()) << finished.status();
    EXPECT_EQ(finished->state, TrialState::kFailed) << "once: it would do so again";
    EXPECT_EQ(
        finished->reason,
        "the program never reported the sweep's metric 'val/f1'; it reported latency, val_f1");
  }
}

TEST_P(StoreTest, ANaNAtTheEndHasDiverged) {
  MakeSweep(2, kOwnMetric);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const LeaseOutcome outcome : {LeaseOutcome::kCompleted, LeaseOutcome::kFailed}) {
    const std::size_t i = outcome == LeaseOutcome::kFailed ? 1 : 0;
    const LeaseRow lease = driver_->Grant(trials_[i].id, "a");
    ASSERT_TRUE(
        driver_->Record(lease, spec_, {Own(1, {{"val/f1", 0.5}}), Own(2, {{"val/f1", nan}})}).ok());
    const auto finished = driver_->Finish(lease, spec_, outcome, i == 1 ? "exit code 1" : "");
    ASSERT_TRUE(finished.ok()) << finished.status();
    EXPECT_EQ(finished->state, TrialState::kDiverged);
    EXPECT_EQ(finished->reason, i == 1 ? "diverged: val/f1 is NaN at epoch 2; exit code 1"
                                       : "diverged: val/f1 is NaN at epoch 2");
  }
  EXPECT_EQ(Sweep().counts.diverged, 2);
}

TEST_P(StoreTest, ANumberOutsideOfItsDeclaredRangeIsRefused) {
  MakeSweep(1, kOwnMetric);
  const LeaseRow lease = driver_->Grant(trials_[0].id, "a");
  const auto refused = driver_->Record(lease, spec_, {Own(1, {{"latency", 11}})});
  EXPECT_TRUE(absl::IsInvalidArgument(refused.status()));
  EXPECT_THAT(refused.status().message(), testing::HasSubstr("latency cannot be 11"));
}

TEST_P(StoreTest, SeveralObjectivesRankByTheirParetoFronts) {
  MakeSweep(4,
            "program: ./train\nmetric: [{name: f1, goal: maximize}, {name: ms, goal: minimize}]\n");
  const std::pair<double, double> measured[] = {{0.8, 9}, {0.9, 9}, {0.7, 3}};
  for (std::size_t i = 0; i < 3; ++i) {
    const LeaseRow lease = driver_->Grant(trials_[i].id, "a");
    const auto& [f1, ms] = measured[i];
    ASSERT_TRUE(driver_->Record(lease, spec_, {Own(1, {{"f1", f1}, {"ms", ms}})}).ok());
  }
  std::vector<std::string> places;
  for (const RankedRow& row : Must(store_->Read(SelectRanking, "s", 0, 10))) {
    places.push_back(fmt::format("{}: {} front {}", row.rank, row.trial.number, row.front));
  }
  EXPECT_THAT(places, ElementsAre("1: 2 front 1", "2: 3 front 1", "3: 1 front 2", "4: 4 front 0"));
  EXPECT_EQ(Must(store_->Read(SelectRanking, "s", 1, 1)).at(0).trial.number, 3);
  EXPECT_EQ(Must(store_->Read(SelectRankOrder, sweep_.id)).at(2).configuration, 1);
}

}  // namespace
}  // namespace sweep
