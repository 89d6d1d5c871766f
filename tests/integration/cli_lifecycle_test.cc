// What people do to sweeps with the client, against a remote coordinator and the embedded one. The
// trainer is a shell script that comes with the sweep, so that nothing waits for real training.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "cli/help/json_keys.h"
#include "cli/present/text.h"
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

constexpr int kLifecycleColumns = 100;  // of a terminal
constexpr char kLifecycleSweep[] = R"(name: life
program: ["sh", "train.sh"]
files: [train.sh]
method: random
parameters:
  lr: {min: 0.01, max: 0.1}
  momentum: {value: 0.9}
run_cap: 2
epochs: 3
seed: 1
max_failures: 1
require: {accuracy: ">= 0.5"}
)";

// Trains at once when there is a file `go`, otherwise waits after the first epoch; fails when there
// is a file `fail`.
std::string TrainScript(const std::string& folder) {
  return "read -r trial\n"
         "name=$(printf '%s' \"$trial\" | sed 's/.*\"trial\":\"\\([^\"]*\\)\".*/\\1/')\n"
         "[ ! -e '" +
         folder +
         "/fail' ] || exit 3\n"
         "for epoch in 1 2 3; do\n"
         "  printf "
         "'{\"type\":\"epoch\",\"trial\":\"%s\",\"epoch\":%d,\"train_loss\":0.5,\"train_accuracy\":"
         "0.6,'"
         "'\"validation_loss\":0.4,\"validation_accuracy\":0.7,\"lr\":0.1}\\n' \"$name\" $epoch\n"
         "  while [ ! -e '" +
         folder +
         "/go' ]; do sleep 0.05; done\n"
         "done\n"
         "printf '{\"type\":\"done\",\"trial\":\"%s\",\"epochs\":3}\\n' \"$name\"\n";
}

std::size_t Count(const std::string& text, const std::string& what) {
  std::size_t count = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
    ++count;
  return count;
}

class LifecycleTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::filesystem::create_directories(folder_.path() + "/server");
    std::filesystem::create_directories(folder_.path() + "/worker");
    file_ = folder_.Write("life.yaml", kLifecycleSweep);
    folder_.Write("train.sh", TrainScript(folder_.path()));
  }

  void StartCoordinator(const std::string& listen = "127.0.0.1:0") {
    coordinator_ = std::make_unique<Process>(Process::Options{
        .command = {"sweep-coordinator", "--http", "off", "--listen", listen, "--db", "server.db"},
        .folder = folder_.path() + "/server"});
    ASSERT_TRUE(Eventually([&] {
      const std::string output = coordinator_->Output();
      const std::size_t begin = output.find("127.0.0.1:");
      const std::size_t end = output.find('\n', begin);
      if (begin == std::string::npos || end == std::string::npos) return false;
      address_ = output.substr(begin, end - begin);
      return true;
    })) << coordinator_->Output();
  }

  void StartWorker() {
    worker_ = std::make_unique<Process>(
        Process::Options{.command = {"sweep-worker", "--coordinator", address_, "--name", "w1",
                                     "--slots", "1", "--trainer", "/bin/true", "--allow-program"},
                         .folder = folder_.path() + "/worker"});
  }

  std::map<std::string, std::string> Environment() const {
    std::map<std::string, std::string> environment = {{"SWEEP_TRAINER", "/bin/true"}};
    if (!address_.empty()) environment["SWEEP_COORDINATOR"] = address_;
    return environment;
  }

  Process::Options Command(std::vector<std::string> words) const {
    words.insert(words.begin(), "sweep");
    return {.command = std::move(words), .folder = folder_.path(), .environment = Environment()};
  }

  Result Sweep(std::vector<std::string> words) { return testing::Run(Command(std::move(words))); }

  json Json(std::vector<std::string> words) {
    words.insert(words.end(), {"--format", "json"});
    const Result result = Sweep(words);
    json document = json::parse(result.output, nullptr, /*allow_exceptions=*/false);
    EXPECT_FALSE(document.is_discarded()) << words[0] << ": " << result.output;
    return document;
  }

  bool Runs(int count) {
    return Eventually([&] { return Json({"show", "life"})["trials"]["running"] == count; });
  }
  bool HasEpoch(const std::string& trial) {
    return Eventually([&] { return Json({"trial", trial})["epoch"] != 0; });
  }
  void Go() { folder_.Write("go", ""); }

  testing::TemporaryFolder folder_;
  std::string file_;
  std::string address_;
  std::unique_ptr<Process> coordinator_;
  std::unique_ptr<Process> worker_;
};

