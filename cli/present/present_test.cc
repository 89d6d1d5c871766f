#include "cli/present/present.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "cli/present/answers.h"
#include "common/trial/measures.h"
#include "proto/epochs.h"

namespace sweep::cli {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string Printed(const Listing& listing, Format format = Format::kTable) {
  std::ostringstream out;
  PrintListing(listing, format, /*width=*/0, out);
  return out.str();
}

v1::Sweep Ended(v1::SweepState state, int failed, int diverged) {
  v1::Sweep sweep;
  sweep.set_name("sweeps/s");
  sweep.set_state(state);
  sweep.set_planned_trials(4);
  sweep.mutable_counts()->set_failed(failed);
  sweep.mutable_counts()->set_diverged(diverged);
  sweep.mutable_counts()->set_completed(4 - failed - diverged);
  return sweep;
}

TEST(Status, WhatHasFailedIsNeverGreen) {
  EXPECT_EQ(StatusStyle(Ended(v1::SWEEP_STATE_COMPLETED, 0, 0)), Style::kGreen);
  EXPECT_EQ(StatusStyle(Ended(v1::SWEEP_STATE_COMPLETED, 1, 0)), Style::kRed);
  EXPECT_EQ(StatusStyle(Ended(v1::SWEEP_STATE_COMPLETED, 0, 1)), Style::kYellow);
  EXPECT_EQ(StatusStyle(Ended(v1::SWEEP_STATE_CANCELLED, 0, 0)), Style::kNone);
  EXPECT_EQ(StatusStyle(Ended(v1::SWEEP_STATE_ACTIVE, 1, 0)), Style::kRed);
  v1::Sweep paused = Ended(v1::SWEEP_STATE_PAUSED, 0, 0);
  EXPECT_EQ(StatusStyle(paused), Style::kNone);
  paused.set_pause_reason("the first 3 trials failed alike");
  EXPECT_EQ(StatusStyle(paused), Style::kRed);
  paused.clear_pause_reason();
  paused.set_file_refusal("old.yaml:3: there is no 'x'");
  EXPECT_EQ(StatusStyle(paused), Style::kRed);
  EXPECT_EQ(StatusText(paused), "paused, file not accepted");
  for (int state = v1::TrialState_MIN; state <= v1::TrialState_MAX; ++state) {
    EXPECT_EQ(StateStyle(static_cast<v1::TrialState>(state)) == Style::kGreen,
              state == v1::TRIAL_STATE_COMPLETED)
        << state;
  }
}

TEST(Values, OfAListAreAnArrayForPrograms) {
  v1::Value value;
  EXPECT_TRUE(ValueJson(value).is_null());
  value.set_list_value("[64,[1.5,\"a\"]]");
  EXPECT_EQ(ValueJson(value), Json::parse("[64,[1.5,\"a\"]]"));
  value.set_double_value(0.123456789);
  EXPECT_EQ(ValueJson(value), 0.123456789);
  value.set_string_value("[64]");
  EXPECT_EQ(ValueJson(value), "[64]");
}

TEST(Status, TheListColoursItsStates) {
  Listing listing = SweepListing(
      {Ended(v1::SWEEP_STATE_COMPLETED, 0, 0), Ended(v1::SWEEP_STATE_COMPLETED, 3, 0)});
  listing.color = true;
  EXPECT_THAT(Printed(listing),
              AllOf(HasSubstr("\x1b[32mcompleted"), HasSubstr("\x1b[31mcompleted")));
}

TEST(Status, TrialsOnHoldAreListedWhereThereAreAny) {
  v1::Sweep sweep = Ended(v1::SWEEP_STATE_ACTIVE, 0, 0);
  EXPECT_THAT(Printed(SweepListing({sweep})), Not(HasSubstr("ON HOLD")));
  EXPECT_EQ(ListingJson(SweepListing({sweep}))[0]["on_hold"], 0);
  sweep.mutable_counts()->set_on_hold(3);
  EXPECT_THAT(Printed(SweepListing({sweep})), HasSubstr("ON HOLD"));
  EXPECT_EQ(ListingJson(SweepListing({sweep}))[0]["on_hold"], 3);
  EXPECT_EQ(ToJson(ToShown(sweep))["trials"]["on_hold"], 3);
  EXPECT_EQ(EndedTrials(sweep.counts()), 4);
  EXPECT_EQ(MadeTrials(sweep.counts()), 7);
}

TEST(Status, AnAttemptsOutcomeHasItsColour) {
  std::vector<v1::Attempt> attempts;
  const std::vector<std::pair<std::string, Style>> outcomes = {
      {"completed", Style::kGreen}, {"failed", Style::kRed},      {"lost", Style::kRed},
      {"diverged", Style::kYellow}, {"given_back", Style::kNone}, {"cancelled", Style::kNone},
      {"stopped", Style::kNone},    {"held", Style::kNone}};
  for (const auto& [outcome, style] : outcomes) attempts.emplace_back().set_outcome(outcome);
  const Listing listing = AttemptListing(attempts);
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    EXPECT_EQ(listing.rows[i][4].text, outcomes[i].first);
    EXPECT_EQ(listing.rows[i][4].style, outcomes[i].second) << outcomes[i].first;
  }
}

