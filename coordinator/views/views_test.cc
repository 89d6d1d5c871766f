#include "coordinator/views/views.h"

#include <atomic>
#include <chrono>
#include <future>
#include <limits>
#include <map>
#include <set>

#include "coordinator/store/testing/forwarding_store.h"
#include "coordinator/views/testing/views_testing.h"
#include "coordinator/views/view_context.h"
#include "proto/documents/print_json.h"
#include "proto/documents/words.h"

namespace sweep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// The dimensions in a sweep's document.
Json Axes(const SweepSpec& spec) {
  documents::SweepView view;
  *view.mutable_dimensions() = DescribeDimensions(spec);
  return Json::parse(PrintJson(view))["dimensions"];
}

std::string Message(const absl::Status& status) { return std::string(status.message()); }

TEST_F(ViewsTest, EveryPathHasItsDocument) {
  Fill("s");
  const std::pair<const char*, const char*> kKeys[] = {
      {"/api/sweeps", "sweeps"},
      {"/api/sweeps/s", "dimensions"},
      {"/api/sweeps/s/ranking", "rows"},
      {"/api/sweeps/s/trials", "rows"},
      {"/api/sweeps/s/attempts", "rows"},
      {"/api/sweeps/s/curves", "bands"},
      {"/api/sweeps/s/points", "columns"},
      {"/api/sweeps/s/importance", "importances"},
      {"/api/sweeps/s/model", "slices"},
      {"/api/sweeps/s/region", "ranges"},
      {"/api/sweeps/s/population", "segments"},
      {"/api/sweeps/s/confirmation", "finalists"},
      {"/api/sweeps/s/progress", "progress"},
      {"/api/sweeps/s/trials/1", "epoch_rows"},
      {"/api/sweeps/s/trials/3", "epoch_rows"},
      {"/api/sweeps/s/trials/4", "epoch_rows"},
      {"/api/sweeps/s/trials/1/logs", "lines"},
      {"/api/workers", "workers"},
      {"/api/workers/timeline", "spans"},
  };
  for (const auto& [path, key] : kKeys) EXPECT_TRUE(Get(path).contains(key)) << path;
  const Json error = Json::parse(ErrorDocument(Refusal("/api/sweeps/nope")));
  EXPECT_EQ(error["error"]["code"], "NOT_FOUND");
}

TEST_F(ViewsTest, APopulationIsItsSegmentsByTrial) {
  const SweepSource source{
      .file = "p.yaml",
      .text =
          "name: p\nmodel: cnn-18718\ndataset: synthetic\nmethod: pbt\nepochs: 4\nseed: 4\n"
          "pbt: {population: 2, segment_epochs: 2}\nparameters: {lr: {min: 0.01, max: 0.1}}\n"};
  Diagnostics diagnostics;
  const SweepSpec spec = Must(SweepSpec::Parse(source, &diagnostics));
  ASSERT_EQ(store_->WriteAndWait([&](WriteTransaction& transaction) {
    bool created = false;
    const auto sweep = transaction.CreateSweep(spec, source, "ada", &created);
    if (!sweep.ok()) return sweep.status();
    const auto add = [&](std::int64_t number, double lr, SuggestionSource chosen, Segment segment) {
      return transaction
          .AddConfiguration(
              sweep->id, spec, *spec.Complete(number, {{"lr", lr}}),
              {.origin = SuggestionOrigin{.source = chosen, .method = "pbt"}, .segment = segment})
          .status();
    };
    absl::Status added = add(1, 0.05, SuggestionSource::kStartUp, {.member = 1, .target_epoch = 2});
    if (added.ok()) {
      added = add(2, 0.06, SuggestionSource::kCopied,
                  {.member = 2, .parent = 1, .start_epoch = 2, .target_epoch = 4});
    }
    return added;
  }),
            absl::OkStatus());
  const LeaseRow lease = driver_->Grant(1, "w");
  ASSERT_TRUE(driver_->Record(lease, spec, TestEpochs(1, 2, 0.9)).ok());
  const Json view = Get("/api/sweeps/p/population");
  EXPECT_EQ(view["population"], 2);
  EXPECT_EQ(view["epochs"], 4);
  EXPECT_EQ(view["metric"], "validation_accuracy");
  ASSERT_EQ(view["total"], 2);
  const Json& first = view["segments"][0];
  EXPECT_EQ(first["member"], 1);
  EXPECT_TRUE(first["parent"].is_null());
  EXPECT_EQ(first["epoch"], 2);
  EXPECT_DOUBLE_EQ(first["last"], 0.9);
  EXPECT_EQ(first["parameters"]["lr"], 0.05);
  const Json& second = view["segments"][1];
  EXPECT_EQ(second["parent"], 1);
  EXPECT_EQ(second["start_epoch"], 2);
  EXPECT_EQ(second["epoch"], 2) << "none of its own yet";
  EXPECT_TRUE(second["last"].is_null());
  EXPECT_EQ(second["chosen_source"], "copied");
  const Json trial = Get("/api/sweeps/p/trials/2");
  EXPECT_EQ(trial["lineage"].size(), 2u);
  EXPECT_EQ(trial["lineage"][0]["last"], 0.9);
  EXPECT_THAT(std::string(trial["replay"][0]), testing::HasSubstr("sweep replay p/2"));

  Fill("s");
  EXPECT_EQ(Get("/api/sweeps/s/population")["population"], 0);
  EXPECT_EQ(Get("/api/sweeps/s/population")["segments"], Json::array());
  EXPECT_TRUE(Get("/api/sweeps/s/trials/1")["member"].is_null());
}

TEST(DocumentValues, StatesAreTheWordsOfTheStore) {
  const std::vector<std::string> trials = DocumentWords(*documents::TrialState_descriptor());
  ASSERT_EQ(trials.size(), std::size_t{kTrialStates});
  for (int i = 0; i < kTrialStates; ++i) {
    const auto state = static_cast<TrialState>(i);
    EXPECT_EQ(trials.at(StateOf(state)), TrialStateName(state));
  }
  const std::vector<std::string> sweeps = DocumentWords(*documents::SweepState_descriptor());
  for (const SweepState state :
       {SweepState::kActive, SweepState::kPaused, SweepState::kCompleted, SweepState::kCancelled}) {
    EXPECT_EQ(sweeps.at(StateOf(state)), SweepStateName(state));
  }
}

TEST_F(ViewsTest, AListOfSweepsSaysHowEachStands) {
  Fill("first");
  Fill("second");
  const Json view = Get("/api/sweeps", "page_size=1");
  EXPECT_EQ(view["total"], 2);
  ASSERT_EQ(view["sweeps"].size(), 1u);
  const Json& sweep = view["sweeps"][0];
  EXPECT_EQ(sweep["name"], "second");
  EXPECT_EQ(sweep["best_trial"], "second/1");
  EXPECT_EQ(sweep["best_value"], 0.95);
  EXPECT_EQ(sweep["trials"]["completed"], 2);
  EXPECT_EQ(sweep["trials"]["failed"], 1);
  EXPECT_EQ(sweep["qualifying"], 1);
  EXPECT_EQ(sweep["gates"], Json({"accuracy >= 0.9", "epochs < 5"}));
  EXPECT_EQ(view["coordinator"]["actions_allowed"], false);
  const std::string token = view["next_page_token"];
  EXPECT_EQ(Get("/api/sweeps", "page_size=1&page_token=" + token)["sweeps"][0]["name"], "first");
}

