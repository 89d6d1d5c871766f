// "Fix it and run it again", as a person does it: a sweep that fails, the corrected file, and the
// remains of the first try. The trainer is a shell script, the coordinator that of `sweep run`.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/integration/process.h"

namespace sweep {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Process;
using testing::Result;

constexpr char kAgainSweep[] = R"(name: again
labels: {team: vision}
program: ["sh", "train.sh"]
files: [train.sh]
method: random
parameters:
  lr: {min: 0.01, max: 0.1}
run_cap: 20
epochs: 2
require: {accuracy: ">= 0.5"}
)";

// Each process adds a line to `started`.
std::string Works(const std::string& folder) {
  return "read -r trial\necho x >> '" + folder +
         "/started'\n"
         "name=$(printf '%s' \"$trial\" | sed 's/.*\"trial\":\"\\([^\"]*\\)\".*/\\1/')\n"
         "for epoch in 1 2; do\n"
         "  printf "
         "'{\"type\":\"epoch\",\"trial\":\"%s\",\"epoch\":%d,\"train_loss\":0.5,\"train_accuracy\":"
         "0.6,'"
         "'\"validation_loss\":0.4,\"validation_accuracy\":0.7,\"lr\":0.1}\\n' \"$name\" $epoch\n"
         "done\n"
         "printf '{\"type\":\"done\",\"trial\":\"%s\",\"epochs\":2}\\n' \"$name\"\n";
}

std::string Fails(const std::string& folder) {
  return "read -r trial\necho x >> '" + folder +
         "/started'\n"
         "echo \"loading model $$\"\n"
         "echo \"ModuleNotFoundError: No module named 'torchh'\" >&2\nexit 1\n";
}

class AgainTest : public ::testing::Test {
 protected:
  void SetUp() override {
    file_ = folder_.Write("again.yaml", kAgainSweep);
    folder_.Write("train.sh", Fails(folder_.path()));
  }
  Process::Options Command(std::vector<std::string> words) const {
    words.insert(words.begin(), "sweep");
    return {.command = std::move(words),
            .folder = folder_.path(),
            .environment = {{"SWEEP_TRAINER", "/bin/true"}, {"SWEEP_DATA_DIR", ""}}};
  }
  Result Sweep(std::vector<std::string> words) { return testing::Run(Command(std::move(words))); }
  json Json(std::vector<std::string> words) {
    words.insert(words.end(), {"--format", "json"});
    const Result result = Sweep(words);
    json document = json::parse(result.output, nullptr, /*allow_exceptions=*/false);
    EXPECT_FALSE(document.is_discarded()) << words[0] << ": " << result.output;
    return document;
  }
  // Runs a command on a terminal; somebody types `answer` and nothing more.
  Result Typing(const std::string& answer, const std::vector<std::string>& words) {
    Process::Options options = Command(words);
    options.terminal_columns = 100;
    options.typed = answer;
    return testing::Run(options);
  }
  int Started() {
    std::ifstream file(folder_.path() + "/started");
    int lines = 0;
    for (std::string line; std::getline(file, line);) ++lines;
    return lines;
  }
  void Fix() { folder_.Write("train.sh", Works(folder_.path())); }

  testing::TemporaryFolder folder_;
  std::string file_;
};

TEST_F(AgainTest, RunEndsWhenTheFirstTrialsAllFailAlike) {
  const Result run = Sweep({"run", "again.yaml", "--slots", "2"});
  EXPECT_EQ(run.code, 1) << run.output;
  EXPECT_THAT(run.output, AllOf(HasSubstr("again is paused: the first 3 trials failed alike: "
                                          "ModuleNotFoundError: No module named 'torchh'"),
                                HasSubstr("sweep run again.yaml --slots=2 --new"),
                                HasSubstr("sweep run again.yaml --slots=2 --keep-going")));
  EXPECT_LT(Started(), 12) << "of 60 that 20 trials may have";
  const json shown = Json({"show", "again"});
  EXPECT_EQ(shown["state"], "paused");
  EXPECT_THAT(shown["pause_reason"].get<std::string>(), HasSubstr("failed alike"));
  EXPECT_THAT(Sweep({"show", "again", "--no-plot"}).output, HasSubstr("sweep resume again"));
  EXPECT_THAT(Sweep({"list"}).output, HasSubstr("again is paused: the first 3 trials"));
  EXPECT_THAT(Sweep({"explain", "again/8"}).output, HasSubstr("failed alike"));

  const std::string told = "failed alike";
  EXPECT_EQ(run.output.find(told), run.output.rfind(told)) << "once:\n" << run.output;
  const int before = Started();
  const Result again = Sweep({"run", "again.yaml"});
  EXPECT_EQ(again.code, 1);
  EXPECT_THAT(again.output, HasSubstr("failed alike"));
  EXPECT_EQ(Started(), before) << "nothing of it is begun";
}

