// Sweeps' own programs, as real processes under a whole agent: what they may do, and how the agent
// handles those that misbehave.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/base/ids.h"
#include "common/base/utf8.h"
#include "common/protocol/program_files.h"
#include "common/protocol/trial_spec.h"
#include "spdlog/spdlog.h"
#include "worker/agent/agent.h"
#include "worker/agent/log_reporter.h"
#include "worker/agent/testing/fake_coordinator.h"
#include "worker/agent/testing/processes.h"

namespace sweep {
namespace {

using Record = FakeCoordinator::Record;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

// A program that stays for more trials and writes its process id to $FILE.
constexpr char kWarm[] =
    "echo $$ >> $FILE; while read line; do t=${line#*'\"trial\":\"'}; t=${t%%'\"'*}; "
    "echo '{\"type\":\"epoch\",\"trial\":\"'$t'\",\"epoch\":1,\"validation_accuracy\":0.5}'; "
    "echo '{\"type\":\"done\",\"trial\":\"'$t'\",\"epochs\":1}'; done";

class ProgramTest : public ::testing::Test {
 protected:
  ProgramTest() {
    spdlog::set_level(spdlog::level::off);
    options_.coordinator = coordinator_.address();
    options_.name = "w";
    options_.slots = 1;
    options_.trainer_command = {FAKE_TRAINER};
    options_.allow_programs = true;
    options_.stop_grace = absl::Milliseconds(200);
    options_.work_dir = std::filesystem::temp_directory_path() / ("program_test-" + RandomHex(8));
    std::filesystem::create_directories(folder());
  }
  ~ProgramTest() override {
    agent_.reset();
    std::filesystem::remove_all(options_.work_dir);
  }

  std::filesystem::path folder() const { return options_.work_dir; }

  void StartAgent() {
    absl::StatusOr<std::unique_ptr<Agent>> agent = Agent::Start(options_);
    ASSERT_TRUE(agent.ok()) << agent.status();
    agent_ = *std::move(agent);
  }

  static v1::Lease MakeLease(int number, const std::vector<std::string>& command, int epochs) {
    v1::Lease lease = FakeCoordinator::MakeLease(number, "", epochs);
    TrialSpec spec{.trial = absl::StrCat("s/", number), .epochs = epochs};
    spec.dataset.name = "none";
    spec.parameters = {{"width", std::int64_t{7}}};
    lease.set_spec_json(TrialSpecToJson(spec));
    for (const std::string& word : command) lease.add_program(word);
    return lease;
  }

  // A shell script as the program of trial `number`: `e N` reports epoch N, `$FILE` is a file that
  // outlives it.
  std::vector<std::string> Shell(int number, const std::string& script) const {
    const std::string trial = absl::StrCat("s/", number);
    return {"sh", "-c",
            absl::StrCat("FILE='", (folder() / "file").string(), "'; e() { echo \"{\\\"type\\\":",
                         "\\\"epoch\\\",\\\"trial\\\":\\\"", trial, "\\\",\\\"epoch\\\":$1,",
                         "\\\"validation_accuracy\\\":0.5}\"; }; done_() { echo \"{\\\"type\\\":",
                         "\\\"done\\\",\\\"trial\\\":\\\"", trial, "\\\",\\\"epochs\\\":$1}\"; }; ",
                         script)};
  }

  void Offer(int number, const std::string& script, int epochs = 2) {
    coordinator_.OfferLease(MakeLease(number, Shell(number, script), epochs));
  }

  // Runs one trial and returns how its lease ended.
  v1::FinishLeaseRequest Run(const std::string& script, int epochs = 2) {
    const int number = ++number_;
    Offer(number, script, epochs);
    if (agent_ == nullptr) StartAgent();
    return coordinator_.WaitForFinish(number);
  }
  // Runs one trial that must fail, and returns the reason.
  std::string ReasonOf(const std::string& script, int epochs = 2) {
    const v1::FinishLeaseRequest finish = Run(script, epochs);
    EXPECT_EQ(finish.outcome(), v1::LEASE_OUTCOME_FAILED) << script;
    return finish.reason();
  }

  // The content of $FILE.
  std::string File() const {
    std::ostringstream text;
    text << std::ifstream(folder() / "file").rdbuf();
    return text.str();
  }