TEST_F(ViewsTest, ASweepNamesItsDimensionsAndTarget) {
  Fill("s");
  const Json view = Get("/api/sweeps/s");
  EXPECT_EQ(
      view["target"],
      Json({{"measures", {{"validation_accuracy", 0.9}}}, {"epoch", 4}, {"parameters", nullptr}}));
  ASSERT_EQ(view["dimensions"].size(), 1u);
  EXPECT_EQ(view["dimensions"][0]["kind"], "category");
  EXPECT_EQ(view["dimensions"][0]["categories"], Json({0.01, 0.02, 0.03, 0.04}));
  EXPECT_THAT(view["source"].get<std::string>(), HasSubstr("name: s"));
}

TEST_F(ViewsTest, AnAxisHasNumbersBySizeAndWordsAsTheFileHasThem) {
  const SweepSource source{.text =
                               "name: p\nprogram: [./train]\nmethod: grid\nepochs: 2\n"
                               "parameters: {size: {values: [64, 8, 16]}, "
                               "mixed: {values: [9, b, 1]}, word: {values: [z, a]}}\n"};
  Diagnostics diagnostics;
  const Json dimensions = Axes(Must(SweepSpec::Parse(source, &diagnostics)));
  std::map<std::string, Json> categories;
  for (const Json& dimension : dimensions) {
    categories[dimension["name"].get<std::string>()] = dimension["categories"];
  }
  EXPECT_EQ(categories["size"], Json({8, 16, 64}));
  EXPECT_EQ(categories["mixed"], Json({9, "b", 1}));
  EXPECT_EQ(categories["word"], Json({"z", "a"}));
}

TEST_F(ViewsTest, AnAxisIsLogarithmicOrWholeAsItsDistributionIs) {
  const SweepSource source{
      .text =
          "name: p\nprogram: [./train]\nmethod: random\nrun_cap: 3\nepochs: 2\nparameters:\n"
          "  rate: {distribution: log_uniform_values, min: 0.001, max: 0.1}\n"
          "  size: {distribution: q_log_uniform_values, min: 16, max: 256, q: 16}\n"
          "  share: {distribution: q_uniform, min: 0, max: 1, q: 0.5}\n"
          "  count: {min: 1, max: 5}\n"
          "  fixed: 3\n"};
  Diagnostics diagnostics;
  const Json dimensions = Axes(Must(SweepSpec::Parse(source, &diagnostics)));
  const auto axis = [](const char* name, const char* kind, bool integer, const Json& min,
                       const Json& max) {
    return Json({{"name", name},
                 {"kind", kind},
                 {"integer", integer},
                 {"min", min},
                 {"max", max},
                 {"categories", Json::array()}});
  };
  EXPECT_EQ(dimensions, Json::array({axis("rate", "log", false, 0.001, 0.1),
                                     axis("size", "log", true, 16.0, 256.0),
                                     axis("share", "linear", false, 0.0, 1.0),
                                     axis("count", "linear", true, 1.0, 5.0)}));
}

TEST_F(ViewsTest, NumbersThatAreNotFiniteAreNull) {
  Fill("s");
  const Json trial = Get("/api/sweeps/s/trials/3");
  ASSERT_TRUE(trial["epoch_rows"][0]["values"].contains("validation_loss"));
  EXPECT_EQ(trial["epoch_rows"][0]["values"]["validation_loss"], nullptr);
  EXPECT_EQ(trial["measures"]["validation_loss"]["last"], nullptr);
  EXPECT_EQ(trial["last"], 0.1);
  EXPECT_EQ(Get("/api/sweeps/s/trials/4")["best"], nullptr);
  EXPECT_EQ(Get("/api/sweeps/s/trials/4")["measures"], Json::object());
}

TEST_F(ViewsTest, ASweepWithoutTrialsHasEmptyViews) {
  const SweepSpec spec = TestSpec("empty");
  driver_->Create(spec);
  EXPECT_EQ(Get("/api/sweeps/empty/ranking")["total"], 0);
  EXPECT_EQ(Get("/api/sweeps/empty/trials")["total"], 0);
  const Json curves = Get("/api/sweeps/empty/curves");
  EXPECT_EQ(curves["ready"], true);
  EXPECT_EQ(curves["bands"].size(), 0u);
  EXPECT_EQ(Get("/api/sweeps/empty/points")["rows"].size(), 0u);
  EXPECT_EQ(Get("/api/sweeps/empty/importance")["enough"], false);
  EXPECT_EQ(Get("/api/sweeps")["sweeps"][0]["best_value"], nullptr);
}

TEST_F(ViewsTest, ASweepWithFailuresOnlyRanksNobody) {
  const SweepSpec spec = TestSpec("f");
  const SweepRow sweep = driver_->Create(spec);
  const LeaseRow lease = driver_->Grant(driver_->Add(sweep, spec, 1).at(0).id, "a");
  ASSERT_TRUE(driver_->Finish(lease, spec, LeaseOutcome::kFailedForGood, "no data").ok());
  EXPECT_EQ(Get("/api/sweeps/f/ranking")["rows"].size(), 0u);
  EXPECT_EQ(Get("/api/sweeps/f/curves")["curves"].size(), 0u);
  EXPECT_EQ(Get("/api/sweeps/f/points")["total"], 0);
  const Json trial = Get("/api/sweeps/f/trials/1");
  EXPECT_EQ(trial["state"], "failed");
  EXPECT_EQ(trial["reason"], "no data");
}

TEST_F(ViewsTest, CurvesHaveBandsOfAllTrialsAndTheBestFirst) {
  Fill("s");
  const Json view = Get("/api/sweeps/s/curves", "metric=accuracy&limit=2");
  EXPECT_EQ(view["total_trials"], 3);
  ASSERT_EQ(view["bands"].size(), 5u);
  EXPECT_EQ(view["bands"][0]["epoch"], 1);
  EXPECT_EQ(view["bands"][0]["count"], 3);
  EXPECT_EQ(view["bands"][4]["count"], 2);
  EXPECT_EQ(view["bands"][4]["best"], 0.95);
  ASSERT_EQ(view["curves"].size(), 2u);
  EXPECT_EQ(view["curves"][0]["trial"], 1);
  EXPECT_EQ(view["curves"][0]["reason"], "best");
  EXPECT_EQ(view["curves"][0]["values"].size(), 5u);
  EXPECT_EQ(view["curves"][0]["qualifies"], true);
  EXPECT_EQ(view["curves"][1]["reason"], "latest");
  EXPECT_EQ(view["curves"][1]["qualifies"], false);
  // The trial with the NaN loss is in no band.
  EXPECT_EQ(Get("/api/sweeps/s/curves", "metric=loss")["bands"][0]["count"], 2);
  EXPECT_TRUE(absl::IsInvalidArgument(Refusal("/api/sweeps/s/curves", "metric=a+b")));
  // All reported measures can be chosen.
  EXPECT_EQ(view["measures"][0]["name"], "validation_accuracy");
  EXPECT_EQ(view["measures"][0]["direction"], 1);
  EXPECT_EQ(view["measures"].size(), 8u);
  const Json times = Get("/api/sweeps/s/curves", "metric=train_seconds");
  EXPECT_EQ(times["bands"], Json::array()) << "kept for what is judged";
  EXPECT_EQ(times["curves"][0]["values"][0], 2.5);
  EXPECT_EQ(Get("/api/sweeps/s/curves", "metric=val/f1")["curves"][0]["values"][0], nullptr);
}

