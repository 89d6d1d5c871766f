// Budgets that people change, why a search ends, and sweeps that bring a program.

#include <future>

#include "coordinator/scheduler/budget.h"
#include "coordinator/scheduler/testing/scheduler_testing.h"

namespace sweep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

std::string Message(const absl::Status& status) { return std::string(status.message()); }

constexpr char kEndless[] = "  lr: {distribution: log_uniform_values, min: 0.001, max: 1.0}\n";
constexpr char kTwelve[] =
    "  lr: {values: [0.01, 0.02, 0.03, 0.04]}\n  momentum: {values: [0.5, 0.7, 0.9]}\n";

SweepSource RandomSource(const std::string& name, int run_cap, const std::string& parameters) {
  return {.file = name + ".yaml",
          .text = fmt::format("name: {}\nmodel: cnn-18718\ndataset: {{name: synthetic}}\nmethod: "
                              "random\nseed: 1\nrun_cap: {}\nepochs: 5\nparameters:\n{}",
                              name, run_cap, parameters)};
}

std::shared_ptr<const SweepSpec> ParseSource(const SweepSource& source) {
  Diagnostics diagnostics;
  absl::StatusOr<SweepSpec> spec = SweepSpec::Parse(source, &diagnostics);
  EXPECT_TRUE(spec.ok()) << FormatDiagnostics(diagnostics);
  return std::make_shared<const SweepSpec>(*std::move(spec));
}

class BudgetTest : public SchedulerTest {
 protected:
  // True when it was created.
  bool SubmitSource(const SweepSource& source) {
    return Must(Ask<Submission>([&](auto callback) {
             scheduler_->sweeps().Submit(ParseSource(source), source, {.principal = "tester"},
                                         callback);
           }))
        .created;
  }
  absl::StatusOr<SweepRow> Extend(const SweepSource& source, std::int64_t run_cap,
                                  const std::string& request = "") {
    return Ask<SweepRow>([&](auto callback) {
      scheduler_->sweeps().ExtendSweep(ParseSource(source), run_cap, request, callback);
    });
  }
  // Trains until there is nothing more to do.
  void TrainAll() {
    for (int i = 0; i < 100; ++i) {
      const auto call = Call("w", {.poll_id = 77});
      if (!call->Get().has_value()) {
        scheduler_->leases().DropPoll("w", 77);
        return;
      }
      for (const LeaseToken& token : Tokens(call)) Train(token);
    }
    FAIL() << "it trains for ever";
  }
  std::vector<ParameterMap> Points(const std::string& sweep) {
    std::vector<ParameterMap> points;
    for (const TrialRow& trial :
         Must(store_->Read(SelectTrials, {.sweep = sweep, .limit = 1000}))) {
      points.push_back(trial.parameters);
    }
    return points;
  }
};

// ---- Extending

TEST_F(BudgetTest, AnExtendedSweepSuggestsWhatALargerOneWouldHave) {
  for (const char* parameters : {kEndless, kTwelve}) {
    SCOPED_TRACE(parameters);
    const std::string four = parameters == kEndless ? "a4" : "b4";
    const std::string eight = parameters == kEndless ? "a8" : "b8";
    const SweepSource small = RandomSource(four, 4, parameters);
    SubmitSource(small);
    TrainAll();
    ASSERT_EQ(Sweep(four).state, SweepState::kCompleted);
    ASSERT_EQ(Points(four).size(), 4u);
    const SweepRow extended = Must(Extend(small, 8));
    EXPECT_EQ(extended.state, SweepState::kActive);
    EXPECT_EQ(extended.planned_configurations, 8);
    EXPECT_FALSE(extended.exhausted);
    TrainAll();
    EXPECT_EQ(Sweep(four).state, SweepState::kCompleted);
    EXPECT_EQ(Sweep(four).counts.completed, 8);
    SubmitSource(RandomSource(eight, 8, parameters));
    TrainAll();
    EXPECT_EQ(Points(four), Points(eight));
    EXPECT_EQ(Points(four).size(), 8u);
  }
}

TEST_F(BudgetTest, AnExtensionHoldsAfterARestartAndASubmissionOfTheSameFile) {
  const SweepSource source = RandomSource("s", 4, kEndless);
  SubmitSource(source);
  ASSERT_TRUE(Extend(source, 6).ok());
  Start();
  EXPECT_FALSE(SubmitSource(source));
  EXPECT_EQ(Sweep().planned_configurations, 6);
  TrainAll();
  EXPECT_EQ(Sweep().state, SweepState::kCompleted);
  EXPECT_EQ(Points("s").size(), 6u);
  EXPECT_FALSE(SubmitSource(source));
  Start();
  EXPECT_EQ(Must(Extend(source, 7)).state, SweepState::kActive);
  TrainAll();
  EXPECT_EQ(Points("s").size(), 7u);
}