v1::RankSweepResponse Ranking(v1::TrialState state, int epochs_to_target) {
  v1::RankSweepResponse ranking;
  ranking.mutable_sweep()->set_name("sweeps/s");
  ranking.mutable_sweep()->add_gates("accuracy >= 0.9");
  ranking.mutable_sweep()->add_gates("epochs < 6");
  v1::RankedConfiguration* row = ranking.add_rows();
  row->set_rank(1);
  row->set_value(0.5);
  row->mutable_trial()->set_name("sweeps/s/trials/1");
  row->mutable_trial()->set_state(state);
  row->mutable_trial()->set_epoch(2);
  row->mutable_trial()->set_epochs_to_target(epochs_to_target);
  row->add_gates()->set_gate("accuracy >= 0.9");
  row->mutable_gates(0)->set_met(epochs_to_target > 0);
  row->add_gates()->set_gate("epochs < 6");
  row->mutable_gates(1)->set_met(true);
  return ranking;
}

TEST(Ranking, ATrialThatFailedIsMarkedAndHasNotMetTheEpochGate) {
  const std::string failed = Printed(RankListing(Ranking(v1::TRIAL_STATE_FAILED, 0)));
  EXPECT_THAT(failed, AllOf(HasSubstr("STATE"), HasSubstr("failed"), Not(HasSubstr("✓"))));
  EXPECT_THAT(Printed(RankListing(Ranking(v1::TRIAL_STATE_FAILED, 2))), HasSubstr("✓"))
      << "it had met them before";
  const std::string completed = Printed(RankListing(Ranking(v1::TRIAL_STATE_COMPLETED, 0)));
  EXPECT_THAT(completed, AllOf(Not(HasSubstr("STATE")), HasSubstr("✓")));
  EXPECT_THAT(completed, Not(HasSubstr("INTERVAL"))) << "there is none";
}

TEST(Ranking, OneReplicateHasNoInterval) {
  v1::RankSweepResponse ranking = Ranking(v1::TRIAL_STATE_COMPLETED, 2);
  v1::RankedConfiguration& row = *ranking.mutable_rows(0);
  row.set_replicates(1);
  row.set_mean_half_width(0);
  EXPECT_TRUE(ListingJson(RankListing(ranking))[0]["mean_half_width"].is_null());
  row.set_replicates(3);
  row.set_mean_half_width(0.25);
  EXPECT_EQ(ListingJson(RankListing(ranking))[0]["mean_half_width"], 0.25);
}

v1::RankSweepResponse GroupedRanking(const std::vector<std::pair<int, int>>& groups_and_sizes) {
  v1::RankSweepResponse ranking;
  ranking.mutable_sweep()->set_name("sweeps/s");
  for (const auto& [group, size] : groups_and_sizes) {
    v1::RankedConfiguration* const row = ranking.add_rows();
    row->set_rank(ranking.rows_size());
    row->set_value(0.5);
    row->set_group(group);
    row->set_group_size(size);
    row->mutable_trial()->set_name("sweeps/s/trials/" + std::to_string(ranking.rows_size()));
  }
  return ranking;
}

TEST(Ranking, ABracketIsAroundWhatCannotBeToldApart) {
  const Listing listing =
      RankListing(GroupedRanking({{1, 3}, {1, 3}, {1, 3}, {2, 1}, {3, 4}, {0, 0}, {3, 4}}));
  ASSERT_EQ(listing.columns[1].key, "group");
  std::vector<std::string> cells;
  for (const auto& row : listing.rows) cells.push_back(row[1].text);
  EXPECT_THAT(cells, testing::ElementsAre("┌ 1", "│", "└", "  2", "┌ 3", "–", "│"))
      << "the last group goes on below the table";
  const Json rows = ListingJson(listing);
  EXPECT_EQ(rows[1]["group"], 1);
  EXPECT_EQ(rows[4]["group_size"], 4);
  EXPECT_TRUE(rows[5]["group"].is_null());
  EXPECT_THAT(Printed(RankListing(GroupedRanking({{1, 1}}))), Not(HasSubstr("GROUP")))
      << "there is nothing to tell apart";
}

