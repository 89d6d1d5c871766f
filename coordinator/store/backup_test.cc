// Backups of databases, and the check of a database.

#include "coordinator/store/backup.h"

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <thread>

#include "common/base/sha256.h"
#include "coordinator/store/blob_store.h"
#include "coordinator/store/check.h"
#include "coordinator/store/schema.h"
#include "coordinator/store/sqlite.h"
#include "coordinator/store/testing/store_testing.h"
#include "coordinator/store/unfinished_files.h"
#include "fmt/format.h"

namespace sweep {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

class BackupTest : public testing::Test {
 protected:
  // One completed trial with weights, one running with a checkpoint, two pending.
  void SetUp() override {
    store_ = Must(Store::Open({.path = path_}));
    blobs_ = Must(BlobStore::Open(path_ + ".blobs"));
    StoreDriver driver(store_.get());
    const SweepRow sweep = driver.Create(spec_);
    for (int number = 1; number <= 4; ++number) driver.Add(sweep, spec_, number);
    const LeaseRow first = driver.Grant(Must(store_->Read(FindTrial, "s", 1)).id, "w");
    ASSERT_TRUE(driver.Record(first, spec_, TestEpochs(1, 5, 0.95)).ok());
    ASSERT_TRUE(driver
                    .Finish(first, spec_, LeaseOutcome::kCompleted, "",
                            {{.role = "weights_best", .sha256 = Put("weights")}})
                    .ok());
    lease_ = driver.Grant(Must(store_->Read(FindTrial, "s", 2)).id, "w");
    ASSERT_TRUE(driver.Record(lease_, spec_, TestEpochs(1, 2, 0.5), Put("checkpoint"), 2).ok());
    Put("unused");
  }

  std::string Put(const std::string& bytes) {
    const std::string sha256 = Sha256Hex(bytes);
    auto writer = Must(blobs_->Put(sha256, static_cast<std::int64_t>(bytes.size())));
    EXPECT_TRUE(writer->Append(bytes).ok() && writer->Commit().ok());
    EXPECT_EQ(store_->WriteAndWait([&](WriteTransaction& transaction) {
      return transaction.AddBlob(sha256, static_cast<std::int64_t>(bytes.size()));
    }),
              absl::OkStatus());
    return sha256;
  }
  static std::string BlobPath(const std::string& database, const std::string& bytes) {
    const std::string sha256 = Sha256Hex(bytes);
    return database + ".blobs/" + sha256.substr(0, 2) + "/" + sha256;
  }

  absl::StatusOr<BackupResult> BackUpTo(const std::string& file) {
    return BackUp({.database = path_, .file = file});
  }
  std::vector<std::string> Faults(const std::string& path) {
    return Must(CheckDatabase(path, [](const std::string&) {})).faults;
  }
  // Ends the coordinator and changes its database with SQL.
  void Tamper(const std::string& sql) {
    store_.reset();
    auto database = Must(Database::Open(path_, Database::Mode::kReadWrite));
    ASSERT_EQ(database->Execute(sql), absl::OkStatus());
  }
  std::vector<std::string> Files() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(fs::path(path_).parent_path())) {
      names.push_back(entry.path().filename());
    }
    return names;
  }

  TemporaryFolder folder_;
  const std::string path_ = folder_.File("sweep.db");
  const std::string copy_ = folder_.File("copy.db");
  const SweepSpec spec_ = TestSpec("s");
  std::unique_ptr<Store> store_;
  std::unique_ptr<BlobStore> blobs_;
  LeaseRow lease_;
};