TEST_F(LifecycleTest, PauseNowFreesTheWorkerAndResumeGoesOn) {
  StartCoordinator();
  StartWorker();
  const Result submitted = Sweep({"submit", file_, "--quiet"});
  ASSERT_EQ(submitted.code, 0) << submitted.output;
  EXPECT_EQ(submitted.output, "life\n") << "for a script: the name and nothing else";
  ASSERT_TRUE(Runs(1));
  const Result paused = Sweep({"pause", "life", "--now", "--wait"});
  EXPECT_EQ(paused.code, 0) << paused.output;
  EXPECT_THAT(paused.output, AllOf(HasSubstr("paused life"), HasSubstr("sweep resume life"),
                                   HasSubstr("nothing of life runs")));
  EXPECT_TRUE(Json({"workers"})[0]["trials"].empty());
  const json again = Json({"pause", "life"});
  EXPECT_EQ(again["state"], "paused") << "twice is harmless";
  EXPECT_EQ(again["trials"]["failed"], 0);
  EXPECT_THAT(Sweep({"explain", "life/1"}).output,
              AllOf(HasSubstr("life/1 is pending"), HasSubstr("paused")));

  const Result resumed = Sweep({"resume", "life"});
  EXPECT_EQ(resumed.code, 0);
  EXPECT_THAT(resumed.output, HasSubstr("sweep watch life"));
  EXPECT_EQ(Sweep({"resume", "life", "--quiet"}).output, "") << "twice is harmless";
  Go();
  const Result watch = Sweep({"watch", "life"});
  EXPECT_EQ(watch.code, 0) << watch.output;
  EXPECT_THAT(watch.output, AllOf(HasSubstr("life/1  epoch 3"), HasSubstr("all criteria"),
                                  HasSubstr("in every row: momentum=0.9")));
  EXPECT_EQ(Sweep({"pause", "life"}).code, 1) << "it has ended";
}

// Adds a key that no build knows to every stored sweep file.
void SpoilStoredFiles(const std::string& path) {
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open_v2(path.c_str(), &database, SQLITE_OPEN_READWRITE, nullptr), SQLITE_OK);
  char* error = nullptr;
  EXPECT_EQ(sqlite3_exec(database,
                         "update sweep_files set text = text || 'not_a_key: 1\n' "
                         "where role = 'sweep'",
                         nullptr, nullptr, &error),
            SQLITE_OK)
      << error;
  EXPECT_GT(sqlite3_changes(database), 0);
  sqlite3_close(database);
}

TEST_F(LifecycleTest, AStoredSweepThatThisBuildDoesNotAcceptIsShownAndPutAway) {
  StartCoordinator();
  StartWorker();
  Go();
  ASSERT_EQ(Sweep({"submit", file_, "--wait", "--quiet"}).code, 0);
  worker_.reset();
  const auto named = [&](const std::string& name) {
    return folder_.Write(
        name + ".yaml",
        "name: " + name + std::string(kLifecycleSweep).substr(sizeof("name: life") - 1));
  };
  ASSERT_EQ(Sweep({"submit", named("later"), "--quiet"}).code, 0);
  coordinator_->Signal(SIGTERM);
  ASSERT_EQ(coordinator_->Wait(), 0);
  SpoilStoredFiles(folder_.path() + "/server/server.db");
  StartCoordinator();
  StartWorker();

  const Result list = Sweep({"list"});
  EXPECT_EQ(list.code, 0) << list.output;
  EXPECT_THAT(list.output, AllOf(HasSubstr("life"), HasSubstr("later does not run: this build"),
                                 HasSubstr("not_a_key"), Not(HasSubstr("life does not run"))));
  for (const std::string name : {"life", "later"}) {
    const Result shown = Sweep({"show", name});
    EXPECT_EQ(shown.code, 0) << shown.output;
    EXPECT_THAT(shown.output,
                AllOf(HasSubstr("not accepted by this build"), HasSubstr("not_a_key")));
    EXPECT_THAT(Json({"show", name})["file_refusal"].get<std::string>(), HasSubstr("not_a_key"));
  }
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"best", "life"},
                                             {"trials", "life"},
                                             {"trial", "life/1"},
                                             {"export", "life", "--format", "csv"},
                                             {"export", "life", "--format", "json", "--epochs"},
                                             {"trials", "later"}}) {
    const Result result = Sweep(words);
    EXPECT_EQ(result.code, 0) << words[0] << ": " << result.output;
  }
  EXPECT_THAT(Sweep({"trials", "life"}).output, HasSubstr("life/2"));
  EXPECT_THAT(Sweep({"export", "life", "--format", "csv"}).output, HasSubstr("parameters.lr"));
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"resume", "later"},
                                             {"retry", "life"},
                                             {"retry", "life/1"},
                                             {"extend", "later", "--run-cap", "9"}}) {
    const Result result = Sweep(words);
    EXPECT_EQ(result.code, 1) << words[0] << ": " << result.output;
    EXPECT_THAT(result.output,
                AllOf(HasSubstr("this build does not accept its file"), HasSubstr("not_a_key")))
        << words[0];
  }
  EXPECT_EQ(Sweep({"submit", named("other"), "--wait", "--quiet"}).code, 0) << "it runs";
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"cancel", "later"}, {"archive", "life"}, {"delete", "later", "--yes"}}) {
    const Result result = Sweep(words);
    EXPECT_EQ(result.code, 0) << words[0] << ": " << result.output;
  }
}

