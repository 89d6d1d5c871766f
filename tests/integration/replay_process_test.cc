// `sweep suggest` and `sweep replay` as a person uses them, with the real trainer.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>

#include <filesystem>
#include <nlohmann/json.hpp>

#include "fmt/format.h"
#include "tests/integration/process.h"

namespace sweep {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Process;
using testing::Result;
using ::testing::StartsWith;

class ReplayTest : public ::testing::Test {
 protected:
  // Runs a sweep of this method to its end.
  void Train(const std::string& method, int run_cap) {
    file_ = folder_.Write(
        "r.yaml", fmt::format("name: r\nmodel: cnn-18718\n"
                              "dataset: {{name: synthetic, train: 256, test: 128}}\nmethod: {}\n"
                              "run_cap: {}\nepochs: 2\nparameters:\n"
                              "  lr: {{distribution: log_uniform_values, min: 0.001, max: 0.1}}\n"
                              "  momentum: {{min: 0.0, max: 0.95}}\n{}",
                              method, run_cap,
                              method == "grid" ? "" : "try_first: [{lr: 0.01, momentum: 0.5}]\n"));
    const Result run = Sweep({"run", file_, "--quiet"});
    // No gate is set, so it ends with what it has.
    ASSERT_THAT(run.code, ::testing::AnyOf(0, 3)) << run.output;
  }
  Process::Options Command(std::vector<std::string> words) const {
    words.insert(words.begin(), "sweep");
    return {.command = std::move(words), .folder = folder_.path()};
  }
  Result Sweep(std::vector<std::string> words) { return testing::Run(Command(std::move(words))); }
  json Json(std::vector<std::string> words, int code = 0) {
    words.insert(words.end(), {"--quiet", "--format", "json"});
    const Result result = Sweep(words);
    EXPECT_EQ(result.code, code) << result.output;
    json document = json::parse(result.output, nullptr, /*allow_exceptions=*/false);
    EXPECT_FALSE(document.is_discarded()) << words[0] << ": " << result.output;
    return document;
  }
  void Change(const std::string& sql) {
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open_v2((folder_.path() + "/sweep.db").c_str(), &database,
                              SQLITE_OPEN_READWRITE, nullptr),
              SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(database);
    EXPECT_EQ(sqlite3_changes(database), 1);
    sqlite3_close(database);
  }

