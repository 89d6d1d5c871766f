// Sweeps whose file is replaced while workers ask for work.

#include <gmock/gmock.h>

#include <set>

#include "common/base/sha256.h"
#include "coordinator/scheduler/testing/scheduler_testing.h"
#include "coordinator/scheduler/trial_spec_json.h"

namespace sweep {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A file with these lists; the digest of its text is that of what it replaces.
SweepSource GridSource(const std::string& lists, const std::string& more = "") {
  return {
      .file = "s.yaml",
      .text = "name: s\nmodel: cnn-18718\ndataset: synthetic\nmethod: grid\nepochs: 5\nseed: 1\n" +
              more + "parameters:\n" + lists};
}
constexpr char kTwo[] = "  lr: {values: [0.01, 0.02]}\n";
constexpr char kFour[] = "  lr: {values: [0.005, 0.01, 0.02, 0.03]}\n";

std::shared_ptr<const SweepSpec> ParseFile(const SweepSource& source) {
  Diagnostics diagnostics;
  return std::make_shared<const SweepSpec>(Must(SweepSpec::Parse(source, &diagnostics)));
}

class EditTest : public SchedulerTest {
 protected:
  void Submit(const SweepSource& source) {
    auto result = std::make_shared<Result<absl::Status>>();
    scheduler_->sweeps().Submit(
        ParseFile(source), source, {.principal = "tester"},
        [result](const auto& submission) { result->Set(submission.status()); });
    Settle();
    ASSERT_EQ(result->Get(), absl::OkStatus());
  }
  // As the service makes it.
  EditRequest Plan(const SweepSource& source, const std::string& request_id = "") {
    const auto spec = ParseFile(source);
    const SweepRow row = Sweep();
    const SharedSpec before = Must(specs_->Get("s"));
    return {.name = "s",
            .spec = spec,
            .source = source,
            .plan = Must(EditPlan::Make(store_.get(), row, before, spec)),
            .replaces_sha256 = Sha256Hex(row.source.text),
            .request_id = request_id};
  }
  absl::StatusOr<SweepRow> Edit(const EditRequest& request) {
    return Ask<SweepRow>([&](auto callback) { scheduler_->sweeps().EditSweep(request, callback); });
  }
  absl::StatusOr<SweepRow> Edit(const SweepSource& source) { return Edit(Plan(source)); }