TEST_F(LifecycleTest, ExtendRetryAndCancelTakeASweepUpAgain) {
  StartCoordinator();
  StartWorker();
  folder_.Write("fail", "");
  const Result waited = Sweep({"submit", file_, "--wait"});
  EXPECT_EQ(waited.code, 1) << waited.output;
  EXPECT_EQ(Json({"show", "life"})["trials"]["failed"], 2);
  std::filesystem::remove(folder_.path() + "/fail");
  Go();
  EXPECT_THAT(Sweep({"retry", "life/1"}).output, HasSubstr("life/1 is queued again"));
  EXPECT_EQ(Json({"retry", "life"})["retried"], 1) << "the other one";
  EXPECT_EQ(Sweep({"watch", "life", "--quiet"}).code, 0);
  EXPECT_EQ(Json({"retry", "life"})["retried"], 0) << "twice is harmless";
  EXPECT_EQ(Sweep({"retry", "life/1"}).code, 1) << "it has completed";

  std::filesystem::remove(folder_.path() + "/go");
  EXPECT_THAT(Sweep({"extend", "life", "--run-cap", "3"}).output,
              HasSubstr("run cap raised from 2 to 3, 1 more trial"));
  EXPECT_THAT(Sweep({"extend", "life", "--run-cap", "3"}).output, HasSubstr("already"));
  EXPECT_EQ(Sweep({"extend", "life", "--run-cap", "1"}).code, 2);
  ASSERT_TRUE(HasEpoch("life/3"));
  const Result cancelled = Sweep({"cancel", "life/3", "--wait"});
  EXPECT_EQ(cancelled.code, 0) << cancelled.output;
  EXPECT_EQ(Sweep({"cancel", "life/3"}).code, 0) << "twice is harmless";
  EXPECT_EQ(Json({"trial", "life/3"})["state"], "cancelled");
  Go();
  EXPECT_EQ(Json({"retry", "life", "--cancelled"})["retried"], 1);
  const json ended = Json({"submit", file_, "--wait"});
  EXPECT_EQ(ended["state"], "completed");
  EXPECT_EQ(ended["created"], false);
}

TEST_F(LifecycleTest, DrainEndsAWorkerAndItsTrialGoesBack) {
  StartCoordinator();
  StartWorker();
  ASSERT_EQ(Sweep({"submit", file_}).code, 0);
  ASSERT_TRUE(Runs(1));
  const Result drained = Sweep({"worker", "drain", "w1", "--wait"});
  EXPECT_EQ(drained.code, 0) << drained.output;
  EXPECT_THAT(drained.output, AllOf(HasSubstr("saves a checkpoint of 1 trial"),
                                    HasSubstr("worker w1 holds nothing any more")));
  EXPECT_EQ(worker_->Wait(), 0) << worker_->Output();
  EXPECT_EQ(Sweep({"worker", "drain", "w1"}).code, 0) << "twice is harmless";
  const json trial = Json({"trial", "life/1"});
  EXPECT_EQ(trial["state"], "pending");
  EXPECT_EQ(trial["failures"], 0);
  EXPECT_EQ(Sweep({"worker", "list"}).output, Sweep({"workers"}).output);
}

