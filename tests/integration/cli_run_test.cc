// `sweep run` among other sweeps and after it was killed, and its output. The trainers are shell
// scripts that come with the sweeps.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tests/integration/process.h"
#include "tests/integration/screen.h"

namespace sweep {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using testing::Eventually;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::Process;
using testing::Result;

constexpr int kColumns = 100;  // of a terminal

class RunTest : public ::testing::Test {
 protected:
  // A sweep of two trials of three epochs. Each trial waits after its first epoch until there is a
  // file go-NAME, and writes a checkpoint when it is told to stop.
  std::string WriteSweep(const std::string& name, const std::string& more = "") {
    folder_.Write(name + ".sh", Script(name));
    return folder_.Write(name + ".yaml", fmt::format("name: {0}\n"
                                                     "program: [sh, {0}.sh]\n"
                                                     "files: [{0}.sh]\n"
                                                     "method: random\n"
                                                     "parameters: {{lr: {{min: 0.01, max: 0.1}}}}\n"
                                                     "run_cap: 2\n"
                                                     "epochs: 3\n"
                                                     "max_failures: 1\n"
                                                     "require: {{accuracy: \">= 0.5\"}}\n"
                                                     "{1}",
                                                     name, more));
  }
  std::string Script(const std::string& name) const {
    return "read -r trial\n"
           "name=$(printf '%s' \"$trial\" | sed 's/.*\"trial\":\"\\([^\"]*\\)\".*/\\1/')\n"
           "[ ! -e '" +
           folder_.path() + "/fail-" + name +
           "' ] || { echo 'no such luck' >&2; exit 3; }\n"
           "for epoch in 1 2 3; do\n"
           "  printf '{\"type\":\"epoch\",\"trial\":\"%s\",\"epoch\":%d,\"train_loss\":0.5,"
           "\"train_accuracy\":0.6,\"validation_loss\":0.4,\"validation_accuracy\":0.7,\"lr\":0.1}"
           "\\n' \"$name\" $epoch\n"
           "  while [ ! -e '" +
           folder_.path() + "/go-" + name +
           "' ]; do sleep 0.05; done\n"
           "done\n"
           "printf '{\"type\":\"done\",\"trial\":\"%s\",\"epochs\":3}\\n' \"$name\"\n";
  }

  Process::Options Command(std::vector<std::string> words) const {
    words.insert(words.begin(), "sweep");
    return {.command = std::move(words),
            .folder = folder_.path(),
            .environment = {{"SWEEP_TRAINER", "/bin/true"}}};
  }
  Result Sweep(std::vector<std::string> words) { return testing::Run(Command(std::move(words))); }
  json Json(std::vector<std::string> words) {
    words.insert(words.end(), {"--format", "json"});
    const Result result = Sweep(words);
    json document = json::parse(result.output, nullptr, /*allow_exceptions=*/false);
    EXPECT_FALSE(document.is_discarded()) << words[0] << ": " << result.output;
    return document;
  }
  bool HasEpoch(const std::string& trial) {
    // The run that was just started may not have made its database yet.
    return Eventually([&] {
      const Result result = Sweep({"trial", trial, "--format", "json"});
      const json document = json::parse(result.output, nullptr, /*allow_exceptions=*/false);
      return document.is_object() && document.value("epoch", 0) != 0;
    });
  }
  void Go(const std::string& name) { folder_.Write("go-" + name, ""); }

