// Databases of each older schema version in testdata/, written by builds of that version. The tests
// cover all versions that this build knows; a new version needs a file of the version before.

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "coordinator/store/check.h"
#include "coordinator/store/schema.h"
#include "coordinator/store/sqlite.h"
#include "coordinator/store/testing/small_disk.h"
#include "coordinator/store/testing/store_testing.h"
#include "fmt/format.h"

namespace sweep {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

// Rows as text, by table. Each row has the values of the requested columns.
using Contents = std::map<std::string, std::vector<std::string>>;

class MigrationFixtureTest : public testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    std::ifstream file(fmt::format("{}/version{}.sql", SWEEP_TESTDATA, GetParam()));
    ASSERT_TRUE(file) << "no database of version " << GetParam();
    std::ostringstream script;
    script << file.rdbuf();
    auto database = Must(Database::Open(path_, Database::Mode::kCreate));
    ASSERT_EQ(database->Execute(script.str()), absl::OkStatus());
    ASSERT_EQ(Version(path_), GetParam());
    for (const std::string& table : Texts(*database,
                                          "SELECT name FROM sqlite_schema WHERE type = 'table' AND "
                                          "name NOT LIKE 'sqlite_%'")) {
      // With the kind of each value, to distinguish NULL from the text.
      for (const std::string& column :
           Texts(*database, fmt::format("SELECT 'quote(' || name || ')' FROM "
                                        "pragma_table_info('{}')",
                                        table))) {
        columns_[table] += (columns_[table].empty() ? "" : " || ',' || ") + column;
      }
    }
  }

  static std::int64_t Version(const std::string& path) {
    return Must(
        Must(Database::Open(path, Database::Mode::kReadOnly))->QueryInt("PRAGMA user_version"));
  }
  static std::vector<std::string> Texts(Database& database, const std::string& sql) {
    std::vector<std::string> texts;
    Statement statement = database.Prepare(sql);
    for (auto row = statement.Step(); row.ok() && *row; row = statement.Step()) {
      texts.push_back(statement.Text(0));
    }
    return texts;
  }
  // All rows, with the columns of the old version.
  Contents Read(const std::string& path) {
    const auto database = Must(Database::Open(path, Database::Mode::kReadOnly));
    const bool has_moved = Must(database->QueryInt("PRAGMA user_version")) >= 6;
    Contents contents;
    for (const auto& [table, columns] : columns_) {
      const std::string expression = has_moved ? WhereMoved(table, columns) : columns;
      contents[table] =
          Texts(*database, fmt::format("SELECT {} FROM {} ORDER BY 1", expression, table));
    }
    return contents;
  }
  // Where version 6 has the values of removed columns.
  static std::string WhereMoved(const std::string& table, std::string columns) {
    static constexpr struct {
      const char *table, *column, *expression;
    } kMoved[] = {
        {"trials", "last_accuracy", "coalesce(measures ->> '$.validation_accuracy[0]', 0.0)"},
        {"trials", "best_accuracy", "coalesce(measures ->> '$.validation_accuracy[2]', 0.0)"},
        {"trials", "last_loss", "coalesce(measures ->> '$.validation_loss[0]', 0.0)"},
        {"trials", "best_loss", "coalesce(measures ->> '$.validation_loss[1]', 0.0)"},
        {"trials", "best_gated_accuracy",
         "iif(standing ->> '$.tier' >= 2, standing ->> '$.values.validation_accuracy', 0.0)"},
        {"trials", "best_gated_epoch",
         "iif(standing ->> '$.tier' >= 2, standing ->> '$.epoch', 0)"},
        {"configurations", "value", "coalesce(held ->> '$.validation_accuracy', 0.0)"},
        {"configurations", "mean_last_accuracy", "coalesce(mean_last, 0.0)"},
    };
    for (const auto& moved : kMoved) {
      const std::string quoted = fmt::format("quote({})", moved.column);
      const auto place = columns.find(quoted);
      if (table != moved.table || place == columns.npos) continue;
      columns.replace(place, quoted.size(), fmt::format("quote({})", moved.expression));
    }
    return columns;
  }
  static std::int64_t Latest() { return std::ssize(Migrations()); }

  TemporaryFolder folder_;
  const std::string path_ = folder_.File("sweep.db");
  std::map<std::string, std::string> columns_;  // by table: an expression over all of them
};