  std::vector<LeaseToken> Take(int slots = 1) {
    return Tokens(Call("w", {.slots = slots, .no_wait = true}));
  }
  // Trains what there is, one after the other, and returns the learning rates.
  std::vector<double> TrainAll() {
    std::vector<double> rates;
    for (auto tokens = Take(); !tokens.empty(); tokens = Take()) {
      rates.push_back(AsDouble(Trial(tokens[0].number).parameters.values().at("lr")));
      Train(tokens[0]);
    }
    return rates;
  }
};

TEST_F(EditTest, ACompletedSweepGoesOnWithWhatIsNew) {
  Submit(GridSource(kTwo));
  EXPECT_THAT(TrainAll(), ElementsAre(0.01, 0.02));
  EXPECT_EQ(Sweep().state, SweepState::kCompleted);
  const SweepRow edited = Must(Edit(GridSource(kFour)));
  EXPECT_EQ(edited.revision, 2);
  EXPECT_EQ(edited.first_configuration, 3);
  EXPECT_EQ(edited.planned_configurations, 4);
  EXPECT_EQ(edited.state, SweepState::kActive);
  EXPECT_EQ(edited.digest, ParseFile(GridSource(kFour))->digest);
  EXPECT_THAT(TrainAll(), ElementsAre(0.005, 0.03)) << "each point once";
  EXPECT_EQ(Sweep().state, SweepState::kCompleted);
  const auto revisions = Must(store_->Read(SelectRevisions, Sweep().id));
  ASSERT_EQ(revisions.size(), 2u);
  EXPECT_EQ(revisions[0].text, GridSource(kTwo).text);
  EXPECT_EQ(revisions[0].first_configuration, 1);
  EXPECT_EQ(revisions[1].text, GridSource(kFour).text);
  EXPECT_EQ(revisions[1].first_configuration, 3);
  EXPECT_LE(revisions[0].started, revisions[1].started);
  Submit(GridSource(kFour));
  EXPECT_THAT(Take(), IsEmpty()) << "it is the same sweep";
}

// The one point of the space was trained, and is to be trained again.
TEST_F(EditTest, PointsMayComeAgainWhereTheNewFileSaysSo) {
  const auto source = [](const std::string& more) {
    SweepSource made = GridSource("  lr: {values: [0.01]}\n", "run_cap: 3\n" + more);
    made.text.replace(made.text.find("grid"), 4, "random");
    return made;
  };
  Submit(source(""));
  EXPECT_THAT(TrainAll(), ElementsAre(0.01));
  EXPECT_EQ(Sweep().state, SweepState::kCompleted);
  const std::uint64_t seed = Trial(1).seed;
  EXPECT_EQ(Must(Edit(source("repeat_points: true\n"))).planned_configurations, 3);
  EXPECT_THAT(TrainAll(), ElementsAre(0.01, 0.01));
  EXPECT_EQ(Sweep().state, SweepState::kCompleted);
  std::set<std::uint64_t> seeds;
  for (const std::int64_t number : {1, 2, 3}) {
    const TrialRow trial = Trial(number);
    const std::string line =
        Must(BuildTrialSpecJson(*ParseFile(source("repeat_points: true\n")), trial));
    EXPECT_THAT(line, HasSubstr(std::to_string(trial.seed))) << "as it was trained";
    seeds.insert(trial.seed);
  }
  EXPECT_TRUE(seeds.contains(seed));
  EXPECT_EQ(seeds.size(), 3u);
  EXPECT_EQ(Must(Edit(source("keep_going: true\n"))).planned_configurations, 3)
      << "none is left of the space";
  EXPECT_THAT(TrainAll(), IsEmpty());
}

TEST_F(EditTest, WhatRunsAndWaitsGoesOn) {
  Submit(GridSource(kFour));
  const auto held = Take();
  ASSERT_EQ(held.size(), 1u);
  const SweepRow edited = Must(Edit(GridSource("  lr: {values: [0.3]}\n")));
  EXPECT_EQ(edited.counts.total(), 4);
  EXPECT_EQ(edited.planned_configurations, 5) << "four that lie outside, and one";
  EXPECT_EQ(Report(held[0], 1, 2), absl::OkStatus());
  EXPECT_EQ(Report(held[0], 3, 5), absl::OkStatus());
  EXPECT_EQ(Finish(held[0], LeaseOutcome::kCompleted), absl::OkStatus());
  EXPECT_THAT(TrainAll(), ElementsAre(0.01, 0.02, 0.03, 0.3));
  EXPECT_EQ(Sweep().state, SweepState::kCompleted);
}

TEST_F(EditTest, WhatMakesTrialsIncomparableIsRefused) {
  Submit(GridSource(kTwo));
  const std::string text = GridSource(kTwo).text;
  SweepSource other = GridSource(kFour, "replicates: 2\n");
  other.text.replace(other.text.find("epochs: 5"), 9, "epochs: 6");
  const absl::Status refused = Edit(other).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(refused));
  EXPECT_THAT(std::string(refused.message()),
              AllOf(HasSubstr("sweep 's' cannot be changed so:\n  epochs: 5 cannot become 6"),
                    HasSubstr("\n  replicates: 1 cannot become 2")));
  EXPECT_EQ(Sweep().source.text, text);
  EXPECT_EQ(Sweep().revision, 1);
}

TEST_F(EditTest, ARunCapBelowWhatIsMadeIsRefused) {
  Submit(GridSource(kFour));
  EXPECT_THAT(std::string(Edit(GridSource(kFour, "run_cap: 3\n")).status().message()),
              HasSubstr("run_cap: 3 is less than the 4 configurations that it has made"));
  EXPECT_EQ(Must(Edit(GridSource("  lr: {min: 0.1, max: 0.2, distribution: q_uniform, q: 0.05}\n",
                                 "run_cap: 5\n")))
                .planned_configurations,
            5);
}