TEST_F(BudgetTest, ASweepIsExtendedWhileItRunsOrIsPaused) {
  const SweepSource source = RandomSource("s", 4, kEndless);
  SubmitSource(source);
  const auto tokens = Tokens(Call("w", {.slots = 2}));
  ASSERT_TRUE(Pause().ok());
  EXPECT_EQ(Must(Extend(source, 9)).state, SweepState::kPaused);
  EXPECT_EQ(Sweep().configurations, 4);
  ASSERT_TRUE(Resume().ok());
  for (const LeaseToken& token : tokens) Train(token);
  EXPECT_EQ(Must(Extend(source, 10)).state, SweepState::kActive);
  TrainAll();
  EXPECT_EQ(Points("s").size(), 10u);
}

TEST_F(BudgetTest, AnExtensionThatMeetsTheLastConfigurationsIsNotLost) {
  const SweepSource source = RandomSource("s", 4, kEndless);
  // The store is busy: the search decides under the old budget, what it says is written after.
  std::promise<void> writer_is_free;
  SubmitSource(RandomSource("other", 1, kEndless));
  scheduler_->sweeps().Submit(ParseSource(source), source, {},
                              [](const auto& r) { ASSERT_TRUE(r.ok()); });
  scheduler_->WaitIdle();
  store_->Write(
      [&](WriteTransaction&) {
        writer_is_free.get_future().wait();
        return absl::OkStatus();
      },
      [](const absl::Status&) {});
  auto extended = std::make_shared<Result<absl::Status>>();
  scheduler_->sweeps().ExtendSweep(ParseSource(source), 8, "",
                                   [extended](const auto& r) { extended->Set(r.status()); });
  EXPECT_TRUE(scheduler_->SearchTurn());
  writer_is_free.set_value();
  Settle();
  ASSERT_EQ(extended->Get(), absl::OkStatus());
  EXPECT_EQ(Sweep().configurations, 8);
  TrainAll();
  EXPECT_EQ(Sweep().counts.completed, 8);
}

TEST_F(BudgetTest, WhatCannotBeExtendedIsRefusedWithTheNumber) {
  const SweepSource grid = TestSource("grid");
  SubmitSource(grid);
  const absl::Status fixed = Extend(grid, 9).status();
  EXPECT_TRUE(absl::IsInvalidArgument(fixed));
  EXPECT_EQ(Message(fixed),
            "sweep 'grid' is a grid of 4 configurations, which cannot be extended to 9");

  const SweepSource random = RandomSource("s", 4, kEndless);
  SubmitSource(random);
  for (const std::int64_t not_more : {4, 3}) {
    const absl::Status status = Extend(random, not_more).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status));
    EXPECT_THAT(Message(status), HasSubstr(fmt::format("{} is not more", not_more)));
  }
  EXPECT_TRUE(absl::IsInvalidArgument(Extend(random, 0).status()));
  EXPECT_TRUE(absl::IsInvalidArgument(Extend(random, 1'000'001).status()));

  const SweepSource twelve = RandomSource("twelve", 4, kTwelve);
  SubmitSource(twelve);
  const absl::Status beyond = Extend(twelve, 13).status();
  EXPECT_TRUE(absl::IsInvalidArgument(beyond));
  EXPECT_THAT(Message(beyond), HasSubstr("its search space has 12 points"));
  EXPECT_TRUE(Extend(twelve, 12).ok());

  const SweepSource again =
      RandomSource("again", 4, std::string(kTwelve) + "repeat_points: true\n");
  SubmitSource(again);
  EXPECT_EQ(Must(Extend(again, 40)).planned_configurations, 40) << "its points may come again";

  ASSERT_EQ(CancelSweep("s"), absl::OkStatus());
  EXPECT_TRUE(absl::IsFailedPrecondition(Extend(random, 9).status()));
}

TEST_F(BudgetTest, ARepeatedExtensionIsTheSameExtension) {
  const SweepSource source = RandomSource("s", 4, kEndless);
  SubmitSource(source);
  ASSERT_TRUE(Extend(source, 8, "x").ok());
  EXPECT_EQ(Must(Extend(source, 8, "x")).planned_configurations, 8);
  EXPECT_TRUE(absl::IsInvalidArgument(Extend(source, 8, "y").status()));
}

