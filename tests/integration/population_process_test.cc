// Population based training with the real programs: a sweep as a person submits it, its lineage,
// its training again, and a coordinator that is killed on the way.

#include <gmock/gmock.h>
#include <signal.h>
#include <sqlite3.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/integration/recovery_testing.h"

namespace sweep::testing {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr int kSegments = 8;

class PopulationTest : public RecoveryTest {
 protected:
  // A population whose members wait for each other: then the worst is always replaced by a copy.
  // Without waiting it depends on which segment ends first, and there may be no copy at all.
  static std::string Text(const std::string& more = "", bool synchronous = true) {
    return "name: s\nmodel: cnn-18718\ndataset: {name: synthetic, train: 256, test: 128}\n"
           "method: pbt\nepochs: 4\nseed: 3\n"
           "pbt: {population: 4, segment_epochs: 2, synchronous: " +
           std::string(synchronous ? "true" : "false") + "}\n" + more +
           "parameters:\n  lr: {distribution: log_uniform_values, min: 0.001, max: 0.3}\n"
           "  dropout: {min: 0.0, max: 0.3}\n  batch_size: {values: [32, 64]}\n";
  }
  // Trains it to its end with the client alone.
  void Train() {
    const Result run = Client({"run", folder_.Write("s.yaml", Text()), "--slots", "2", "--quiet"});
    ASSERT_THAT(run.code, ::testing::AnyOf(0, 3)) << run.output;
  }
  Result Client(std::vector<std::string> words) {
    words.insert(words.begin(), "sweep");
    return testing::Run({.command = std::move(words), .folder = folder_.path()});
  }
  json Json(std::vector<std::string> words, int code = 0) {
    words.insert(words.end(), {"--quiet", "--format", "json"});
    const Result result = Client(words);
    EXPECT_EQ(result.code, code) << result.output;
    return json::parse(result.output, nullptr, /*allow_exceptions=*/false);
  }
  void Change(const std::string& sql) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open_v2((folder_.path() + "/sweep.db").c_str(), &database,
                              SQLITE_OPEN_READWRITE, nullptr),
              SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(database);
    sqlite3_close(database);
  }
  void StartCoordinator(const std::string& listen) {
    coordinator_ = std::make_unique<Process>(Process::Options{
        .command = {"sweep-coordinator", "--http", "off", "--listen", listen, "--db", "sweep.db"},
        .folder = folder_.path()});
    address_ = WaitForAddress(*coordinator_);
    ASSERT_NO_FATAL_FAILURE(ConnectTo(address_));
  }

  std::unique_ptr<Process> coordinator_;
  std::string address_;
};

// Looks at each segment of a population that has been trained to its end.
void ExpectAPopulation(const json& trials) {
  ASSERT_EQ(trials.size(), static_cast<std::size_t>(kSegments)) << trials;
  for (const json& trial : trials) {
    EXPECT_EQ(trial["state"], "completed") << trial;
    EXPECT_EQ(trial["epochs"], 4);
    if (trial["parent"].is_null()) {
      EXPECT_EQ(trial["start_epoch"], 0);
      EXPECT_EQ(trial["epoch"], 2);
      EXPECT_EQ(trial["target_epoch"], 2);
      continue;
    }
    EXPECT_EQ(trial["start_epoch"], 2);
    EXPECT_EQ(trial["epoch"], 4);
    EXPECT_GE(trial["best_epoch"], 3) << "the best of its own epochs";
    EXPECT_TRUE(trial["target_epoch"].is_null());
    const json& parent = trials[trial["parent"].get<std::size_t>() - 1];
    const bool is_copy = trial["chosen_source"] == "copied";
    EXPECT_EQ(parent["member"] != trial["member"], is_copy) << trial;
    EXPECT_EQ(parent["parameters"] == trial["parameters"], !is_copy) << trial;
  }
}