TEST_F(EditTest, TheFileMustBeTheOneThatWasLookedAt) {
  Submit(GridSource(kTwo));
  const EditRequest first = Plan(GridSource(kFour));
  const EditRequest second = Plan(GridSource(kTwo, "description: mine\n"));
  EXPECT_TRUE(Edit(first).ok());
  const absl::Status late = Edit(second).status();
  EXPECT_TRUE(absl::IsAborted(late)) << late;
  EXPECT_THAT(std::string(late.message()), HasSubstr("file of sweep 's' was changed meanwhile"));
  EXPECT_EQ(Sweep().source.text, GridSource(kFour).text);
}

TEST_F(EditTest, ARepeatedRequestChangesNothing) {
  Submit(GridSource(kTwo));
  const EditRequest request = Plan(GridSource(kFour), "r");
  EXPECT_EQ(Must(Edit(request)).revision, 2);
  EXPECT_EQ(Must(Edit(request)).revision, 2);
  const SweepSource third = GridSource(kFour, "max_failures: 7\n");
  EXPECT_EQ(Must(Edit(third)).revision, 3);
  Start();
  EXPECT_EQ(Must(Edit(request)).revision, 3) << "and says what is";
  EXPECT_EQ(Must(specs_->Get("s"))->max_failures, 7) << "also in memory";
  EXPECT_EQ(Sweep().source.text, third.text);
}

TEST_F(EditTest, WordsForPeopleAreNoRevision) {
  Submit(GridSource(kTwo));
  const SweepRow edited =
      Must(Edit(GridSource(kTwo, "description: better\nlabels: {team: vision}\n")));
  EXPECT_EQ(edited.revision, 1);
  EXPECT_EQ(edited.labels.at("team"), "vision");
  EXPECT_EQ(Must(specs_->Get("s"))->description, "better");
  EXPECT_THAT(TrainAll(), ElementsAre(0.01, 0.02));
  EXPECT_EQ(Must(Edit(GridSource(kTwo, "labels: {team: speech}\n"))).state, SweepState::kCompleted);
  EXPECT_EQ(Must(specs_->Get("s"))->description, "");
}

TEST_F(EditTest, APausedSweepStaysPausedAndACancelledOneCancelled) {
  Submit(GridSource(kTwo));
  EXPECT_TRUE(Pause().ok());
  EXPECT_EQ(Must(Edit(GridSource(kFour))).state, SweepState::kPaused);
  EXPECT_THAT(Take(), IsEmpty());
  EXPECT_TRUE(Resume().ok());
  EXPECT_THAT(TrainAll(), ElementsAre(0.01, 0.02, 0.005, 0.03));
  Submit(GridSource(kFour));
  EXPECT_EQ(Must(Edit(GridSource(std::string(kFour) + "  momentum: {values: [0, 0.5]}\n"))).state,
            SweepState::kActive);
  EXPECT_EQ(CancelSweep("s"), absl::OkStatus());
  EXPECT_EQ(Must(Edit(GridSource(std::string(kFour) + "  momentum: {values: [0.5]}\n"))).state,
            SweepState::kCancelled);
}

TEST_F(EditTest, AnExtensionIsKeptWhileTheFileSaysWhatItSaid) {
  SweepSource source = GridSource("  lr: {min: 0.001, max: 0.1}\n", "run_cap: 2\n");
  source.text.replace(source.text.find("grid"), 4, "random");
  Submit(source);
  ASSERT_TRUE(Ask<SweepRow>([&](auto callback) {
                scheduler_->sweeps().ExtendSweep(Must(specs_->Get("s")), 5, "", callback);
              }).ok());
  SweepSource wider = source;
  wider.text.replace(wider.text.find("max: 0.1"), 8, "max: 0.2");
  EXPECT_EQ(Must(Edit(wider)).planned_configurations, 5);
  wider.text.replace(wider.text.find("run_cap: 2"), 10, "run_cap: 9");
  EXPECT_EQ(Must(Edit(wider)).planned_configurations, 9);
}