TEST_F(LifecycleTest, WrongNamesNameWhatIsThere) {
  StartCoordinator();
  StartWorker();
  ASSERT_EQ(Sweep({"submit", file_}).code, 0);
  ASSERT_TRUE(Runs(1));
  for (const char* command :
       {"pause", "resume", "cancel", "retry", "show", "watch", "best", "trials"}) {
    const Result result = Sweep({command, "lief"});
    EXPECT_EQ(result.code, 2) << command;
    EXPECT_THAT(result.output, HasSubstr("did you mean 'life'?")) << command;
  }
  EXPECT_THAT(Sweep({"extend", "lief", "--run-cap", "9"}).output,
              HasSubstr("did you mean 'life'?"));
  for (const char* command : {"trial", "explain", "cancel", "retry"}) {
    const Result result = Sweep({command, "life/99"});
    EXPECT_EQ(result.code, 2) << command;
    EXPECT_THAT(result.output, HasSubstr("sweep life has trials 1 to 2")) << command;
  }
  const Result worker = Sweep({"worker", "drain", "w2"});
  EXPECT_EQ(worker.code, 2) << worker.output;
  EXPECT_THAT(worker.output, HasSubstr("did you mean 'w1'?"));
  const Result sort = Sweep({"trials", "life", "--sort", "best_acuracy"});
  EXPECT_EQ(sort.code, 2) << sort.output;
  EXPECT_THAT(sort.output, HasSubstr("best_accuracy"));
}

TEST_F(LifecycleTest, WatchSurvivesACoordinatorThatIsKilledAndStartedAgain) {
  StartCoordinator();
  StartWorker();
  ASSERT_EQ(Sweep({"submit", file_}).code, 0);
  Process watch(Command({"watch", "life"}));
  ASSERT_TRUE(Eventually([&] { return Count(watch.Output(), "life/1  epoch 1") == 1; }))
      << watch.Output();
  coordinator_->Signal(SIGKILL);
  coordinator_->Wait();
  ASSERT_TRUE(Eventually([&] { return Count(watch.Output(), "coordinator does not answer") == 1; }))
      << watch.Output();
  StartCoordinator(address_);
  ASSERT_TRUE(Eventually([&] { return Count(watch.Output(), "coordinator answers again") == 1; }))
      << watch.Output();
  Go();
  EXPECT_EQ(watch.Wait(), 0) << watch.Output();
  for (const char* line : {"life/1  epoch 1 ", "life/1  epoch 2 ", "life/1  epoch 3 ",
                           "life/2  epoch 1 ", "life/2  epoch 3 ", "✓ life/1", "✓ life/2"}) {
    EXPECT_EQ(Count(watch.Output(), line), 1u) << line << " in\n" << watch.Output();
  }
}

TEST_F(LifecycleTest, WatchGivesUpAfterItsPatience) {
  StartCoordinator();
  ASSERT_EQ(Sweep({"submit", file_}).code, 0);
  Process watch(Command({"watch", "life", "--patience", "2"}));
  ASSERT_TRUE(Eventually([&] {
    return coordinator_->Output().find("WatchSweep") != std::string::npos ||
           testing::IsAlive(watch.pid());
  }));
  coordinator_->Signal(SIGKILL);
  EXPECT_EQ(watch.Wait(), 4) << watch.Output();
}

