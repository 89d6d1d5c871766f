// Tests of databases in files: reopening, exclusive use, refusals, SQL views, crashes.
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <future>
#include <iterator>
#include <limits>
#include <random>
#include <regex>
#include <sstream>
#include <thread>
#include <utility>

#include "common/base/sha256.h"
#include "coordinator/store/schema.h"
#include "coordinator/store/sqlite.h"
#include "coordinator/store/testing/store_testing.h"
#include "fmt/format.h"

extern char** environ;

namespace sweep {
namespace {

using testing::HasSubstr;

std::string Message(const absl::Status& status) { return std::string(status.message()); }

std::unique_ptr<Store> OpenStore(const std::string& path) {
  auto store = Store::Open({.path = path});
  EXPECT_TRUE(store.ok()) << store.status();
  return store.ok() ? *std::move(store) : nullptr;
}

class StoreFileTest : public testing::Test {
 protected:
  TemporaryFolder folder_;
  const std::string path_ = folder_.File("sweep.db");
};

TEST_F(StoreFileTest, ACompletionMayWriteWhileTheStoreCloses) {
  auto store = OpenStore(path_);
  Store* const open = store.get();
  std::promise<void> closing;
  absl::Status second = absl::UnknownError("not called");
  open->Write([](WriteTransaction&) { return absl::OkStatus(); },
              [&](const absl::Status&) {
                closing.get_future().wait();
                open->Write([](WriteTransaction&) { return absl::OkStatus(); },
                            [&](absl::Status status) { second = std::move(status); });
              });
  closing.set_value();
  store.reset();
  EXPECT_EQ(second, absl::OkStatus());
}

TEST_F(StoreFileTest, EverythingIsThereAfterReopening) {
  const SweepSpec spec = TestSpec("s");
  const std::string sha256 = Sha256Hex("weights");
  LeaseRow lease;
  std::vector<EventRow> events;
  {
    const auto store = OpenStore(path_);
    StoreDriver driver(store.get());
    const SweepRow sweep = driver.Create(spec);
    const TrialRow first = driver.Add(sweep, spec, 1).at(0);
    const TrialRow second = driver.Add(sweep, spec, 2).at(0);
    driver.Add(sweep, spec, 3);
    driver.Train(first, spec, 0.95);
    lease = driver.Grant(second.id, "a");
    ASSERT_TRUE(store
                    ->WriteAndWait([&](WriteTransaction& transaction) {
                      return transaction.AddBlob(sha256, 7);
                    })
                    .ok());
    ASSERT_TRUE(driver.Record(lease, spec, TestEpochs(1, 2, 0.5), sha256, 2).ok());
    events = *store->Read(SelectEvents, sweep.id, 0, 1000);
  }
  EXPECT_FALSE(std::filesystem::exists(path_ + "-wal")) << "all of it is in the one file";
  const auto store = OpenStore(path_);
  EXPECT_EQ(store->Read(FindSweep, "s")->digest, spec.digest);
  EXPECT_EQ(store->Read(FindSweep, "s")->counts.completed, 1);
  EXPECT_EQ(store->Read(SelectRanking, "s", 0, 1)->at(0).score.metric, 0.95);
  EXPECT_EQ(store->Read(SelectEpochs, "s", 1, 0, 100)->size(), 5u);
  EXPECT_EQ(store->Read(FindTrial, "s", 2)->checkpoint_sha256, sha256);
  EXPECT_EQ(store->Read(SelectEvents, store->Read(FindSweep, "s")->id, 0, 1000)->size(),
            events.size());
  ASSERT_EQ(store->Read(SelectHeldLeases)->size(), 1u);
  EXPECT_EQ(store->Read(SelectHeldLeases)->at(0).secret, lease.secret);
  // The holder continues; its earlier reports are stored.
  StoreDriver driver(store.get());
  const auto trial = driver.Record(lease, spec, TestEpochs(2, 3, 0.6));
  ASSERT_TRUE(trial.ok()) << trial.status();
  EXPECT_EQ(trial->result.epoch, 3);
}

TEST_F(StoreFileTest, ASecondCoordinatorIsRefusedAndToldWhereTheFirstIs) {
  EXPECT_TRUE(absl::IsNotFound(StoreFiles::FindHolder(path_).status()));
  {
    const auto store = OpenStore(path_);
    EXPECT_TRUE(absl::IsUnavailable(StoreFiles::FindHolder(path_).status())) << "no address yet";
    ASSERT_TRUE(store->files().PublishAddress("127.0.0.1:41234").ok());
    EXPECT_EQ(*StoreFiles::FindHolder(path_), "127.0.0.1:41234");
    const absl::Status second = Store::Open({.path = path_}).status();
    EXPECT_TRUE(absl::IsFailedPrecondition(second));
    EXPECT_EQ(Message(second),
              fmt::format("database '{}' is in use by another coordinator at 127.0.0.1:41234 (pid "
                          "{})",
                          path_, getpid()));
    ASSERT_TRUE(store->files().PublishAddress("[::1]:1").ok());
    EXPECT_EQ(*StoreFiles::FindHolder(path_), "[::1]:1");
  }
  EXPECT_TRUE(absl::IsNotFound(StoreFiles::FindHolder(path_).status())) << "the lock went with it";
  EXPECT_NE(OpenStore(path_), nullptr);
}

// Opens the database as `sweep best` does, without a coordinator.
TEST_F(StoreFileTest, ACoordinatorThatStartsWaitsForAClientThatReads) {
  auto client = Must(Store::Open({.path = path_, .momentary = true}));
  ASSERT_TRUE(client->files().PublishAddress("127.0.0.1:1").ok());
  const absl::Status impatient =
      Store::Open({.path = path_, .patience = absl::Milliseconds(1)}).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(impatient)) << impatient;
  EXPECT_THAT(Message(impatient), HasSubstr("in use by a client that reads it (pid"));
  std::promise<absl::Status> started;
  const std::jthread second([&] {
    started.set_value(Store::Open({.path = path_, .patience = absl::Minutes(10)}).status());
  });
  auto status = started.get_future();
  EXPECT_EQ(status.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout);
  client.reset();
  EXPECT_EQ(status.get(), absl::OkStatus());
}

TEST_F(StoreFileTest, ACoordinatorStartsBesideAPersonsOpenQuery) {
  OpenStore(path_).reset();
  for (const bool with_log : {false, true}) {
    auto first = OpenStore(path_);
    StoreDriver(first.get()).Create(TestSpec(with_log ? "a" : "b"));
    if (!with_log) first.reset();
    const auto person = *Database::Open(path_, Database::Mode::kReadOnly);
    ASSERT_TRUE(person->Execute("BEGIN").ok());
    ASSERT_GT(*person->QueryInt("SELECT count(*) FROM sweeps"), 0);
    first.reset();
    const auto second = OpenStore(path_);
    ASSERT_NE(second, nullptr);
    StoreDriver(second.get()).Create(TestSpec(with_log ? "c" : "d"));
  }
}

TEST_F(StoreFileTest, AnEmptyFileBecomesADatabase) {
  std::ofstream(path_).close();
  EXPECT_NE(OpenStore(path_), nullptr);
  const auto database = Database::Open(path_, Database::Mode::kReadOnly);
  EXPECT_EQ(*(*database)->QueryInt("PRAGMA application_id"), kApplicationId);
  EXPECT_EQ(*(*database)->QueryInt("PRAGMA user_version"),
            static_cast<std::int64_t>(Migrations().size()));
}

TEST_F(StoreFileTest, ANewerSchemaIsRefused) {
  OpenStore(path_).reset();
  ASSERT_TRUE((*Database::Open(path_, Database::Mode::kReadWrite))
                  ->Execute("PRAGMA user_version = 99")
                  .ok());
  const absl::Status status = Store::Open({.path = path_}).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_THAT(Message(status), HasSubstr(path_));
  EXPECT_THAT(Message(status), HasSubstr("schema version 99"));
}

TEST_F(StoreFileTest, AnotherApplicationsDatabaseIsLeftUntouched) {
  ASSERT_TRUE((*Database::Open(path_, Database::Mode::kCreate))
                  ->Execute("CREATE TABLE photos (id INTEGER)")
                  .ok());
  const absl::Status status = Store::Open({.path = path_}).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_THAT(Message(status), HasSubstr("another application"));
  const auto database = Database::Open(path_, Database::Mode::kReadOnly);
  EXPECT_EQ(*(*database)->QueryInt("SELECT count(*) FROM sqlite_schema"), 1);
  EXPECT_EQ(*(*database)->QueryInt("PRAGMA application_id"), 0);
}

TEST_F(StoreFileTest, AFileThatIsNoDatabaseIsRefused) {
  const std::string text(8192, 'x');
  std::ofstream(path_) << text;
  const absl::Status status = Store::Open({.path = path_}).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(Message(status), HasSubstr(path_));
  EXPECT_THAT(Message(status), HasSubstr("not a database"));
  EXPECT_EQ(std::filesystem::file_size(path_), text.size());
}

TEST_F(StoreFileTest, APlaceThatCannotBeWrittenIsNamed) {
  const std::string nowhere = path_ + ".missing/sweep.db";
  const absl::Status missing = Store::Open({.path = nowhere}).status();
  EXPECT_TRUE(absl::IsNotFound(missing)) << missing;
  EXPECT_THAT(Message(missing), HasSubstr(nowhere));
  std::filesystem::create_directory(path_);
  const absl::Status folder = Store::Open({.path = path_}).status();
  EXPECT_TRUE(absl::IsInvalidArgument(folder)) << folder;
  EXPECT_THAT(Message(folder), HasSubstr(path_));
}

TEST_F(StoreFileTest, AReadOnlyFolderIsRefused) {
  if (geteuid() == 0) GTEST_SKIP() << "root may write everything";
  const auto parent = std::filesystem::path(path_).parent_path();
  std::filesystem::permissions(
      parent, std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
  EXPECT_TRUE(absl::IsPermissionDenied(Store::Open({.path = path_}).status()));
  std::filesystem::permissions(parent, std::filesystem::perms::owner_all);
}

TEST_F(StoreFileTest, APersonsOpenQueryHoldsUpNeitherWritesNorTheEnd) {
  const SweepSpec spec = TestSpec("s");
  auto store = OpenStore(path_);
  StoreDriver driver(store.get());
  const SweepRow sweep = driver.Create(spec);
  const auto person = *Database::Open(path_, Database::Mode::kReadOnly);
  ASSERT_TRUE(person->Execute("BEGIN").ok());
  ASSERT_EQ(*person->QueryInt("SELECT count(*) FROM trials"), 0);
  driver.Add(sweep, spec, 1);
  const auto start = std::chrono::steady_clock::now();
  store.reset();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
  EXPECT_EQ(*person->QueryInt("SELECT count(*) FROM trials"), 0) << "its snapshot";
  ASSERT_TRUE(person->Execute("COMMIT").ok());
  EXPECT_EQ(*person->QueryInt("SELECT count(*) FROM trials"), 1);
}

TEST_F(StoreFileTest, ADivergingRepeatIsRecorded) {
  const SweepSpec spec = TestSpec("s");
  const auto store = OpenStore(path_);
  StoreDriver driver(store.get());
  const TrialRow trial = driver.Add(driver.Create(spec), spec, 1).at(0);
  const LeaseRow first = driver.Grant(trial.id, "a");
  EpochMetrics nan = TestEpoch(1, 0.5);
  nan.values.Set("train_loss", std::numeric_limits<double>::quiet_NaN());
  ASSERT_TRUE(driver.Record(first, spec, {nan, TestEpoch(2, 0.6), TestEpoch(3, 0.7)}).ok());
  ASSERT_TRUE(driver.Lose(first, spec).ok());
  const LeaseRow second = driver.Grant(trial.id, "b");
  EpochMetrics slower = TestEpoch(2, 0.6);
  slower.values.Set("train_seconds", 5);
  ASSERT_TRUE(driver.Record(second, spec, {nan, slower, TestEpoch(3, 0.71)}).ok());
  const auto database = Database::Open(path_, Database::Mode::kReadOnly);
  EXPECT_EQ(*(*database)->QueryInt("SELECT count(*) FROM divergences"), 1)
      << "NaN equals NaN, and time is no number of the training";
  EXPECT_EQ(*(*database)->QueryInt("SELECT epoch * 100 + attempt * 10 + first_attempt FROM "
                                   "divergences"),
            321);
}

// --- the SQL views ---

class ViewTest : public StoreFileTest {
 protected:
  // Four configurations with ties, one unfinished, one without epochs. Read like `sqlite3` does, by
  // a read-only connection of its own.
  void SetUp() override {
    store_ = OpenStore(path_);
    StoreDriver driver(store_.get());
    const SweepRow sweep = driver.Create(spec_);
    std::vector<TrialRow> trials;
    for (int number = 1; number <= 4; ++number) {
      trials.push_back(driver.Add(sweep, spec_, number).at(0));
    }
    driver.Train(trials[0], spec_, 0.95);
    driver.Train(trials[1], spec_, 0.97);
    const LeaseRow lost = driver.Grant(trials[2].id, "a");
    ASSERT_TRUE(driver.Record(lost, spec_, TestEpochs(1, 2, 0.3)).ok());
    ASSERT_TRUE(driver.Lose(lost, spec_).ok());
    const LeaseRow lease = driver.Grant(trials[2].id, "b");
    ASSERT_TRUE(driver.Record(lease, spec_, TestEpochs(2, 3, 0.97)).ok());
    database_ = *Database::Open(path_, Database::Mode::kReadOnly);
  }

  // The first column of each row.
  std::vector<std::string> Ask(const std::string& sql) {
    std::vector<std::string> values;
    Statement statement = database_->Prepare(sql);
    while (true) {
      const auto found = statement.Step();
      EXPECT_TRUE(found.ok()) << found.status();
      if (!found.ok() || !*found) return values;
      values.push_back(statement.Text(0));
    }
  }

  const SweepSpec spec_ = TestSpec("s");
  std::unique_ptr<Store> store_;
  std::unique_ptr<Database> database_;
};

TEST_F(ViewTest, RankingIsInTheOrderOfRank) {
  std::vector<std::string> order;
  for (const RankedRow& row : Must(store_->Read(SelectRanking, "s", 0, 100))) {
    if (!row.score.has_value) continue;
    order.push_back(
        fmt::format("{} {} {}", row.rank, row.trial.number, row.score.qualifies ? "yes" : "no"));
  }
  ASSERT_EQ(order.size(), 3u);
  EXPECT_EQ(Ask("SELECT rank || ' ' || trial || ' ' || iif(qualifies, 'yes', 'no') FROM ranking"),
            order);
  EXPECT_EQ(order[0], "1 2 yes") << "the same accuracy as trial 3, but in fewer epochs";
  EXPECT_THAT(Ask("SELECT accuracy FROM ranking WHERE qualifies"),
              testing::ElementsAre("0.97", "0.97", "0.95"));
  EXPECT_THAT(Ask("SELECT lr FROM ranking WHERE rank = 1"), testing::ElementsAre("0.02"));
  EXPECT_THAT(Ask("SELECT network_parameters FROM ranking WHERE rank = 1"),
              testing::ElementsAre("18718"));
  EXPECT_THAT(Ask("SELECT count(*) FROM ranking WHERE accuracy IS NULL"), testing::ElementsAre("0"))
      << "what has measured nothing has no rank";
}

TEST_F(ViewTest, RunsHasOneRowPerTrial) {
  EXPECT_THAT(Ask("SELECT trial || ' ' || state || ' ' || lr || ' ' || epoch || '/' || epochs FROM "
                  "runs WHERE sweep = 's' ORDER BY trial"),
              testing::ElementsAre("1 completed 0.01 5/5", "2 completed 0.02 5/5",
                                   "3 running 0.03 3/5", "4 pending 0.04 0/5"));
  EXPECT_THAT(Ask("SELECT seconds FROM runs WHERE trial = 1"), testing::ElementsAre("15.0"));
  EXPECT_THAT(Ask("SELECT count(*) FROM runs WHERE momentum IS NULL OR batch_size IS NULL"),
              testing::ElementsAre("0"))
      << "values of the recipe are shown as well";
  EXPECT_THAT(Ask("SELECT worker || failures || attempts FROM runs WHERE trial = 3"),
              testing::ElementsAre("b12"));
}

TEST_F(ViewTest, EpochsHasTheFirstRowOfEachEpoch) {
  EXPECT_THAT(
      Ask("SELECT epoch || ' of attempt ' || attempt || ': ' || validation_accuracy FROM "
          "epochs WHERE sweep = 's' AND trial = 3 ORDER BY epoch"),
      testing::ElementsAre("1 of attempt 1: 0.3", "2 of attempt 1: 0.3", "3 of attempt 2: 0.97"));
  EXPECT_THAT(Ask("SELECT count(*) FROM epoch_reports"), testing::ElementsAre("14"));
}

// Of a program that reports no times, and whose loss is infinite.
TEST_F(ViewTest, WhatIsUnknownIsNullAndInfinitiesAreNumbers) {
  constexpr char kProgram[] = "program: ./train\nmetric: loss\n";
  const SweepSpec own = TestSpec("own", kProgram);
  StoreDriver driver(store_.get());
  const TrialRow trial = driver.Add(driver.Create(own, kProgram), own, 1).at(0);
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const LeaseRow lease = driver.Grant(trial.id, "a");
  ASSERT_TRUE(driver
                  .Record(lease, own,
                          {{.epoch = 1,
                            .values = {{"loss", kInfinity},
                                       {"gain", -kInfinity},
                                       {"drift", std::nan("")},
                                       {"f1", 0.5}}}})
                  .ok());
  EXPECT_THAT(Ask("SELECT quote(seconds) || ' ' || quote(last_accuracy) || ' ' || (best_loss = "
                  "9e999) || (last_loss = 9e999) FROM runs WHERE sweep = 'own'"),
              testing::ElementsAre("NULL NULL 11"));
  EXPECT_THAT(Ask("SELECT name || ' ' || typeof(value) FROM measures WHERE sweep = 'own' ORDER BY "
                  "value, name"),
              testing::ElementsAre("drift null", "gain real", "f1 real", "validation_loss real"));
}

// Of a trial at work they are in JSON, of which SQLite reads "3" as an integer: 3 / 2 would be 1.
TEST_F(ViewTest, WholeNumbersAreRealsWhileATrialRuns) {
  StoreDriver driver(store_.get());
  const SweepSpec spec = TestSpec("whole");
  const LeaseRow lease = driver.Grant(driver.Add(driver.Create(spec), spec, 1).at(0).id, "w");
  ASSERT_TRUE(driver
                  .Record(lease, spec,
                          {{.epoch = 1, .values = {{"loss", 3}, {"accuracy", 1}, {"lr", -0.0}}}})
                  .ok());
  EXPECT_THAT(
      Ask("SELECT typeof(last_loss) || ' ' || (last_loss / 2) || ' ' || typeof(last_accuracy) "
          "FROM runs WHERE sweep = 'whole'"),
      testing::ElementsAre("real 1.5 real"));
  EXPECT_THAT(Ask("SELECT typeof(accuracy) FROM ranking WHERE sweep = 'whole'"),
              testing::ElementsAre("real"));
  const TrialResult result = Must(store_->Read(FindTrial, "whole", 1)).result;
  EXPECT_TRUE(std::signbit(result.Last("lr"))) << "to the last bit";
}

// The SQL in a page: in code blocks, quotes or backticks.
std::vector<std::string> QueriesOf(const std::string& page) {
  std::vector<std::string> queries;
  const std::regex quoted(R"(["`](select\s[^"`]*)["`])", std::regex::icase);
  for (std::sregex_iterator match(page.begin(), page.end(), quoted), none; match != none; ++match) {
    queries.push_back((*match)[1]);
  }
  constexpr std::string_view kFence = "```sql\n";
  for (std::size_t at = page.find(kFence); at != std::string::npos;) {
    const std::size_t begin = at + kFence.size(), end = page.find("```", begin);
    std::string query;
    std::istringstream lines(page.substr(begin, end - begin));
    for (std::string line; std::getline(lines, line);) {
      if (!line.starts_with("--")) query += line + "\n";
      if (!line.ends_with(";")) continue;
      queries.push_back(std::exchange(query, ""));
    }
    EXPECT_EQ(query.find_first_not_of(" \n"), std::string::npos) << "no ';' behind " << query;
    at = page.find(kFence, end);
  }
  return queries;
}

TEST_F(ViewTest, EveryQueryOfTheDocsRuns) {
  namespace fs = std::filesystem;
  std::vector<fs::path> pages = {fs::path(SWEEP_SOURCE_DIR) / "README.md"};
  for (const char* folder : {"docs", "examples"}) {
    for (const auto& entry :
         fs::recursive_directory_iterator(fs::path(SWEEP_SOURCE_DIR) / folder)) {
      if (entry.is_regular_file()) pages.push_back(entry.path());
    }
  }
  int count = 0;
  for (const fs::path& path : pages) {
    std::ifstream file(path);
    for (const std::string& query :
         QueriesOf(std::string(std::istreambuf_iterator<char>(file), {}))) {
      SCOPED_TRACE(path.string() + ": " + query);
      Ask(query);
      ++count;
    }
  }
  EXPECT_GE(count, 8);
}

TEST_F(ViewTest, EveryColumnIsDocumented) {
  std::ifstream file(std::string(SWEEP_SOURCE_DIR) + "/docs/database.md");
  const std::string text((std::istreambuf_iterator<char>(file)), {});
  for (const std::string view : {"ranking", "runs", "epochs"}) {
    const std::size_t begin = text.find("### `" + view + "`");
    ASSERT_NE(begin, std::string::npos) << view;
    const std::string section = text.substr(begin, text.find("\n#", begin + 1) - begin);
    const auto columns = Ask("SELECT name FROM pragma_table_info('" + view + "')");
    EXPECT_GE(columns.size(), 10u);
    for (const std::string& column : columns) {
      EXPECT_THAT(section, HasSubstr("`" + column + "`")) << view;
    }
  }
}

// --- crashes ---

constexpr char kCrashDatabase[] = "SWEEP_TEST_CRASH_DATABASE";

// Not a test: the child process of the crash test runs this until it is killed. For each
// acknowledged write it prints a line "ack trial epoch".
TEST(CrashChild, DISABLED_WritesUntilKilled) {
  const char* path = std::getenv(kCrashDatabase);
  if (path == nullptr) GTEST_SKIP() << "only for the crash test";
  const auto store = OpenStore(path);
  StoreDriver driver(store.get());
  const SweepSpec spec = TestSpec("s", "replicates: 1000\n");
  const SweepRow sweep = driver.Create(spec, "replicates: 1000\n");
  if (sweep.configurations == 0) driver.Add(sweep, spec, 1);
  for (const TrialRow& trial : Must(store->Read(SelectUnheldTrials, sweep.id))) {
    const LeaseRow lease = driver.Grant(trial.id, "a");
    for (int epoch = 1; epoch <= 5; ++epoch) {
      ASSERT_TRUE(driver.Record(lease, spec, {TestEpoch(epoch, 0.5)}).ok());
      const std::string line = fmt::format("ack {} {}\n", trial.number, epoch);
      ASSERT_EQ(write(STDOUT_FILENO, line.data(), line.size()), std::ssize(line));
    }
    ASSERT_TRUE(driver.Finish(lease, spec, LeaseOutcome::kCompleted).ok());
  }
}

// Starts this program as that child. `*output_fd` receives its output.
pid_t StartCrashChild(const std::string& path, int* output_fd) {
  std::array<int, 2> ends{};
  EXPECT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  setenv(kCrashDatabase, path.c_str(), 1);
  std::string program = std::filesystem::read_symlink("/proc/self/exe").string();
  std::string filter = "--gtest_filter=CrashChild.*";
  std::string disabled = "--gtest_also_run_disabled_tests";
  std::array<char*, 4> arguments = {program.data(), filter.data(), disabled.data(), nullptr};
  pid_t pid = -1;
  EXPECT_EQ(posix_spawn(&pid, program.c_str(), &actions, nullptr, arguments.data(), environ), 0);
  unsetenv(kCrashDatabase);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  *output_fd = ends[0];
  return pid;
}

using Acknowledged = std::vector<std::pair<std::int64_t, int>>;  // trial, epoch

// Parses the complete lines of the child's output.
Acknowledged ParseOutput(const std::string& output) {
  Acknowledged acknowledged;
  std::istringstream lines(output.substr(0, output.rfind('\n') + 1));
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string word;
    std::int64_t trial = 0;
    int epoch = 0;
    if (words >> word >> trial >> epoch && word == "ack") acknowledged.emplace_back(trial, epoch);
  }
  return acknowledged;
}