  testing::TemporaryFolder folder_;
  std::string file_;
};

TEST_F(ReplayTest, ASearchThatLearnedSuggestsTheSameAgain) {
  Train("gp", 14);
  const Result again = Sweep({"replay", "r", "--search"});
  EXPECT_EQ(again.code, 0) << again.output;
  EXPECT_EQ(again.output, "all 14 suggestions are the same\n");
  const json document = Json({"replay", "r", "--search"});
  EXPECT_EQ(document["configurations"], 14);
  EXPECT_EQ(document["compared"], 14);
  EXPECT_EQ(document["same"], 14);
  EXPECT_EQ(document["differences"], json::array());
}

TEST_F(ReplayTest, WhatIsSuggestedNextIsWhatComesNext) {
  Train("gp", 12);
  const json suggested = Json({"suggest", "r", "--count", "3"});
  ASSERT_EQ(suggested.size(), 3u);
  EXPECT_EQ(suggested[0]["configuration"], 13);
  EXPECT_EQ(suggested[2]["configuration"], 15);
  EXPECT_EQ(suggested[0]["model"], "cnn-18718");
  EXPECT_EQ(suggested[0]["network_parameters"], 18718);
  EXPECT_EQ(suggested[0]["chosen_by"], "gp");
  EXPECT_EQ(suggested[0]["chosen_source"], "model");
  EXPECT_GE(suggested[0]["expected_improvement"], 0.0);
  EXPECT_EQ(suggested[0]["seen_results"], 12);
  EXPECT_EQ(Json({"suggest", "r", "--count", "3"}), suggested) << "nothing was stored";
  EXPECT_EQ(Json({"trials", "r"}).size(), 12u);
  EXPECT_THAT(Sweep({"suggest", "r"}).output,
              AllOf(HasSubstr("HYPERPARAMETERS"), HasSubstr("\n13  lr="), HasSubstr("\n17  lr=")));

  EXPECT_THAT(Sweep({"show", "r", "--no-plot"}).output, HasSubstr("1 from try_first, "));
  EXPECT_THAT(Sweep({"preview", file_, "--gflops", "50"}).output,
              AllOf(HasSubstr("try_first\n"), HasSubstr("start_up\n"),
                    HasSubstr("once 10 configurations have ended, the model of gp chooses")));

  // It had seen all results, so its next point is that one, whatever comes after.
  ASSERT_EQ(Sweep({"extend", "r", "--run-cap", "14"}).code, 0);
  Sweep({"run", file_, "--slots", "1", "--quiet"});
  const json trials = Json({"trials", "r"});
  ASSERT_EQ(trials.size(), 14u);
  EXPECT_EQ(trials[12]["parameters"], suggested[0]["parameters"]);
  Process::Options with_variable = Command({"replay", "r", "--search"});
  with_variable.environment["SWEEP_DATA_DIR"] = folder_.path();
  EXPECT_EQ(testing::Run(with_variable).output, "all 14 suggestions are the same\n");
}

TEST_F(ReplayTest, APointThatTheSearchWouldNotMakeIsShown) {
  Train("sobol", 5);
  Change(
      "UPDATE configurations SET parameters = json_set(parameters, '$.lr', 0.05) WHERE number = 3");
  const Result again = Sweep({"replay", "r", "--search"});
  EXPECT_EQ(again.code, 1);
  EXPECT_THAT(again.output,
              AllOf(HasSubstr("4 of 5 suggestions are the same; the first that differs is "
                              "configuration 3:\n"),
                    HasSubstr("  stored     lr=0.05 momentum="), HasSubstr("  suggested  lr=")));
  const json document = Json({"replay", "r", "--search"}, 1);
  EXPECT_EQ(document["same"], 4);
  ASSERT_EQ(document["differences"].size(), 1u);
  EXPECT_EQ(document["differences"][0]["configuration"], 3);
  EXPECT_EQ(document["differences"][0]["stored"]["lr"], 0.05);
  EXPECT_NE(document["differences"][0]["suggested"]["lr"], 0.05);
}

TEST_F(ReplayTest, ASpaceWithoutMorePointsSaysSo) {
  file_ = folder_.Write("r.yaml",
                        "name: r\nmodel: cnn-18718\n"
                        "dataset: {name: synthetic, train: 128, test: 64}\nmethod: grid\n"
                        "epochs: 1\nparameters: {lr: {values: [0.01, 0.02]}}\n");
  Sweep({"run", file_, "--quiet"});
  const Result next = Sweep({"suggest", "r"});
  EXPECT_EQ(next.code, 0);
  EXPECT_EQ(next.output,
            "nothing to try next: the search space has only 2 points that satisfy the constraints "
            "and can be built\n");
  EXPECT_EQ(Sweep({"replay", "r", "--search"}).output, "all 2 suggestions are the same\n");
}

TEST_F(ReplayTest, ATrialTrainsToTheSameEpochs) {
  Train("random", 2);
  const Result again = Sweep({"replay", "r/2"});
  EXPECT_EQ(again.code, 0) << again.output;
  EXPECT_THAT(again.output, AllOf(HasSubstr("all 2 epochs are the same, bit for bit\n"),
                                  HasSubstr("then  sweep-trainer "), HasSubstr("DIFFERENCE")));
  const json document = Json({"replay", "r/2"});
  EXPECT_EQ(document["result"], "same");
  EXPECT_EQ(document["good"], true);
  EXPECT_EQ(document["trainer"], document["stored_trainer"]);
  EXPECT_NE(document["trainer"]["build_id"], "");
  EXPECT_NE(document["trainer"]["instructions"], "");
  ASSERT_EQ(document["repeated_epochs"].size(), 2u);
  EXPECT_EQ(document["repeated_epochs"][1]["epoch"], 2);
  EXPECT_EQ(document["repeated_epochs"][1]["difference"], 0);
  EXPECT_TRUE(document["repeated_epochs"][1]["values"]["train_loss"]["same"]);

  const json first = Json({"replay", "r/2", "--epochs", "1"});
  EXPECT_EQ(first["repeated_epochs"].size(), 1u);
  EXPECT_EQ(first["result"], "same") << "the schedule is that of all epochs";
  EXPECT_EQ(Json({"trials", "r"}).size(), 2u);
}

TEST_F(ReplayTest, AnotherBackendIsHeldAgainstTheTolerance) {
  Train("random", 1);
  const Result again = Sweep({"replay", "r/1", "--backend", "torch"});
  EXPECT_EQ(again.code, 0) << again.output;
  EXPECT_THAT(again.output, HasSubstr("within the tolerance"));
  EXPECT_THAT(again.output, HasSubstr("backend lanes, here torch"));
}

TEST_F(ReplayTest, AnEpochThatDoesNotComeAgainIsFound) {
  Train("random", 1);
  Change("UPDATE epoch_reports SET train_loss = train_loss * 1.0001 WHERE epoch = 2");
  const Result again = Sweep({"replay", "r/1"});
  EXPECT_EQ(again.code, 1);
  EXPECT_THAT(again.output, AllOf(HasSubstr("train_loss"), HasSubstr("epoch 2 differs, although")));
  EXPECT_EQ(Sweep({"replay", "r/1", "--epochs", "1"}).code, 0);

  // Nothing is expected bit for bit of what is not known.
  Change("UPDATE attempts SET trainer = ''");
  const Result unknown = Sweep({"replay", "r/1"});
  EXPECT_EQ(unknown.code, 0) << unknown.output;
  EXPECT_THAT(unknown.output, AllOf(HasSubstr("then  not known"), HasSubstr("within the tolerance"),
                                    HasSubstr("it is not known what trained it then")));
}

TEST_F(ReplayTest, CtrlCEndsItCleanly) {
  Train("random", 1);
  const std::string trainer = folder_.Write("slow.sh", "#!/bin/sh\n: > started\nsleep 600\n");
  std::filesystem::permissions(trainer, std::filesystem::perms::owner_all);
  Process replay(Command({"replay", "r/1", "--trainer", trainer}));
  ASSERT_TRUE(
      testing::Eventually([&] { return std::filesystem::exists(folder_.path() + "/started"); }));
  replay.Signal(SIGINT);
  EXPECT_EQ(replay.Wait(), 130);
  EXPECT_THAT(replay.Output(), HasSubstr("stopped before the end of the first epoch"));
}

TEST_F(ReplayTest, WrongArgumentsGetOneError) {
  Train("random", 1);
  const std::vector<std::pair<std::vector<std::string>, std::string>> commands = {
      {{"replay", "r"}, "'r' is no trial"},
      {{"replay", "r/1", "--search"}, "--search goes with a sweep"},
      {{"replay", "r", "--search", "--epochs", "1"}, "--epochs goes with a trial"},
      {{"replay", "r/9"}, "r/9"},
      {{"replay", "q/1"}, "q"},
      {{"replay", "q", "--search"}, "'q'"},
      {{"replay", "r/1", "--epochs", "0"}, "--epochs"},
      {{"replay", "r/1", "--backend", "lane"}, "lanes"},
      {{"replay"}, "NAME[/N]"},
      {{"suggest", "q"}, "'q'"},
      {{"suggest", "r", "--count", "0"}, "--count"},
      {{"suggest", "r", "--count", "65"}, "--count"},
  };
  for (const auto& [words, message] : commands) {
    const Result result = Sweep(words);
    EXPECT_EQ(result.code, 2) << words.back() << ": " << result.output;
    EXPECT_THAT(result.output, HasSubstr(message));
    EXPECT_THAT(result.output, StartsWith("error: "));
    EXPECT_EQ(result.output.find("error: ", 1), std::string::npos) << result.output;
  }
  const Result trainer = Sweep({"replay", "r/1", "--trainer", "/no/such"});
  EXPECT_EQ(trainer.code, 2);
  EXPECT_THAT(trainer.output, HasSubstr("/no/such"));
}

TEST_F(ReplayTest, ATrialWithoutAnEpochHasNothingToCompare) {
  file_ = folder_.Write("r.yaml",
                        "name: r\nprogram: [sh, -c, 'exit 1']\nmethod: grid\nepochs: 1\n"
                        "max_failures: 1\nparameters: {lr: {values: [0.01]}}\n");
  Sweep({"run", file_, "--quiet"});
  const Result result = Sweep({"replay", "r/1"});
  EXPECT_EQ(result.code, 1);
  EXPECT_EQ(result.output, "error: r/1 is failed and has no epoch to compare with\n");
}

// Measures the epochs that the file `epochs` names.
TEST_F(ReplayTest, EpochsAreComparedByTheirNumbers) {
  const auto measure = [&](const std::string& epochs) { folder_.Write("epochs", epochs); };
  measure("2 4");
  folder_.Write("train.sh",
                "read -r trial\n"
                "name=$(printf '%s' \"$trial\" | sed 's/.*\"trial\":\"\\([^\"]*\\)\".*/\\1/')\n"
                "for epoch in $(cat '" +
                    folder_.path() +
                    "/epochs'); do\n"
                    "  printf '{\"type\":\"epoch\",\"trial\":\"%s\",\"epoch\":%d,\"metrics\":"
                    "{\"f1\":0.%d}}\\n' \"$name\" $epoch $epoch\n"
                    "done\n"
                    "printf '{\"type\":\"done\",\"trial\":\"%s\",\"epochs\":4}\\n' \"$name\"\n");
  file_ = folder_.Write("r.yaml",
                        "name: r\nprogram: [sh, train.sh]\nfiles: [train.sh]\nmethod: grid\n"
                        "metric: {name: f1, goal: maximize}\nepochs: 4\n"
                        "parameters: {lr: {values: [0.01]}}\n");
  Sweep({"run", file_, "--quiet"});
  const auto replayed = [&](int code, std::vector<std::string> more = {}) {
    std::vector<std::string> words = {"replay", "r/1", "--allow-program"};
    words.insert(words.end(), more.begin(), more.end());
    return Json(std::move(words), code);
  };
  EXPECT_EQ(replayed(0)["result"], "same");
  measure("1 2 3 4");
  const json more = replayed(0);
  EXPECT_EQ(more["result"], "same") << "what was not stored is not compared";
  EXPECT_EQ(more["repeated_epochs"].size(), 2u);
  EXPECT_EQ(replayed(0, {"--epochs", "3"})["repeated_epochs"].size(), 1u) << "epoch 2";
  const Result none = Sweep({"replay", "r/1", "--allow-program", "--epochs", "1"});
  EXPECT_EQ(none.code, 2);
  EXPECT_EQ(none.output, "error: --epochs 1: no epoch of r/1 up to that one is stored\n");

  for (const auto& [epochs, reason] : std::vector<std::pair<std::string, std::string>>{
           {"3 4", "epoch 2 was not measured"}, {"2", "the training ended after epoch 2"}}) {
    measure(epochs);
    const Result result = Sweep({"replay", "r/1", "--allow-program"});
    EXPECT_EQ(result.code, 1);
    EXPECT_THAT(result.output, AllOf(HasSubstr("only 1 of 2 epochs came again: "),
                                     HasSubstr(reason), Not(HasSubstr("bit for bit"))));
    EXPECT_THAT(Sweep({"replay", "r/1", "--allow-program", "--format", "json"}).output,
                AllOf(HasSubstr("\"result\": \"incomplete\""), HasSubstr("\"good\": false")));
  }
}

TEST_F(ReplayTest, AProgramOfTheSweepIsRunOnlyWhenAllowed) {
  folder_.Write("train.sh",
                "read -r trial\n"
                "name=$(printf '%s' \"$trial\" | sed 's/.*\"trial\":\"\\([^\"]*\\)\".*/\\1/')\n"
                "for epoch in 1 2; do\n"
                "  printf '{\"type\":\"epoch\",\"trial\":\"%s\",\"epoch\":%d,\"metrics\":"
                "{\"f1\":0.%d}}\\n' \"$name\" $epoch $epoch\n"
                "done\n");
  file_ = folder_.Write("r.yaml",
                        "name: r\nprogram: [sh, train.sh]\nfiles: [train.sh]\nmethod: grid\n"
                        "metric: {name: f1, goal: maximize}\nepochs: 2\n"
                        "parameters: {lr: {values: [0.01]}}\n");
  Sweep({"run", file_, "--quiet"});
  std::filesystem::remove(folder_.path() + "/train.sh");  // the coordinator has it
  const Result refused = Sweep({"replay", "r/1"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.output, HasSubstr("--allow-program"));
  const Result again = Sweep({"replay", "r/1", "--allow-program"});
  EXPECT_EQ(again.code, 0) << again.output;
  EXPECT_THAT(again.output, HasSubstr("all 2 epochs are the same, bit for bit"));
  const Result flag = Sweep({"replay", "r/1", "--allow-program", "--backend", "torch"});
  EXPECT_EQ(flag.code, 2);
  EXPECT_THAT(flag.output, HasSubstr("--backend does not go with"));
}

}  // namespace
}  // namespace sweep
