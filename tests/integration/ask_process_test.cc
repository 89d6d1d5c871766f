// Programs with a loop of their own: `sweep ask` and `sweep tell` against a real coordinator.

#include <gmock/gmock.h>
#include <signal.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "cli/help/json_keys.h"
#include "tests/integration/recovery_testing.h"

namespace sweep::testing {
namespace {

using nlohmann::json;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kSweep[] =
    "name: s\ntrained_by: callers\nmethod: grid\nmetric: {name: score, goal: maximize}\n"
    "epochs: 3\nparameters:\n  x: {values: [0.25, 0.5]}\n  kind: {values: [a b]}\n"
    "  sizes: {value: [64, 1.5]}\n";

class AskProcessTest : public RecoveryTest {
 protected:
  void StartCoordinator(const std::string& listen = "127.0.0.1:0", double lease_seconds = 60) {
    coordinator_ = std::make_unique<Process>(Process::Options{
        .command = {"sweep-coordinator", "--http", "off", "--listen", listen, "--db", "sweep.db",
                    "--lease-term", fmt::format("{}", lease_seconds)},
        .folder = folder_.path()});
    address_ = WaitForAddress(*coordinator_);
    ASSERT_NO_FATAL_FAILURE(ConnectTo(address_));
  }

  // examples/ask-tell.sh.
  std::unique_ptr<Process> StartLoop(const std::string& sweep) {
    return std::make_unique<Process>(
        Process::Options{.command = {"/bin/sh", SWEEP_SOURCE_DIR "/examples/ask-tell.sh", sweep},
                         .folder = folder_.path(),
                         .environment = {{"PATH", ProgramPath("") + ":" + std::getenv("PATH")},
                                         {"SWEEP_COORDINATOR", address_}}});
  }

  json Asked(std::vector<std::string> more = {}) {
    std::vector<std::string> command = {"ask", "s", "--format", "json"};
    command.insert(command.end(), more.begin(), more.end());
    const Result asked = Sweep(command);
    EXPECT_EQ(asked.code, 0) << asked.output;
    return json::parse(asked.output, nullptr, /*allow_exceptions=*/false);
  }
  Result Tell(const json& trial, std::vector<std::string> what) {
    std::vector<std::string> command = {"tell", trial.value("trial", ""), "--token",
                                        trial.value("token", "")};
    command.insert(command.end(), what.begin(), what.end());
    return Sweep(command);
  }