TEST_F(BackupTest, ACopyOpensAsADatabaseAndGoesOn) {
  const auto result = BackUpTo(copy_);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_EQ(result->blobs, 2);
  EXPECT_THAT(result->faults, IsEmpty());
  EXPECT_THAT(Faults(copy_), IsEmpty());
  EXPECT_FALSE(fs::exists(BlobPath(copy_, "unused"))) << "nothing refers to it";
  store_.reset();
  blobs_.reset();
  fs::remove_all(path_ + ".blobs");
  fs::remove(path_);
  const auto store = Must(Store::Open({.path = copy_}));
  const auto blobs = Must(BlobStore::Open(copy_ + ".blobs"));
  EXPECT_EQ(Must(store->Read(FindSweep, "s")).counts.completed, 1);
  EXPECT_EQ(Must(Must(blobs->Read(Sha256Hex("checkpoint")))->Next(100)), "checkpoint");
  StoreDriver driver(store.get());
  ASSERT_TRUE(driver.Record(lease_, spec_, TestEpochs(3, 5, 0.5)).ok());
  ASSERT_TRUE(driver.Finish(lease_, spec_, LeaseOutcome::kCompleted).ok());
  driver.Train(Must(store->Read(FindTrial, "s", 3)), spec_, 0.9);
}

TEST_F(BackupTest, ADatabaseThatNobodyUsesIsCopiedAndAKilledOneToo) {
  // Copies the files as they would be after a kill now.
  const std::string killed = folder_.File("killed.db");
  for (const char* suffix : {"", "-wal"}) fs::copy_file(path_ + suffix, killed + suffix);
  fs::copy(path_ + ".blobs", killed + ".blobs", fs::copy_options::recursive);
  const std::string rescued = folder_.File("rescued.db");
  ASSERT_TRUE(BackUp({.database = killed, .file = rescued}).ok());
  EXPECT_THAT(Faults(rescued), IsEmpty());
  EXPECT_EQ(Must(Must(Store::Open({.path = rescued}))->Read(FindTrial, "s", 2)).result.epoch, 2);

  store_.reset();
  ASSERT_TRUE(BackUpTo(copy_).ok());
  EXPECT_THAT(Faults(copy_), IsEmpty());
  EXPECT_NE(Must(Store::Open({.path = path_})), nullptr);
}

TEST_F(BackupTest, ACopyTakenWhileTheCoordinatorWritesIsOfOneMoment) {
  std::atomic<bool> stop = false;
  std::atomic<int> lines = 0;
  std::jthread writing([&] {
    while (!stop) {
      ASSERT_EQ(store_->WriteAndWait([&](WriteTransaction& transaction) {
        return transaction.AppendLogs(StoreDriver::Token(lease_),
                                      {{.line = ++lines, .text = std::string(2000, 'x')}});
      }),
                absl::OkStatus());
    }
  });
  for (int i = 0; i < 5; ++i) {
    const std::string copy = folder_.File(fmt::format("copy-{}.db", i));
    ASSERT_TRUE(BackUpTo(copy).ok());
    EXPECT_THAT(Faults(copy), IsEmpty());
  }
  stop = true;
  writing.join();
  EXPECT_THAT(Faults(path_), IsEmpty()) << "the original, while it is used";
}

TEST_F(BackupTest, WhatExistsIsNotOverwritten) {
  std::ofstream(copy_) << "precious";
  const absl::Status file = BackUpTo(copy_).status();
  EXPECT_TRUE(absl::IsAlreadyExists(file)) << file;
  EXPECT_THAT(std::string(file.message()), HasSubstr(copy_));
  EXPECT_TRUE(absl::IsAlreadyExists(BackUpTo(path_).status()));
  const std::string other = folder_.File("other.db");
  fs::create_directory(other + ".blobs");
  EXPECT_TRUE(absl::IsAlreadyExists(BackUpTo(other).status()));
  EXPECT_TRUE(
      absl::IsNotFound(BackUp({.database = folder_.File("none.db"), .file = other}).status()));
  EXPECT_FALSE(fs::exists(folder_.File("none.db")));
}

TEST_F(BackupTest, AnInterruptedBackupLeavesNothing) {
  const std::vector<std::string> before = Files();
  for (int questions = 0; questions < 4; ++questions) {
    int asked = 0;
    const absl::Status status = BackUp({.database = path_,
                                        .file = copy_,
                                        .is_cancelled = [&] { return asked++ >= questions; }})
                                    .status();
    if (status.ok()) break;
    EXPECT_TRUE(absl::IsCancelled(status)) << status;
    EXPECT_THAT(Files(), testing::UnorderedElementsAreArray(before));
  }
  EXPECT_TRUE(absl::IsPermissionDenied(BackUpTo("/proc/copy.db").status()) ||
              !BackUpTo("/proc/copy.db").ok());
}

