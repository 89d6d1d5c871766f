// Every printed command works when it is pasted into a shell. The test collects commands that
// programs print in real situations, in a folder and with a database whose names need quoting, and
// runs them.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <regex>

#include "tests/integration/process.h"

namespace sweep {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using testing::Eventually;
using ::testing::HasSubstr;
using testing::Process;
using testing::Result;

constexpr char kDatabase[] = "a $HOME 'b'/x y.db";
constexpr char kFile[] = "-a long `one`.yaml";

class PrintedCommandsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(folder_.path() + "/a $HOME 'b'");
    folder_.Write(kFile,
                  "name: night\n"
                  "program: [sh, train.sh]\n"
                  "files: [train.sh]\n"
                  "method: random\n"
                  "parameters: {lr: {min: 0.01, max: 0.1}}\n"
                  "run_cap: 2\n"
                  "epochs: 3\n"
                  "max_failures: 1\n"
                  "require: {accuracy: \">= 0.5\"}\n");
    folder_.Write(
        "train.sh",
        "read -r trial\n"
        "name=$(printf '%s' \"$trial\" | sed 's/.*\"trial\":\"\\([^\"]*\\)\".*/\\1/')\n"
        "[ ! -e '" +
            folder_.path() +
            "/fail' ] || exit 3\n"
            "for epoch in 1 2 3; do\n"
            "  printf '{\"type\":\"epoch\",\"trial\":\"%s\",\"epoch\":%d,\"train_loss\":0.5,"
            "\"train_accuracy\":0.6,\"validation_loss\":0.4,\"validation_accuracy\":0.7,"
            "\"lr\":0.1}\\n' \"$name\" $epoch\n"
            "  while [ ! -e '" +
            folder_.path() +
            "/go' ]; do sleep 0.05; done\n"
            "done\n"
            "printf '{\"type\":\"done\",\"trial\":\"%s\",\"epochs\":3}\\n' \"$name\"\n");
  }

  Process::Options Options(std::vector<std::string> words) const {
    words.insert(words.begin(), "sweep");
    return {.command = std::move(words),
            .folder = folder_.path(),
            .environment = {{"SWEEP_TRAINER", "/bin/true"}}};
  }
  // Names the database by a flag, which every printed command must repeat.
  std::vector<std::string> WithDatabase(std::vector<std::string> words) const {
    words.insert(words.end(), {"--db", kDatabase});
    return words;
  }
  Result Sweep(const std::vector<std::string>& words) {
    return testing::Run(Options(WithDatabase(words)));
  }
  json Json(std::vector<std::string> words) {
    words.insert(words.end(), {"--format", "json"});
    return json::parse(Sweep(words).output, nullptr, /*allow_exceptions=*/false);
  }

  // The command after `introduction` in a program's output; "" and a failure when there is none.
  std::string Printed(const std::string& output, const std::string& introduction) {
    const std::size_t at = output.find(introduction);
    if (at == std::string::npos) {
      ADD_FAILURE() << "no '" << introduction << "' in\n" << output;
      return "";
    }
    const std::size_t begin = output.find("sweep ", at + introduction.size());
    return output.substr(begin, output.find('\n', begin) - begin);
  }
  // Like a person who pastes it: in the same folder, without the first command's environment.
  Process::Options Pasted(const std::string& command) const {
    return {.command = {"/bin/bash", "-c", command},
            .folder = folder_.path(),
            .environment = {{"PATH", std::string(SWEEP_BIN_FOLDER) + ":/usr/bin:/bin"}}};
  }
  Result Paste(const std::string& command) {
    EXPECT_THAT(command, HasSubstr("--db")) << "it would ask another coordinator";
    return testing::Run(Pasted(command));
  }

  void Go() { folder_.Write("go", ""); }

  testing::TemporaryFolder folder_;
};

TEST_F(PrintedCommandsTest, OfARunThatIsInterrupted) {
  const std::vector<std::string> flags = {
      "--slots=1",           "--device=cpu",       "--threads=1",  "--backend=lanes",
      "--trainer=/bin/true", "--http=127.0.0.1:0", "--keep-going", "--all"};
  std::vector<std::string> words = {"run", std::string("./") + kFile, "--data-dir", folder_.path()};
  words.insert(words.end(), flags.begin(), flags.end());
  Process run(Options(WithDatabase(words)));
  ASSERT_TRUE(Eventually([&] { return run.Output().find("epoch 1") != std::string::npos; }))
      << run.Output();
  run.Signal(SIGINT);
  ASSERT_EQ(run.Wait(), 130) << run.Output();
  EXPECT_THAT(run.Output(), HasSubstr("0 of 2 trials ended, 1 kept at epoch 1"));
  Go();
  const std::string again = Printed(run.Output(), "go on with:");
  for (const std::string& flag : flags) EXPECT_THAT(again, HasSubstr(" " + flag + " "));
  EXPECT_THAT(again, HasSubstr(" --data-dir=" + folder_.path() + " "));
  const Result pasted = Paste(again);
  EXPECT_EQ(pasted.code, 0) << again << '\n' << pasted.output;
  EXPECT_EQ(Json({"show", "night"})["state"], "completed");
}