TEST_F(AgainTest, KeepGoingGoesOn) {
  // With one slot no other trial runs when the sweep is paused; such a trial would be given back.
  ASSERT_EQ(Sweep({"run", "again.yaml", "--slots", "1"}).code, 1);
  const Result run = Sweep({"run", "again.yaml", "--keep-going"});
  EXPECT_EQ(run.code, 1);
  const json shown = Json({"show", "again"});
  EXPECT_EQ(shown["state"], "completed");
  EXPECT_EQ(shown["status"], "completed, 20 failed");
  EXPECT_EQ(Started(), 60);
  EXPECT_THAT(Sweep({"show", "again", "--no-plot", "--color", "always"}).output,
              HasSubstr("\x1b[31mcompleted, 20 failed"))
      << "what failed is not green";
  EXPECT_THAT(Sweep({"trials", "again", "--color", "always"}).output,
              HasSubstr("\x1b[31mfailed\x1b[0m"));
}

TEST_F(AgainTest, TheFirstTrialCanBeTriedBeforeAnythingIsStored) {
  const Result broken = Sweep({"run", "again.yaml", "--first"});
  EXPECT_EQ(broken.code, 1) << broken.output;
  EXPECT_THAT(broken.output, AllOf(HasSubstr("again/1"), HasSubstr("No module named 'torchh'"),
                                   HasSubstr("it printed last:"), HasSubstr("loading model"),
                                   HasSubstr("nothing was stored")));
  EXPECT_EQ(Started(), 1);
  EXPECT_FALSE(std::filesystem::exists(folder_.path() + "/sweep.db"));
  const std::string told = Sweep({"run", "again.yaml", "--first", "--format", "json"}).output;
  const json failed = json::parse(told.substr(0, told.find("error: ")));
  EXPECT_EQ(failed["works"], false);
  EXPECT_THAT(failed["reason"].get<std::string>(), HasSubstr("torchh"));
  EXPECT_TRUE(failed["first_epoch_seconds"].is_null() && failed["estimated_seconds"].is_null());
  Fix();
  const Result fine = Sweep({"run", "again.yaml", "--first", "--slots", "2"});
  EXPECT_EQ(fine.code, 0) << fine.output;
  EXPECT_THAT(fine.output, AllOf(HasSubstr("epoch 1 of 2 came after"),
                                 HasSubstr("the whole sweep (20 trials) will take about")));
  const json first = Json({"run", "again.yaml", "--first", "--slots", "2"});
  EXPECT_EQ(first["works"], true);
  EXPECT_EQ(first["reason"], "");
  // 20 trials of 2 epochs, two at once. The duration of an epoch is all that is known.
  EXPECT_DOUBLE_EQ(first["estimated_seconds"], first["first_epoch_seconds"].get<double>() * 40 / 2);
  EXPECT_FALSE(std::filesystem::exists(folder_.path() + "/sweep.db"));
}

TEST_F(AgainTest, AKilledTryLeavesNothingBehindTheNextOne) {
  Fix();
  const std::string temporary = folder_.path() + "/tmp";
  std::filesystem::create_directories(temporary + "/sweep-first-killed");
  std::ofstream(temporary + "/sweep-first-killed/lock");  // held by nobody
  std::ofstream(temporary + "/sweep-first-killed/sweep.db") << "of a try that was killed";
  Process::Options options = Command({"run", "again.yaml", "--first"});
  options.environment["TMPDIR"] = temporary;
  const Result result = testing::Run(options);
  EXPECT_EQ(result.code, 0) << result.output;
  EXPECT_TRUE(std::filesystem::is_empty(temporary));
  const std::string nowhere = options.environment["TMPDIR"] = folder_.path() + "/nowhere";
  EXPECT_THAT(testing::Run(options).output,
              HasSubstr("TMPDIR names " + nowhere + ", which is not a folder"));
}

