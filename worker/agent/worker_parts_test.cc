// The parts of the worker that can be tested alone.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <signal.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <utility>

#include "common/base/ids.h"
#include "common/base/testing/is_alive.h"
#include "worker/agent/find_trainer.h"
#include "worker/agent/lease_table.h"
#include "worker/agent/line_splitter.h"
#include "worker/agent/owned_folder.h"
#include "worker/agent/trainer_process.h"

namespace sweep {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

using Lines = std::vector<std::pair<std::string, bool>>;

LineSplitter::Sink Into(Lines* lines) {
  return [lines](std::string_view line, bool cut) { lines->emplace_back(line, cut); };
}

TEST(LineSplitter, PutsLinesTogetherFromPieces) {
  LineSplitter splitter(100);
  Lines lines;
  splitter.Feed("on", Into(&lines));
  splitter.Feed("e\r\n\ntwo\nthr", Into(&lines));
  EXPECT_THAT(lines, ElementsAre(Pair("one", false), Pair("", false), Pair("two", false)));
  splitter.Finish(Into(&lines));
  EXPECT_EQ(lines.back().first, "thr");
}

TEST(LineSplitter, CutsALongLineOnce) {
  LineSplitter splitter(4);
  Lines lines;
  for (int i = 0; i < 10; ++i) splitter.Feed("abc", Into(&lines));
  splitter.Feed("\n1234\nend", Into(&lines));
  splitter.Finish(Into(&lines));
  EXPECT_THAT(lines, ElementsAre(Pair("abca", true), Pair("1234", false), Pair("end", false)));
}

TEST(LineSplitter, BeginsALineAnewAtACarriageReturn) {
  LineSplitter splitter(8);
  Lines lines;
  splitter.Feed("10%\r 20%", Into(&lines));
  splitter.Feed("\r", Into(&lines));
  splitter.Feed("30%\nno", Into(&lines));
  splitter.Feed("thing\r", Into(&lines));
  splitter.Feed("\nlonger than eight\rshort\n", Into(&lines));
  EXPECT_THAT(lines, ElementsAre(Pair("30%", false), Pair("nothing", false), Pair("longer t", true),
                                 Pair("short", false)));
}

v1::Lease MakeLease(const std::string& trial, int attempt, const std::string& secret) {
  v1::Lease lease;
  lease.mutable_token()->set_trial(trial);
  lease.mutable_token()->set_attempt(attempt);
  lease.mutable_token()->set_secret(secret);
  return lease;
}

v1::SynchronizeResponse Answer(const std::vector<v1::Lease>& leases) {
  v1::SynchronizeResponse answer;
  for (const v1::Lease& lease : leases) *answer.add_leases() = lease;
  return answer;
}

TEST(LeaseTable, RevokesWhatWasSaidAndIsNotListed) {
  LeaseTable table(2);
  const v1::Lease a = MakeLease("a", 1, "x"), b = MakeLease("b", 1, "y");
  EXPECT_TRUE(table.Apply(Answer({a, b}), {}));
  EXPECT_EQ(table.Take()->token().trial(), "a");
  EXPECT_EQ(table.Held().size(), 2u);
  EXPECT_TRUE(table.Apply(Answer({}), table.Held()));
  EXPECT_THAT(table.TakeRevoked(), ElementsAre(KeyOf(a.token())));
  EXPECT_FALSE(table.Take().has_value()) << "b waited and is gone as well";
  EXPECT_TRUE(table.empty());
}

TEST(LeaseTable, KeepsALeaseThatAnOlderAnswerDoesNotKnow) {
  LeaseTable table(2);
  const std::vector<v1::LeaseToken> said = table.Held();
  table.Apply(Answer({MakeLease("a", 1, "x")}), said);
  EXPECT_FALSE(table.Apply(Answer({}), said));
  EXPECT_EQ(table.Held().size(), 1u);
}

TEST(LeaseTable, DoesNotTakeUpAgainWhatHasEnded) {
  LeaseTable table(1);
  const v1::Lease lease = MakeLease("a", 1, "x");
  table.Apply(Answer({lease}), {});
  table.Take();
  table.Forget(KeyOf(lease.token()));
  EXPECT_FALSE(table.Apply(Answer({lease}), {}));
  EXPECT_TRUE(table.Apply(Answer({MakeLease("a", 2, "y")}), {}));
}

TEST(LeaseTable, LetsNoMoreWaitThanItHasSlots) {
  LeaseTable table(1);
  table.Apply(Answer({MakeLease("a", 1, "x"), MakeLease("b", 1, "y")}), {});
  EXPECT_EQ(table.Held().size(), 1u);
}

TEST(FindTrainer, LooksAtTheEnvironmentFirst) {
  setenv("SWEEP_TRAINER", FAKE_TRAINER, 1);
  EXPECT_THAT(*FindTrainer({}), ElementsAre(FAKE_TRAINER));
  setenv("SWEEP_TRAINER", "/nowhere/at/all", 1);
  EXPECT_THAT(std::string(FindTrainer({}).status().message()), HasSubstr("/nowhere/at/all"));
  unsetenv("SWEEP_TRAINER");
}

TEST(FindTrainer, SearchesThePathAndKeepsArguments) {
  EXPECT_THAT(*FindTrainer({"sh", "-c", "x"}), ElementsAre(HasSubstr("/sh"), "-c", "x"));
  EXPECT_TRUE(absl::IsNotFound(FindTrainer({"no-such-program-here"}).status()));
}

TEST(FindTrainer, IsGivenTheFlagsThatWereAskedFor) {
  std::vector<std::string> command{"sweep-trainer"};
  AddTrainerFlags(0, "", &command);
  EXPECT_THAT(command, ElementsAre("sweep-trainer"));
  AddTrainerFlags(2, "torch", &command);
  EXPECT_THAT(command, ElementsAre("sweep-trainer", "--threads", "2", "--backend", "torch"));
}

TEST(FindProgram, LooksOnThePathOrInItsFolder) {
  EXPECT_THAT(*FindProgram({"sh", "x"}, "/nowhere"), ElementsAre(HasSubstr("/sh"), "x"));
  EXPECT_THAT(*FindProgram({"./sh"}, "/bin"), ElementsAre("/bin/./sh"));
  EXPECT_THAT(*FindProgram({"/bin/sh"}, "/nowhere"), ElementsAre("/bin/sh"));
  EXPECT_THAT(std::string(FindProgram({"bin/x"}, "/nowhere").status().message()),
              HasSubstr("program bin/x: no such program; looked at /nowhere/bin/x"));
}

// Runs a shell command to its end and returns how it ended.
std::string RunShell(const std::string& script, std::unique_ptr<TrainerProcess>* process,
                     const std::vector<std::string>& input = {}) {
  auto started = TrainerProcess::Start({.command = {"/bin/sh", "-c", script}});
  if (!started.ok()) return started.status().ToString();
  *process = *std::move(started);
  for (const std::string& line : input) (*process)->Send(line).IgnoreError();
  (*process)->CloseInput();
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  const TrainerProcess::Sinks ignore = {.message = [](const TrainerMessage&) {},
                                        .log = [](std::string_view) {}};
  while (std::chrono::steady_clock::now() < until) {
    std::vector<pollfd> fds;
    (*process)->AppendPollFds(&fds);
    poll(fds.data(), fds.size(), 10);
    (*process)->Flush();
    (*process)->Read(ignore).IgnoreError();
    if (const auto how = (*process)->PollExit(ignore)) return how->how;
  }
  return "runs on";
}

// A program may leave anything: neither the depth of a tree nor its permissions prevent removal.
TEST(RemoveTree, RemovesATreeThatIsDeeperThanThereAreFilesToOpen) {
  const std::string folder =
      std::filesystem::temp_directory_path() / ("worker_parts_test-" + RandomHex(8));
  ASSERT_EQ(mkdir(folder.c_str(), 0700), 0);
  std::ofstream(folder + "/file") << "x";
  std::filesystem::create_symlink("/", folder + "/link");
  rlimit before{};
  getrlimit(RLIMIT_NOFILE, &before);
  int place = open(folder.c_str(), O_RDONLY | O_DIRECTORY);
  for (int i = 0; i < 2000; ++i) {
    ASSERT_EQ(mkdirat(place, "deep", 0700), 0);
    const int next = openat(place, "deep", O_RDONLY | O_DIRECTORY);
    ASSERT_GE(next, 0);
    if (i % 100 == 0) fchmodat(place, "deep", 0500, 0);
    close(std::exchange(place, next));
  }
  close(place);
  const rlimit few = {.rlim_cur = 100, .rlim_max = before.rlim_max};
  setrlimit(RLIMIT_NOFILE, &few);
  EXPECT_TRUE(RemoveTree(folder));
  setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_FALSE(std::filesystem::exists(folder));
  EXPECT_TRUE(RemoveTree(folder)) << "what is not there";
}

// A process that is killed while it removes its folder leaves one that the next process still knows
// by its lock.
TEST(OwnedFolder, ItsLockGoesLast) {
  const std::string parent =
      std::filesystem::temp_directory_path() / ("worker_parts_test-" + RandomHex(8));
  ASSERT_EQ(mkdir(parent.c_str(), 0700), 0);
  auto folder = OwnedFolder::Make(parent, "work-");
  ASSERT_TRUE(folder.ok()) << folder.status();
  for (int i = 0; i < 20; ++i) std::ofstream((*folder)->path() + "/" + std::to_string(i)) << "x";
  // Takes more than one pass.
  std::filesystem::create_directories((*folder)->path() + "/trial/files/deep");
  const int events = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  ASSERT_GE(inotify_add_watch(events, (*folder)->path().c_str(), IN_DELETE), 0);
  folder->reset();
  EXPECT_TRUE(std::filesystem::is_empty(parent));
  std::vector<std::string> removed;
  alignas(inotify_event) char buffer[16384];
  const ssize_t size = read(events, buffer, sizeof buffer);
  for (ssize_t at = 0; at < size;) {
    const auto* event = reinterpret_cast<const inotify_event*>(buffer + at);
    if (event->len > 0) removed.push_back(event->name);
    at += static_cast<ssize_t>(sizeof(inotify_event) + event->len);
  }
  close(events);
  ASSERT_GE(removed.size(), 23);
  EXPECT_EQ(removed.back(), "lock");
  std::filesystem::remove_all(parent);
}

TEST(TrainerProcess, InheritsNothingButTheStandardStreams) {
  const int leaked = open("/dev/null", O_RDONLY);  // without O_CLOEXEC, as some libraries do
  std::unique_ptr<TrainerProcess> process;
  EXPECT_EQ(RunShell("for fd in 0 1 2 3 4 5 6 7 8 9; do test -e /proc/$$/fd/$fd && echo has $fd;"
                     " done; exit 0",
                     &process),
            "ended with exit code 0");
  EXPECT_EQ(process->LastLines(), "has 0\nhas 1\nhas 2");
  close(leaked);
}

TEST(TrainerProcess, ResetsSignals) {
  std::unique_ptr<TrainerProcess> process;
  const auto old = signal(SIGPIPE, SIG_IGN);
  RunShell("grep -E 'Sig(Blk|Ign)' /proc/$$/status | cut -f2", &process);
  signal(SIGPIPE, old);
  EXPECT_EQ(process->LastLines(), "0000000000000000\n0000000000000000");
}

TEST(TrainerProcess, LeadsAProcessGroupThatDiesWithIt) {
  std::unique_ptr<TrainerProcess> process;
  RunShell("sleep 1000 & echo $!; kill -9 $$", &process);
  const pid_t orphan = std::atoi(process->LastLines().c_str());
  ASSERT_GT(orphan, 0);
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (testing::IsAlive(orphan) && std::chrono::steady_clock::now() < until) poll(nullptr, 0, 5);
  EXPECT_FALSE(testing::IsAlive(orphan));
}

TEST(TrainerProcess, KeepsTheLastThreeLines) {
  std::unique_ptr<TrainerProcess> process;
  RunShell(
      "i=0; while test $i -lt 60; do echo line $i; i=$((i+1)); done; echo no newline | tr -d "
      "'\\n'",
      &process);
  EXPECT_EQ(process->LastLines(), "line 58\nline 59\nno newline");
}

TEST(TrainerProcess, LeavesOutWhatUnderlinesAnExpression) {
  std::unique_ptr<TrainerProcess> process;
  RunShell("echo '    raise E()'; echo '    ~~~^^^^'; echo 'E: no'", &process);
  EXPECT_EQ(process->LastLines(), "    raise E()\nE: no");
}

TEST(TrainerProcess, KeepsThreeHundredBytesOfTheLastLines) {
  std::unique_ptr<TrainerProcess> process;
  RunShell("echo one; printf '%0200d\\n' 1; printf '%099d\\n' 2", &process);
  EXPECT_EQ(process->LastLines(), std::string(199, '0') + "1\n" + std::string(98, '0') + "2");
  RunShell("echo one; printf '%01000d\\n' 1", &process);
  EXPECT_EQ(process->LastLines(), std::string(300, '0'));
}

TEST(TrainerProcess, WritesMoreThanAPipeHolds) {
  std::unique_ptr<TrainerProcess> process;
  const std::string line(300'000, 'x');
  EXPECT_EQ(RunShell("wc -c", &process, {line}), "ended with exit code 0");
  EXPECT_EQ(process->LastLines(), "300001");
}

TEST(TrainerProcess, SaysWhatCannotBeExecuted) {
  const absl::Status status = TrainerProcess::Start({.command = {"/etc/passwd"}}).status();
  EXPECT_THAT(std::string(status.message()), HasSubstr("/etc/passwd"));
  EXPECT_TRUE(absl::IsPermissionDenied(status)) << status;
}

}  // namespace
}  // namespace sweep