TEST_F(BackupTest, BlobsThatAreNotWholeAreNamed) {
  std::ofstream(BlobPath(path_, "weights")) << "weight!";
  fs::remove(BlobPath(path_, "checkpoint"));
  const auto result = BackUpTo(copy_);
  ASSERT_TRUE(result.ok()) << result.status();
  EXPECT_THAT(result->faults, testing::UnorderedElementsAre(HasSubstr(Sha256Hex("weights")),
                                                            HasSubstr(Sha256Hex("checkpoint"))));
  EXPECT_FALSE(fs::exists(BlobPath(copy_, "weights")));
  EXPECT_TRUE(fs::exists(BlobPath(path_, "weights"))) << "the original is left alone";
}

// --- the check ---

TEST_F(BackupTest, ASoundDatabaseHasNoFaultsWhileACoordinatorUsesIt) {
  std::vector<std::string> lines;
  const auto report = CheckDatabase(path_, [&](const std::string& line) { lines.push_back(line); });
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_THAT(report->faults, IsEmpty());
  EXPECT_THAT(lines, Contains(HasSubstr("1 sweeps, 4 configurations, 4 trials, 2 attempts, 7 "
                                        "epoch_reports, 3 blobs")));
  EXPECT_THAT(lines, Contains(HasSubstr("2 blobs that the database refers to are there")));
  EXPECT_THAT(lines, Contains(HasSubstr("1 blobs are referred to by nothing")));
}

TEST_F(BackupTest, WhatDoesNotFitTogetherIsFound) {
  const std::pair<const char*, const char*> kFaults[] = {
      {"UPDATE sweeps SET pending = pending + 1", "counts are those of its trials"},
      {"UPDATE sweeps SET qualifying = 3", "qualifying"},
      {"UPDATE sweeps SET configurations = 3", "within the budget"},
      {"UPDATE sweeps SET planned_configurations = 3", "within the budget"},
      {"UPDATE sweeps SET state = 'completed'", "nothing left to do"},
      {"UPDATE trials SET number = 9 WHERE number = 4", "numbered without a gap"},
      {"UPDATE trials SET attempt = 2 WHERE number = 1", "attempts are numbered"},
      {"UPDATE attempts SET outcome = '' WHERE trial_id = 1", "open attempt"},
      {"UPDATE trials SET ended_us = NULL WHERE number = 1", "says when"},
      {"UPDATE trials SET epoch = epoch - 1 WHERE number = 1", "the last epoch that was"},
      {"UPDATE epoch_reports SET attempt = 7 WHERE trial_id = 2", "belongs to an attempt"},
      {"UPDATE trials SET measures = json_set((SELECT m.measures FROM trial_measures m WHERE "
       "m.trial_id = trials.id), '$.validation_accuracy[2]', 0.99) WHERE number = 1",
       "results are those"},
      {"UPDATE trials SET measures = '{}' WHERE number = 1", "results are those"},
      {"UPDATE trial_values SET high = 0.99 WHERE trial_id = 1 AND measure = (SELECT measure FROM "
       "measure_names WHERE name = 'validation_accuracy')",
       "results are those"},
      {"UPDATE trial_values SET high = 0.99 WHERE trial_id = 1 AND measure = 2", "packed measures"},
      {"UPDATE trials SET packed_measures = NULL WHERE number = 1", "packed measures"},
      {"UPDATE trials SET packed_measures = x'00' WHERE number = 2", "packed measures"},
      {"UPDATE trials SET measures = '{}' WHERE number = 1", "those of one that has ended"},
      {"UPDATE measure_names SET measure = 99 WHERE measure = 1", "those of one that has ended"},
      {"UPDATE epoch_reports SET validation_loss = 9 WHERE trial_id = 2 AND epoch = 2",
       "results are those"},
      {"UPDATE trials SET checkpoint_epoch = 4 WHERE number = 2", "checkpoint"},
      {"PRAGMA foreign_keys = OFF; DELETE FROM blobs", "foreign key"},
  };
  store_.reset();
  fs::copy_file(path_, folder_.File("whole.db"));
  for (const auto& [sql, rule] : kFaults) {
    SCOPED_TRACE(sql);
    fs::copy_file(folder_.File("whole.db"), path_, fs::copy_options::overwrite_existing);
    EXPECT_THAT(Faults(path_), IsEmpty());
    Tamper(sql);
    EXPECT_THAT(Faults(path_), Contains(HasSubstr(rule)));
    for (const char* suffix : {"-wal", "-shm"}) fs::remove(path_ + suffix);
  }
}