TEST_F(PopulationTest, IsTrainedToItsEndAndShowsItsLineage) {
  ASSERT_NO_FATAL_FAILURE(Train());
  ASSERT_NO_FATAL_FAILURE(ExpectAPopulation(Json({"trials", "s"})));
  const json copies = Json({"trials", "s", "--where", "chosen_source == 'copied'"});
  ASSERT_GE(copies.size(), 1u);
  const std::string name = copies[0]["trial"];
  const json trial = Json({"trial", name});
  ASSERT_EQ(trial["lineage"].size(), 2u) << trial;
  EXPECT_EQ(trial["lineage"][0]["trial"], copies[0]["parent"]);
  EXPECT_EQ(trial["lineage"][0]["epoch"], 2);
  EXPECT_EQ(trial["lineage"][1]["start_epoch"], 2);
  EXPECT_EQ(trial["lineage"][1]["parameters"], copies[0]["parameters"]);
  EXPECT_EQ(trial["spec"]["start_epoch"], 2);
  EXPECT_THAT(Client({"trial", name}).output,
              AllOf(HasSubstr("epochs 3 to 4 of 4"), HasSubstr("LINEAGE"),
                    HasSubstr("a copy of a better member with changed values")));
  EXPECT_THAT(Client({"trials", "s", "--columns", "trial,member,parent,start_epoch,lr"}).output,
              HasSubstr("PARENT  START EPOCH"));
  EXPECT_THAT(Client({"explain", name}).output, HasSubstr("it completed"));
  EXPECT_EQ(Json({"trials", "s", "--where", "start_epoch == 2"}).size(), 4u);
  EXPECT_EQ(Client({"model", name, "-o", "net"}).code, 0);
  const Result checked = testing::Run(
      {.command = {"sweep-coordinator", "--check", "--db", "sweep.db"}, .folder = folder_.path()});
  EXPECT_EQ(checked.code, 0) << checked.output;
}

TEST_F(PopulationTest, DecisionsAndSegmentsAreRepeatedAlsoWithoutTheParentsCheckpoint) {
  ASSERT_NO_FATAL_FAILURE(Train());
  EXPECT_EQ(Client({"replay", "s", "--search"}).output, "all 8 suggestions are the same\n");
  const json copies = Json({"trials", "s", "--where", "chosen_source == 'copied'"});
  ASSERT_GE(copies.size(), 1u);
  const std::string name = copies[0]["trial"];
  const Result again = Client({"replay", name});
  EXPECT_EQ(again.code, 0) << again.output;
  EXPECT_THAT(again.output, HasSubstr("all 2 epochs are the same, bit for bit"));

  Change("UPDATE trials SET checkpoint_sha256 = '', checkpoint_epoch = 0");
  const Result walked = Client({"replay", name});
  EXPECT_EQ(walked.code, 0) << walked.output;
  EXPECT_THAT(walked.output, AllOf(HasSubstr("all 2 epochs are the same, bit for bit"),
                                   HasSubstr("began with is not there: training s/")));
}

TEST_F(PopulationTest, ASearchThatWouldDecideOtherwiseIsFound) {
  ASSERT_NO_FATAL_FAILURE(Train());
  Change(
      "UPDATE configurations SET parent = (SELECT parent FROM configurations WHERE number = 8) "
      "% 4 + 1 WHERE number = 8");
  const Result again = Client({"replay", "s", "--search"});
  EXPECT_EQ(again.code, 1);
  EXPECT_THAT(again.output, HasSubstr("7 of 8 suggestions are the same"));
}

TEST_F(PopulationTest, ItGoesOnWhileTheCoordinatorIsKilledAgainAndAgain) {
  ASSERT_NO_FATAL_FAILURE(StartCoordinator("127.0.0.1:0"));
  ASSERT_NO_FATAL_FAILURE(Submit(Text("", /*synchronous=*/false)));
  const auto worker = StartWorker("w", address_, 2);
  for (const int trials : {2, 4, 6}) {
    ASSERT_TRUE(Eventually([&] { return Trial(trials).epoch() > 0; })) << worker->Output();
    coordinator_->Signal(SIGKILL);
    EXPECT_EQ(coordinator_->Wait(), 128 + SIGKILL);
    ASSERT_NO_FATAL_FAILURE(StartCoordinator(address_));
  }
  ASSERT_TRUE(Eventually([&] { return Completed(); })) << coordinator_->Output();
  const Result trials = Sweep({"trials", "s", "--format", "json"});
  ASSERT_NO_FATAL_FAILURE(
      ExpectAPopulation(json::parse(trials.output, nullptr, /*allow_exceptions=*/false)));
  EXPECT_EQ(Sweep({"replay", "s", "--search"}).output, "all 8 suggestions are the same\n");
}

TEST_F(PopulationTest, WhatDoesNotGoWithItIsRefused) {
  EXPECT_THAT(Client({"validate", folder_.Write("s.yaml", Text("replicates: 2\n"))}).output,
              HasSubstr("s.yaml:8: 'replicates' does not go with method pbt"));
  ASSERT_NO_FATAL_FAILURE(Train());
  const Result edit =
      Client({"edit", "s", folder_.Write("t.yaml", Text("max_failures: 2\n")), "--yes"});
  EXPECT_EQ(edit.code, 1) << edit.output;
  EXPECT_THAT(edit.output, HasSubstr("a population goes on with the file that it began with"));
  const Result extend = Client({"extend", "s", "--run-cap", "9"});
  EXPECT_NE(extend.code, 0);
  EXPECT_THAT(extend.output, HasSubstr("its population of 4 is trained in 2 segments each, 8"));
}

}  // namespace
}  // namespace sweep::testing