TEST_P(MigrationFixtureTest, EveryRowIsThereAfterwards) {
  const Contents before = Read(path_);
  for (const auto& [table, rows] : before) EXPECT_FALSE(rows.empty()) << table;
  EXPECT_GE(before.size(), 10u);
  ASSERT_NE(Must(Store::Open({.path = path_})), nullptr);
  EXPECT_EQ(Version(path_), Latest());
  const Contents after = Read(path_);
  for (const auto& [table, rows] : before) EXPECT_EQ(after.at(table), rows) << table;
}

TEST_P(MigrationFixtureTest, ItMeansTheSameAndGoesOn) {
  const auto store = Must(Store::Open({.path = path_}));
  const SweepRow done = Must(store->Read(FindSweep, "done"));
  EXPECT_EQ(done.state, SweepState::kCompleted);
  EXPECT_EQ(done.principal, "ada@example");
  EXPECT_EQ(done.counts.completed, 4);
  EXPECT_EQ(done.qualifying, 2);
  EXPECT_THAT(done.source.network_files.at("widths-net.yaml"), HasSubstr("global_avg_pool"));
  const auto ranking = Must(store->Read(SelectRanking, "done", 0, 10));
  ASSERT_EQ(ranking.size(), 2u);
  EXPECT_EQ(ranking[0].trial.number, 4);
  EXPECT_EQ(ranking[0].score.values.Get("accuracy"), 0.924);
  EXPECT_EQ(ranking[0].score.metric, 0.924);
  EXPECT_EQ(ranking[0].score.replicates, 2);
  EXPECT_EQ(Must(store->Read(FindTrial, "done", 4)).artifacts.at(0).role, "weights_best");
  for (const char* order : {"number", "lr", "best_accuracy desc"}) {
    EXPECT_EQ(Must(store->Read(SelectTrials, {.sweep = "done", .order_by = order})).size(), 4u)
        << order;
  }
  EXPECT_EQ(Must(store->Read(FindSweep, "waits")).counts.failed, 1);
  const auto leases = Must(store->Read(SelectHeldLeases));
  ASSERT_EQ(leases.size(), 1u);
  EXPECT_EQ(leases[0].trial.short_name(), "waits/2");
  EXPECT_EQ(leases[0].trial.checkpoint_epoch, 1);

  Diagnostics diagnostics;
  const SweepSpec spec =
      Must(SweepSpec::Parse(Must(store->Read(FindSweep, "waits")).source, &diagnostics));
  StoreDriver driver(store.get());
  const auto write = [&](const std::function<absl::Status(WriteTransaction&)>& function) {
    ASSERT_EQ(store->WriteAndWait(function), absl::OkStatus());
  };
  write([&](WriteTransaction& transaction) {
    return transaction.HoldTrial(leases[0].trial.id, 1, "").status();
  });
  EXPECT_EQ(Must(driver.Finish(leases[0], spec, LeaseOutcome::kHeld)).state, TrialState::kOnHold);
  EXPECT_EQ(Must(store->Read(FindSweep, "waits")).counts.on_hold, 1);
  write([&](WriteTransaction& transaction) {
    return transaction.PromoteTrial(leases[0].trial.id, 0).status();
  });
  const LeaseRow second = driver.Grant(leases[0].trial.id, "w");
  ASSERT_TRUE(driver.Record(second, spec, TestEpochs(2, 2, 0.95)).ok());
  ASSERT_TRUE(driver.Finish(second, spec, LeaseOutcome::kCompleted).ok());
  ASSERT_EQ(store->WriteAndWait([&](WriteTransaction& transaction) {
    return transaction.RetrySweep(spec, {.failed = true}).status();
  }),
            absl::OkStatus());
  driver.Train(Must(store->Read(FindTrial, "waits", 1)), spec, 0.97);
  EXPECT_EQ(Must(store->Read(FindSweep, "waits")).state, SweepState::kCompleted);
}