  FakeCoordinator coordinator_;
  AgentOptions options_;
  std::unique_ptr<Agent> agent_;
  int number_ = 0;
};

TEST_F(ProgramTest, ThatPrintsBytesThatAreNoTextStillEndsItsTrial) {
  EXPECT_THAT(ReasonOf("printf 'caf\\351 \\377\\n'; exit 1"), HasSubstr("caf\xEF\xBF\xBD"));
}

TEST_F(ProgramTest, NeedsNeitherReadyNorDone) {
  const v1::FinishLeaseRequest finish = Run("read line; e 1; e 2");
  EXPECT_EQ(finish.outcome(), v1::LEASE_OUTCOME_COMPLETED) << finish.reason();
  EXPECT_THAT(coordinator_.record().EpochsOf(1), ElementsAre(1, 2));
}

TEST_F(ProgramTest, GetsTheTrialWithItsParameters) {
  EXPECT_EQ(Run("head -n 1 > $FILE; e 1; e 2").outcome(), v1::LEASE_OUTCOME_COMPLETED);
  const TrialSpec spec = TrialSpecFromJson(File(), NetworkField::kOptional);
  EXPECT_EQ(spec.trial, "s/1");
  EXPECT_TRUE(SameValue(spec.parameters.at("width"), std::int64_t{7}));
  EXPECT_TRUE(spec.network.layers.empty());
  EXPECT_THAT(spec.output_dir,
              AllOf(StartsWith((folder() / "work-").string()), EndsWith("/s-1-1")));
}

TEST_F(ProgramTest, GetsTheFolderOfItsData) {
  const std::filesystem::path data = folder() / "digits";
  std::filesystem::create_directories(data);
  // One image of 28 × 28 and its label, as IDX files.
  const std::string images("\0\0\x08\x03\0\0\0\x01\0\0\0\x1c\0\0\0\x1c", 16);
  const std::string labels("\0\0\x08\x01\0\0\0\x01\x07", 9);
  for (const std::string part : {"train", "t10k"}) {
    std::ofstream(data / (part + "-images-idx3-ubyte")) << images << std::string(28 * 28, 'x');
    std::ofstream(data / (part + "-labels-idx1-ubyte")) << labels;
  }
  v1::Lease lease = MakeLease(1, Shell(1, "head -n 1 > $FILE; e 1; e 2"), 2);
  TrialSpec spec = TrialSpecFromJson(lease.spec_json(), NetworkField::kOptional);
  spec.dataset.name = "idx";
  spec.dataset.path = data.string();
  lease.set_spec_json(TrialSpecToJson(spec));
  coordinator_.OfferLease(lease);
  StartAgent();
  const v1::FinishLeaseRequest finish = coordinator_.WaitForFinish(1);
  EXPECT_EQ(finish.outcome(), v1::LEASE_OUTCOME_COMPLETED) << finish.reason();
  EXPECT_EQ(TrialSpecFromJson(File(), NetworkField::kOptional).data_dir, data.string());
}

TEST_F(ProgramTest, IsNotRunByAWorkerThatDoesNotAllowIt) {
  options_.allow_programs = false;
  EXPECT_THAT(ReasonOf("echo ran > $FILE; e 1; e 2"), HasSubstr("--allow-program"));
  EXPECT_EQ(File(), "");
  EXPECT_FALSE(coordinator_.record().synchronized.front().description().allows_programs());
}

TEST_F(ProgramTest, IsAnnouncedByAWorkerThatAllowsIt) {
  StartAgent();
  EXPECT_TRUE(coordinator_.record().synchronized.front().description().allows_programs());
}

TEST_F(ProgramTest, RunsInAFolderThatHoldsItsFiles) {
  const ProgramFiles files = {
      {"train.sh",
       "#!/bin/sh\nread line\ncat lib/text\npwd\n"
       "for n in 1 2; do echo \"{\\\"type\\\":\\\"epoch\\\",\\\"trial\\\":\\\"$1\\\","
       "\\\"epoch\\\":$n,\\\"validation_accuracy\\\":0.5}\"; done\n"},
      {"lib/text", "text of the file\n"}};
  coordinator_.SetProgramFiles(files);
  options_.slots = 2;
  for (const int number : {1, 2, 3}) {
    v1::Lease lease = MakeLease(number, {"./train.sh", absl::StrCat("s/", number)}, 2);
    lease.set_program_digest(ProgramDigest(files));
    coordinator_.OfferLease(lease);
  }
  StartAgent();
  for (const int number : {1, 2, 3}) {
    const v1::FinishLeaseRequest finish = coordinator_.WaitForFinish(number);
    EXPECT_EQ(finish.outcome(), v1::LEASE_OUTCOME_COMPLETED) << finish.reason();
    EXPECT_THAT(coordinator_.record().LogOf(number),
                ElementsAre("text of the file",
                            AllOf(StartsWith((folder() / "work-").string()), EndsWith(".1"))));
    EXPECT_LT(coordinator_.record().LogOf(number)[1].size(), folder().string().size() + 20)
        << "it stands in every line of a traceback";
  }
  EXPECT_EQ(coordinator_.record().programs_fetched, 1) << "once for all trials";
}

// Offers a trial of a sweep that brings these files, and waits for its end.
class ProgramFilesTest : public ProgramTest {
 protected:
  ProgramFilesTest() { coordinator_.SetProgramFiles(files_); }

  std::vector<std::string> RunWithFiles(const std::string& script) {
    const int number = ++number_;
    v1::Lease lease = MakeLease(number, Shell(number, script + "; e 1; e 2"), 2);
    lease.set_program_digest(ProgramDigest(files_));
    coordinator_.OfferLease(lease);
    if (agent_ == nullptr) StartAgent();
    const v1::FinishLeaseRequest finish = coordinator_.WaitForFinish(number);
    EXPECT_EQ(finish.outcome(), v1::LEASE_OUTCOME_COMPLETED) << finish.reason();
    return coordinator_.record().LogOf(number);
  }