  testing::TemporaryFolder folder_;
};

TEST_F(RunTest, OnlyItsOwnSweepIsTrained) {
  const std::string first = WriteSweep("first");
  const std::string second = WriteSweep("second");
  Process run(Command({"run", first, "--slots", "1"}));
  ASSERT_TRUE(HasEpoch("first/1")) << run.Output();
  run.Signal(SIGINT);
  ASSERT_EQ(run.Wait(), 130) << run.Output();
  const int attempts = Json({"trial", "first/1"})["attempt"];

  Go("first");
  Go("second");
  const Result other = Sweep({"run", second, "--slots", "2"});
  EXPECT_EQ(other.code, 0) << other.output;
  EXPECT_THAT(other.output, HasSubstr("first is not trained by this run; --all trains all sweeps"));
  EXPECT_EQ(Json({"show", "first"})["trials"]["running"], 0);
  EXPECT_EQ(Json({"trial", "first/1"})["attempt"], attempts);
  EXPECT_EQ(Json({"trial", "first/2"})["attempt"], 0);
}

TEST_F(RunTest, WithAllTheOthersAreTrainedAndGivenBackAtTheEnd) {
  const std::string first = WriteSweep("first");
  const std::string second = WriteSweep("second");
  Process run(Command({"run", first, "--slots", "1"}));
  ASSERT_TRUE(HasEpoch("first/1")) << run.Output();
  run.Signal(SIGINT);
  ASSERT_EQ(run.Wait(), 130) << run.Output();

  Process both(Command({"run", second, "--slots", "4", "--all"}));
  ASSERT_TRUE(HasEpoch("first/2")) << both.Output();
  ASSERT_TRUE(HasEpoch("second/1")) << both.Output();
  Go("second");
  EXPECT_EQ(both.Wait(), 0) << both.Output();
  EXPECT_THAT(both.Output(), HasSubstr("also trains first until second has ended (--all)"));
  const json left = Json({"trial", "first/2"});
  EXPECT_EQ(left["state"], "pending");
  EXPECT_EQ(left["failures"], 0);
  EXPECT_EQ(left["attempts"].back()["outcome"], "given_back");
  EXPECT_EQ(Json({"show", "first"})["trials"]["running"], 0);
}

TEST_F(RunTest, ARunThatWasKilledIsTakenUpAtOnceAndCountsNoFailure) {
  const std::string file = WriteSweep("night");
  Process run(Command({"run", file, "--slots", "1"}));
  ASSERT_TRUE(HasEpoch("night/1")) << run.Output();
  run.Signal(SIGKILL);
  ASSERT_EQ(run.Wait(), 137);
  const json killed = Json({"trial", "night/1"});
  EXPECT_EQ(killed["state"], "pending") << "nobody trains it, and everybody can know that";
  EXPECT_EQ(killed["failures"], 0);
  EXPECT_EQ(killed["attempts"].back()["outcome"], "given_back");

  Go("night");
  const Result again = Sweep({"run", file, "--slots", "1"});
  EXPECT_EQ(again.code, 0) << again.output;
  const json ended = Json({"trial", "night/1"});
  EXPECT_EQ(ended["state"], "completed");
  EXPECT_EQ(ended["attempt"], 2);
  EXPECT_EQ(ended["failures"], 0);
}

TEST_F(RunTest, ItGoesOnWithItsSweepUnderAnotherName) {
  const std::string file = WriteSweep("first");
  Process run(Command({"run", file, "--slots", "1"}));
  ASSERT_TRUE(HasEpoch("first/1")) << run.Output();
  ASSERT_EQ(Sweep({"pause", "first"}).code, 0);
  Go("first");
  ASSERT_TRUE(Eventually([&] { return Json({"show", "first"})["trials"]["running"] == 0; }));
  const Result renamed = Sweep({"rename", "first", "better"});
  ASSERT_EQ(renamed.code, 0) << renamed.output;
  ASSERT_EQ(Sweep({"resume", "better"}).code, 0);
  EXPECT_EQ(run.Wait(), 0) << run.Output();
  EXPECT_THAT(run.Output(), HasSubstr("better/2"));
  EXPECT_EQ(Json({"show", "better"})["trials"]["completed"], 2);
}

TEST_F(RunTest, WhatIsWaitedForIsSaid) {
  WriteSweep("night");
  std::filesystem::create_directories(folder_.path() + "/server");
  const std::string database = folder_.path() + "/server/night.db";
  const auto start = [&] {
    return std::make_unique<Process>(
        Process::Options{.command = {"sweep-coordinator", "--http", "off", "--listen",
                                     "127.0.0.1:0", "--db", database},
                         .folder = folder_.path() + "/server"});
  };
  std::unique_ptr<Process> coordinator = start();
  Process worker(
      {.command = {"sweep-worker", "--coordinator", testing::WaitForAddress(*coordinator), "--name",
                   "w1", "--slots", "1", "--trainer", "/bin/true", "--allow-program"},
       .folder = folder_.path()});
  ASSERT_EQ(Sweep({"submit", "night.yaml", "--db", database}).code, 0);
  ASSERT_TRUE(Eventually(
      [&] { return Json({"trial", "night/1", "--db", database}).value("epoch", 0) != 0; }));
  worker.Signal(SIGKILL);
  worker.Wait();
  coordinator->Signal(SIGKILL);
  coordinator->Wait();
  coordinator = start();
  testing::WaitForAddress(*coordinator);
  Process watch(Command({"watch", "night", "--db", database}));
  EXPECT_TRUE(Eventually([&] {
    return watch.Output().find(
               "1 trial was running on worker w1, which is not heard from; waiting "
               "up to ") != std::string::npos;
  })) << watch.Output();
}

TEST_F(RunTest, FailuresAreToldOnceAndEndWithOne) {
  const std::string file = WriteSweep("bad");
  folder_.Write("fail-bad", "");
  const Result run = Sweep({"run", file, "--slots", "1"});
  EXPECT_EQ(run.code, 1) << run.output;
  EXPECT_THAT(run.output, HasSubstr("2 of 2 trials failed for good"));
  for (const std::string trial : {"bad/1", "bad/2"}) {
    const std::size_t first = run.output.find("✗ " + trial + "  failed:");
    ASSERT_NE(first, std::string::npos) << run.output;
    EXPECT_EQ(run.output.find(trial, first + 6), std::string::npos) << run.output;
  }
  const Result again = Sweep({"run", file});
  EXPECT_EQ(again.code, 1);
  EXPECT_THAT(again.output, Not(HasSubstr("✗"))) << "only what is new";
  EXPECT_THAT(again.output, HasSubstr("bad/1 and 1 more: ")) << "but why, since nothing else tells";
  EXPECT_THAT(Sweep({"trials", "bad", "--state", "failed"}).output,
              AllOf(HasSubstr("REASON"), HasSubstr("no such luck")));
  EXPECT_THAT(Sweep({"run", file, "--quiet"}).output, HasSubstr("no such luck"));
}

// True for lines of the live picture: a bar, or the line above the bars.
bool IsOfThePicture(const std::string& line) {
  return line.find("▕") != std::string::npos || line.starts_with("night  active");
}

TEST_F(RunTest, TheLivePictureLeavesNothingOnTheTerminal) {
  const std::string file = WriteSweep("night");
  const auto picture = [](const Process& run) {
    const std::vector<std::string> lines = testing::LinesOnScreen(run.Output(), kColumns);
    return std::count_if(lines.begin(), lines.end(), IsOfThePicture);
  };
  for (const bool is_interrupted : {true, false}) {
    Process::Options options = Command({"run", file, "--slots", "2"});
    options.terminal_columns = kColumns;
    Process run(options);
    ASSERT_TRUE(Eventually([&] { return picture(run) == 3; })) << run.Output();
    if (is_interrupted) {
      run.Signal(SIGINT);
    } else {
      Go("night");
    }
    ASSERT_EQ(run.Wait(), is_interrupted ? 130 : 0) << run.Output();
    run.WaitForOutput();
    EXPECT_EQ(picture(run), 0) << run.Output();
    const std::vector<std::string> lines = testing::LinesOnScreen(run.Output(), kColumns);
    for (const std::string& kept : is_interrupted
                                       ? std::vector<std::string>{"stopped: 0 of 2 trials ended"}
                                       : std::vector<std::string>{"✓ night/1  ", "✓ night/2  "}) {
      EXPECT_EQ(std::count_if(lines.begin(), lines.end(),
                              [&](const std::string& line) { return line.starts_with(kept); }),
                1)
          << kept << "\n"
          << run.Output();
    }
  }
}

TEST_F(RunTest, SomeFailuresOfManyEndWithOneToo) {
  const std::string file = WriteSweep("some");
  // The first trial fails and removes the file, so that the second one succeeds.
  folder_.Write("fail-some", "");
  folder_.Write("some.sh", "[ ! -e '" + folder_.path() + "/fail-some' ] || { rm '" +
                               folder_.path() + "/fail-some'; exit 3; }\n" + Script("some"));
  Go("some");
  const Result run = Sweep({"run", file, "--slots", "1"});
  EXPECT_EQ(run.code, 1) << run.output;
  EXPECT_THAT(run.output, AllOf(HasSubstr("1 configuration meets all criteria"),
                                HasSubstr("1 of 2 trials failed for good")));
}

TEST_F(RunTest, ForeignTextCannotDriveTheTerminal) {
  const std::string evil = "\u202Eevil\u200B\x1b[2J";
  folder_.Write(
      "evil.sh",
      "read -r trial\nprintf '\\342\\200\\256evil\\033[2J\\302\\233 said\\n' >&2\nexit 3\n");
  const std::string file =
      folder_.Write("evil.yaml",
                    "name: evil\n"
                    "program: [sh, evil.sh]\n"
                    "files: [evil.sh]\n"
                    "method: grid\n"
                    "labels: {owner: \"\\u202Eevil\\e[2J\"}\n"
                    "parameters: {word: {values: [\"\\u202Eevil\\e[2J\", b]}}\n"
                    "epochs: 1\n"
                    "max_failures: 1\n");
  const std::vector<std::vector<std::string>> commands = {
      {"validate", file},
      {"preview", file},
      {"run", file, "--slots", "1"},
      {"list"},
      {"show", "evil"},
      {"trials", "evil"},
      {"trials", "evil", "--columns", "word,reason"},
      {"trial", "evil/1"},
      {"logs", "evil/1"},
      {"explain", "evil/1"},
      {"best", "evil"},
      {"show", evil},
      {evil},
      {"list", "--" + evil},
      {"list", evil},
      {"run", evil},
      {"model", "evil/1", "-o", evil},
      {"predict", evil, evil},
      {"worker", "drain", evil},
      {"trials", "evil", "--where", evil},
      {"trials", "evil", "--sort", evil},
      {"list", "--format", evil},
      {"networks", evil},
      {"train", evil},
      {"help", evil}};
  for (const std::vector<std::string>& words : commands) {
    const std::string output = Sweep(words).output;
    for (const char* raw : {"\u202E", "\u200B", "\x1b", "\u009b"}) {
      EXPECT_EQ(output.find(raw), std::string::npos) << words[0] << ": " << output;
    }
  }
  EXPECT_EQ(Json({"show", "evil"})["labels"]["owner"], "\u202Eevil\x1b[2J")
      << "programs get what was written";
}

}  // namespace
}  // namespace sweep