// A program that ends its last trials when it is told to stop, before the run ends.
TEST_F(PrintedCommandsTest, OfARunThatIsInterruptedAndHasEndedAllTheSame) {
  folder_.Write("train.sh",
                "read -r trial\n"
                "name=$(printf '%s' \"$trial\" | sed 's/.*\"trial\":\"\\([^\"]*\\)\".*/\\1/')\n"
                "for epoch in 1 2 3; do\n"
                "  printf '{\"type\":\"epoch\",\"trial\":\"%s\",\"epoch\":%d,"
                "\"validation_accuracy\":0.7}\\n' \"$name\" $epoch\n"
                "  [ $epoch != 1 ] || while ! read -r stop; do :; done\n"
                "done\n"
                "printf '{\"type\":\"done\",\"trial\":\"%s\",\"epochs\":3}\\n' \"$name\"\n");
  Process run(Options({"run", std::string("./") + kFile, "--slots", "2", "--db", kDatabase}));
  for (const std::string trial : {"night/1", "night/2"}) {
    ASSERT_TRUE(Eventually([&] {
      return run.Output().find(trial + "  epoch 1") != std::string::npos;
    })) << run.Output();
  }
  run.Signal(SIGINT);
  ASSERT_EQ(run.Wait(), 130) << run.Output();
  EXPECT_THAT(run.Output(), AllOf(HasSubstr("stopped: 2 of 2 trials ended;"),
                                  ::testing::Not(HasSubstr("go on with"))));
  const Result best = Paste(Printed(run.Output(), "see the ranking with:"));
  EXPECT_EQ(best.code, 0) << best.output;
  EXPECT_THAT(best.output, HasSubstr("night/1"));
}

TEST_F(PrintedCommandsTest, OfFailuresPausesAndCancellations) {
  folder_.Write("fail", "");
  const Result failed = Sweep({"run", std::string("./") + kFile});
  ASSERT_EQ(failed.code, 1) << failed.output;
  EXPECT_THAT(failed.output, HasSubstr("2 of 2 trials failed for good"));
  const Result listed = Paste(Printed(failed.output, "look at them with:"));
  EXPECT_EQ(listed.code, 0) << listed.output;
  EXPECT_THAT(listed.output, HasSubstr("REASON"));
  EXPECT_THAT(listed.output, HasSubstr("exit"));
  const Result retried = Paste(Printed(failed.output, "try them again with:"));
  EXPECT_EQ(retried.code, 0) << retried.output;
  EXPECT_THAT(retried.output, HasSubstr("2 trials of night are queued again"));

  const Result paused = Sweep({"pause", "night"});
  const Result resumed = Paste(Printed(paused.output, "go on with:"));
  EXPECT_EQ(resumed.code, 0) << resumed.output;

  const Result cancelled = Sweep({"cancel", "night"});
  ASSERT_EQ(cancelled.code, 0) << cancelled.output;
  for (const std::vector<std::string>& words : {std::vector<std::string>{"retry", "night"},
                                                {"resume", "night"},
                                                {"extend", "night", "--run-cap", "9"}}) {
    const Result refused = Sweep(words);
    EXPECT_EQ(refused.code, 1) << words[0];
    EXPECT_THAT(Printed(refused.output, "to continue it:"), HasSubstr("--cancelled")) << words[0];
  }
  const Result continued = Paste(Printed(cancelled.output, "to continue it:"));
  EXPECT_EQ(continued.code, 0) << continued.output;

  std::filesystem::remove(folder_.path() + "/fail");
  Go();
  const Result watched = Sweep({"watch", "night"});
  ASSERT_EQ(watched.code, 1) << "nobody trains it";
  const Result trained = Paste(Printed(watched.output, "go on with:"));
  EXPECT_EQ(trained.code, 0) << trained.output;
  EXPECT_EQ(Json({"show", "night"})["trials"]["completed"], 2);
}