  const ProgramFiles files_ = {{"lib/util.py", "good\n"},
                               {"run.sh", "#!/bin/sh\ncat lib/util.py\n"}};
};

TEST_F(ProgramFilesTest, WhatATrialDoesToThemIsGoneForTheNext) {
  const std::string look = "./run.sh; find . | sort | tr '\\n' ' '; stat -c %a . lib run.sh";
  const std::vector<std::string> fresh = RunWithFiles(look);
  EXPECT_THAT(fresh, ElementsAre("good", ". ./lib ./lib/util.py ./run.sh 755", "755", "755"));
  for (const char* deed :
       {"echo evil > lib/util.py", "printf evil! > lib/util.py", "echo more >> run.sh", "rm run.sh",
        "rm -r lib", "echo x > sitecustomize.py", "mkdir lib/__pycache__", "touch .hidden",
        "chmod 700 run.sh", "chmod 777 .", "chmod 000 lib/util.py", "mv lib other; ln -s other lib",
        "mv lib/util.py x; ln -s ../x lib/util.py", "ln lib/util.py ${FILE}2",
        "here=$PWD; cd /; mv $here $here.moved; ln -s $here.moved $here",
        "mkfifo pipe; rm lib/util.py; mkfifo lib/util.py", "chmod 500 lib"}) {
    RunWithFiles(deed);
    EXPECT_EQ(RunWithFiles(look), fresh) << deed;
    std::filesystem::remove(folder() / "file2");
  }
  EXPECT_EQ(coordinator_.record().programs_fetched, 1);
}

TEST_F(ProgramFilesTest, WhatATrialDoesToThemReachesNoOtherSlot) {
  options_.slots = 2;
  v1::Lease lease = MakeLease(1,
                              Shell(1,
                                    "echo evil > lib/util.py; echo changed; "
                                    "until [ -e $FILE ]; do sleep 0.01; done; e 1"),
                              1);
  lease.set_program_digest(ProgramDigest(files_));
  coordinator_.OfferLease(lease);
  StartAgent();
  ASSERT_TRUE(coordinator_.WaitUntil([](const Record& r) { return !r.LogOf(1).empty(); }));
  number_ = 1;
  EXPECT_THAT(RunWithFiles("./run.sh; touch $FILE"), ElementsAre("good"));
  EXPECT_EQ(coordinator_.WaitForFinish(1).outcome(), v1::LEASE_OUTCOME_COMPLETED);
}

TEST_F(ProgramFilesTest, AProgramStaysWarmWhileItLeavesThemAlone) {
  for (const int number : {1, 2, 3}) {
    v1::Lease lease = MakeLease(number, Shell(0, kWarm), 1);
    lease.set_program_digest(ProgramDigest(files_));
    coordinator_.OfferLease(lease);
    if (agent_ == nullptr) StartAgent();
    EXPECT_EQ(coordinator_.WaitForFinish(number).outcome(), v1::LEASE_OUTCOME_COMPLETED);
  }
  const std::string pids = File();
  EXPECT_EQ(std::count(pids.begin(), pids.end(), '\n'), 1) << pids;
}

TEST_F(ProgramFilesTest, EachProcessHasTemporaryFilesOfItsOwn) {
  EXPECT_THAT(RunWithFiles("ls -A $TMPDIR; echo stale > $TMPDIR/x; echo $TMPDIR"),
              ElementsAre(StartsWith(folder().string())));
  EXPECT_THAT(RunWithFiles("ls -A $TMPDIR; [ -d $TMPDIR ] && echo there"), ElementsAre("there"));
}

TEST_F(ProgramTest, RefusesFilesThatAreNotWhatTheLeaseNames) {
  coordinator_.SetProgramFiles({{"a", "other"}});
  v1::Lease lease = MakeLease(1, Shell(1, "echo ran > $FILE; e 1; e 2"), 2);
  lease.set_program_digest(ProgramDigest({{"a", "x"}}));
  coordinator_.OfferLease(lease);
  StartAgent();
  EXPECT_EQ(coordinator_.WaitForFinish(1).outcome(), v1::LEASE_OUTCOME_FAILED);
  EXPECT_THAT(coordinator_.WaitForFinish(1).reason(), HasSubstr("are others by now"));
  EXPECT_EQ(File(), "");
}

TEST_F(ProgramTest, WritesNothingOutsideItsFolder) {
  const ProgramFiles files = {{"../../escaped", "x"}};
  coordinator_.SetProgramFiles(files);
  v1::Lease lease = MakeLease(1, Shell(1, "e 1; e 2"), 2);
  lease.set_program_digest(ProgramDigest(files));
  coordinator_.OfferLease(lease);
  StartAgent();
  EXPECT_THAT(coordinator_.WaitForFinish(1).reason(), HasSubstr("has '..' in its path"));
  EXPECT_FALSE(std::filesystem::exists(folder() / "escaped"));
  lease = MakeLease(2, Shell(2, "e 1; e 2"), 2);
  lease.set_program_digest("../../etc");
  coordinator_.OfferLease(lease);
  EXPECT_THAT(coordinator_.WaitForFinish(2).reason(), HasSubstr("program digest '../../etc'"));
}

TEST_F(ProgramTest, StaysWarmForTrialsOfTheSameSweep) {
  std::vector<std::string> command = Shell(0, kWarm);
  for (const int number : {1, 2, 3}) {
    coordinator_.OfferLease(MakeLease(number, command, 1));
    if (agent_ == nullptr) StartAgent();
    EXPECT_EQ(coordinator_.WaitForFinish(number).outcome(), v1::LEASE_OUTCOME_COMPLETED);
  }
  const std::string pids = File();
  EXPECT_EQ(std::count(pids.begin(), pids.end(), '\n'), 1) << pids;
}

TEST_F(ProgramTest, MakesRoomForAnotherOne) {
  coordinator_.OfferLease(MakeLease(1, Shell(0, kWarm), 1));
  StartAgent();
  EXPECT_EQ(coordinator_.WaitForFinish(1).outcome(), v1::LEASE_OUTCOME_COMPLETED);
  const int first = std::stoi(File());
  coordinator_.Offer(2, "", 1);  // the worker's own trainer
  EXPECT_EQ(coordinator_.WaitForFinish(2).outcome(), v1::LEASE_OUTCOME_COMPLETED);
  EXPECT_TRUE(IsGone(first));
  const int trainer = coordinator_.WaitForTrainer(2);
  coordinator_.OfferLease(MakeLease(3, Shell(0, std::string(kWarm) + " #"), 1));
  EXPECT_EQ(coordinator_.WaitForFinish(3).outcome(), v1::LEASE_OUTCOME_COMPLETED);
  EXPECT_TRUE(IsGone(trainer));
}

TEST_F(ProgramTest, EndsWhenThereIsNothingToDoForIt) {
  options_.program_idle = absl::Milliseconds(50);
  coordinator_.OfferLease(MakeLease(1, Shell(0, kWarm), 1));
  StartAgent();
  coordinator_.WaitForFinish(1);
  EXPECT_TRUE(Eventually([&] { return IsGone(std::stoi(File())); }));
}

TEST_F(ProgramTest, ThatTrainsOnceIsStartedForEveryTrial) {
  const std::string once = "read line; echo $$ >> $FILE; e 1; done_ 1; sleep 0.1";
  for (int i = 0; i < 3; ++i) {
    const v1::FinishLeaseRequest finish = Run(once, 1);
    EXPECT_EQ(finish.outcome(), v1::LEASE_OUTCOME_COMPLETED) << finish.reason();
  }
  const std::string pids = File();
  EXPECT_EQ(std::count(pids.begin(), pids.end(), '\n'), 3) << pids;
}

TEST_F(ProgramTest, ThatHangsIsEnded) {
  options_.silence_timeout = absl::Milliseconds(300);
  EXPECT_THAT(ReasonOf("e 1; echo $$ > $FILE; sleep 1000"),
              AllOf(HasSubstr("printed nothing for 300ms"), HasSubstr("after epoch 1 of 2")));
  EXPECT_TRUE(Eventually([&] { return IsGone(std::stoi(File())); }));
}

TEST_F(ProgramTest, ThatOnlyLogsIsNotTakenForHanging) {
  options_.silence_timeout = absl::Milliseconds(400);
  const v1::FinishLeaseRequest finish =
      Run("for i in 1 2 3 4 5 6 7 8 9 10; do echo . >&2; sleep 0.1; done; e 1; e 2");
  EXPECT_EQ(finish.outcome(), v1::LEASE_OUTCOME_COMPLETED) << finish.reason();
}

TEST_F(ProgramTest, ThatFloodsItsOutputHurtsNobody) {
  options_.slots = 2;
  Offer(1, "echo $$ > $FILE; yes on stderr >&2 & yes on stdout");
  StartAgent();
  ASSERT_TRUE(coordinator_.WaitUntil([](const Record& r) { return !r.LogOf(1).empty(); }));
  for (int number = 2; number <= 5; ++number) {
    Offer(number, "e 1; e 2");
    EXPECT_EQ(coordinator_.WaitForFinish(number).outcome(), v1::LEASE_OUTCOME_COMPLETED);
  }
  // Wait for another turn, in which lines were dropped.
  ASSERT_TRUE(coordinator_.WaitUntil([](const Record& record) {
    const std::vector<std::int64_t> numbers = record.LogNumbersOf(1);
    return numbers.back() > static_cast<std::int64_t>(numbers.size());
  }));
  for (const v1::AppendLogsRequest& request : coordinator_.record().logs) {
    EXPECT_LE(request.lines_size(), 200);
  }
  coordinator_.Revoke(1);
  EXPECT_TRUE(Eventually([&] { return IsGone(std::stoi(File())); }));
}

TEST_F(ProgramTest, AFloodDoesNotHideItsEpochs) {
  const absl::Time began = absl::Now();
  const v1::FinishLeaseRequest finish =
      Run("seq 1 200000; e 1; seq 1 200000 >&2; e 2; seq 1 200000; done_ 2");
  EXPECT_EQ(finish.outcome(), v1::LEASE_OUTCOME_COMPLETED) << finish.reason();
  // One turn at the start, one per second, and one at the end.
  const std::int64_t turns = 2 + absl::ToInt64Seconds(absl::Now() - began);
  const std::vector<std::string> lines = coordinator_.record().LogOf(1);
  const std::vector<std::int64_t> numbers = coordinator_.record().LogNumbersOf(1);
  EXPECT_LE(lines.size(), turns * LogReporter::kMostLines);
  EXPECT_EQ(lines.front(), "1");
  EXPECT_TRUE(std::is_sorted(numbers.begin(), numbers.end()));
}

TEST_F(ProgramTest, AGiantLineCostsNothing) {
  const v1::FinishLeaseRequest finish = Run(
      "head -c 5000000 /dev/zero | tr '\\0' x; echo; head -c 5000000 /dev/zero | tr '\\0' y >&2; "
      "echo >&2; e 1; e 2");
  EXPECT_EQ(finish.outcome(), v1::LEASE_OUTCOME_COMPLETED) << finish.reason();
  const std::vector<std::string> lines = coordinator_.record().LogOf(1);
  ASSERT_EQ(lines.size(), 2u);
  for (const std::string& line : lines) {
    EXPECT_EQ(line.size(), 4096u);
    EXPECT_TRUE(line.ends_with("…"));
  }
}

TEST_F(ProgramTest, GarbageIsLog) {
  const v1::FinishLeaseRequest finish =
      Run("printf 'a\\377\\200b\\n'; printf '\\033[1mbold\\n' >&2; head -c 20000 /dev/urandom | "
          "tr -d '{' ; echo; e 1; e 2");
  EXPECT_EQ(finish.outcome(), v1::LEASE_OUTCOME_COMPLETED) << finish.reason();
  const std::vector<std::string> lines = coordinator_.record().LogOf(1);
  EXPECT_THAT(lines, Contains("a\uFFFD\uFFFDb"));
  for (const std::string& line : lines) EXPECT_EQ(BrokenUtf8Line(line), 0);
}

TEST_F(ProgramTest, OfAProgressBarTheLastStateIsLogged) {
  Run("printf '10%%\\r 50%%\\r100%%\\n' >&2; printf 'bar\\r'; e 1; e 2");
  EXPECT_THAT(coordinator_.record().LogOf(1), ElementsAre("100%"));
  EXPECT_THAT(coordinator_.record().EpochsOf(1), ElementsAre(1, 2));
}

TEST_F(ProgramTest, ThatLiesAboutEpochsFails) {
  const auto epoch = [](const std::string& fields) {
    return "echo '{\"type\":\"epoch\",\"trial\":\"s/" + std::string("%") + "\"," + fields + "}'";
  };
  const auto run = [&](std::string script) {
    const std::string number = std::to_string(number_ + 1);
    for (std::size_t at; (at = script.find('%')) != std::string::npos;) {
      script.replace(at, 1, number);
    }
    return ReasonOf(script);
  };
  EXPECT_THAT(run("e 1; e 1"), HasSubstr("broke the protocol: epoch 1 of 2 after epoch 1"));
  EXPECT_THAT(run("e 2; e 1"), HasSubstr("epoch 1 of 2 after epoch 2"));
  EXPECT_THAT(run("e 1; e 2; e 3"), HasSubstr("epoch 3 of 2 after epoch 2"));
  EXPECT_THAT(run("e 0"), HasSubstr("epoch is 0"));
  EXPECT_THAT(run(epoch("\"epoch\":1,\"validation_accuracy\":99.4")),
              HasSubstr("validation_accuracy is 99.4"));
  EXPECT_THAT(run(epoch("\"epoch\":1,\"validation_accuracy\":-0.1")),
              HasSubstr("validation_accuracy is -0.1"));
  EXPECT_THAT(run(epoch("\"epoch\":1,\"validation_accuracy\":\"Infinity\"")),
              HasSubstr("validation_accuracy is \"Infinity\""));
  EXPECT_THAT(run(epoch("\"epoch\":1,\"validation_accuracy\":nan")),
              HasSubstr("broke the protocol"));
  EXPECT_THAT(run(epoch("\"epoch\":1,\"metrics\":{\"a b\":1}")), HasSubstr("broke the protocol"));
  EXPECT_THAT(run("e 1; done_ 3"), HasSubstr("done with 3 epochs after epoch 1 of 2"));
  EXPECT_THAT(run("done_ 0"), HasSubstr("done with 0 epochs before its first epoch"));
}

TEST_F(ProgramTest, MayEndEarlyByItsOwnJudgement) {
  const v1::FinishLeaseRequest finish = Run("e 1; e 2; e 3; done_ 3", 10);
  EXPECT_EQ(finish.outcome(), v1::LEASE_OUTCOME_COMPLETED) << finish.reason();
}

TEST_F(ProgramTest, ThatSpeaksOfAnotherTrialIsTold) {
  EXPECT_THAT(ReasonOf("echo '{\"type\":\"epoch\",\"trial\":\"mine\",\"epoch\":1,"
                       "\"validation_accuracy\":0.5}'"),
              HasSubstr("its lines are about trial 'mine' instead of 's/1'"));
}

TEST_F(ProgramTest, ThatPrintsABraceWithoutAMessageFails) {
  EXPECT_THAT(ReasonOf("e 1; echo '{loss: 3}'; e 2"), HasSubstr("broke the protocol"));
  EXPECT_THAT(ReasonOf("e 1; echo '{\"type\":\"metrics\"}'; e 2"), HasSubstr("metrics"));
}

TEST_F(ProgramTest, ThatDiesFailsWithTheReason) {
  EXPECT_THAT(ReasonOf("echo no data >&2; exit 3"),
              AllOf(HasSubstr("/sh ended with exit code 3 before its first epoch"),
                    HasSubstr("\nno data")));
  EXPECT_THAT(ReasonOf("e 1; kill -9 $$"),
              HasSubstr("ended by signal 9 (Killed) after epoch 1 of 2"));
  EXPECT_THAT(ReasonOf("e 1; kill -11 $$"), HasSubstr("ended by signal 11 (Segmentation fault)"));
  EXPECT_THAT(ReasonOf("e 1; e 2; exit 1"), HasSubstr("exit code 1 after epoch 2 of 2"));
}

TEST_F(ProgramTest, ThatEndsWithoutDoneHasFailedUnlessItsLastEpochIsThere) {
  EXPECT_THAT(ReasonOf("e 1; e 2; e 3", 10),
              HasSubstr("ended with exit code 0 after epoch 3 of 10, without done"));
  EXPECT_THAT(ReasonOf("exit 0"), HasSubstr("exit code 0 before its first epoch, without done"));
  EXPECT_EQ(Run("e 1; e 2").outcome(), v1::LEASE_OUTCOME_COMPLETED);
}

TEST_F(ProgramTest, ThatClosesItsOutputFails) {
  EXPECT_THAT(ReasonOf("e 1; exec >&- 2>&-; sleep 1000"), HasSubstr("closed its output"));
}

TEST_F(ProgramTest, LeavesNoChildrenBehind) {
  // One child holds the pipes, one has left the group, one is a daemon that has left both.
  const std::string script =
      "sleep 1000 & echo $! > $FILE; "
      "setsid sleep 1001 > /dev/null 2>&1 & echo $! >> $FILE; "
      "setsid sh -c '(sleep 1002 > /dev/null 2>&1 & echo $! >> \"$0\")' $FILE; "
      "e 1; e 2";
  const v1::FinishLeaseRequest finish = Run(script);
  EXPECT_EQ(finish.outcome(), v1::LEASE_OUTCOME_COMPLETED) << finish.reason();
  std::istringstream pids(File());
  int count = 0;
  for (int pid; pids >> pid; ++count) EXPECT_TRUE(IsGone(pid)) << pid;
  EXPECT_EQ(count, 3);
}

TEST_F(ProgramTest, ThatIgnoresEverythingIsKilledWithItsDaemons) {
  Offer(1,
        "trap '' TERM INT HUP; setsid sh -c '(trap \"\" TERM; sleep 1000 > /dev/null 2>&1 & "
        "echo $! > \"$0\")' $FILE; e 1; while :; do sleep 1; done");
  StartAgent();
  ASSERT_TRUE(coordinator_.WaitUntil([](const Record& r) { return !r.RowsOf(1).empty(); }));
  const int daemon = std::stoi(File());
  EXPECT_FALSE(IsGone(daemon));
  coordinator_.Revoke(1);
  EXPECT_TRUE(Eventually([&] { return IsGone(daemon); }));
}

TEST_F(ProgramTest, ThatIsNotThereFailsItsOwnTrialOnly) {
  StartAgent();
  for (int number = 1; number <= 4; ++number) {
    coordinator_.OfferLease(MakeLease(number, {"no-such-program", "x"}, 2));
    const v1::FinishLeaseRequest finish = coordinator_.WaitForFinish(number);
    EXPECT_EQ(finish.outcome(), v1::LEASE_OUTCOME_FAILED);
    EXPECT_THAT(finish.reason(), AllOf(StartsWith("program no-such-program: no such program; "
                                                  "looked at "),
                                       HasSubstr("/bin/no-such-program")));
  }
  coordinator_.OfferLease(MakeLease(5, {"./missing.sh"}, 2));
  EXPECT_THAT(coordinator_.WaitForFinish(5).reason(), HasSubstr("looked at ./missing.sh"));
  std::ofstream(folder() / "bad") << "no shebang, and no program";
  std::filesystem::permissions(folder() / "bad", std::filesystem::perms::owner_all);
  coordinator_.OfferLease(MakeLease(6, {folder() / "bad"}, 2));
  EXPECT_THAT(coordinator_.WaitForFinish(6).reason(), HasSubstr("cannot be executed"));
  coordinator_.Offer(7, "", 1);
  EXPECT_EQ(coordinator_.WaitForFinish(7).outcome(), v1::LEASE_OUTCOME_COMPLETED)
      << "the worker goes on";
}

TEST_F(ProgramTest, NeedsNoTrainerBesideIt) {
  options_.trainer_command = {"/nowhere/trainer"};
  options_.trainer_optional = true;
  EXPECT_EQ(Run("e 1; e 2").outcome(), v1::LEASE_OUTCOME_COMPLETED);
  coordinator_.Offer(2, "", 1);
  EXPECT_EQ(coordinator_.WaitForFinish(2).outcome(), v1::LEASE_OUTCOME_FAILED);
  EXPECT_THAT(coordinator_.WaitForFinish(2).reason(), HasSubstr("looked at /nowhere/trainer"));
}

TEST_F(ProgramTest, ItsLinesAreStoredBeforeTheEnd) {
  Run("echo one; echo two >&2; sleep 0.05; echo; echo three; e 1; e 2; echo four");
  const Record record = coordinator_.record();
  EXPECT_THAT(record.LogOf(1), ::testing::UnorderedElementsAre("one", "two", "three", "four"));
  EXPECT_THAT(record.LogNumbersOf(1), ElementsAre(1, 2, 3, 4));
  const v1::LogLine line = record.logs.front().lines(0);
  EXPECT_EQ(line.attempt(), 1);
  EXPECT_NEAR(static_cast<double>(line.time().seconds()), static_cast<double>(time(nullptr)), 60);
}

TEST_F(ProgramTest, TheNextTrialsLinesBeginAtOne) {
  Run("echo a; e 1; e 2");
  Run("echo b; e 1; e 2");
  EXPECT_THAT(coordinator_.record().LogOf(2), ElementsAre("b"));
  EXPECT_THAT(coordinator_.record().LogNumbersOf(2), ElementsAre(1));
}

TEST_F(ProgramTest, ACoordinatorThatKeepsNoLogsIsNotAskedAgain) {
  coordinator_.SetLogStatus(absl::UnimplementedError("AppendLogs"));
  EXPECT_EQ(Run("echo a; e 1; e 2").outcome(), v1::LEASE_OUTCOME_COMPLETED);
  EXPECT_EQ(Run("echo b; e 1; e 2").outcome(), v1::LEASE_OUTCOME_COMPLETED);
  EXPECT_EQ(coordinator_.record().refused_logs, 1);
}

TEST_F(ProgramTest, LinesThatCannotBeStoredFailNothing) {
  coordinator_.SetLogStatus(absl::UnavailableError("busy"));
  EXPECT_EQ(Run("echo a; e 1; e 2").outcome(), v1::LEASE_OUTCOME_COMPLETED);
  EXPECT_GE(coordinator_.record().refused_logs, 1);
  coordinator_.SetLogStatus(absl::InvalidArgumentError("bad line"));
  EXPECT_EQ(Run("echo a; e 1; e 2").outcome(), v1::LEASE_OUTCOME_COMPLETED);
}

TEST_F(ProgramTest, LinesAreSentWhileItTrains) {
  Offer(1, "echo started; sleep 1000");
  StartAgent();
  EXPECT_TRUE(coordinator_.WaitUntil([](const Record& r) { return r.LogOf(1).size() == 1; }));
}

TEST_F(ProgramTest, ResumesAndMayFindNothingLeftToDo) {
  v1::Lease lease = MakeLease(1, Shell(1, "head -n 1 > $FILE; done_ 2"), 2);
  lease.set_checkpoint_sha256(coordinator_.PutBlob("2 epochs"));
  lease.set_checkpoint_epoch(2);
  coordinator_.OfferLease(lease);
  StartAgent();
  const v1::FinishLeaseRequest finish = coordinator_.WaitForFinish(1);
  EXPECT_EQ(finish.outcome(), v1::LEASE_OUTCOME_COMPLETED) << finish.reason();
  EXPECT_THAT(TrialSpecFromJson(File(), NetworkField::kOptional).resume_from, Not(IsEmpty()));
}

// Commands that report a checkpoint of trial `number`, a file that holds "saved".
std::string Checkpoint(int number, int epoch) {
  return absl::StrCat("read line; out=${line#*'\"output_dir\":\"'}; out=${out%%'\"'*}; ",
                      "echo saved > $out/c; echo \"{\\\"type\\\":\\\"checkpoint\\\",",
                      "\\\"trial\\\":\\\"s/", number, "\\\",\\\"epoch\\\":", epoch,
                      ",\\\"path\\\":\\\"$out/c\\\"}\"; ");
}

TEST_F(ProgramTest, ThatIsTerminatedBesideItsWorkerHasNotFailed) {
  options_.end_doubt = absl::Minutes(5);
  for (const char* end : {"kill -TERM $$", "kill -HUP $$", "exit 143", "exit 0"}) {
    const int number = ++number_;
    Offer(number, absl::StrCat("e 1; ", Checkpoint(number, 1), "echo $PPID > $FILE; ", end), 5);
    StartAgent();
    ASSERT_TRUE(coordinator_.WaitUntil([&](const Record& r) {
      return !r.RowsOf(number).empty() && r.reports.back().checkpoint_epoch() == 1;
    })) << end;
    // The supervisor is gone once the worker has reaped it, and so has noticed the end.
    ASSERT_TRUE(Eventually([&] { return !File().empty() && IsGone(std::stoi(File())); }));
    agent_->Drain();
    EXPECT_TRUE(agent_->Wait().ok());
    const v1::FinishLeaseRequest finish = coordinator_.WaitForFinish(number);
    EXPECT_EQ(finish.outcome(), v1::LEASE_OUTCOME_GIVEN_BACK) << end << finish.reason();
    agent_.reset();
    std::filesystem::remove(folder() / "file");
  }
}

TEST_F(ProgramTest, ThatStopsUnaskedBesideItsWorkerHasNotFailed) {
  options_.end_doubt = absl::Minutes(5);
  Offer(1,
        "echo $PPID > $FILE; e 1; "
        "echo '{\"type\":\"done\",\"trial\":\"s/1\",\"epochs\":1,\"stopped\":true}'",
        5);
  StartAgent();
  ASSERT_TRUE(Eventually([&] { return !File().empty() && IsGone(std::stoi(File())); }));
  agent_->Drain();
  EXPECT_EQ(coordinator_.WaitForFinish(1).outcome(), v1::LEASE_OUTCOME_GIVEN_BACK);
}

TEST_F(ProgramTest, ThatIsTerminatedAloneHasFailed) {
  options_.end_doubt = absl::Milliseconds(50);
  EXPECT_THAT(ReasonOf("e 1; kill -TERM $$"), HasSubstr("ended by signal 15"));
}

TEST_F(ProgramTest, AtOnceGivesItsLeaseBack) {
  Offer(1, "trap '' TERM; e 1; echo $$ > $FILE; while :; do sleep 1; done");
  StartAgent();
  ASSERT_TRUE(coordinator_.WaitUntil([](const Record& r) { return !r.RowsOf(1).empty(); }));
  ASSERT_TRUE(Eventually([&] { return !File().empty(); }));
  agent_->Drain();
  agent_->DrainAtOnce();
  EXPECT_TRUE(agent_->Wait().ok());
  EXPECT_EQ(coordinator_.WaitForFinish(1).outcome(), v1::LEASE_OUTCOME_GIVEN_BACK);
  EXPECT_TRUE(IsGone(std::stoi(File())));
}

TEST_F(ProgramTest, AtOnceDoesNotWaitForACoordinatorThatIsAway) {
  options_.at_once_patience = absl::Milliseconds(100);
  Offer(1, "e 1; echo $$ > $FILE; sleep 1000");
  StartAgent();
  ASSERT_TRUE(Eventually([&] { return !File().empty(); }));
  coordinator_.Disconnect();
  agent_->DrainAtOnce();
  EXPECT_TRUE(agent_->Wait().ok());
  EXPECT_TRUE(IsGone(std::stoi(File())));
}

TEST_F(ProgramTest, ThatNamesWhatCannotBeReadHoldsNobodyUp) {
  const std::string out = "read line; out=${line#*'\"output_dir\":\"'}; out=${out%%'\"'*}; ";
  const std::string done =
      "echo \"{\\\"type\\\":\\\"done\\\",\\\"trial\\\":\\\"s/%\\\",\\\"epochs\\\":2,"
      "\\\"files\\\":{\\\"weights\\\":\\\"$out/f\\\",\\\"more\\\":\\\"$out/g\\\"}}\"";
  const std::pair<const char*, const char*> cases[] = {
      {"mkfifo $out/f", "is a pipe"},
      {"mkdir $out/f", "is a folder"},
      {"ln -s /etc/passwd $out/f", "is a link"},
      {"ln -s g $out/f", "is a link"},
      {"truncate -s 1T $out/f", "a file that is kept has at most"},
      {":", "is not there"}};
  for (const auto& [deed, why] : cases) {
    std::string script = absl::StrCat(out, "echo kept > $out/g; ", deed, "; e 1; e 2; ", done);
    script.replace(script.find('%', script.find("s/%")), 1, std::to_string(number_ + 1));
    const v1::FinishLeaseRequest finish = Run(script);
    EXPECT_EQ(finish.outcome(), v1::LEASE_OUTCOME_COMPLETED) << deed << finish.reason();
    EXPECT_THAT(finish.reason(), AllOf(HasSubstr("weights not stored: "), HasSubstr(why)));
    ASSERT_EQ(finish.artifacts_size(), 1) << "what is good is kept";
    EXPECT_EQ(finish.artifacts(0).role(), "more");
  }
}

TEST_F(ProgramTest, WhoseCheckpointIsAPipeIsTold) {
  const v1::FinishLeaseRequest finish =
      Run("read line; out=${line#*'\"output_dir\":\"'}; out=${out%%'\"'*}; mkfifo $out/c; e 1; "
          "echo \"{\\\"type\\\":\\\"checkpoint\\\",\\\"trial\\\":\\\"s/1\\\",\\\"epoch\\\":1,"
          "\\\"path\\\":\\\"$out/c\\\"}\"; e 2");
  EXPECT_EQ(finish.outcome(), v1::LEASE_OUTCOME_COMPLETED) << finish.reason();
  EXPECT_THAT(coordinator_.record().LogOf(1),
              ElementsAre(AllOf(HasSubstr("takes no checkpoint of epoch 1"), HasSubstr("a pipe"))));
}

TEST_F(ProgramTest, ThatStopsItsSupervisorEndsAllTheSame) {
  EXPECT_EQ(Run("e 1; e 2; kill -STOP $PPID").outcome(), v1::LEASE_OUTCOME_COMPLETED);
  EXPECT_THAT(ReasonOf("e 1; kill -STOP $PPID; exit 3"), HasSubstr("exit code 3"));
}

TEST_F(ProgramTest, ThatStopsItsSupervisorAgainAndAgainIsKilled) {
  Offer(1,
        "trap '' TERM; p=$PPID; (while kill -STOP $p; do :; done) & echo $$ > $FILE; e 1; "
        "while kill -STOP $p; do :; done");
  StartAgent();
  ASSERT_TRUE(Eventually([&] { return !File().empty(); }));
  coordinator_.Revoke(1);
  EXPECT_TRUE(Eventually([&] { return IsGone(std::stoi(File())); }));
  Offer(2, "e 1; e 2");
  EXPECT_EQ(coordinator_.WaitForFinish(2).outcome(), v1::LEASE_OUTCOME_COMPLETED);
}

TEST_F(ProgramTest, ThatStopsItselfIsEnded) {
  options_.silence_timeout = absl::Milliseconds(300);
  EXPECT_THAT(ReasonOf("e 1; kill -STOP 0"), HasSubstr("printed nothing for 300ms"));
}

TEST_F(ProgramTest, ThatKillsItsSupervisorLeavesNothing) {
  // A daemon that has left group, session and pipes, with a child, and a process that holds the
  // pipes.
  const std::string script =
      "echo $$ > $FILE; "
      "setsid sh -c '(trap \"\" TERM HUP; "
      "sh -c \"sleep 1000 & echo \\$! >> $0; wait\" > /dev/null 2>&1 & "
      "echo $! >> \"$0\")' $FILE; sleep 1001 & echo $! >> $FILE; "
      "until [ $(wc -l < $FILE) = 4 ]; do sleep 0.01; done; e 1; kill -KILL $PPID; sleep 1002";
  EXPECT_THAT(ReasonOf(script), HasSubstr("ended by signal 9"));
  std::istringstream pids(File());
  int count = 0;
  for (int pid; pids >> pid; ++count) {
    EXPECT_TRUE(Eventually([&] { return IsGone(pid); })) << pid;
  }
  EXPECT_EQ(count, 4);
  EXPECT_EQ(Run("e 1; e 2").outcome(), v1::LEASE_OUTCOME_COMPLETED) << "the worker goes on";
}

TEST_F(ProgramTest, WhatABatchSystemSendsToItsSupervisorIsIgnored) {
  const v1::FinishLeaseRequest finish =
      Run("e 1; for s in TERM HUP INT USR1 USR2 CONT; do kill -$s $PPID; done; sleep 0.2; e 2");
  EXPECT_EQ(finish.outcome(), v1::LEASE_OUTCOME_COMPLETED) << finish.reason();
}

TEST_F(ProgramTest, ThatIsThereButCannotBeExecutedIsToldWhy) {
  const auto reason = [this](const std::string& text, bool executable) {
    const std::filesystem::path path = folder() / "there";
    std::filesystem::remove(path);
    std::ofstream(path) << text;
    std::filesystem::permissions(
        path, executable ? std::filesystem::perms::owner_all : std::filesystem::perms::owner_read);
    const int number = ++number_;
    coordinator_.OfferLease(MakeLease(number, {path}, 2));
    if (agent_ == nullptr) StartAgent();
    return coordinator_.WaitForFinish(number).reason();
  };
  EXPECT_THAT(reason("echo\n", true),
              HasSubstr("there: is there, but cannot be executed: it does not begin with #!"));
  EXPECT_THAT(reason("#!/bin/sh\r\necho\r\n", true), HasSubstr("'/bin/sh\\r'"));
  EXPECT_THAT(reason("#!/nowhere/sh\n", true),
              HasSubstr("its interpreter '/nowhere/sh' does not exist"));
  EXPECT_THAT(reason("#!/bin/sh\n", false),
              HasSubstr("it is there, but cannot be executed: it lacks the permission"));
  EXPECT_THAT(reason("#!/usr/bin/env no-such-thing\n", true),
              HasSubstr("exit code 127: its #! line asks /usr/bin/env for 'no-such-thing'"));
}

}  // namespace
}  // namespace sweep