// Configurations that are made between the plan and the write are counted.
TEST_F(EditTest, WhatIsMadeMeanwhileCounts) {
  SweepSource source = GridSource("  lr: {values: [0.01, 0.02, 0.03, 0.04]}\n", "run_cap: 3\n");
  Submit(source);
  EditPlan early = Must(EditPlan::Make(store_.get(), SweepRow{}, Must(specs_->Get("s")),
                                       ParseFile(GridSource("  lr: {values: [0.01, 0.5]}\n"))));
  EXPECT_EQ(early.counted(), 0);
  EditRequest request = Plan(GridSource("  lr: {values: [0.01, 0.5]}\n"));
  request.plan = early;
  EXPECT_EQ(Must(Edit(request)).planned_configurations, 3 + 1);
  EXPECT_THAT(TrainAll(), ElementsAre(0.01, 0.02, 0.03, 0.5));
}

// An answer that is lost after the commit, and a process that ends there.
TEST_F(EditTest, AnEditIsDoneOnceWhateverHappensToItsAnswer) {
  Submit(GridSource(kTwo));
  EXPECT_THAT(TrainAll(), ElementsAre(0.01, 0.02));
  const EditRequest request = Plan(GridSource(kFour), "r");
  faulty_->KillAfterNextCommit();
  EXPECT_TRUE(absl::IsUnavailable(Edit(request).status()));
  Start();
  Settle();
  EXPECT_EQ(Must(Edit(request)).revision, 2);
  EXPECT_THAT(TrainAll(), ElementsAre(0.005, 0.03));
}

// A search that does not see the edit would go on in the old space.
TEST_F(EditTest, SuggestionsOfTheOldFileAreDropped) {
  SweepSource source = GridSource("  lr: {min: 0.001, max: 0.1}\n", "run_cap: 1000\n");
  source.text.replace(source.text.find("grid"), 4, "random");
  Submit(source);
  const std::int64_t made = Sweep().configurations;
  ASSERT_LT(made, 1000);
  SweepSource other = source;
  other.text.replace(other.text.find("min: 0.001, max: 0.1"), 20, "min: 0.5, max: 0.9");
  EXPECT_TRUE(Edit(other).ok());
  const auto stale = store_->WriteAndWait(
      [](WriteTransaction& transaction) { return transaction.CheckRevision(1, 1); });
  EXPECT_TRUE(absl::IsAborted(stale)) << stale;
  Take(100);
  ASSERT_GT(Sweep().configurations, made);
  for (const SharedParameters& point :
       Must(store_->Read(SelectPoints, 1, made + 1, Sweep().configurations))) {
    EXPECT_GE(AsDouble(point.values().at("lr")), 0.5);
  }
}

TEST_F(EditTest, TheStoppingRuleIsThatOfTheFile) {
  std::vector<std::string> made;
  make_rule_ = [&](const SweepSpec& spec) {
    made.push_back(spec.early_terminate ? spec.early_terminate->ToString() : "none");
    return StoppingRule::Make(spec);
  };
  Start();
  Submit(GridSource(kFour));
  EXPECT_TRUE(Edit(GridSource(kFour, "early_terminate: {type: median, min_epochs: 2}\n")).ok());
  EXPECT_THAT(made, ElementsAre("none", HasSubstr("from epoch 2 on")));
}

// Trials that the rule holds would wait for it for ever.
TEST_F(EditTest, ARuleThatHoldsTrialsStaysUntilTheyHaveEnded) {
  const std::string asha = "early_terminate: {type: asha, min_epochs: 1}\n";
  Start();
  Submit(GridSource(kFour, asha));
  const auto refused = Edit(GridSource(kFour, "early_terminate: {type: median}\n"));
  EXPECT_TRUE(absl::IsFailedPrecondition(refused.status()));
  EXPECT_THAT(std::string(refused.status().message()),
              HasSubstr("early_terminate: 4 trials that have not ended wait"));
  EXPECT_TRUE(Edit(GridSource(kFour, asha + "max_failures: 9\n")).ok());
}

}  // namespace
}  // namespace sweep