  std::unique_ptr<Process> coordinator_;
  std::string address_;
};

TEST_F(AskProcessTest, ShellLoopsTrainEveryTrialOnceThoughTheCoordinatorIsKilled) {
  ASSERT_NO_FATAL_FAILURE(StartCoordinator());
  std::ostringstream text;
  text << std::ifstream(SWEEP_SOURCE_DIR "/examples/ask-tell.yaml").rdbuf();
  ASSERT_NO_FATAL_FAILURE(Submit(text.str()));
  std::vector<std::unique_ptr<Process>> loops;
  for (int i = 0; i < 3; ++i) loops.push_back(StartLoop("ask-tell"));
  const auto completed = [&] {
    const auto sweep = cli::GetSweep(*connection_, "ask-tell");
    return sweep.ok() ? sweep->counts().completed() : -1;
  };
  for (const int before : {3, 9}) {
    ASSERT_TRUE(Eventually([&] { return completed() >= before; })) << loops[0]->Output();
    coordinator_->Signal(SIGKILL);
    EXPECT_EQ(coordinator_->Wait(), 128 + SIGKILL);
    ASSERT_NO_FATAL_FAILURE(StartCoordinator(address_));
  }
  for (const auto& loop : loops) EXPECT_EQ(loop->Wait(), 0) << loop->Output();
  EXPECT_EQ(completed(), 20) << loops[0]->Output();
  const auto trials = cli::ListTrials(*connection_, "ask-tell", {});
  ASSERT_TRUE(trials.ok()) << trials.status();
  ASSERT_EQ(trials->size(), 20u) << "the budget";
  for (const v1::Trial& trial : *trials) {
    EXPECT_EQ(trial.attempt(), 1) << trial.name();
    EXPECT_EQ(trial.failures(), 0) << trial.name();
    EXPECT_EQ(trial.epoch(), 3) << trial.name();
  }
  const auto rank = cli::RankSweep(*connection_, "ask-tell", 1);
  ASSERT_TRUE(rank.ok()) << rank.status();
}

TEST_F(AskProcessTest, ATrialOfACallerThatFellSilentIsGivenToTheNextOne) {
  ASSERT_NO_FATAL_FAILURE(StartCoordinator("127.0.0.1:0", /*lease_seconds=*/1));
  ASSERT_NO_FATAL_FAILURE(Submit("name: s\ntrained_by: callers\nmethod: grid\n"));
  const json first = Asked({"--as", "silent"});
  EXPECT_EQ(first["attempt"], 1);
  const json second = Asked({"--as", "other"});  // waits for the end of the lease
  EXPECT_EQ(second["trial"], "s/1");
  EXPECT_EQ(second["attempt"], 2);
  const Result late = Tell(first, {"accuracy=0.5"});
  EXPECT_EQ(late.code, 1);
  EXPECT_THAT(late.output, HasSubstr("attempt 1 is over"));
  EXPECT_EQ(Trial(1).failures(), 1);
}

// The keys of an answer are those that docs/cli.md has.
void ExpectPromisedKeys(const std::string& command, const json& answer) {
  const auto promise =
      std::find_if(cli::JsonKeys().begin(), cli::JsonKeys().end(),
                   [&](const cli::CommandKeys& one) { return one.command == command; });
  ASSERT_NE(promise, cli::JsonKeys().end()) << command;
  std::set<std::string> keys;
  for (const auto& item : answer.items()) keys.insert(item.key());
  EXPECT_EQ(keys, std::set<std::string>(promise->keys.begin(), promise->keys.end())) << command;
}

TEST_F(AskProcessTest, TheCommandsSayWhatComesNext) {
  ASSERT_NO_FATAL_FAILURE(StartCoordinator());
  ASSERT_NO_FATAL_FAILURE(Submit(kSweep));
  const json first = Asked({"--as", "lab"});
  ExpectPromisedKeys("ask", first);
  EXPECT_EQ(first["trial"], "s/1");
  EXPECT_EQ(first["parameters"], json({{"x", 0.25}, {"kind", "a b"}, {"sizes", {64, 1.5}}}));
  EXPECT_EQ(first["epochs"], 3);
  EXPECT_EQ(first["lease_seconds"], 60);
  EXPECT_EQ(first["spec"]["parameters"]["x"], 0.25);
  EXPECT_TRUE(first["seed"].is_string());
  EXPECT_THAT(Sweep({"workers"}).output, AllOf(HasSubstr("caller:lab"), HasSubstr("s/1")));
  const Result drained = Sweep({"worker", "drain", "caller:lab"});
  EXPECT_EQ(drained.code, 2);
  EXPECT_THAT(drained.output, HasSubstr("pause the sweep instead"));

  const Result words = Sweep({"ask", "s"});
  EXPECT_EQ(words.code, 0);
  EXPECT_THAT(words.output,
              AllOf(HasSubstr("s/2"), HasSubstr("sweep tell s/2 --token=1-"), HasSubstr("score=")));
  const Result none = Sweep({"ask", "s", "--timeout", "0"});
  EXPECT_EQ(none.code, 1);
  EXPECT_THAT(none.output, HasSubstr("no trial of sweep s is free: 2 are being trained"));

  EXPECT_EQ(Tell(first, {"score=0.5", "kilobytes=12"}).code, 0);
  EXPECT_EQ(Tell(first, {}).code, 0) << "renews the lease";
  const Result wrong = Tell(first, {"--epoch", "2", "score=much"});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_THAT(wrong.output, HasSubstr("'score=much' is no measure with its value"));
  EXPECT_EQ(Tell(first, {"--epoch", "4", "score=1"}).code, 2) << "beyond the trial's epochs";
  const Result token = Sweep({"tell", "s/1", "--token", "x"});
  EXPECT_EQ(token.code, 2);
  EXPECT_THAT(token.output, HasSubstr("--token 'x' is not a trial's token"));
  for (const std::string end : {"", "--done"}) {
    std::vector<std::string> words = {"--epoch", "3"};
    if (!end.empty()) words.push_back(end);
    const Result nothing = Tell(first, words);
    EXPECT_EQ(nothing.code, 2);
    EXPECT_THAT(nothing.output, HasSubstr("--epoch 3 goes with a measure, such as accuracy=0.98"));
  }
  EXPECT_EQ(Tell(first, {"--format", "csv"}).output,
            "trial,state,stop,reason\ns/1,running,false,\n");
  const Result replay = Sweep({"replay", "s/1"});
  EXPECT_EQ(replay.code, 1);
  EXPECT_EQ(replay.output,
            "error: s/1 was trained by the program that asked for it; only that can train it "
            "again\n");

  ASSERT_EQ(Sweep({"pause", "s", "--now"}).code, 0);
  const Result back = Tell(first, {"--epoch", "2", "score=0.6", "--format", "json"});
  EXPECT_EQ(back.code, 3) << back.output;
  const json told = json::parse(back.output, nullptr, /*allow_exceptions=*/false);
  ExpectPromisedKeys("tell", told);
  EXPECT_EQ(told["stop"], true);
  EXPECT_EQ(told["state"], "pending");
  ASSERT_EQ(Sweep({"resume", "s"}).code, 0);
  const json again = Asked();
  EXPECT_EQ(again["trial"], "s/1");
  EXPECT_EQ(again["epoch"], 2) << "where it may go on";
  EXPECT_EQ(Tell(again, {"--failed", "no power", "--for-good"}).code, 0);
  EXPECT_EQ(Trial(1).reason(), "no power");
  EXPECT_EQ(Trial(1).state(), v1::TRIAL_STATE_FAILED);
}

TEST_F(AskProcessTest, ATableForProgramsHasEveryDigit) {
  ASSERT_NO_FATAL_FAILURE(StartCoordinator());
  ASSERT_NO_FATAL_FAILURE(
      Submit("name: s\ntrained_by: callers\nmethod: grid\n"
             "parameters: {x: {value: 0.123456789}, sizes: {value: [64, 1.5]}}\n"));
  const Result asked = Sweep({"ask", "s", "--format", "csv"});
  EXPECT_EQ(asked.code, 0);
  EXPECT_THAT(asked.output, AllOf(HasSubstr(",parameters.sizes,parameters.x\n"),
                                  HasSubstr(",\"[64,1.5]\",0.123456789\n")));
}

TEST_F(AskProcessTest, WorkersAndCallersDoNotTakeEachOthersSweeps) {
  ASSERT_NO_FATAL_FAILURE(StartCoordinator());
  ASSERT_NO_FATAL_FAILURE(Submit(SweepText(1, 1)));
  const Result asked = Sweep({"ask", "s"});
  EXPECT_EQ(asked.code, 1);
  EXPECT_THAT(asked.output, HasSubstr("sweep s is trained by workers; a program gets trials only "
                                      "of a sweep whose file says 'trained_by: callers'"));
  EXPECT_THAT(Sweep({"ask", "t"}).output, HasSubstr("sweep 't' does not exist"));
  const Result run = Sweep({"run", folder_.Write("s.yaml", kSweep)});
  EXPECT_EQ(run.code, 2);
  EXPECT_THAT(run.output, HasSubstr("s is trained by callers, which ask for its trials"));
}

}  // namespace
}  // namespace sweep::testing