TEST(Ranking, SaysHowManyReplicatesQualify) {
  v1::RankSweepResponse ranking = Ranking(v1::TRIAL_STATE_COMPLETED, 2);
  EXPECT_THAT(Printed(RankListing(ranking)), Not(HasSubstr("RUNS THAT QUALIFY")));
  EXPECT_TRUE(ListingJson(RankListing(ranking))[0]["qualifying_interval"].is_null());
  ranking.mutable_rows(0)->set_ended_runs(20);
  ranking.mutable_rows(0)->set_qualifying_runs(7);
  // Wilson: 18.1 to 56.7 %.
  EXPECT_THAT(Printed(RankListing(ranking)), HasSubstr("7 of 20 (18–57 %)"));
  const Json row = ListingJson(RankListing(ranking))[0];
  EXPECT_EQ(row["ended_runs"], 20);
  EXPECT_EQ(row["qualifying_runs"], 7);
  EXPECT_NEAR(row["qualifying_interval"][0], 0.1811918, 1e-6);
  ranking.mutable_rows(0)->set_qualifying_runs(0);
  EXPECT_EQ(ListingJson(RankListing(ranking))[0]["qualifying_runs"], 0) << "not unknown";
}

TEST(Trials, ASeedOf64BitsIsTextForPrograms) {
  v1::Trial trial;
  trial.set_name("sweeps/s/trials/1");
  trial.set_seed(18446744073709551615u);
  EXPECT_EQ(ListingJson(TrialListing({}, {trial}))[0]["seed"], "18446744073709551615");
}

TEST(Epochs, HaveAColumnForWhatWasReportedOnly) {
  std::vector<v1::Epoch> epochs = {
      ToProto(EpochMetrics{.epoch = 1, .values = {{"val/f1", 0.5}, {kTrainLoss, 2}}}),
      ToProto(EpochMetrics{.epoch = 2, .values = {{kTrainLoss, std::nan("")}}})};
  for (v1::Epoch& epoch : epochs) epoch.set_attempt(1);
  EXPECT_EQ(Printed(EpochListing(epochs)),
            "EPOCH  ATTEMPT  TRAIN LOSS  val/f1\n"
            "    1        1           2     0.5\n"
            "    2        1         NaN       –\n");
  EXPECT_EQ(Printed(EpochListing(epochs), Format::kCsv),
            "epoch,attempt,train_loss,val/f1,report_time\n1,1,2.0,0.5,\n2,1,,,\n");
  const nlohmann::json rows = ListingJson(EpochListing(epochs));
  EXPECT_EQ(rows[0]["values"], (nlohmann::json{{"val/f1", 0.5}, {"train_loss", 2.0}}));
  EXPECT_TRUE(rows[1]["values"]["train_loss"].is_null()) << "reported, and no number";
  EXPECT_FALSE(rows[1]["values"].contains("val/f1")) << "not reported";
}

v1::Sweep SweepBy(std::vector<Objective> objectives) {
  v1::Sweep sweep;
  sweep.set_name("sweeps/s");
  sweep.set_metric(objectives[0].name);
  sweep.set_maximize(objectives[0].maximize);
  for (const Objective& objective : objectives) {
    v1::Objective* const added = sweep.add_objectives();
    added->set_name(objective.name);
    added->set_maximize(objective.maximize);
  }
  return sweep;
}

v1::Trial Measured(const std::string& name, const std::vector<Measurements>& epochs) {
  v1::Trial trial;
  trial.set_name("sweeps/s/trials/" + name);
  trial.set_state(v1::TRIAL_STATE_COMPLETED);
  MeasureSummaries summaries;
  for (const Measurements& values : epochs) AddToSummaries(values, &summaries);
  *trial.mutable_measures() = ToProto(summaries);
  return trial;
}

TEST(Trials, AreShownByTheObjectiveOfTheirSweep) {
  const v1::Sweep sweep = SweepBy({{.name = "val/f1", .maximize = false}});
  const Listing listing = TrialListing(
      sweep, {Measured("1", {{{"val/f1", 0.5}}, {{"val/f1", 0.75}}}), Measured("2", {{{"n", 3}}})});
  const nlohmann::json rows = ListingJson(listing);
  EXPECT_EQ(rows[0]["best"], 0.5);
  EXPECT_EQ(rows[0]["last"], 0.75);
  EXPECT_EQ(rows[0]["measures"]["val/f1"]["high"], 0.75);
  EXPECT_TRUE(rows[1]["best"].is_null());
  EXPECT_EQ(rows[1]["measures"].size(), 1u);
  EXPECT_THAT(Printed(listing), Not(AnyOf(HasSubstr("%"), HasSubstr("LOSS"), HasSubstr("ACC"))));
}