TEST_F(ViewsTest, MeasuresSayWhatTheyAreInEveryDocument) {
  const std::string text =
      "program: [train]\n"
      "metric: [{name: val/f1, goal: maximize}, {name: latency, goal: minimize}]\n"
      "measures: {latency: {unit: ms}, gap: {goal: minimize}}\n";
  const SweepSpec spec = TestSpec("own", text);
  const LeaseRow lease =
      driver_->Grant(driver_->Add(driver_->Create(spec, text), spec, 1).at(0).id, "a");
  const EpochMetrics epoch = {
      .epoch = 2, .values = {{"val/f1", 0.9}, {"latency", 4}, {"train_loss", 1}, {"x", 1}}};
  ASSERT_TRUE(driver_->Record(lease, spec, {epoch}).ok());
  const auto measure = [](const char* name, const char* title, const char* unit, int direction) {
    return Json{{"name", name}, {"title", title}, {"unit", unit}, {"direction", direction}};
  };
  const Json f1 = measure("val/f1", "val/f1", "", 1);
  const Json latency = measure("latency", "latency", "ms", -1);
  const Json accuracy = measure("validation_accuracy", "accuracy", "share", 1);  // of a gate
  const Json reported = {f1, latency, accuracy, measure("train_loss", "train loss", "", -1),
                         measure("x", "x", "", 0)};
  EXPECT_EQ(Get("/api/sweeps/own/curves")["measures"], reported);
  EXPECT_EQ(Get("/api/sweeps/own/points")["measures"], reported);
  EXPECT_EQ(Get("/api/sweeps/own/trials/1")["reported"], reported);
  EXPECT_EQ(Get("/api/sweeps/own/trials/1")["judged"],
            Json({"val/f1", "latency", "validation_accuracy"}));
  const Json listed = Get("/api/sweeps")["sweeps"][0];
  EXPECT_EQ(listed["objective_measures"], Json({f1, latency}));
  EXPECT_EQ(listed["objectives"], Json({{{"name", "val/f1"}, {"maximize", true}},
                                        {{"name", "latency"}, {"maximize", false}}}));
  const Json known = Get("/api/sweeps/own")["measures"];
  EXPECT_EQ(known[3], measure("gap", "gap", "", -1)) << "declared";
  EXPECT_EQ(known.back(), measure("images_per_second", "images/s", "/s", 1));
  EXPECT_EQ(known.size(), 3 + PredefinedMeasures().size());
}

TEST_F(ViewsTest, PointsHaveWhatTheirColumnsSay) {
  Fill("s");
  const Json view = Get("/api/sweeps/s/points");
  EXPECT_EQ(view["columns"],
            Json({"trial", "best", "last", "epochs_to_target", "network_parameters", "qualifies",
                  "state", "value", "chosen_source", "lr"}));
  ASSERT_EQ(view["rows"].size(), 3u);
  const TrialRow first = Must(store_->Read(FindTrial, "s", 1));
  EXPECT_EQ(view["rows"][0],
            Json({1, 0.95, RoundToSixDigits(first.result.Last("accuracy")),
                  first.result.epochs_to_target, 18718, true, "completed", 0.95, "model", 0.01}));
  EXPECT_EQ(Get("/api/sweeps/s/points", "metric=loss")["rows"][2][1], nullptr);
  EXPECT_EQ(view["records"], Json({1}));
  EXPECT_EQ(view["front"], Json({1}));
}

TEST_F(ViewsTest, ARankingsEpochAndIntervalAreThoseOfItsAccuracy) {
  Fill("s");
  const Json row = Get("/api/sweeps/s/ranking")["rows"][0];
  EXPECT_EQ(row["value"], 0.95);
  EXPECT_EQ(row["values"], Json({{"validation_accuracy", 0.95}}));
  EXPECT_EQ(row["value_epoch"], Must(store_->Read(FindTrial, "s", 1)).result.best_epoch);
  EXPECT_LT(row["interval"][0], 0.95);
  EXPECT_GT(row["interval"][1], 0.95);
}

TEST_F(ViewsTest, RecordsAreOfTheSweepsMetric) {
  const std::string metric = "metric: {name: loss, goal: minimize}\n";
  const SweepSpec spec = TestSpec("losses", metric);
  const SweepRow sweep = driver_->Create(spec, metric);
  std::int64_t number = 0;
  for (const double loss : {0.3, 0.4, std::numeric_limits<double>::quiet_NaN(), 0.1}) {
    const LeaseRow lease = driver_->Grant(driver_->Add(sweep, spec, ++number).at(0).id, "a");
    EpochMetrics epoch = TestEpoch(1, 1 - 0.01 * static_cast<double>(number));  // falls
    epoch.values.Set("loss", loss);
    ASSERT_TRUE(driver_->Record(lease, spec, {epoch}).ok());
  }
  EXPECT_EQ(Get("/api/sweeps/losses/points")["records"], Json({1, 4}));
  EXPECT_EQ(Get("/api/sweeps/losses")["best_value"], 0.1) << "of the metric, too";
}

// The last epoch exceeds the gate on epochs, so the ranking uses the epoch before it.
TEST_F(ViewsTest, TheBestIsTheSameInTheHeaderTheRankingAndTheRecords) {
  const SweepSpec spec = TestSpec("gated");
  const SweepRow sweep = driver_->Create(spec);
  const LeaseRow lease = driver_->Grant(driver_->Add(sweep, spec, 1).at(0).id, "a");
  ASSERT_TRUE(driver_->Record(lease, spec, TestEpochs(1, 4, 0.968)).ok());
  ASSERT_TRUE(driver_->Record(lease, spec, {TestEpoch(5, 0.974)}).ok());
  const Json header = Get("/api/sweeps/gated");
  EXPECT_EQ(header["best_value"], 0.968);
  EXPECT_EQ(header["best_qualifies"], true);
  EXPECT_EQ(Get("/api/sweeps/gated/ranking")["rows"][0]["value"], 0.968);
  const Json points = Get("/api/sweeps/gated/points");
  EXPECT_EQ(points["records"], Json({1}));
  EXPECT_EQ(points["rows"][0][1], 0.974);
  EXPECT_EQ(points["rows"][0][7], 0.968);
}