TEST_P(MigrationFixtureTest, TheCheckKnowsTheOldVersionAndTheNew) {
  const auto faults = [&] {
    std::vector<std::string> found;
    for (const std::string& fault : Must(CheckDatabase(path_, [](const std::string&) {})).faults) {
      if (!fault.starts_with("blobs")) found.push_back(fault);
    }
    return found;
  };
  // The fixture does not include files of blobs.
  const auto no_blobs = testing::Each(HasSubstr(".blobs/"));
  EXPECT_THAT(faults(), no_blobs);
  EXPECT_EQ(Version(path_), GetParam()) << "a check changes nothing";
  ASSERT_NE(Must(Store::Open({.path = path_})), nullptr);
  EXPECT_THAT(faults(), no_blobs);
}

TEST_P(MigrationFixtureTest, ItHasTheTablesOfANewOne) {
  ASSERT_NE(Must(Store::Open({.path = path_})), nullptr);
  const std::string fresh = folder_.File("new.db");
  ASSERT_NE(Must(Store::Open({.path = fresh})), nullptr);
  const auto schema = [](const std::string& path) {
    return Texts(*Must(Database::Open(path, Database::Mode::kReadOnly)),
                 "SELECT m.type || ' ' || m.name || ' ' || coalesce(c.name || ' ' || c.type, '') "
                 "FROM sqlite_schema m LEFT JOIN pragma_table_xinfo(m.name) c ORDER BY 1");
  };
  EXPECT_EQ(schema(path_), schema(fresh));
}

// A crash in the middle of each step: the test copies the file and its log.
TEST_P(MigrationFixtureTest, ACrashInTheMiddleLeavesTheOldVersion) {
  for (std::int64_t step = GetParam(); step < Latest(); ++step) {
    const std::string file = folder_.File(fmt::format("step-{}.db", step));
    fs::copy_file(path_, file);
    auto database = Must(Database::Open(file, Database::Mode::kReadWrite));
    // With a small cache, pages go to the log before the end of the step. The test adds data for
    // steps that write too little.
    ASSERT_TRUE(database->Execute("PRAGMA journal_mode = WAL; PRAGMA cache_size = 1").ok());
    ASSERT_TRUE(Migrate(*database, Migrations().first(static_cast<std::size_t>(step))).ok());
    const auto log_bytes = fs::file_size(file + "-wal");
    // The table is larger than the cache. The crash undoes it.
    ASSERT_EQ(
        database->Execute(fmt::format("BEGIN IMMEDIATE; {}; PRAGMA user_version = {}; "
                                      "CREATE TABLE filler AS SELECT zeroblob(100000);",
                                      Migrations()[static_cast<std::size_t>(step)], step + 1)),
        absl::OkStatus());
    EXPECT_GT(fs::file_size(file + "-wal"), log_bytes) << "it was in the middle of nothing";
    const std::string crashed = folder_.File(fmt::format("crashed-{}.db", step));
    fs::copy_file(file, crashed);
    fs::copy_file(file + "-wal", crashed + "-wal");
    EXPECT_EQ(Version(crashed), step);
    ASSERT_NE(Must(Store::Open({.path = crashed})), nullptr);
    EXPECT_EQ(Version(crashed), Latest());
    EXPECT_EQ(Read(crashed), Read(path_)) << "in the old columns";
  }
}

TEST_P(MigrationFixtureTest, AFullDiskInTheMiddleLeavesAWholeVersion) {
  const Contents before = Read(path_);
  bool was_full = true;
  for (int number = 1; was_full; ++number) {
    SCOPED_TRACE(number);
    const std::string file = folder_.File(fmt::format("{}.db", number));
    fs::copy_file(path_, file);
    SmallDisk disk;
    disk.FailWrite(number, /*once=*/false);
    const absl::Status status = Store::Open({.path = file}).status();
    was_full = disk.was_full();
    disk.GiveRoom();
    // The next opening has to roll the step back, which a reader cannot.
    if (!status.ok()) {
      EXPECT_TRUE(absl::IsUnavailable(status)) << status;
    }
    ASSERT_NE(Must(Store::Open({.path = file})), nullptr);
    EXPECT_EQ(Version(file), Latest());
    EXPECT_EQ(Read(file), before);
  }
}

// There is a database of each version except the current one.
INSTANTIATE_TEST_SUITE_P(Versions, MigrationFixtureTest,
                         testing::Range(1, static_cast<int>(Migrations().size())));

}  // namespace
}  // namespace sweep