TEST_F(AgainTest, AChangedFileIsShownAndRunsUnderANewName) {
  ASSERT_EQ(Sweep({"run", "again.yaml"}).code, 1);
  Fix();
  const Result refused = Sweep({"run", "again.yaml"});
  EXPECT_EQ(refused.code, 2) << refused.output;
  EXPECT_THAT(refused.output,
              AllOf(HasSubstr("sweep 'again' exists with other content"),
                    HasSubstr("--- train.sh (stored)\n+++ train.sh\n"),
                    HasSubstr("-echo \"ModuleNotFoundError"), HasSubstr("+for epoch in 1 2; do"),
                    HasSubstr("sweep run again.yaml --new"), HasSubstr("sweep delete again"),
                    HasSubstr("sweep rename again again-old")));
  const Result fresh = Sweep({"run", "again.yaml", "--new"});
  EXPECT_EQ(fresh.code, 0) << fresh.output;
  EXPECT_THAT(fresh.output, HasSubstr("running it as again-2"));
  const json shown = Json({"show", "again-2"});
  EXPECT_EQ(shown["trials"]["completed"], 20);
  EXPECT_THAT(shown["source"].get<std::string>(), HasSubstr("name: again-2\n"));
  const Result same = Sweep({"run", "again.yaml"});
  EXPECT_EQ(same.code, 0) << "the copy has this content: " << same.output;
  EXPECT_THAT(same.output, HasSubstr("resuming again-2: 20 of 20 trials ended"));
  ASSERT_EQ(Sweep({"rename", "again-2", "again-old"}).code, 0);
  EXPECT_THAT(Sweep({"run", "again.yaml"}).output, HasSubstr("sweep rename again again-old-2\n"))
      << "a name that is free";
}

TEST_F(AgainTest, KeepGoingMayStandInTheFile) {
  ASSERT_EQ(Sweep({"run", "again.yaml"}).code, 1);
  ASSERT_EQ(Json({"show", "again"})["state"], "paused");
  folder_.Write("again.yaml", std::string(kAgainSweep) + "keep_going: true\n");
  EXPECT_EQ(Sweep({"run", "again.yaml"}).code, 1);
  EXPECT_EQ(Json({"show", "again"})["status"], "completed, 20 failed");
}

TEST_F(AgainTest, AnEditIsShownAndAskedForAndTheSweepGoesOn) {
  Fix();
  ASSERT_EQ(Sweep({"run", "again.yaml"}).code, 0);
  std::string text = kAgainSweep;
  text.replace(text.find("run_cap: 20"), 11, "run_cap: 22");
  text.replace(text.find("max: 0.1"), 8, "max: 0.5");
  folder_.Write("again.yaml", text);
  EXPECT_THAT(Sweep({"run", "again.yaml"}).output, HasSubstr("\n  sweep edit again again.yaml\n"));

  const Result tried = Sweep({"edit", "again", "again.yaml", "--dry-run"});
  EXPECT_EQ(tried.code, 0) << tried.output;
  EXPECT_THAT(tried.output,
              AllOf(HasSubstr("--- again (stored)\n+++ again.yaml\n"),
                    HasSubstr("\n-run_cap: 20\n"), HasSubstr("\n+run_cap: 22\n"),
                    HasSubstr("22 configurations instead of 20; 20 trials made so far are kept"),
                    HasSubstr("nothing was changed")));
  const Result kept = Typing("n\n", {"edit", "again", "again.yaml"});
  EXPECT_EQ(kept.code, 1) << kept.output;
  EXPECT_THAT(kept.output,
              AllOf(HasSubstr("Change it so? [y/N] "), HasSubstr("nothing was changed")));
  EXPECT_EQ(Json({"show", "again"})["revision"], 1);

  const Result edited = Typing("y\n", {"edit", "again", "again.yaml"});
  EXPECT_EQ(edited.code, 0) << edited.output;
  EXPECT_THAT(edited.output, HasSubstr("changed again: its file is revision 2; it goes on"));
  EXPECT_EQ(Json({"show", "again"})["state"], "active");
  ASSERT_EQ(Sweep({"run", "again.yaml"}).code, 0) << "its file is that of the sweep now";
  EXPECT_EQ(Json({"show", "again"})["trials"]["completed"], 22);
  EXPECT_THAT(Sweep({"edit", "again", "again.yaml"}).output,
              HasSubstr("again has this file already"));

  EXPECT_THAT(Sweep({"show", "again", "--no-plot"}).output,
              HasSubstr("revision 2; all of them: sweep show again --revisions"));
  EXPECT_THAT(Sweep({"show", "again", "--revisions"}).output,
              AllOf(HasSubstr("from configuration 1\nname: again\n"),
                    HasSubstr("from configuration 21\n--- revision 1\n+++ revision 2\n")));
  const json revisions = Json({"show", "again", "--revisions"})["revisions"];
  ASSERT_EQ(revisions.size(), 2u);
  EXPECT_EQ(revisions[0]["source"], kAgainSweep);
  EXPECT_EQ(revisions[1]["first_configuration"], 21);
  EXPECT_THAT(Sweep({"replay", "again", "--search"}).output,
              AllOf(HasSubstr("the sweep was edited: 2 files have made its configurations"),
                    HasSubstr("all 22 suggestions are the same")));
  const json replayed = Json({"replay", "again", "--search"});
  EXPECT_EQ(replayed["sweep_files"], 2);
  EXPECT_EQ(replayed["same"], 22);
  EXPECT_EQ(replayed["not_compared"], 0);
}