TEST_F(ViewsTest, ATrialOnHoldIsCountedAndListed) {
  const SweepSpec spec = TestSpec("s", "early_terminate: {type: median}\n");
  const SweepRow sweep = driver_->Create(spec, "early_terminate: {type: median}\n");
  const TrialRow trial = driver_->Add(sweep, spec, 1).at(0);
  driver_->Add(sweep, spec, 2);
  const LeaseRow lease = driver_->Grant(trial.id, "a");
  ASSERT_TRUE(driver_->Record(lease, spec, TestEpochs(1, 2, 0.5)).ok());
  ASSERT_TRUE(store_
                  ->WriteAndWait([&](WriteTransaction& transaction) {
                    return transaction.HoldTrial(trial.id, 2, "worse than others").status();
                  })
                  .ok());
  ASSERT_TRUE(driver_->Finish(lease, spec, LeaseOutcome::kStopped).ok());
  const Json summary = Get("/api/sweeps/s");
  EXPECT_EQ(summary["trials"]["on_hold"], 1);
  EXPECT_EQ(summary["trials"]["pending"], 1);
  const Json rows = Get("/api/sweeps/s/trials", "state=on_hold");
  EXPECT_EQ(rows["total"], 1);
  const Json shown = Get("/api/sweeps/s/trials/1");
  EXPECT_EQ(shown["state"], "on_hold");
  EXPECT_EQ(shown["reason"], "worse than others");
  EXPECT_EQ(shown["attempts"][0]["outcome"], "held");
}

TEST_F(ViewsTest, WhatDivergedHasAMarkAndNoValueAndCountsAsTheWorst) {
  const SweepSpec spec = TestSpec("s", "replicates: 12\n");
  const SweepRow sweep = driver_->Create(spec, "replicates: 12\n");
  for (const TrialRow& trial : driver_->Add(sweep, spec, 1)) driver_->Train(trial, spec, 0.95);
  for (const TrialRow& trial : driver_->Add(sweep, spec, 2)) {
    const LeaseRow lease = driver_->Grant(trial.id, "a");
    ASSERT_TRUE(driver_->Finish(lease, spec, LeaseOutcome::kDiverged, "diverged: loss").ok());
  }
  EXPECT_EQ(Get("/api/sweeps/s")["trials"]["diverged"], 12);
  EXPECT_EQ(Get("/api/sweeps/s")["trials"]["failed"], 0);
  const Json points = Get("/api/sweeps/s/points");
  EXPECT_EQ(points["total"], 24);
  ASSERT_EQ(points["rows"].size(), 24u);
  EXPECT_EQ(points["rows"][12][6], "diverged");
  EXPECT_EQ(points["rows"][12][1], nullptr);
  EXPECT_NE(points["rows"][12][8], nullptr) << "its hyperparameters";
  const Json importance = Get("/api/sweeps/s/importance");
  EXPECT_EQ(importance["trials"], 24);
  EXPECT_EQ(importance["diverged"], 12);
  EXPECT_EQ(importance["enough"], true);
  EXPECT_EQ(Get("/api/sweeps/s/trials", "state=diverged")["total"], 12);
  EXPECT_EQ(Get("/api/sweeps/s/trials", "state=failed")["total"], 0);
}

TEST_F(ViewsTest, AnAttemptThatDivergedIsNotTheWorkersFailure) {
  const SweepSpec spec = TestSpec("s", "replicates: 2\n");
  const SweepRow sweep = driver_->Create(spec, "replicates: 2\n");
  const std::vector<TrialRow> trials = driver_->Add(sweep, spec, 1);
  const auto fail = [&](const TrialRow& trial, LeaseOutcome outcome, const std::string& reason) {
    const LeaseRow lease = driver_->Grant(trial.id, "a");
    ASSERT_TRUE(driver_->Finish(lease, spec, outcome, reason).ok());
  };
  fail(trials[0], LeaseOutcome::kDiverged, "diverged: loss");
  fail(trials[1], LeaseOutcome::kFailedForGood, "no data, and so it diverged: not");
  EXPECT_EQ(Get("/api/sweeps/s/trials/1")["attempts"][0]["outcome"], "diverged");
  EXPECT_EQ(Get("/api/sweeps/s/trials/2")["attempts"][0]["outcome"], "failed");
  EXPECT_EQ(Get("/api/sweeps/s/attempts")["rows"][0]["outcome"], "diverged");
  EXPECT_EQ(Get("/api/sweeps/s/attempts")["rows"][1]["outcome"], "failed");
  std::map<std::string, std::string> spans;
  const Json timeline = Get("/api/workers/timeline");
  for (const Json& span : timeline["spans"]) {
    spans[span["trial"].get<std::string>()] = span["outcome"].get<std::string>();
  }
  EXPECT_EQ(spans["s/1"], "diverged");
  EXPECT_EQ(spans["s/2"], "failed");
}

TEST_F(ViewsTest, ATrialsRowHasTheValuesThatWereInForce) {
  Fill("s");
  const Json row = Get("/api/sweeps/s/trials")["rows"][0];
  EXPECT_TRUE(row["parameters"].contains("lr"));
  EXPECT_FALSE(row["defaults"].contains("lr")) << "it was chosen";
  EXPECT_TRUE(row["defaults"].contains("batch_size")) << row["defaults"];
  EXPECT_EQ(Get("/api/sweeps/s/ranking")["rows"][0]["defaults"], row["defaults"]);
  EXPECT_EQ(Get("/api/sweeps/s/trials/1")["defaults"], row["defaults"]);
}

TEST_F(ViewsTest, ATrialSaysHowItsValuesWereChosen) {
  Fill("s");
  const Json row = Get("/api/sweeps/s/trials")["rows"][0];
  EXPECT_EQ(row["chosen_by"], "gp");
  EXPECT_EQ(row["chosen_source"], "model");
  EXPECT_EQ(row["expected_improvement"], 0.0125);
  EXPECT_EQ(row["seen_results"], 57);
  EXPECT_EQ(Get("/api/sweeps/s/trials/1")["chosen"],
            "by gp, its model, after 57 results; expected improvement 0.0125");
  const auto total = [&](const std::string& where) {
    return Get("/api/sweeps/s/trials", "where=" + where)["total"].get<int>();
  };
  EXPECT_EQ(total("chosen_source%20%3D%3D%20%27model%27"), 4);
  EXPECT_EQ(total("chosen_source%20%3D%3D%20%27start_up%27"), 0);
  EXPECT_EQ(total("expected_improvement%20%3E%200.01%20and%20chosen_by%20%3D%3D%20%27gp%27"), 4);
}

