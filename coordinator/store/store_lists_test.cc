// The contract of Store: lists of trials and events.
#include <limits>

#include "coordinator/store/testing/store_test_fixture.h"

namespace sweep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST_P(StoreTest, TrialsAreListedByStateAndInPages) {
  MakeSweep(4);
  driver_->Train(trials_[2], spec_, 0.5);
  const auto numbers = [&](TrialQuery query) {
    query.sweep = "s";
    std::vector<std::int64_t> result;
    for (const TrialRow& trial : Must(store_->Read(SelectTrials, query)))
      result.push_back(trial.number);
    return result;
  };
  EXPECT_THAT(numbers({}), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(numbers({.state = TrialState::kPending}), ElementsAre(1, 2, 4));
  EXPECT_THAT(numbers({.state = TrialState::kCompleted}), ElementsAre(3));
  EXPECT_THAT(numbers({.offset = 1, .limit = 2}), ElementsAre(2, 3));
  EXPECT_THAT(numbers({.order_by = "number desc", .limit = 2}), ElementsAre(4, 3));
  EXPECT_THAT(numbers({.state = TrialState::kPending, .order_by = "lr desc"}),
              ElementsAre(4, 2, 1));
}

TEST_P(StoreTest, TrialsWithoutAValueComeLastInEveryOrder) {
  MakeSweep(4);
  driver_->Train(trials_[0], spec_, 0.5);
  driver_->Train(trials_[1], spec_, 0.95);
  driver_->Train(trials_[2], spec_, 0.7);
  const auto numbers = [&](const std::string& order_by) {
    std::vector<std::int64_t> result, in_pages;
    for (const TrialRow& trial :
         Must(store_->Read(SelectTrials, {.sweep = "s", .order_by = order_by}))) {
      result.push_back(trial.number);
    }
    for (std::int64_t offset = 0; offset < 6;
         offset += 3) {  // the second page begins with trials without a value
      for (const TrialRow& trial : Must(store_->Read(
               SelectTrials, {.sweep = "s", .order_by = order_by, .offset = offset, .limit = 3}))) {
        in_pages.push_back(trial.number);
      }
    }
    EXPECT_EQ(in_pages, result) << order_by;
    return result;
  };
  EXPECT_THAT(numbers("best"), ElementsAre(1, 3, 2, 4));
  EXPECT_THAT(numbers("best_accuracy"), ElementsAre(1, 3, 2, 4));
  EXPECT_THAT(numbers("low.accuracy desc"), ElementsAre(2, 3, 1, 4));
  EXPECT_THAT(numbers("last.val/f1"), ElementsAre(1, 2, 3, 4)) << "nobody has reported it";
  EXPECT_THAT(numbers("best_accuracy desc"), ElementsAre(2, 3, 1, 4));
  EXPECT_THAT(numbers("last_accuracy desc"), ElementsAre(2, 3, 1, 4));
  EXPECT_THAT(numbers("best_loss"), ElementsAre(2, 3, 1, 4));
  EXPECT_THAT(numbers("epochs_to_target"), ElementsAre(2, 1, 3, 4));
  EXPECT_THAT(numbers("lr desc"), ElementsAre(4, 3, 2, 1));
}

TEST_P(StoreTest, InfinitiesAreOrderedAsNumbers) {
  MakeSweep(3, kOwnMetric);
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const double gains[] = {kInfinity, 0.5, -kInfinity};
  for (std::size_t i = 0; i < 3; ++i) {
    const LeaseRow lease = driver_->Grant(trials_[i].id, "a");
    ASSERT_TRUE(driver_->Record(lease, spec_, {Own(1, {{"gain", gains[i]}})}).ok());
  }
  std::vector<std::int64_t> numbers;
  for (const TrialRow& trial :
       Must(store_->Read(SelectTrials, {.sweep = "s", .order_by = "last.gain"}))) {
    numbers.push_back(trial.number);
  }
  EXPECT_THAT(numbers, ElementsAre(3, 2, 1));
}

TEST_P(StoreTest, AnUnknownOrderIsRefused) {
  MakeSweep(1);
  for (const std::string& order :
       {std::string("colour"), std::string("lr; DROP TABLE trials"), std::string("lr desc desc"),
        std::string("\" , 1) --"), std::string(100, 'x')}) {
    const absl::Status status =
        store_->Read(SelectTrials, {.sweep = "s", .order_by = order}).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << order << ": " << status;
  }
  EXPECT_THAT(Message(store_->Read(SelectTrials, {.sweep = "s", .order_by = "colour"}).status()),
              HasSubstr("no such hyperparameter; others are number, best and epochs_to_target"));
  EXPECT_EQ(store_->Read(SelectTrials, {.sweep = "s"})->size(), 1u);
}

TEST_P(StoreTest, EventsAreReadOnFromACursor) {
  MakeSweep(1);
  driver_->Create(TestSpec("other"));
  driver_->Train(trials_[0], spec_, 0.95);
  ASSERT_TRUE(driver_->Exhaust(sweep_).ok());
  const std::vector<std::string> all = {"sweep",     "trial 1",   "trial 1",   "epoch 1.1",
                                        "epoch 1.2", "epoch 1.3", "epoch 1.4", "epoch 1.5",
                                        "trial 1",   "trial 1",   "sweep"};
  EXPECT_EQ(Events(), all);
  const auto first = *store_->Read(SelectEvents, sweep_.id, 0, 4);
  ASSERT_EQ(first.size(), 4u);
  EXPECT_EQ(first[3].trial_id, trials_[0].id);
  EXPECT_EQ(first[3].attempt, 1);
  EXPECT_EQ(first[3].epoch, 1);
  EXPECT_EQ(first[3].time, clock_.Now());
  EXPECT_EQ(Events(first[3].sequence).size(), all.size() - 4);
}

TEST_P(StoreTest, AStartFindsWhatIsUnfinished) {
  MakeSweep(3);
  driver_->Train(trials_[0], spec_, 0.95);
  driver_->Grant(trials_[2].id, "a");
  const auto sweeps = *store_->Read(SelectUnfinishedSweeps);
  ASSERT_EQ(sweeps.size(), 1u);
  EXPECT_EQ(sweeps[0].name, "s");
  EXPECT_EQ(sweeps[0].source.text, TestSource("s").text) << "needed to go on with it";
  const auto pending = *store_->Read(SelectUnheldTrials, sweep_.id);
  ASSERT_EQ(pending.size(), 1u);
  EXPECT_EQ(pending[0].number, 2);
  ASSERT_EQ(store_->Read(SelectHeldLeases)->size(), 1u);
  EXPECT_EQ(store_->Read(SelectHeldLeases)->at(0).trial.number, 3);
}

}  // namespace
}  // namespace sweep
