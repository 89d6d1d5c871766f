#include "coordinator/store/sqlite.h"

#include <unistd.h>

#include <array>
#include <cmath>
#include <limits>

#include "coordinator/store/schema.h"
#include "coordinator/store/testing/store_testing.h"

namespace sweep {
namespace {

using testing::HasSubstr;

std::unique_ptr<Database> OpenMemory() {
  auto database = Database::Open(":memory:", Database::Mode::kCreate);
  EXPECT_TRUE(database.ok()) << database.status();
  return *std::move(database);
}

TEST(Database, KeepsEveryValueAsItIs) {
  const auto database = OpenMemory();
  ASSERT_TRUE(database->Execute("CREATE TABLE t (i INTEGER, r REAL, s TEXT, n REAL) STRICT").ok());
  const std::string text("a\0ü", 4);
  const std::int64_t big = std::numeric_limits<std::int64_t>::min();
  ASSERT_TRUE(database
                  ->Run("INSERT INTO t VALUES (?, ?, ?, ?)", big, 0.1, text,
                        std::numeric_limits<double>::quiet_NaN())
                  .ok());
  Statement statement = database->Prepare("SELECT i, r, s, n FROM t");
  ASSERT_TRUE(*statement.Step());
  EXPECT_EQ(statement.Int(0), big);
  EXPECT_EQ(statement.Real(1), 0.1);
  EXPECT_EQ(statement.Text(2), text);
  EXPECT_TRUE(std::isnan(statement.Real(3)));
  EXPECT_FALSE(*statement.Step());
}

TEST(Database, AStatementInUseIsNotLentTwice) {
  const auto database = OpenMemory();
  constexpr std::string_view kSql = "SELECT value FROM generate WHERE value > ? ORDER BY value";
  ASSERT_TRUE(database
                  ->Execute("CREATE TABLE generate (value INTEGER) STRICT; "
                            "INSERT INTO generate VALUES (1), (2), (3)")
                  .ok());
  Statement outer = database->Prepare(kSql);
  ASSERT_TRUE(*outer.Bind(0).Step());
  {
    Statement inner = database->Prepare(kSql);
    ASSERT_TRUE(*inner.Bind(1).Step());
    EXPECT_EQ(inner.Int(0), 2);
  }
  ASSERT_TRUE(*outer.Step());
  EXPECT_EQ(outer.Int(0), 2);
}

TEST(Database, ErrorsNameTheFile) {
  TemporaryFolder folder;
  const auto database = Database::Open(folder.File("x.db"), Database::Mode::kCreate);
  ASSERT_TRUE(database.ok());
  const absl::Status status = (*database)->Run("SELECT nonsense FROM nowhere");
  EXPECT_THAT(std::string(status.message()), HasSubstr("x.db"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("nowhere"));
}

TEST(Database, AFileThatMayOnlyBeReadIsRefusedForWriting) {
  if (geteuid() == 0) GTEST_SKIP() << "root may write everything";
  TemporaryFolder folder;
  const std::string path = folder.File("x.db");
  ASSERT_TRUE(
      (*Database::Open(path, Database::Mode::kCreate))->Execute("CREATE TABLE t (i INTEGER)").ok());
  std::filesystem::permissions(path, std::filesystem::perms::owner_read);
  EXPECT_TRUE(absl::IsPermissionDenied(Database::Open(path, Database::Mode::kReadWrite).status()));
}

constexpr std::array<std::string_view, 2> kTwoSteps = {
    "CREATE TABLE a (i INTEGER) STRICT; INSERT INTO a VALUES (7);",
    "ALTER TABLE a ADD COLUMN j INTEGER NOT NULL DEFAULT 8;"};

TEST(Migrate, TakesAnOldFileStepByStep) {
  const auto database = OpenMemory();
  ASSERT_TRUE(Migrate(*database, std::span(kTwoSteps).first(1)).ok());
  EXPECT_EQ(*database->QueryInt("PRAGMA user_version"), 1);
  ASSERT_TRUE(CheckIdentity(*database, kTwoSteps).ok());
  ASSERT_TRUE(Migrate(*database, kTwoSteps).ok());
  EXPECT_EQ(*database->QueryInt("PRAGMA user_version"), 2);
  EXPECT_EQ(*database->QueryInt("PRAGMA application_id"), kApplicationId);
  EXPECT_EQ(*database->QueryInt("SELECT i * 10 + j FROM a"), 78);
  EXPECT_TRUE(Migrate(*database, kTwoSteps).ok());
}

TEST(Migrate, AFailedStepLeavesTheOldVersionWhole) {
  const auto database = OpenMemory();
  constexpr std::array<std::string_view, 2> kBroken = {
      kTwoSteps[0], "CREATE TABLE b (i INTEGER); INSERT INTO nowhere VALUES (1);"};
  const absl::Status status = Migrate(*database, kBroken);
  EXPECT_THAT(std::string(status.message()), HasSubstr("schema version 2"));
  EXPECT_FALSE(database->InTransaction());
  EXPECT_EQ(*database->QueryInt("PRAGMA user_version"), 1);
  EXPECT_EQ(*database->QueryInt("SELECT count(*) FROM sqlite_schema WHERE name = 'b'"), 0);
}

TEST(CheckIdentity, RefusesANewerSchema) {
  const auto database = OpenMemory();
  ASSERT_TRUE(Migrate(*database, kTwoSteps).ok());
  const absl::Status status = CheckIdentity(*database, std::span(kTwoSteps).first(1));
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_THAT(std::string(status.message()),
              HasSubstr("has schema version 2, this build knows versions up to 1"));
}

TEST(Schema, RankingIsReadAlongItsIndex) {
  const auto database = OpenMemory();
  ASSERT_TRUE(Migrate(*database, Migrations()).ok());
  Statement plan = database->Prepare(
      "EXPLAIN QUERY PLAN SELECT number FROM configurations c WHERE c.sweep_id = 1 ORDER BY "
      "c.qualifies DESC, c.has_value DESC, c.rank_key, c.epochs_to_target = 0, c.epochs_to_target, "
      "c.network_parameters, c.number LIMIT 5");
  std::string text;
  while (*plan.Step()) text += plan.Text(3) + "\n";
  EXPECT_THAT(text, HasSubstr("configurations_by_rank"));
  EXPECT_THAT(text, testing::Not(HasSubstr("TEMP B-TREE")));
}

}  // namespace
}  // namespace sweep