// Files without a lock are removed, however young they are.
TEST_F(BackupTest, WhatKilledBackupsLeftGoesWithTheNextOneAndWhatIsBeingMadeStays) {
  const auto leave = [&](const std::string& name) {
    const std::string file = folder_.File(name);
    std::ofstream(file) << "half of it";
    std::ofstream(file + "-journal") << "journal";
    fs::create_directories(file + ".blobs/ab");
    std::ofstream(file + ".blobs/ab/blob") << "blob";
    return file;
  };
  const auto others = Must(UnfinishedFiles::Make(folder_.File("others.db")));
  fs::create_directory(others->blobs());
  const std::vector<std::string> foreign = {leave("a.db.unfinished-backup-1234567"),
                                            leave("a.db.unfinished-backup-1234567g"),
                                            leave("a.db.tmp-12345678")};
  const auto expect_gone = [&](const std::string& file) {
    for (const char* suffix : {"", "-journal", ".blobs"}) {
      EXPECT_FALSE(fs::exists(file + suffix)) << file + suffix;
    }
    EXPECT_TRUE(fs::exists(others->file()));
    EXPECT_TRUE(fs::exists(others->blobs()));
    for (const std::string& name : foreign) EXPECT_TRUE(fs::exists(name + ".blobs/ab/blob"));
  };
  const std::string first = leave("a.db.unfinished-backup-0123abcd");
  ASSERT_TRUE(BackUp({.database = path_, .file = folder_.File("copy.db")}).ok());
  expect_gone(first);
  const std::string second = leave("copy.db.unfinished-backup-00000000");
  store_.reset();
  store_ = Must(Store::Open({.path = path_}));
  expect_gone(second);
}

TEST_F(BackupTest, DamagedPagesAreFound) {
  store_.reset();
  std::int64_t found = 0;
  const auto pages = static_cast<std::int64_t>(fs::file_size(path_)) / 4096;
  const std::string broken = folder_.File("broken.db");
  for (std::int64_t page = 0; page < pages; ++page) {
    SCOPED_TRACE(page);
    fs::copy_file(path_, broken, fs::copy_options::overwrite_existing);
    for (const char* suffix : {"-wal", "-shm"}) fs::remove(broken + suffix);
    std::fstream file(broken, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(page * 4096);  // a page's header: its kind and its cells
    file << std::string(64, '\x5a');
    file.close();
    const auto report = CheckDatabase(broken, [](const std::string&) {});
    found += !report.ok() || !report->sound();
  }
  EXPECT_EQ(found, pages);
}

TEST_F(BackupTest, DamagedAndMissingBlobsAreFound) {
  std::ofstream(BlobPath(path_, "weights")) << "weight!";
  fs::remove(BlobPath(path_, "checkpoint"));
  EXPECT_THAT(Faults(path_), testing::UnorderedElementsAre(HasSubstr(Sha256Hex("weights")),
                                                           HasSubstr(Sha256Hex("checkpoint"))));
  EXPECT_TRUE(absl::IsNotFound(CheckDatabase(path_ + "x", [](const std::string&) {}).status()));
}

}  // namespace
}  // namespace sweep