TEST_F(AgainTest, AnEditThatMakesTrialsIncomparableIsRefusedKeyByKey) {
  Fix();
  ASSERT_EQ(Sweep({"run", "again.yaml"}).code, 0);
  std::string text = kAgainSweep;
  text.replace(text.find("epochs: 2"), 9, "epochs: 3");
  folder_.Write("again.yaml", text + "replicates: 2\n");
  const Result refused = Sweep({"edit", "again", "again.yaml", "--yes"});
  EXPECT_EQ(refused.code, 1) << refused.output;
  EXPECT_THAT(refused.output,
              AllOf(HasSubstr("sweep 'again' cannot be changed so:\n  epochs: 2 cannot become 3; "),
                    HasSubstr("\n  replicates: 1 cannot become 2; "),
                    HasSubstr("sweep run again.yaml --new")));
  EXPECT_THAT(Sweep({"run", "again.yaml"}).output, Not(HasSubstr("sweep edit")));
  EXPECT_EQ(Json({"show", "again"})["revision"], 1);
  EXPECT_EQ(Sweep({"edit", "agian", "again.yaml"}).code, 2);
  EXPECT_EQ(Sweep({"edit", "again", "none.yaml"}).code, 2);
  folder_.Write("again.yaml", "name: again\n");
  EXPECT_EQ(Sweep({"edit", "again", "again.yaml"}).code, 2);
}

TEST_F(AgainTest, ASweepBeginsWithEarlierResults) {
  Fix();
  ASSERT_EQ(Sweep({"run", "again.yaml"}).code, 0);
  std::string text = kAgainSweep;
  text.replace(text.find("name: again"), 11, "name: warm");
  text.replace(text.find("method: random"), 14, "method: gp\nwarm_start: again");
  text.replace(text.find("run_cap: 20"), 11, "run_cap: 2");
  folder_.Write("warm.yaml", text);
  const Result run = Sweep({"run", "warm.yaml"});
  ASSERT_EQ(run.code, 0) << run.output;
  const json shown = Json({"show", "warm"});
  EXPECT_EQ(shown["trials"]["completed"], 2);
  EXPECT_EQ(shown["warm_starts"][0]["source"], "again");
  EXPECT_EQ(shown["warm_starts"][0]["taken"], 20);
  EXPECT_THAT(Sweep({"show", "warm", "--no-plot"}).output,
              HasSubstr("20 configurations of again\n"));

  const auto refusal = [&](const std::string& before, const std::string& after) {
    std::string other = text;
    other.replace(other.find("name: warm"), 10, "name: other");
    other.replace(other.find(before), before.size(), after);
    folder_.Write("other.yaml", other);
    const Result refused = Sweep({"run", "other.yaml"});
    EXPECT_EQ(refused.code, 2) << refused.output;
    return refused.output;
  };
  EXPECT_THAT(refusal("warm_start: again", "warm_start: agian"),
              HasSubstr("warm_start: 'agian' is no sweep of this coordinator"));
  EXPECT_THAT(refusal("epochs: 2", "epochs: 2\nmetric: {name: validation_loss, goal: minimize}"),
              HasSubstr("metric: the highest accuracy there, the lowest validation_loss here"));
  EXPECT_THAT(refusal("warm_start: again", "warm_start: other"),
              HasSubstr("warm_start: 'other' is no sweep of this coordinator"));
  EXPECT_THAT(
      refusal("method: gp", "method: sobol"),
      HasSubstr("'warm_start' goes with a method that learns (tpe, gp, cmaes); 'sobol' does"));
  EXPECT_EQ(Json({"list"}).size(), 2u) << "nothing was stored";
}