TEST_F(PrintedCommandsTest, OfWhatIsRefusedBecauseItRuns) {
  Process run(Options({"run", std::string("./") + kFile, "--slots", "1", "--db", kDatabase}));
  ASSERT_TRUE(Eventually([&] { return run.Output().find("epoch 1") != std::string::npos; }))
      << run.Output();
  folder_.Write("day.yaml",
                "name: day\nprogram: [sh, train.sh]\nfiles: [train.sh]\n"
                "parameters: {lr: {values: [0.1]}}\nmethod: grid\nepochs: 3\n");
  const Result second = Sweep({"run", "day.yaml"});
  EXPECT_EQ(second.code, 1);
  const Result handed = Paste(Printed(second.output, "hand it this sweep with:"));
  EXPECT_EQ(handed.code, 0) << handed.output;
  EXPECT_EQ(Json({"show", "day"})["state"], "active");
  const Result renamed = Sweep({"rename", "night", "noon"});
  EXPECT_EQ(renamed.code, 1);
  const Result archived = Sweep({"archive", "night"});
  EXPECT_EQ(archived.code, 1);
  const Result removed = Sweep({"delete", "night"});
  EXPECT_EQ(removed.code, 1);
  for (const auto& [output, introduction] : {std::pair{archived.output, "cancel it first:"},
                                             {renamed.output, "wait for its checkpoints:"},
                                             {removed.output, "cancel it first:"}}) {
    const Result pasted = Paste(Printed(output, introduction));
    EXPECT_EQ(pasted.code, 0) << pasted.output;
  }
  EXPECT_EQ(Json({"show", "night"})["state"], "cancelled");
  EXPECT_EQ(Sweep({"cancel", "day"}).code, 0);
  Go();
  run.Wait();
  EXPECT_EQ(Sweep({"delete", "night"}).code, 0);
}

TEST_F(PrintedCommandsTest, OfARunThatPausesBecauseAllFailAlike) {
  folder_.Write("fail", "");
  folder_.Write("many.yaml",
                "name: many\nprogram: [sh, train.sh]\nfiles: [train.sh]\nmethod: random\n"
                "parameters: {lr: {min: 0.01, max: 0.1}}\nrun_cap: 9\nepochs: 3\n"
                "max_failures: 1\n");
  Process::Options options = Options(WithDatabase({"run", "many.yaml", "--slots", "1"}));
  options.environment["SWEEP_DATA_DIR"] = "/nonexistent";
  const Result paused = testing::Run(options);
  ASSERT_EQ(paused.code, 1) << paused.output;
  const std::string told = "failed alike";
  EXPECT_EQ(paused.output.find(told), paused.output.rfind(told)) << "once:\n" << paused.output;
  EXPECT_THAT(paused.output, ::testing::Not(HasSubstr("--data-dir")))
      << "its variable holds for the next command too";
  const Result logs = Paste(Printed(paused.output, "see what was printed:"));
  EXPECT_EQ(logs.code, 0) << logs.output;
  std::filesystem::remove(folder_.path() + "/fail");
  Go();
  const Result anew = Paste(Printed(paused.output, "train it anew:"));
  EXPECT_EQ(anew.code, 0) << anew.output;
  EXPECT_EQ(Json({"show", "many-2"})["trials"]["completed"], 9);
  const Result on = Paste(Printed(paused.output, "or go on with:"));
  EXPECT_EQ(on.code, 1) << "those that failed stay so\n" << on.output;
  EXPECT_EQ(Json({"show", "many"})["trials"]["completed"], 6);
}

TEST_F(PrintedCommandsTest, OfOneTrialAndOfThoseWhoLookOn) {
  Process run(Options({"run", std::string("./") + kFile, "--slots", "1", "--db", kDatabase}));
  ASSERT_TRUE(Eventually([&] { return run.Output().find("epoch 1") != std::string::npos; }))
      << run.Output();
  const Result cancelled = Sweep({"cancel", "night/2"});
  const Result retried = Paste(Printed(cancelled.output, "try it again with:"));
  EXPECT_EQ(retried.code, 0) << retried.output;
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"watch", "night"}, {"logs", "night/1", "--follow"}}) {
    Process looker(Options(WithDatabase(words)));
    // The command has started when it has printed something.
    ASSERT_TRUE(Eventually([&] {
      return testing::IsAlive(looker.pid()) && (words[0] == "watch" || !looker.Output().empty());
    }));
    ASSERT_TRUE(Eventually([&] {
      looker.Signal(SIGINT);
      return looker.Wait(std::chrono::seconds(1)) != -1;
    })) << looker.Output();
    if (looker.Output().find("goes on") == std::string::npos) continue;  // ended before it began
    Process again(Pasted(Printed(looker.Output(), "again with:")));
    ASSERT_TRUE(Eventually([&] { return testing::IsAlive(again.pid()); }));
  }
  Go();
  EXPECT_EQ(run.Wait(), 0) << run.Output();
}

}  // namespace
}  // namespace sweep
