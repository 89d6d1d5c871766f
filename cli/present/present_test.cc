#include "cli/present/present.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <sstream>

#include "cli/present/curves.h"

namespace sweep::cli {
namespace {

using ::testing::AllOf;
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
  for (int state = v1::TrialState_MIN; state <= v1::TrialState_MAX; ++state) {
    EXPECT_EQ(StateStyle(static_cast<v1::TrialState>(state)) == Style::kGreen,
              state == v1::TRIAL_STATE_COMPLETED)
        << state;
  }
}

TEST(Status, TheListColoursItsStates) {
  Listing listing = SweepListing(
      {Ended(v1::SWEEP_STATE_COMPLETED, 0, 0), Ended(v1::SWEEP_STATE_COMPLETED, 3, 0)});
  listing.color = true;
  EXPECT_THAT(Printed(listing),
              AllOf(HasSubstr("\x1b[32mcompleted"), HasSubstr("\x1b[31mcompleted")));
}

TEST(Status, AnAttemptsOutcomeHasItsColour) {
  std::vector<v1::Attempt> attempts;
  const std::vector<std::pair<std::string, Style>> outcomes = {
      {"completed", Style::kGreen}, {"failed", Style::kRed},      {"lost", Style::kRed},
      {"diverged", Style::kYellow}, {"given_back", Style::kNone}, {"cancelled", Style::kNone},
      {"stopped", Style::kNone}};
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

TEST(Trials, ASeedOf64BitsIsTextForPrograms) {
  v1::Trial trial;
  trial.set_name("sweeps/s/trials/1");
  trial.set_seed(18446744073709551615u);
  EXPECT_EQ(ListingJson(TrialListing({trial}))[0]["seed"], "18446744073709551615");
}

TEST(Epochs, WhatAProgramDoesNotReportIsUnknownAndNotZero) {
  v1::Epoch epoch;
  epoch.set_epoch(1);
  epoch.set_attempt(1);
  epoch.set_validation_accuracy(0.5);
  for (auto set : {&v1::Epoch::set_lr, &v1::Epoch::set_train_loss, &v1::Epoch::set_train_accuracy,
                   &v1::Epoch::set_validation_loss}) {
    (epoch.*set)(std::nan(""));
  }
  EXPECT_EQ(Printed(EpochListing({epoch})),
            "EPOCH  ATTEMPT  LR  TRAIN LOSS  TRAIN ACC  VAL LOSS  VAL ACC  SECONDS  IMG/S\n"
            "    1        1   –           –          –         –  50.00 %        –      –\n");
  const nlohmann::json row = ListingJson(EpochListing({epoch}))[0];
  for (const char* key : {"lr", "train_loss", "train_accuracy", "validation_loss", "train_seconds",
                          "evaluate_seconds", "images_per_second"}) {
    EXPECT_TRUE(row[key].is_null()) << key << ' ' << row[key];
  }
  const std::vector<EpochMetrics> metrics = CountedMetrics({epoch});
  EXPECT_EQ(LossPlot(metrics).series.size(), 0u);
  EXPECT_EQ(LossPlot(metrics).empty, "none reported");
  EXPECT_EQ(AccuracyPlot(metrics, {}).series.size(), 1u);
}

TEST(Trials, WhatAProgramsNetworkIsIsUnknownAndNotZero) {
  v1::Trial trial;
  trial.set_name("sweeps/s/trials/1");
  const nlohmann::json row = TrialJson(trial);
  for (const char* key : {"network_parameters", "fully_connected", "evaluation_images"}) {
    EXPECT_TRUE(row[key].is_null()) << key << ' ' << row[key];
  }
  trial.set_model("cnn-18718");
  trial.set_network_parameters(18718);
  trial.set_evaluation_images(1000);
  EXPECT_EQ(TrialJson(trial)["network_parameters"], 18718);
  EXPECT_EQ(TrialJson(trial)["fully_connected"], false);
  EXPECT_EQ(TrialJson(trial)["evaluation_images"], 1000);
}

}  // namespace
}  // namespace sweep::cli