TEST_F(LifecycleTest, TheLivePictureOfWatchLeavesOnlyWhatItTold) {
  StartCoordinator();
  StartWorker();
  ASSERT_EQ(Sweep({"submit", file_}).code, 0);
  Process::Options options = Command({"watch", "life"});
  options.terminal_columns = kLifecycleColumns;
  Process watch(options);
  const auto bars = [&] {
    std::size_t count = 0;
    for (const std::string& line : testing::LinesOnScreen(watch.Output(), kLifecycleColumns)) {
      count += Count(line, "▕") + (line.starts_with("life  active") ? 1 : 0);
    }
    return count;
  };
  ASSERT_TRUE(Eventually([&] { return bars() == 2; })) << watch.Output();
  Go();
  ASSERT_EQ(watch.Wait(), 0) << watch.Output();
  watch.WaitForOutput();
  EXPECT_EQ(bars(), 0u) << watch.Output();
  std::string screen;
  for (const std::string& line : testing::LinesOnScreen(watch.Output(), kLifecycleColumns))
    screen += line + "\n";
  EXPECT_EQ(Count(screen, "✓ life/1  "), 1u) << screen;
  EXPECT_EQ(Count(screen, "✓ life/2  "), 1u) << screen;
}

TEST_F(LifecycleTest, CtrlCInWatchSaysThatTheSweepGoesOn) {
  StartCoordinator();
  StartWorker();
  ASSERT_EQ(Sweep({"submit", file_}).code, 0);
  Process watch(Command({"watch", "life"}));
  ASSERT_TRUE(Eventually([&] { return Count(watch.Output(), "epoch 1") == 1; })) << watch.Output();
  watch.Signal(SIGINT);
  EXPECT_EQ(watch.Wait(), 130);
  EXPECT_THAT(watch.Output(), HasSubstr("life goes on; watch it again with: sweep watch life"));
  EXPECT_EQ(Json({"show", "life"})["state"], "active");
}

TEST_F(LifecycleTest, TheEmbeddedCoordinatorDoesTheSame) {
  Process run(Command({"run", file_, "--slots", "1"}));
  ASSERT_TRUE(Eventually([&] { return Count(run.Output(), "epoch 1") == 1; })) << run.Output();
  EXPECT_THAT(Sweep({"pause", "life"}).output, HasSubstr("1 trial runs on to its end"))
      << "through the run";
  EXPECT_EQ(Sweep({"resume", "life"}).code, 0);
  run.Signal(SIGINT);
  ASSERT_EQ(run.Wait(), 130) << run.Output();

  EXPECT_THAT(Sweep({"pause", "life"}).output, HasSubstr("nothing runs"))
      << "on the database at rest";
  EXPECT_THAT(Sweep({"explain", "life/1"}).output, HasSubstr("paused"));
  EXPECT_THAT(Sweep({"resume", "life"}).output, HasSubstr("go on with: sweep run " + file_));
  const Result watch = Sweep({"watch", "life"});
  EXPECT_EQ(watch.code, 1);
  EXPECT_THAT(watch.output, HasSubstr("nothing trains life at the moment"));
  EXPECT_EQ(Sweep({"cancel", "life/2"}).code, 0);
  EXPECT_EQ(Sweep({"retry", "life/2"}).code, 0);
  EXPECT_EQ(Sweep({"extend", "life", "--run-cap", "3"}).code, 0);
  EXPECT_EQ(Sweep({"worker", "drain", "nobody"}).code, 2);
  Go();
  const Result again = testing::Run(Command({"run", file_, "--quiet", "--format", "json"}));
  EXPECT_EQ(again.code, 0) << again.output;
  EXPECT_EQ(json::parse(again.output).size(), 3u) << "the ranking and nothing else";
  EXPECT_THAT(Sweep({"__complete", "--", "show", ""}).output, HasSubstr("life"));
  EXPECT_THAT(Sweep({"__complete", "--", "trial", "life/"}).output,
              AllOf(HasSubstr("life/1\n"), HasSubstr("life/3\n")));
}

TEST_F(LifecycleTest, ATerminalGetsColoursAndTablesOfItsWidthAndAPipeDoesNot) {
  Go();
  ASSERT_EQ(Sweep({"run", file_}).code, 0);
  for (const int columns : {40, 60, 80, 120}) {
    for (const std::vector<std::string>& words :
         {std::vector<std::string>{"list"}, {"best"}, {"trials", "life"}}) {
      Process::Options options = Command(words);
      options.terminal_columns = columns;
      const Result shown = testing::Run(options);
      // The table ends at the first empty line; in a terminal, lines end with "\r\n".
      std::istringstream lines(shown.output);
      for (std::string line; std::getline(lines, line) && line != "\r";) {
        if (line.starts_with("in every row")) break;
        const std::string text = std::regex_replace(line, std::regex("\x1b\\[[0-9;]*m"), "");
        EXPECT_LE(cli::DisplayWidth(text), columns) << words[0] << ":\n" << shown.output;
      }
    }
  }
  Process::Options best = Command({"best"});
  best.terminal_columns = 100;
  EXPECT_THAT(testing::Run(best).output, HasSubstr("\x1b[32m"));
  best.environment["NO_COLOR"] = "1";
  EXPECT_THAT(testing::Run(best).output, Not(HasSubstr("\x1b[")));
  EXPECT_THAT(Sweep({"best"}).output, Not(HasSubstr("\x1b[")));
  EXPECT_THAT(Sweep({"best", "--color", "always"}).output, HasSubstr("\x1b[32m"));
}

