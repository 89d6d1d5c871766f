// Databases that older builds have written.

#include <array>
#include <cmath>
#include <limits>

#include "common/base/sha256.h"
#include "coordinator/store/schema.h"
#include "coordinator/store/testing/store_testing.h"
#include "fmt/format.h"

namespace sweep {
namespace {

using testing::ElementsAre;

// A database of version 1: sweep s with two of four configurations, one completed and one running
// at epoch 1 on worker w.
constexpr char kVersion1Rows[] = R"sql(
INSERT INTO blobs VALUES ('aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', 5, 1);
INSERT INTO configurations (id, sweep_id, number, parameters, resolved, model, network_parameters,
  fully_connected, forward_flops, train_flops, receptive_field, has_value, best_trial_id) VALUES
  (1, 1, 1, '{"lr":0.01}', '{"lr":0.01}', 'cnn-18718', 18718, 0, 1, 3, 9, 1, NULL),
  (2, 1, 2, '{"lr":0.02}', '{"lr":0.02}', 'cnn-18718', 18718, 0, 1, 3, 9, 1, NULL);
INSERT INTO trials (id, sweep_id, number, configuration_id, replicate, state, seed, epochs, attempt,
  secret, worker, epoch, last_accuracy, best_accuracy, best_epoch, created_us, started_us, ended_us)
  VALUES
  (1, 1, 1, 1, 0, 'completed', 7, 5, 1, 'secret-1', 'w', 5, 0.9, 0.9, 5, 10, 11, 12),
  (2, 1, 2, 2, 0, 'running', 7, 5, 1, 'secret-2', 'w', 1, 0.5, 0.5, 1, 10, 13, NULL);
UPDATE configurations SET best_trial_id = id;
INSERT INTO attempts VALUES (1, 1, 'w', 11, 12, 'completed', ''), (2, 1, 'w', 13, NULL, '', '');
INSERT INTO epoch_reports VALUES (2, 1, 1, 0.5, 0.4, 0.6, 0.5, 0.01, 2.0, 0.5, 100.0, 14);
INSERT INTO artifacts VALUES
  (1, 'weights_best', 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa');
INSERT INTO events (sweep_id, kind, trial_id, number, attempt, epoch, time_us) VALUES
  (1, 'sweep', 0, 0, 0, 0, 10), (1, 'trial', 2, 2, 1, 0, 13), (1, 'epoch', 2, 2, 1, 1, 14);
)sql";

class MigrationTest : public testing::Test {
 protected:
  void SetUp() override {
    auto database = Must(Database::Open(path_, Database::Mode::kCreate));
    ASSERT_TRUE(Migrate(*database, Migrations().first(1)).ok());
    ASSERT_TRUE(database
                    ->Run("INSERT INTO sweeps (id, name, state, digest, principal, labels, metric, "
                          "goal, planned_configurations, configurations, running, completed, "
                          "created_us, updated_us) VALUES (1, 's', 'active', ?, 'ada', "
                          "'{\"team\":\"vision\"}', 'accuracy', 'maximize', 4, 2, 1, 1, 10, 10)",
                          spec_.digest)
                    .ok());
    const std::string text = TestSource("s").text;
    ASSERT_TRUE(
        database->Run("INSERT INTO sweep_files VALUES (1, 'sweep', 's.yaml', ?)", text).ok());
    ASSERT_TRUE(
        database->Run("INSERT INTO sweep_files VALUES (1, 'network', 'n.yaml', 'layers: []')")
            .ok());
    ASSERT_TRUE(database->Execute(kVersion1Rows).ok());
  }