// Four configurations of 150 trials each; the accuracy goes up with the trial's number within its
// configuration, and lr 0.03 is the best.
class LargeViewsTest : public ViewsTest {
 protected:
  void SetUp() override {
    ViewsTest::SetUp();
    const SweepSpec spec = TestSpec("large", "replicates: 150\n");
    const SweepRow sweep = driver_->Create(spec, "replicates: 150\n");
    for (std::int64_t number = 1; number <= 4; ++number) {
      double accuracy = number == 3 ? 0.95 : 0.90;
      for (const TrialRow& trial : driver_->Add(sweep, spec, number)) {
        driver_->Train(trial, spec, accuracy += 0.0001);
      }
    }
  }
};

TEST_F(LargeViewsTest, ASampleOfPointsIsFixedAndHasTheBestAndTheRecords) {
  const Json view = Get("/api/sweeps/large/points", "limit=400");
  EXPECT_EQ(view["total"], 600);
  EXPECT_EQ(view["sampled"], true);
  ASSERT_EQ(view["rows"].size(), 400u);
  std::set<int> shown;
  for (const Json& row : view["rows"]) shown.insert(row[0].get<int>());
  for (int best = 301; best <= 450; ++best) EXPECT_TRUE(shown.contains(best)) << best;
  for (const Json& record : view["records"]) EXPECT_TRUE(shown.contains(record.get<int>()));
  EXPECT_EQ(view["records"], Json({150, 450})) << "what stands for a configuration";
  EXPECT_EQ(view["front"], Json({450}));
  EXPECT_EQ(Get("/api/sweeps/large/points", "limit=400&again=1")["rows"], view["rows"]);
}

TEST_F(LargeViewsTest, ImportanceSeesTheHyperparameterThatDecides) {
  const Json view = Get("/api/sweeps/large/importance");
  EXPECT_EQ(view["trials"], 600);
  EXPECT_EQ(view["enough"], true);
  EXPECT_EQ(view["importances"], Json::array({{{"name", "lr"}, {"importance", 1.0}}}));
}