TEST_F(AgainTest, ADeletionIsAskedForOnATerminal) {
  Fix();
  ASSERT_EQ(Sweep({"run", "again.yaml"}).code, 0);
  for (const char* answer : {"n\n", "\n", "delete\n", ""}) {
    const Result kept = Typing(answer, {"delete", "again"});
    EXPECT_EQ(kept.code, 1) << kept.output;
    EXPECT_THAT(kept.output,
                AllOf(HasSubstr("again: completed, 20 of 20 trials ended, about "),
                      HasSubstr("Delete for good? [y/N] "), HasSubstr("nothing was deleted")));
    EXPECT_EQ(Json({"list"}).size(), 1u) << answer;
  }
  const Result deleted = Typing("y\n", {"delete", "again"});
  EXPECT_EQ(deleted.code, 0) << deleted.output;
  EXPECT_THAT(deleted.output, HasSubstr("deleted again: 20 trials"));
  EXPECT_TRUE(Json({"list"}).empty());
  ASSERT_EQ(Sweep({"run", "again.yaml"}).code, 0);
  const Result unasked = Typing("", {"delete", "again", "--yes"});
  EXPECT_EQ(unasked.code, 0) << unasked.output;
  EXPECT_THAT(unasked.output, Not(HasSubstr("[y/N]")));
}

TEST_F(AgainTest, ADeletedSweepLeavesItsNameToTheCorrectedFile) {
  ASSERT_EQ(Sweep({"run", "again.yaml"}).code, 1);
  Fix();
  EXPECT_EQ(Sweep({"delete", "agian"}).code, 2);
  EXPECT_EQ(Sweep({"delete", "again", "agian", "--yes"}).code, 2) << "all are there, or none goes";
  EXPECT_EQ(Json({"list"}).size(), 1u);
  const json deleted = Json({"delete", "again", "--yes"});
  EXPECT_EQ(deleted[0]["name"], "again");
  EXPECT_TRUE(Json({"list"}).empty());
  EXPECT_EQ(Sweep({"show", "again"}).code, 2);
  const Result run = Sweep({"run", "again.yaml"});
  EXPECT_EQ(run.code, 0) << run.output;
  EXPECT_EQ(Json({"show", "again"})["trials"]["completed"], 20);
}

TEST_F(AgainTest, OneThatIsRenamedOrArchivedIsOutOfTheWay) {
  Fix();
  ASSERT_EQ(Sweep({"run", "again.yaml"}).code, 0);
  const Result renamed = Sweep({"rename", "again", "before"});
  EXPECT_EQ(renamed.code, 0) << renamed.output;
  EXPECT_EQ(Sweep({"best", "before"}).code, 0);
  EXPECT_EQ(Sweep({"trial", "before/1", "--no-plot"}).code, 0);
  EXPECT_EQ(Sweep({"rename", "before", "two words"}).code, 2);
  const Result copy = Sweep({"run", "again.yaml"});
  EXPECT_EQ(copy.code, 0) << copy.output;
  EXPECT_THAT(copy.output, HasSubstr("again says the same as before but for its name"));

  EXPECT_EQ(Sweep({"archive", "again"}).code, 0);
  EXPECT_EQ(Json({"list"}).size(), 1u);
  EXPECT_EQ(Json({"list", "--all"}).size(), 2u);
  EXPECT_THAT(Sweep({"best"}).output, Not(HasSubstr("again/"))) << "it is not the newest";
  EXPECT_EQ(Sweep({"show", "again", "--no-plot"}).code, 0);
  EXPECT_EQ(Sweep({"archive", "again", "--undo"}).code, 0);
  EXPECT_EQ(Json({"list"}).size(), 2u);
}

TEST_F(AgainTest, TheListIsFilteredAndTellsWhatSweepsTakeOnDisk) {
  Fix();
  ASSERT_EQ(Sweep({"run", "again.yaml"}).code, 0);
  const json all = Json({"list"});
  EXPECT_GT(all[0]["disk_bytes"], 20 * 2 * 100);
  EXPECT_EQ(all[0]["labels"]["team"], "vision");
  EXPECT_EQ(Json({"list", "--state", "completed", "--label", "team=vision"}).size(), 1u);
  EXPECT_EQ(Json({"list", "--label", "team"}).size(), 1u);
  EXPECT_TRUE(Json({"list", "--label", "team=audio"}).empty());
  EXPECT_TRUE(Json({"list", "--state", "active,paused"}).empty());
  EXPECT_TRUE(Json({"list", "--state", "failed"}).empty());
  EXPECT_EQ(Sweep({"list", "--state", "complete"}).code, 2);
}

}  // namespace
}  // namespace sweep