// Returns what the child acknowledged before it was killed, after at least `enough` epochs.
Acknowledged KillAfter(const std::string& path, std::size_t enough) {
  int fd = -1;
  const pid_t pid = StartCrashChild(path, &fd);
  std::string output;
  std::array<char, 4096> buffer{};
  bool killed = false;
  ssize_t got = 0;
  while ((got = read(fd, buffer.data(), buffer.size())) > 0) {
    output.append(buffer.data(), static_cast<std::size_t>(got));
    if (!killed && ParseOutput(output).size() >= enough) {
      kill(pid, SIGKILL);
      killed = true;
    }
  }
  close(fd);
  int status = 0;
  waitpid(pid, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status)) << "the child ended by itself:\n" << output;
  return ParseOutput(output);
}

TEST_F(StoreFileTest, WhatWasAcknowledgedSurvivesSigkill) {
  const std::uint32_t seed = std::random_device{}();
  std::mt19937 random(seed);
  SCOPED_TRACE(fmt::format("seed {}", seed));
  Acknowledged acknowledged;
  for (int round = 0; round < 20; ++round) {
    const auto enough = std::uniform_int_distribution<std::size_t>(1, 60)(random);
    for (const auto& entry : KillAfter(path_, enough)) acknowledged.push_back(entry);
    const auto store = OpenStore(path_);
    ASSERT_NE(store, nullptr);
    for (const auto& [number, epoch] : acknowledged) {
      const auto trial = store->Read(FindTrial, "s", number);
      ASSERT_TRUE(trial.ok()) << trial.status();
      ASSERT_GE(trial->result.epoch, epoch) << "trial " << number;
      const auto epochs = Must(store->Read(SelectEpochs, "s", number, epoch - 1, 1));
      ASSERT_EQ(epochs.size(), 1u);
      ASSERT_EQ(epochs[0].metrics.epoch, epoch);
    }
    // Counts are part of the same transactions.
    const SweepRow sweep = Must(store->Read(FindSweep, "s"));
    const auto completed = Must(
        store->Read(SelectTrials, {.sweep = "s", .state = TrialState::kCompleted, .limit = 10000}));
    ASSERT_EQ(sweep.counts.completed, std::ssize(completed));
    ASSERT_EQ(sweep.counts.total(), 1000);
    ASSERT_EQ(sweep.counts.running, std::ssize(Must(store->Read(SelectHeldLeases))));
  }
  EXPECT_GE(acknowledged.size(), 20u);
  const auto database = Database::Open(path_, Database::Mode::kReadOnly);
  EXPECT_EQ(*(*database)->QueryInt("SELECT count(*) FROM pragma_integrity_check WHERE "
                                   "integrity_check <> 'ok'"),
            0);
  EXPECT_EQ(*(*database)->QueryInt("SELECT count(*) FROM pragma_foreign_key_check"), 0);
}

}  // namespace
}  // namespace sweep