TEST_F(LargeViewsTest, AnswersAreBounded) {
  for (const char* query : {"limit=200", "limit=200&offset=400", "limit=100000"}) {
    const ViewAnswer answer =
        Must(views_->Get({.path = "/api/sweeps/large/trials", .query = query}));
    EXPECT_LT(answer.json.size(), 300'000u);
    // Rows that do not fit are left to the next page, which begins after the last one.
    const std::size_t rows = Json::parse(answer.json)["rows"].size();
    EXPECT_GE(rows, 100u);
    EXPECT_LE(rows, 200u);
  }
  EXPECT_LT(Must(views_->Get({.path = "/api/workers/timeline"})).json.size(), 300'000u);
}

TEST_F(ViewsTest, AResumedTrialCountsEachEpochOnce) {
  const SweepSpec spec = TestSpec("s");
  const SweepRow sweep = driver_->Create(spec);
  const TrialRow trial = driver_->Add(sweep, spec, 1).at(0);
  const LeaseRow lost = driver_->Grant(trial.id, "a");
  ASSERT_TRUE(driver_->Record(lost, spec, TestEpochs(1, 3, 0.5)).ok());
  EXPECT_EQ(Get("/api/sweeps/s/curves")["bands"].size(), 3u);
  ASSERT_TRUE(driver_->Lose(lost, spec).ok());
  const LeaseRow again = driver_->Grant(trial.id, "b");
  ASSERT_TRUE(driver_->Record(again, spec, TestEpochs(1, 4, 0.7)).ok());
  // Updated from events, and read from scratch.
  for (int turn = 0; turn < 2; ++turn) {
    const Json view = Get("/api/sweeps/s/curves");
    ASSERT_EQ(view["bands"].size(), 4u);
    for (const Json& band : view["bands"]) EXPECT_EQ(band["count"], 1) << band;
    EXPECT_EQ(view["curves"][0]["values"], Json({0.5, 0.5, 0.5, 0.7}));
    TearDown();
    scheduler_ =
        Must(Scheduler::Start({.store = store_.get(), .specs = specs_.get(), .threads = false}));
    views_ = Views::Make({.store = store_.get(),
                          .scheduler = scheduler_.get(),
                          .blobs = blobs_.get(),
                          .specs = specs_.get(),
                          .index_wait = absl::Seconds(20)});
  }
}

TEST_F(ViewsTest, TheIndexFollowsWhatHappens) {
  const SweepSpec spec = TestSpec("s");
  const SweepRow sweep = driver_->Create(spec);
  EXPECT_EQ(Get("/api/sweeps/s/trials")["total"], 0);
  const TrialRow trial = driver_->Add(sweep, spec, 1).at(0);
  EXPECT_EQ(Get("/api/sweeps/s/trials", "state=pending")["total"], 1);
  driver_->Train(trial, spec, 0.95);
  const Json view = Get("/api/sweeps/s/trials", "where=best_accuracy%20%3E%20.9");
  ASSERT_EQ(view["total"], 1);
  EXPECT_EQ(view["rows"][0]["qualifies"], true);
  EXPECT_EQ(Get("/api/sweeps/s/points")["rows"][0][1], 0.95);
}

TEST_F(ViewsTest, ReplicatesShareWhetherTheyQualify) {
  const SweepSpec spec = TestSpec("s", "replicates: 2\n");
  const SweepRow sweep = driver_->Create(spec, "replicates: 2\n");
  const std::vector<TrialRow> trials = driver_->Add(sweep, spec, 1);
  driver_->Train(trials.at(0), spec, 0.5);
  EXPECT_EQ(Get("/api/sweeps/s/points")["rows"][0][5], false);
  driver_->Train(trials.at(1), spec, 0.95);
  const Json rows = Get("/api/sweeps/s/points")["rows"];
  EXPECT_EQ(rows[0][5], true);
  EXPECT_EQ(rows[1][5], true);
}

TEST_F(ViewsTest, TrialsAreFilteredSortedAndPaged) {
  Fill("s");
  const auto numbers = [&](const std::string& query) {
    const Json view = Get("/api/sweeps/s/trials", query);
    std::vector<int> result;
    for (const Json& row : view["rows"]) result.push_back(row["trial"]);
    return result;
  };
  EXPECT_THAT(numbers(""), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(numbers("sort=best_accuracy+desc"), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(numbers("sort=best_accuracy"), ElementsAre(3, 2, 1, 4));
  EXPECT_THAT(numbers("sort=lr+desc&limit=2"), ElementsAre(4, 3));
  EXPECT_THAT(numbers("sort=lr+desc&limit=2&offset=2"), ElementsAre(2, 1));
  EXPECT_THAT(numbers("where=lr+%3E+0.015+and+lr+%3C+0.035"), ElementsAre(2, 3));
  EXPECT_THAT(numbers("where=state+%3D%3D+%22completed%22&sort=number+desc"), ElementsAre(2, 1));
  EXPECT_THAT(numbers("where=momentum+%3E+0&limit=1"), ElementsAre(1));
  EXPECT_THAT(numbers("where=layers+%3E+5+and+train_mflop+%3E+1&offset=3"), ElementsAre(4));
  EXPECT_THAT(numbers("state=failed"), ElementsAre(3));
  EXPECT_THAT(numbers("offset=100"), ElementsAre());
  EXPECT_EQ(Get("/api/sweeps/s/trials", "state=completed&limit=1")["total"], 2);
}

TEST_F(ViewsTest, WhatCannotBeAskedIsSaid) {
  Fill("s");
  EXPECT_THAT(Message(Refusal("/api/sweeps/s/trials", "where=lr+%3E+%3E")), HasSubstr("filter"));
  EXPECT_THAT(Message(Refusal("/api/sweeps/s/trials", "where=learning_rate+%3E+1")),
              HasSubstr("learning_rate"));
  EXPECT_THAT(Message(Refusal("/api/sweeps/s/trials", "sort=colour")), HasSubstr("colour"));
  EXPECT_THAT(Message(Refusal("/api/sweeps/s/trials", "limit=-1")), HasSubstr("limit"));
  EXPECT_THAT(Message(Refusal("/api/sweeps/s/trials", "limit=many")), HasSubstr("many"));
  EXPECT_TRUE(absl::IsInvalidArgument(Refusal("/api/sweeps/s/trials", "state=asleep")));
  EXPECT_TRUE(absl::IsInvalidArgument(Refusal("/api/sweeps/s/trials/x")));
  EXPECT_TRUE(absl::IsInvalidArgument(Refusal("/api/sweeps", "page_token=7")));
  for (const char* path : {"/api", "/api/nothing", "/api/sweeps/s/colours", "/api/sweeps/nope",
                           "/api/sweeps/s/trials/99", "/api/sweeps/s/trials/1/nothing",
                           "/api/sweeps/nope/curves", "/api/workers/x"}) {
    EXPECT_TRUE(absl::IsNotFound(Refusal(path))) << path << ": " << Refusal(path);
  }
}

TEST_F(ViewsTest, HostileAddressesGetOneShortError) {
  const std::string long_name(10'000, 'x');
  for (const std::string& path :
       {"/api/sweeps/" + long_name, std::string("/api/sweeps/%00"), std::string("/api/sweeps/%zz"),
        std::string("/api/sweeps/%ff%fe"), std::string("/api/sweeps/%3Cscript%3E"),
        std::string("/api/sweeps/..%2F..%2Fetc%2Fpasswd"), std::string("/api/sweeps/%E2%98%83"),
        "/api/sweeps/" + std::string(5'000, 'y')}) {
    const absl::Status refusal = Refusal(path);
    EXPECT_TRUE(absl::IsInvalidArgument(refusal) || absl::IsNotFound(refusal)) << refusal;
    EXPECT_LT(ErrorDocument(refusal).size(), 1500u);
  }
  EXPECT_LT(ErrorDocument(Refusal("/api/sweeps", "page_token=" + long_name)).size(), 1500u);
}

TEST_F(ViewsTest, AnEtagChangesWhenTheDocumentDoes) {
  Fill("s");
  for (const char* path : {"/api/sweeps", "/api/sweeps/s", "/api/sweeps/s/curves",
                           "/api/sweeps/s/trials/1", "/api/sweeps/s/progress"}) {
    const ViewAnswer first = Must(views_->Get({.path = path}));
    const ViewAnswer again = Must(views_->Get({.path = path, .if_none_match = first.etag}));
    EXPECT_TRUE(again.not_modified) << path;
    EXPECT_EQ(again.json, "");
  }
  const std::string etag = Must(views_->Get({.path = "/api/sweeps/s/points"})).etag;
  const std::string other =
      Must(views_->Get({.path = "/api/sweeps/s/points", .query = "limit=1"})).etag;
  EXPECT_NE(etag, other);
  const TrialRow last = Must(store_->Read(FindTrial, "s", 4));
  driver_->Train(last, TestSpec("s"), 0.97);
  const ViewAnswer later =
      Must(views_->Get({.path = "/api/sweeps/s/points", .if_none_match = etag}));
  EXPECT_FALSE(later.not_modified);
  EXPECT_NE(later.etag, etag);
}

TEST_F(ViewsTest, ATrialShowsItsNetworkAndHowToTrainItAgain) {
  Fill("s");
  const Json trial = Get("/api/sweeps/s/trials/2");
  EXPECT_EQ(trial["network"]["parameters"], 18718);
  EXPECT_EQ(trial["network"]["layers"][0]["type"], "conv");
  ASSERT_EQ(trial["replay"].size(), 1u);
  const std::string command = trial["replay"][0];
  EXPECT_THAT(command, HasSubstr("sweep train cnn-18718"));
  EXPECT_THAT(command, HasSubstr("--lr 0.02"));
  EXPECT_THAT(command, HasSubstr("--seed " + trial["seed"].get<std::string>()));
  EXPECT_THAT(command, HasSubstr("--dataset synthetic --train-images 100 --test-images 100"));
  EXPECT_GE(trial["reasons"].size(), 1u);
}

TEST_F(ViewsTest, AnEpochThatThereIsNotIsNull) {
  Fill("s");
  const Json row = Get("/api/sweeps/s/trials/4");
  ASSERT_EQ(row["epoch"], 0);
  for (const char* key : {"best_epoch", "epochs_to_target", "best", "last"}) {
    EXPECT_TRUE(row[key].is_null()) << key << ": " << row[key];
  }
}

TEST_F(ViewsTest, ATrialThatHasMeasuredNothingMissesNoGate) {
  Fill("s");
  EXPECT_EQ(Get("/api/sweeps/s/trials/4")["gates"], Json::array());
  EXPECT_EQ(Get("/api/sweeps/s/trials/2")["gates"].size(), 2u);
}

TEST_F(ViewsTest, WhatIsNotKnownOfAProgramsTrialIsNull) {
  const SweepSource source = {
      .file = "p.yaml",
      .text =
          "name: p\nprogram: ./train\nmethod: grid\nepochs: 2\n"
          "description: which rate\n"
          "parameters: {lr: {values: [0.1, 0.2]}, big: 9007199254740993}\n"};
  Diagnostics diagnostics;
  const SweepSpec spec = Must(SweepSpec::Parse(source, &diagnostics));
  SweepRow sweep;
  ASSERT_TRUE(store_
                  ->WriteAndWait([&](WriteTransaction& transaction) {
                    bool created = false;
                    absl::StatusOr<SweepRow> row =
                        transaction.CreateSweep(spec, source, "tester", &created);
                    if (row.ok()) sweep = *row;
                    return row.status();
                  })
                  .ok());
  const Configuration configuration =
      Must(spec.Complete(1, {{"lr", 0.1}, {"big", std::int64_t{9'007'199'254'740'993}}}));
  TrialRow trial;
  ASSERT_TRUE(store_
                  ->WriteAndWait([&](WriteTransaction& transaction) {
                    auto added = transaction.AddConfiguration(sweep.id, spec, configuration);
                    if (added.ok()) trial = added->front();
                    return added.status();
                  })
                  .ok());
  driver_->Train(trial, spec, 0.9);
  const Json view = Get("/api/sweeps/p/trials/1");
  for (const char* key :
       {"network_parameters", "evaluation_images", "fully_connected", "network"}) {
    EXPECT_TRUE(view[key].is_null()) << key << ": " << view[key];
  }
  EXPECT_THAT(view["replay"][0].get<std::string>(), HasSubstr("| ./train"));
  // A browser's number would be rounded.
  EXPECT_EQ(view["spec"]["parameters"]["big"], "9007199254740993") << view["spec"];
  EXPECT_EQ(view["parameters"]["big"], "9007199254740993");
  EXPECT_THAT(view["replay"][0].get<std::string>(), HasSubstr(":9007199254740993"));
  EXPECT_TRUE(Get("/api/sweeps/p/trials")["rows"][0]["network_parameters"].is_null());
  const Json ranked = Get("/api/sweeps/p/ranking")["rows"][0];
  EXPECT_TRUE(ranked["network_parameters"].is_null());
  EXPECT_TRUE(ranked["interval"].is_null()) << "of how many images, nobody knows";
  EXPECT_TRUE(Get("/api/sweeps/p/points")["rows"][0][4].is_null());
  EXPECT_EQ(Get("/api/sweeps/p")["description"], "which rate");
}

TEST_F(ViewsTest, SweepsAreFoundByNameAndLabel) {
  for (const char* name : {"night-lr", "day", "night-momentum"}) {
    const std::string label = std::string("labels: {owner: ") + name[0] + "x}\n";
    driver_->Create(TestSpec(name, label), label);
  }
  const auto names = [&](const std::string& query) {
    const Json view = Get("/api/sweeps", query);
    std::vector<std::string> result;
    for (const Json& sweep : view["sweeps"]) result.push_back(sweep["name"]);
    return result;
  };
  EXPECT_THAT(names("search=NIGHT"), ElementsAre("night-momentum", "night-lr"));
  EXPECT_THAT(names("search=owner%3DDX"), ElementsAre("day"));
  EXPECT_THAT(names("search=nobody"), ElementsAre());
  EXPECT_THAT(names("search=night&page_size=1"), ElementsAre("night-momentum"));
  const std::string token = Get("/api/sweeps", "search=night&page_size=1")["next_page_token"];
  ASSERT_NE(token, "");
  EXPECT_THAT(names("search=night&page_size=1&page_token=" + token), ElementsAre("night-lr"));
}

TEST_F(ViewsTest, WhatRunsIsShownWithItsValuesAndItsWorker) {
  const SweepSpec spec = TestSpec("s");
  const SweepRow sweep = driver_->Create(spec);
  const LeaseRow lease = driver_->Grant(driver_->Add(sweep, spec, 1).at(0).id, "bench-7");
  EXPECT_TRUE(driver_->Record(lease, spec, TestEpochs(1, 1, 0.8)).ok());
  // A program may report nothing else.
  const EpochMetrics bare = {.epoch = 2, .values = {{"validation_accuracy", 0.7}}};
  const auto recorded = driver_->Record(lease, spec, {bare});
  EXPECT_TRUE(recorded.ok()) << recorded.status();
  EXPECT_EQ(Get("/api/sweeps/s/trials/1")["epoch_rows"][1]["values"],
            Json({{"validation_accuracy", 0.7}}));
  const Json view = Get("/api/sweeps/s/progress");
  ASSERT_EQ(view["progress"].size(), 1u);
  const Json row = view["progress"][0];
  EXPECT_EQ(row["worker"], "bench-7");
  EXPECT_EQ(row["epoch"], 3);  // the trainer reports nothing within epochs
  EXPECT_EQ(row["epochs"], 5);
  EXPECT_EQ(row["parameters"], Json({{"lr", 0.01}}));
  EXPECT_EQ(row["best"], 0.8);
  EXPECT_TRUE(row["images_per_second"].is_null());
  EXPECT_TRUE(row["seconds_left"].is_number());
}

// With a fake clock.
class TimedViewsTest : public ViewsTest {
 protected:
  void SetUp() override {
    ViewsTest::SetUp();
    TearDown();
    store_ = Must(Store::Open({.clock = &clock_}));
    specs_ = std::make_unique<SpecCache>(store_.get());
    scheduler_ = Must(Scheduler::Start(
        {.store = store_.get(), .specs = specs_.get(), .clock = &clock_, .threads = false}));
    driver_ = std::make_unique<StoreDriver>(store_.get());
    Views::Options options = Options();
    options.clock = &clock_;
    views_ = Views::Make(options);
  }
  void TearDown() override {
    ViewsTest::TearDown();
    driver_.reset();
    specs_.reset();
    store_.reset();
  }
  FakeClock clock_;
};

// Many clients view a sweep; its remaining time is computed once in two seconds.
TEST_F(TimedViewsTest, TheTimeLeftOfASweepIsKeptForTwoSeconds) {
  const SweepSpec spec = TestSpec("s");
  const SweepRow sweep = driver_->Create(spec);
  const TrialRow trial = driver_->Add(sweep, spec, 1).at(0);
  const LeaseRow lease = driver_->Grant(trial.id, "a");
  clock_.Advance(absl::Seconds(10));
  ASSERT_TRUE(driver_->Record(lease, spec, TestEpochs(1, 1, 0.5)).ok());
  TimeLeft time_left(store_.get(), scheduler_.get(), &clock_);
  const SweepRow running = Must(store_->Read(FindSweep, "s"));
  const std::optional<double> first = time_left.SecondsLeft(running, spec);
  ASSERT_TRUE(first.has_value());
  clock_.Advance(absl::Milliseconds(1999));
  EXPECT_EQ(time_left.SecondsLeft(running, spec), first);
  clock_.Advance(absl::Milliseconds(1));
  EXPECT_GT(time_left.SecondsLeft(running, spec), first) << "two seconds without an epoch";
}

TEST_F(TimedViewsTest, ATrialsTimeIsThatOfItsAttempts) {
  const SweepSpec spec = TestSpec("s");
  const SweepRow sweep = driver_->Create(spec);
  const TrialRow trial = driver_->Add(sweep, spec, 1).at(0);
  const LeaseRow lost = driver_->Grant(trial.id, "a");
  clock_.Advance(absl::Seconds(10));
  ASSERT_TRUE(driver_->Record(lost, spec, TestEpochs(1, 2, 0.5)).ok());
  ASSERT_TRUE(driver_->Lose(lost, spec).ok());
  clock_.Advance(absl::Hours(1));  // nobody trains it
  const LeaseRow again = driver_->Grant(trial.id, "b");
  clock_.Advance(absl::Seconds(5));
  EXPECT_EQ(Get("/api/sweeps/s/trials")["rows"][0]["attempt_seconds"], 15);
  EXPECT_EQ(Get("/api/sweeps/s/trials/1")["attempt_seconds"], 15);
  // Two epochs of five in 15 seconds.
  EXPECT_EQ(Get("/api/sweeps/s/progress")["progress"][0]["seconds_left"], 22.5);
  ASSERT_TRUE(driver_->Record(again, spec, TestEpochs(3, 5, 0.6)).ok());
  ASSERT_TRUE(driver_->Finish(again, spec, LeaseOutcome::kCompleted).ok());
  clock_.Advance(absl::Hours(1));
  EXPECT_EQ(Get("/api/sweeps/s/trials/1")["attempt_seconds"], 15);
}

SafeTensor Bytes(const std::string& name, std::vector<std::int64_t> shape, std::string bytes) {
  return {.name = name, .dtype = "U8", .shape = std::move(shape), .bytes = std::move(bytes)};
}

TEST_F(ViewsTest, MoreSweepsThanIndexesCanBeLookedAtInTurns) {
  for (int i = 0; i < 6; ++i) Fill("s" + std::to_string(i));
  for (int turn = 0; turn < 2; ++turn) {
    for (int i = 0; i < 6; ++i) {
      const Json view = Get("/api/sweeps/s" + std::to_string(i) + "/curves");
      EXPECT_EQ(view["ready"], true);
      EXPECT_EQ(view["total_trials"], 3);
    }
  }
}

TEST_F(ViewsTest, SeveralSmallSweepsAreLookedAtAtOnce) {
  for (int i = 0; i < 6; ++i) Fill("s" + std::to_string(i));
  Views::Options options = Options();
  options.index_keep = absl::InfiniteDuration();
  options.index_few_trials = 100;
  const auto views = Views::Make(options);
  for (int i = 0; i < 6; ++i) {
    const auto view = views->Get({.path = "/api/sweeps/s" + std::to_string(i) + "/points"});
    EXPECT_EQ(Json::parse(Must(view).json)["total"], 3);
  }
}

class WatchedStore final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  absl::Status RunRead(const ReadFunction& query) override {
    if (std::this_thread::get_id() != maker_ && !is_read_.exchange(true)) read.set_value();
    return ForwardingStore::RunRead(query);
  }
  std::promise<void> read;  // fulfilled when another thread reads

 private:
  const std::thread::id maker_ = std::this_thread::get_id();
  std::atomic<bool> is_read_ = false;
};

TEST_F(ViewsTest, TheNewestSweepIsReadBeforeAnybodyAsks) {
  WatchedStore store(store_.get());
  Views::Options options = Options();
  options.store = &store;
  Views::Make(options)->Prepare();  // there is no sweep
  Fill("s");
  const auto views = Views::Make(options);
  views->Prepare();
  EXPECT_EQ(store.read.get_future().wait_for(std::chrono::seconds(20)), std::future_status::ready);
}

// The first request starts to build the index and, without waiting, gets nothing from it.
TEST_F(ViewsTest, BeforeTheIndexIsCompletePagesComeFromTheStoreAndFiltersHaveToWait) {
  Fill("s");
  const auto views = Views::Make({.store = store_.get(),
                                  .scheduler = scheduler_.get(),
                                  .blobs = blobs_.get(),
                                  .specs = specs_.get(),
                                  .index_wait = absl::ZeroDuration()});
  EXPECT_TRUE(absl::IsUnavailable(
      views->Get({.path = "/api/sweeps/s/trials", .query = "where=lr+%3E+0"}).status()));
}

TEST_F(ViewsTest, APageFromTheStoreHasTheSameKeys) {
  Fill("s");
  const auto views = Views::Make({.store = store_.get(),
                                  .scheduler = scheduler_.get(),
                                  .blobs = blobs_.get(),
                                  .specs = specs_.get(),
                                  .index_wait = absl::ZeroDuration()});
  const absl::StatusOr<ViewAnswer> page =
      views->Get({.path = "/api/sweeps/s/trials", .query = "state=completed"});
  ASSERT_TRUE(page.ok()) << page.status();
  EXPECT_EQ(Json::parse(page->json)["total"], 2);
}

TEST_F(ViewsTest, PredictionsShowTheMistakes) {
  SafeTensors file;
  file.tensors = {
      Bytes("predictions", {4}, {1, 2, 3, 3}),
      Bytes("labels", {4}, {1, 2, 3, 7}),
      {.name = "mistakes", .dtype = "I64", .shape = {1}, .bytes = {3, 0, 0, 0, 0, 0, 0, 0}},
      Bytes("images", {1, 1, 2, 2}, {0, 1, 2, 3})};
  FillWithArtifact("s", "predictions", SerializeSafeTensors(file));
  const Json view = Get("/api/sweeps/s/trials/1/predictions");
  EXPECT_EQ(view["images"], 4);
  EXPECT_EQ(view["right"], 3);
  EXPECT_EQ(view["confusion"][7][3], 1);
  EXPECT_EQ(view["mistakes"], Json::array({{{"index", 3}, {"label", 7}, {"predicted", 3}}}));
  EXPECT_EQ(view["shape"], Json({1, 2, 2}));
  EXPECT_EQ(view["pictures"], "AAECAw==");
}

TEST_F(ViewsTest, PredictionsWithoutLabelsAreNotFound) {
  SafeTensors file;
  file.tensors = {Bytes("predictions", {2}, {1, 2})};
  FillWithArtifact("old", "predictions", SerializeSafeTensors(file));
  const absl::Status refusal = Refusal("/api/sweeps/old/trials/1/predictions");
  EXPECT_TRUE(absl::IsNotFound(refusal)) << refusal;
  EXPECT_THAT(Message(refusal), HasSubstr("labels"));
}

TEST_F(ViewsTest, DamagedPredictionsAreAnError) {
  SafeTensors file;
  file.tensors = {
      Bytes("predictions", {2}, {1, 2}),
      Bytes("labels", {2}, {1, 2}),
      {.name = "mistakes", .dtype = "I64", .shape = {1}, .bytes = {9, 0, 0, 0, 0, 0, 0, 0}},
      Bytes("images", {1, 1, 1, 1}, {0})};
  FillWithArtifact("s", "predictions", SerializeSafeTensors(file));
  EXPECT_TRUE(absl::IsDataLoss(Refusal("/api/sweeps/s/trials/1/predictions")));
  FillWithArtifact("t", "predictions", "no tensors");
  EXPECT_TRUE(absl::IsDataLoss(Refusal("/api/sweeps/t/trials/1/predictions")));
}

TEST_F(ViewsTest, TheTimelineHasWhatRanSince) {
  Fill("s");
  const Json view = Get("/api/workers/timeline", "minutes=5");
  ASSERT_EQ(view["spans"].size(), 3u);
  EXPECT_EQ(view["spans"][0]["trial"], "s/3");
  EXPECT_EQ(view["spans"][0]["worker"], "bench-7");
  EXPECT_EQ(view["spans"][0]["outcome"], "failed");
  EXPECT_EQ(view["left_out"], 0);
}

}  // namespace
}  // namespace sweep