TEST_F(LifecycleTest, JsonHasTheKeysThatAreDocumented) {
  StartCoordinator();
  StartWorker();
  // In this order, since later commands change what earlier ones show.
  const std::vector<std::pair<std::string, std::vector<std::string>>> commands = {
      {"run --first", {"run", file_, "--first"}},
      {"submit", {"submit", file_}},
      {"watch", {"watch", "life"}},
      {"run", {"run", file_, "--db", "run.db", "--coordinator", address_}},
      {"list", {"list"}},
      {"show", {"show", "life"}},
      {"best", {"best", "life"}},
      {"best --region", {"best", "life", "--region"}},
      {"confirm", {"confirm", "life", "--top", "1", "--replicates", "2", "--wait"}},
      {"compare", {"compare", "life/1", "life/2"}},
      {"trials", {"trials", "life"}},
      {"trial", {"trial", "life/1"}},
      {"explain", {"explain", "life/1"}},
      {"suggest", {"suggest", "life"}},
      {"replay --search", {"replay", "life", "--search"}},
      {"logs", {"logs", "life/1"}},
      {"export", {"export", "life"}},
      {"export --epochs", {"export", "life", "--epochs"}},
      {"networks NETWORK", {"networks", "cnn-18718"}},
      {"workers", {"workers"}},
      {"worker list", {"worker", "list"}},
      {"networks", {"networks"}},
      {"validate", {"validate", file_}},
      {"preview", {"preview", file_}},
      {"config", {"config"}},
      {"extend", {"extend", "life", "--run-cap", "5"}},
      {"edit", {"edit", "life", file_}},
      {"pause", {"pause", "life"}},
      {"resume", {"resume", "life"}},
      {"cancel", {"cancel", "life"}},
      {"archive", {"archive", "life"}},
      {"rename", {"rename", "life", "later"}},
      {"retry", {"retry", "later", "--cancelled"}},
      {"worker drain", {"worker", "drain", "w1"}},
      {"delete", {"delete", "later", "--yes"}},
  };
  const std::set<std::string> with_trainer = {
      "train", "model", "predict", "replay", "ask", "tell", "report"};  // tested where there is one
  for (const cli::CommandKeys& promise : cli::JsonKeys()) {
    const auto tried = std::count_if(commands.begin(), commands.end(), [&](const auto& command) {
      return command.first == promise.command;
    });
    EXPECT_EQ(tried + static_cast<std::ptrdiff_t>(with_trainer.count(promise.command)), 1)
        << "nobody tests the keys of " << promise.command;
  }
  Go();
  for (const auto& [command, words] : commands) {
    const std::string& name = command;  // captured below
    const auto promise =
        std::find_if(cli::JsonKeys().begin(), cli::JsonKeys().end(),
                     [&](const cli::CommandKeys& keys) { return keys.command == name; });
    ASSERT_NE(promise, cli::JsonKeys().end()) << name;
    json document = Json(words);
    // From here on a trial keeps running, so that it can be paused and cancelled.
    if (name == "config") std::filesystem::remove(folder_.path() + "/go");
    if (name == "worker drain") {
      EXPECT_EQ(Sweep({"cancel", "later"}).code, 0);
    }
    EXPECT_EQ(document.is_array(), promise->array) << name;
    if (document.is_array()) {
      ASSERT_FALSE(document.empty()) << name;
      document = document[0];
    }
    std::set<std::string> keys;
    for (const auto& [key, value] : document.items()) keys.insert(key);
    EXPECT_EQ(keys, std::set<std::string>(promise->keys.begin(), promise->keys.end())) << name;
  }
}

}  // namespace
}  // namespace sweep