TEST(Budget, CountsTheValuesOfAFiniteSpaceThatIsTooLargeToList) {
  const auto spec = ParseSource(
      RandomSource("s", 4,
                   "  lr: {distribution: q_uniform, min: 0.001, max: 1.0, q: 0.001}\n"
                   "  momentum: {distribution: q_uniform, min: 0.001, max: 0.2, q: 0.001}\n"));
  ASSERT_FALSE(spec->points.has_value());
  EXPECT_EQ(CheckBudget(*spec, 200'000, 0), absl::OkStatus());
  EXPECT_THAT(Message(CheckBudget(*spec, 200'001, 0)), HasSubstr("has 200000 points"));
  EXPECT_EQ(CheckBudget(*spec, 200'007, 7), absl::OkStatus()) << "seven may lie outside";
  EXPECT_THAT(Message(CheckBudget(*spec, 200'008, 7)), HasSubstr("7 were made with earlier files"));
}

// ---- Why a search ended

TEST_F(BudgetTest, ASearchThatEndsEarlySaysWhy) {
  // 100,001 points, too many to list; the constraint leaves one.
  const SweepSource source = RandomSource(
      "s", 5,
      "  schedule: {values: [constant, step]}\n"
      "  step_epochs: {min: 1, max: 100, when: \"schedule == 'step'\"}\n"
      "  step_gamma: {distribution: q_uniform, min: 0.001, max: 1.0, q: 0.001, when: \"schedule == "
      "'step'\"}\n"
      "constraints: [\"schedule == 'constant'\"]\n");
  SubmitSource(source);
  TrainAll();
  const SweepRow sweep = Sweep();
  EXPECT_EQ(sweep.state, SweepState::kCompleted);
  EXPECT_EQ(sweep.configurations, 1);
  EXPECT_THAT(sweep.search_reason, HasSubstr("satisf"));
  EXPECT_EQ(Must(Extend(source, 6)).search_reason, "") << "it tries again";
  TrainAll();
  EXPECT_THAT(Sweep().search_reason, HasSubstr("satisf"));
}

TEST_F(BudgetTest, ASearchThatUsedItsBudgetHasNothingToExplain) {
  SubmitSource(RandomSource("s", 3, kEndless));
  TrainAll();
  EXPECT_EQ(Sweep().state, SweepState::kCompleted);
  EXPECT_EQ(Sweep().search_reason, "");
}

// ---- Programs

class ProgramTest : public BudgetTest {
 protected:
  // A grid of four whose trainer is a program.
  void SubmitProgram(const std::string& name) {
    auto spec = std::make_shared<SweepSpec>(TestSpec(name));
    spec->program = {"python3", "train.py"};
    spec->program_digest = "abc";
    const SweepSource source = TestSource(name);
    ASSERT_TRUE(Ask<Submission>([&](auto callback) {
                  scheduler_->sweeps().Submit(spec, source, {.principal = "tester"}, callback);
                }).ok());
  }
};

TEST_F(ProgramTest, GoesOnlyToWorkersThatAllowPrograms) {
  SubmitProgram("p");
  const auto plain = Call("plain", {.slots = 4});
  EXPECT_FALSE(plain->Get().has_value());
  const auto offers = Leases(Call("free", {.allows_programs = true}));
  ASSERT_THAT(Trials(offers), ElementsAre("p/1#1"));
  EXPECT_THAT(offers[0].program, ElementsAre("python3", "train.py"));
  EXPECT_EQ(offers[0].program_digest, "abc");
  EXPECT_FALSE(plain->Get().has_value());
  // Others' work passes the ones that wait in line in vain.
  Submit("s");
  EXPECT_EQ(Leases(plain).size(), 4u);
  EXPECT_THAT(Leases(plain)[0].program, IsEmpty());
}

TEST_F(ProgramTest, SweepsThatOnlySomeWorkersMayTrainDoNotStarve) {
  Submit("a");
  SubmitProgram("p");
  Submit("z");
  std::vector<std::string> given;
  for (int i = 0; i < 4; ++i) {
    for (const bool allows : {false, true}) {
      const auto call =
          Call(fmt::format("{}{}", allows ? "free" : "plain", i), {.allows_programs = allows});
      given.push_back(Trials(Leases(call)).at(0));
    }
  }
  EXPECT_THAT(given,
              ElementsAre("a/1#1", "p/1#1", "z/1#1", "a/2#1", "z/2#1", "p/2#1", "a/3#1", "z/3#1"));
}

}  // namespace
}  // namespace sweep