TEST(Trials, HaveTheirMeasuresAsColumnsUnderTheNamesOfFilters) {
  const std::vector<Objective> goals = {{.name = "val/f1", .maximize = false}};
  const Listing listing = TrialListing(
      SweepBy(goals), {Measured("1", {{{"val/f1", 0.5}, {"accuracy", 0.25}}, {{"val/f1", 0.75}}})});
  const absl::StatusOr<Listing> chosen =
      ChooseColumns(listing, "trial,best,best.val/f1,high.val/f1,best_accuracy,last.n", goals);
  ASSERT_TRUE(chosen.ok()) << chosen.status();
  EXPECT_EQ(Printed(*chosen),
            "TRIAL  BEST  best.val/f1  high.val/f1  best_accuracy  last.n\n"
            "s/1     0.5          0.5         0.75        25.00 %       –\n");
  EXPECT_FALSE(ChooseColumns(listing, "val/f2", goals).ok());
}

TEST(Trials, OfSeveralObjectivesEachHasAColumn) {
  const Listing listing = TrialListing(SweepBy({{.name = "accuracy"}, {"latency", false}}),
                                       {Measured("1", {{{"accuracy", 0.5}, {"latency", 7}}})});
  EXPECT_THAT(Printed(listing), AllOf(HasSubstr("BEST latency"), HasSubstr("50.00 %")));
}

TEST(Ranking, HasAColumnForEachObjectiveAndForWhatGatesAskFor) {
  v1::RankSweepResponse ranking;
  *ranking.mutable_sweep() =
      SweepBy({{.name = "val/f1", .maximize = true}, {.name = "latency", .maximize = false}});
  ranking.mutable_sweep()->add_gates("size < 3");
  v1::RankedConfiguration* const row = ranking.add_rows();
  row->set_rank(1);
  row->set_value(0.5);
  for (const auto& [name, value] : {std::pair("val/f1", 0.5), {"latency", 7.0}, {"size", 4.0}}) {
    (*row->mutable_values())[name] = value;
  }
  *row->mutable_trial() = Measured("1", {{{"val/f1", 0.5}, {"latency", 7}, {"size", 4}}});
  row->add_gates()->set_gate("size < 3");
  row->mutable_gates(0)->set_missed_by(1);
  row->set_front(2);
  const std::string table = Printed(RankListing(ranking));
  EXPECT_THAT(table, HasSubstr("#  FRONT  TRIAL  val/f1  EPOCH  LAST  latency  size  size"));
  EXPECT_THAT(table, HasSubstr("1      2  s/1       0.5      –   0.5        7     4  ✗ by 1"));
  EXPECT_THAT(table, Not(AnyOf(HasSubstr("%"), HasSubstr("ACC"), HasSubstr("LOSS"))));
  const nlohmann::json document = ListingJson(RankListing(ranking))[0];
  EXPECT_EQ(document["value"], 0.5);
  EXPECT_EQ(document["values"]["latency"], 7);
  EXPECT_TRUE(document["interval"].is_null());
}

TEST(Ranking, AnObjectiveThatIsNoNumberIsSaidToBeNone) {
  v1::RankSweepResponse ranking;
  *ranking.mutable_sweep() = SweepBy({{.name = "val/f1", .maximize = true}});
  ranking.add_rows()->set_value(std::nan(""));
  EXPECT_THAT(Printed(RankListing(ranking)), HasSubstr("NaN"));
  EXPECT_TRUE(ListingJson(RankListing(ranking))[0]["value"].is_null());
}

TEST(Sweeps, TheBestIsUnknownUntilThereIsOne) {
  v1::Sweep sweep = SweepBy({{.name = "val/f1", .maximize = true}});
  EXPECT_TRUE(ToJson(ToShown(sweep))["best_value"].is_null());
  sweep.set_best_trial("sweeps/s/trials/1");
  sweep.set_best_value(0.25);
  EXPECT_EQ(ToJson(ToShown(sweep))["best_value"], 0.25);
  EXPECT_EQ(ToJson(ToShown(sweep))["objectives"],
            (Json::array({{{"name", "val/f1"}, {"maximize", true}}})));
  EXPECT_THAT(Printed(SweepListing({sweep})), HasSubstr("val/f1 0.25"));
}

TEST(Trials, WhatAProgramsNetworkIsIsUnknownAndNotZero) {
  v1::Trial trial;
  trial.set_name("sweeps/s/trials/1");
  const nlohmann::json row = ToJson(ToDescribed({}, trial));
  for (const char* key : {"network_parameters", "fully_connected", "evaluation_images"}) {
    EXPECT_TRUE(row[key].is_null()) << key << ' ' << row[key];
  }
  trial.set_model("cnn-18718");
  trial.set_network_parameters(18718);
  trial.set_evaluation_images(1000);
  EXPECT_EQ(ToJson(ToDescribed({}, trial))["network_parameters"], 18718);
  EXPECT_EQ(ToJson(ToDescribed({}, trial))["fully_connected"], false);
  EXPECT_EQ(ToJson(ToDescribed({}, trial))["evaluation_images"], 1000);
}

}  // namespace
}  // namespace sweep::cli