  TemporaryFolder folder_;
  const std::string path_ = folder_.File("sweep.db");
  const SweepSpec spec_ = TestSpec("s");
};

// A database is migrated by the newer scripts, from exactly the schema of its own build.
TEST(Migrations, ThoseThatHaveBeenReleasedAreNeverChanged) {
  constexpr std::array<const char*, 12> kDigests = {
      "1b46e263c2635904fc021278ccbad7c5e5e8461f922299e82d1be62b1ca4be68",
      "50606fdc5fa483f27851ed49c4da71f34a288db559a267892926f55632a8f6f9",
      "4984de39d49e73676ffb9dc9cf8afb5a0ddaeea69767bbd11221dc4eeb5f78e4",
      "8bed71c1e84179f4f0d453296a91d9c45f7a26f5a009f262a9f034f985fe1eb3",
      "8a9052d5e2b6c70376be86aaf372b614a354de629002d6190af032799f659b6d",
      "d60294cc197cc4a04e0ff8fc7ea6ff27933ae9f2c7af3b19a7909491c4eceee8",
      "3e83b14cd9ff7f1b3cd2290ffede7f48453f740e927406f05980fe3faee35a56",
      "02816790575f9eebd5c10ac3b83108d7f6e2fbdc646450bd335f51c724dab157",
      "031145c982c26e843515a54538ed45a893d827d18426370c96c87aa5aa566ba5",
      "da2c9041dbb702e9361ece20bec16fa02a3c82dd2f3fb4a29a57ed7f66c7e0b5",
      "eb0253eb9b9fba10a4fe042c502863440e1e4f19b0eb4413c42ac0cf435a44e9",
      "bdc50112c7f632bfa5c6111cec459b7f82c29034f98245692aa26ea6a5bda49f"};
  for (std::size_t i = 0; i < kDigests.size(); ++i) {
    EXPECT_EQ(Sha256Hex(Migrations()[i]), kDigests[i]) << "version " << i + 1;
  }
}

TEST_F(MigrationTest, WhatVersion1HasWrittenIsThere) {
  const auto store = Must(Store::Open({.path = path_}));
  ASSERT_NE(store, nullptr);
  const SweepRow sweep = Must(store->Read(FindSweep, "s"));
  EXPECT_EQ(sweep.state, SweepState::kActive);
  EXPECT_EQ(sweep.principal, "ada");
  EXPECT_EQ(sweep.labels.at("team"), "vision");
  EXPECT_EQ(sweep.source.text, TestSource("s").text);
  EXPECT_EQ(sweep.source.network_files.at("n.yaml"), "layers: []");
  EXPECT_TRUE(sweep.source.program_files.empty());
  EXPECT_EQ(sweep.planned_configurations, 4);
  EXPECT_EQ(sweep.configurations, 2);
  EXPECT_EQ(sweep.search_reason, "");
  EXPECT_FALSE(sweep.give_back);
  EXPECT_EQ(sweep.counts.completed, 1);
  const TrialRow completed = Must(store->Read(FindTrial, "s", 1));
  ASSERT_EQ(completed.artifacts.size(), 1u);
  EXPECT_EQ(completed.artifacts[0].role, "weights_best");
  EXPECT_FALSE(completed.origin().has_value()) << "nobody knows how it was chosen";
  EXPECT_EQ(Must(store->Read(SelectEpochs, "s", 2, 0, 10)).size(), 1u);
  EXPECT_EQ(Must(store->Read(SelectEvents, 1, 0, 10)).size(), 3u);
  EXPECT_EQ(Must(store->Read(SelectAttempts, "s", 2)).size(), 1u);
  EXPECT_TRUE(Must(store->Read(SelectLogLines, "s", 2, 0, 0, 10)).empty());
  const auto leases = Must(store->Read(SelectHeldLeases));
  ASSERT_EQ(leases.size(), 1u);
  EXPECT_EQ(leases[0].secret, "secret-2");
}

TEST_F(MigrationTest, WhatIsNewWorksOnAnOldDatabase) {
  const auto store = Must(Store::Open({.path = path_}));
  StoreDriver driver(store.get());
  const LeaseRow lease = Must(store->Read(SelectHeldLeases)).at(0);
  const LeaseToken token = StoreDriver::Token(lease);
  ASSERT_EQ(store->WriteAndWait([&](WriteTransaction& transaction) {
    const absl::Status logged =
        transaction.AppendLogs(token, {{.line = 1, .text = "hello"}, {.line = 2, .text = "you"}});
    if (!logged.ok()) return logged;
    return transaction.PauseSweep("s", /*give_back=*/true).status();
  }),
            absl::OkStatus());
  EXPECT_EQ(Must(store->Read(SelectLogLines, "s", 2, 0, 0, 10)).size(), 2u);
  EXPECT_TRUE(Must(store->Read(FindSweep, "s")).give_back);
  ASSERT_TRUE(driver.Finish(lease, spec_, LeaseOutcome::kFailedForGood, "no").ok());
  ASSERT_EQ(store->WriteAndWait([&](WriteTransaction& transaction) {
    return transaction.RetrySweep(spec_, {.failed = true}).status();
  }),
            absl::OkStatus());
  EXPECT_EQ(Must(store->Read(FindTrial, "s", 2)).state, TrialState::kPending);

  const SweepSpec other = TestSpec("other");
  SweepSource source = TestSource("other");
  source.program_files = {{"train.py", "print()"}, {"lib/x.py", ""}};
  ASSERT_EQ(store->WriteAndWait([&](WriteTransaction& transaction) {
    bool created = false;
    return transaction.CreateSweep(other, source, "", &created).status();
  }),
            absl::OkStatus());
  EXPECT_EQ(Must(store->Read(FindSweep, "other")).source.program_files, source.program_files);
}

// Older events lack the state, except that the last event of a trial gets the trial's current
// state.
TEST_F(MigrationTest, TheLastEventOfATrialGetsItsState) {
  {
    auto database = Must(Database::Open(path_, Database::Mode::kReadWrite));
    ASSERT_TRUE(database
                    ->Execute("INSERT INTO events (sweep_id, kind, trial_id, number, attempt, "
                              "epoch, time_us) VALUES (1, 'trial', 1, 1, 0, 0, 15), (1, 'trial', "
                              "2, 2, 1, 0, 15), (1, 'trial', 1, 1, 1, 0, 16)")
                    .ok());
  }
  const auto store = Must(Store::Open({.path = path_}));
  const std::vector<EventRow> events = Must(store->Read(SelectEvents, 1, 0, 10));
  std::vector<std::optional<TrialState>> states;
  for (const EventRow& event : events) states.push_back(event.state);
  EXPECT_THAT(states, ElementsAre(std::nullopt, std::nullopt, TrialState::kRunning, std::nullopt,
                                  TrialState::kRunning, TrialState::kCompleted))
      << "whatever reported an epoch was running";
}

// Migrates the database of version 1 to version 4, changes it, and opens it with this build.
class LaterVersionTest : public MigrationTest {
 protected:
  void Change(std::size_t version, const std::string& script) {
    auto database = Must(Database::Open(path_, Database::Mode::kReadWrite));
    ASSERT_EQ(Migrate(*database, Migrations().first(version)), absl::OkStatus());
    ASSERT_EQ(database->Execute(script), absl::OkStatus());
    database.reset();
    ASSERT_NE(Must(Store::Open({.path = path_})), nullptr);
  }
  std::int64_t Int(const std::string& sql) {
    return Must(Must(Database::Open(path_, Database::Mode::kReadOnly))->QueryInt(sql));
  }
};

TEST_F(LaterVersionTest, WhatHadDivergedGetsTheMark) {
  Change(4,
         "UPDATE trials SET state = 'failed', reason = 'diverged: loss is nan' WHERE id = 2;"
         "UPDATE sweeps SET running = 0, failed = 1");
  EXPECT_EQ(Int("SELECT diverged FROM trials WHERE state = 'failed'"), 1);
  EXPECT_EQ(Int("SELECT diverged FROM sweeps WHERE name = 's'"), 1);
  EXPECT_EQ(Int("SELECT failed FROM sweeps WHERE name = 's'"), 0);
}

// NULL meant NaN for the workers' trainer, and not reported for a program.
TEST_F(LaterVersionTest, NullsBecomeNaNOrUnknown) {
  Change(5, "UPDATE epoch_reports SET train_loss = NULL");
  EXPECT_EQ(Int("SELECT more ->> '$.train_loss' IS NULL AND json_type(more, '$.train_loss') = "
                "'null' FROM epoch_reports"),
            1);
  const auto store = Must(Store::Open({.path = path_}));
  const auto epochs = Must(store->Read(SelectEpochs, "s", 2, 0, 10));
  ASSERT_EQ(epochs.size(), 1U);
  ASSERT_TRUE(epochs[0].metrics.values.Get("train_loss").has_value());
  EXPECT_TRUE(std::isnan(epochs[0].metrics.Get("train_loss")));
}

TEST_F(LaterVersionTest, NullsOfAProgramStayUnknown) {
  Change(5,
         "UPDATE epoch_reports SET train_loss = NULL; UPDATE sweep_files SET text = "
         "'name: s' || char(10) || 'program: ./train' WHERE role = 'sweep'");
  const auto store = Must(Store::Open({.path = path_}));
  EXPECT_EQ(Must(store->Read(SelectEpochs, "s", 2, 0, 10))[0].metrics.values.Get("train_loss"),
            std::nullopt);
}

TEST_F(LaterVersionTest, ResultsAreThoseOfBefore) {
  Change(5,
         "UPDATE trials SET best_gated_accuracy = 0.5, best_gated_epoch = 1, epochs_to_target = "
         "1, best_loss = 0.6, last_loss = 0.6 WHERE id = 2;"
         "INSERT INTO epoch_reports VALUES (2, 1, 2, 0.1 + 0.2, 0.45, 9e999, 0.4, 0.01, 2.5, "
         "0.5, 100.0, 15); UPDATE trials SET epoch = 2, last_accuracy = 0.4 WHERE id = 2;"
         // A later attempt's repetition, which did not count.
         "INSERT INTO attempts (trial_id, attempt, worker, started_us, ended_us, outcome) VALUES "
         "(2, 2, 'w', 16, 17, 'lost'); INSERT INTO epoch_reports VALUES (2, 2, 2, 0.1, 0.9, 0.1, "
         "0.9, 0.01, 2.0, 0.5, 100.0, 16)");
  const auto store = Must(Store::Open({.path = path_}));
  const TrialResult result = Must(store->Read(FindTrial, "s", 2)).result;
  EXPECT_EQ(result.Best({}), 0.5);
  EXPECT_EQ(result.Last("accuracy"), 0.4);
  EXPECT_EQ(result.best_epoch, 1);
  EXPECT_EQ(result.standing.tier, Tier::kMeetsGates);
  EXPECT_EQ(result.standing.epoch, 1);
  EXPECT_EQ(result.standing.values.Get("accuracy"), 0.5);
  ASSERT_NE(result.measures.Find("train_loss"), nullptr);
  EXPECT_EQ(result.measures.Find("train_loss")->low, 0.1 + 0.2) << "to the last bit";
  EXPECT_EQ(result.measures.Find("train_seconds")->high, 2.5);
  EXPECT_EQ(result.measures.Find("loss")->low, 0.6);
  EXPECT_EQ(result.measures.Find("val/f1"), nullptr);
}

// SQLite's JSON functions write 15 digits of a number, but 2/3 needs 17.
TEST_F(LaterVersionTest, ValuesAreKeptToTheLastBit) {
  Change(5,
         "UPDATE trials SET best_accuracy = 2.0 / 3, last_accuracy = 2.0 / 3, best_gated_accuracy "
         "= 2.0 / 3, best_gated_epoch = 1, best_loss = 0.1 + 0.2, last_loss = 0.1 + 0.2 WHERE id = "
         "2; UPDATE configurations SET value = 2.0 / 3, metric = 0.1 + 0.2 WHERE id = 2;"
         "UPDATE sweeps SET metric = 'loss', goal = 'minimize'");
  const auto store = Must(Store::Open({.path = path_}));
  const Standing standing = Must(store->Read(FindTrial, "s", 2)).result.standing;
  EXPECT_EQ(standing.values.Get("accuracy"), 2.0 / 3);
  EXPECT_EQ(standing.values.Get("loss"), 0.1 + 0.2);
  bool is_found = false;
  for (const RankedRow& row : Must(store->Read(SelectRanking, "s", 0, 10))) {
    if (row.trial.number != 2) continue;
    is_found = true;
    EXPECT_EQ(row.score.values.Get("accuracy"), 2.0 / 3);
    EXPECT_EQ(row.score.values.Get("loss"), 0.1 + 0.2);
  }
  EXPECT_TRUE(is_found);
}

// A loss that was always infinite or NaN counts as reported.
TEST_F(LaterVersionTest, WhatIsNotFiniteStaysWhatItWas) {
  Change(5,
         "UPDATE epoch_reports SET validation_loss = 9e999, train_loss = NULL;"
         "UPDATE trials SET best_loss = 9e999, last_loss = 9e999 WHERE id = 2");
  const auto store = Must(Store::Open({.path = path_}));
  const TrialResult result = Must(store->Read(FindTrial, "s", 2)).result;
  EXPECT_EQ(result.Last("loss"), std::numeric_limits<double>::infinity());
  EXPECT_EQ(result.standing.values.Get("loss"), std::numeric_limits<double>::infinity());
  ASSERT_TRUE(result.Has("train_loss"));
  EXPECT_TRUE(std::isnan(result.Last("train_loss")));
  EXPECT_TRUE(result.Has("lr"));
}

// A CHECK with a list of more than two words builds a temporary tree in every statement that it
// guards.
TEST_F(MigrationTest, WhatAReportWritesBuildsNoTemporaryTree) {
  Store::Open({.path = path_})->reset();
  const auto database = Must(Database::Open(path_, Database::Mode::kReadOnly));
  for (const char* const write :
       {"INSERT INTO events (sweep_id, kind, trial_id, number, attempt, epoch, time_us) VALUES (1, "
        "'epoch', 1, 1, 1, 1, 1)",
        "INSERT INTO attempts (trial_id, attempt, worker, started_us) VALUES (1, 9, 'w', 1)",
        "UPDATE attempts SET outcome = 'lost' WHERE trial_id = 1 AND attempt = 1",
        "UPDATE trials SET state = 'running' WHERE id = 1",
        "UPDATE sweeps SET state = 'active' WHERE id = 1"}) {
    Statement steps = database->Prepare(fmt::format("EXPLAIN {}", write));
    std::vector<std::string> operations;
    while (*steps.Step()) operations.push_back(steps.Text(1));
    EXPECT_THAT(operations, testing::Contains("Halt"));
    EXPECT_THAT(operations, testing::Not(testing::Contains("OpenEphemeral"))) << write;
  }
}

TEST_F(MigrationTest, TheWordsOfAStateAreStillHeld) {
  Store::Open({.path = path_})->reset();
  const auto database = Must(Database::Open(path_, Database::Mode::kReadWrite));
  EXPECT_FALSE(database->Execute("UPDATE trials SET state = 'lost' WHERE id = 1").ok());
  EXPECT_FALSE(database->Execute("UPDATE attempts SET outcome = 'ended' WHERE trial_id = 1").ok());
  EXPECT_FALSE(database->Execute("UPDATE events SET kind = 'none'").ok());
  EXPECT_FALSE(database->Execute("UPDATE sweeps SET state = 'open'").ok());
  EXPECT_TRUE(database->Execute("UPDATE trials SET state = 'on_hold' WHERE id = 1").ok());
  EXPECT_TRUE(database->Execute("UPDATE attempts SET outcome = 'held' WHERE trial_id = 1").ok());
}

TEST_F(MigrationTest, AnUpdatedDatabaseHasTheTablesOfANewOne) {
  Store::Open({.path = path_})->reset();
  const std::string new_path = folder_.File("new.db");
  Store::Open({.path = new_path})->reset();
  const auto columns = [](const std::string& path) {
    const auto database = Must(Database::Open(path, Database::Mode::kReadOnly));
    Statement statement = database->Prepare(
        "SELECT m.type, m.name, coalesce(c.name, '') FROM sqlite_schema m LEFT JOIN "
        "pragma_table_xinfo(m.name) c ORDER BY 1, 2, 3");
    std::vector<std::string> rows;
    while (*statement.Step()) {
      rows.push_back(statement.Text(0) + " " + statement.Text(1) + " " + statement.Text(2));
    }
    return rows;
  };
  EXPECT_EQ(columns(path_), columns(new_path));
  EXPECT_THAT(columns(path_), testing::Contains("table sweep_files role"));
  const auto database = Must(Database::Open(path_, Database::Mode::kReadOnly));
  Statement broken = database->Prepare("PRAGMA foreign_key_check");
  EXPECT_FALSE(*broken.Step()) << "a reference to nothing";
  EXPECT_EQ(*database->QueryInt("PRAGMA user_version"), std::ssize(Migrations()));
}

}  // namespace
}  // namespace sweep
