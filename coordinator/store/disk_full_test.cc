// The disk becomes full while a coordinator runs. Nothing that was acknowledged is lost, everything
// else is refused with the reason, and work continues when there is room.

#include <signal.h>
#include <sys/resource.h>

#include <filesystem>
#include <functional>
#include <future>
#include <string>
#include <vector>

#include "common/base/sha256.h"
#include "coordinator/store/schema.h"
#include "coordinator/store/sqlite.h"
#include "coordinator/store/testing/small_disk.h"
#include "coordinator/store/testing/store_testing.h"
#include "coordinator/store/writer.h"
#include "fmt/format.h"

namespace sweep {
namespace {

using testing::HasSubstr;

class DiskFullTest : public testing::Test {
 protected:
  // Repeats the write until it is stored. Frees space after the second refusal.
  void Persist(const Store::WriteFunction& function) {
    for (int refusals = 0; refusals < 4; ++refusals) {
      const absl::Status status = store_->WriteAndWait(function);
      if (status.ok()) return;
      ++refused_;
      EXPECT_TRUE(absl::IsUnavailable(status)) << status;
      EXPECT_THAT(std::string(status.message()), HasSubstr(path_ + "': the disk is full"));
      if (refusals == 1) disk_.GiveRoom();
    }
    FAIL() << "refused although there is room";
  }

  // Creates a sweep with one trial and trains it completely.
  void TrainASweep() {
    const SweepSpec spec = TestSpec("s");
    Persist([&](WriteTransaction& transaction) {
      bool created = false;
      return transaction.CreateSweep(spec, TestSource("s"), "ada", &created).status();
    });
    const SweepRow sweep = Must(store_->Read(FindSweep, "s"));
    Persist([&](WriteTransaction& transaction) {
      return transaction.AddConfiguration(sweep.id, spec, TestConfiguration(spec, 1)).status();
    });
    const TrialRow trial = Must(store_->Read(FindTrial, "s", 1));
    LeaseRow lease;
    Persist([&](WriteTransaction& transaction) {
      absl::StatusOr<LeaseRow> granted = transaction.Grant(trial.id, "w", "secret", false);
      if (granted.ok()) lease = *granted;
      return granted.status();
    });
    for (int epoch = 1; epoch <= 5; ++epoch) {
      Persist([&](WriteTransaction& transaction) {
        bool revived = false;
        return transaction
            .RecordEpochs(StoreDriver::Token(lease), spec, {TestEpoch(epoch, 0.95)}, "", 0,
                          &revived)
            .status();
      });
    }
    Persist([&](WriteTransaction& transaction) {
      return transaction
          .FinishLease(StoreDriver::Token(lease), spec, LeaseOutcome::kCompleted, "", {})
          .status();
    });
  }

  void ExpectAllIsThere() {
    EXPECT_EQ(Must(store_->Read(FindTrial, "s", 1)).state, TrialState::kCompleted);
    EXPECT_EQ(Must(store_->Read(FindSweep, "s")).counts.completed, 1);
    EXPECT_EQ(Must(store_->Read(SelectEpochs, "s", 1, 0, 100)).size(), 5u);
    EXPECT_EQ(Must(store_->Read(SelectAttempts, "s", 1)).size(), 1u);
    const auto database = Must(Database::Open(path_, Database::Mode::kReadOnly));
    EXPECT_EQ(*database->QueryInt("SELECT count(*) FROM pragma_integrity_check WHERE "
                                  "integrity_check <> 'ok'"),
              0);
    EXPECT_EQ(*database->QueryInt("SELECT count(*) FROM pragma_foreign_key_check"), 0);
  }

  // With a checkpoint every few pages, so that checkpoints find the disk full too.
  void Open() { store_ = Must(Store::Open({.path = path_, .log_limit_bytes = 100'000})); }

  SmallDisk disk_;  // before the store, which closes its files on it
  TemporaryFolder folder_;
  std::string path_ = folder_.File("sweep.db");
  std::unique_ptr<Store> store_;
  int refused_ = 0;
};

// Calls `was_full` with 1, 2, … until it returns false: the test has no write of that number. Each
// call repeats the test on a disk that is full at the `number`-th write.
void TryEachWrite(const std::function<bool(std::int64_t number)>& was_full) {
  std::int64_t number = 1;
  while (was_full(number)) ++number;
  EXPECT_GT(number, 20) << "it hardly wrote anything";
}

TEST_F(DiskFullTest, WhicheverWriteFindsNoRoomNothingAcknowledgedIsLost) {
  TryEachWrite([&](std::int64_t number) {
    const bool once = number % 2 == 0;
    SCOPED_TRACE(fmt::format("write {} once={}", number, once));
    path_ = folder_.File(fmt::format("{}.db", number));
    Open();
    disk_.FailWrite(number, once);
    TrainASweep();
    const bool was_full = disk_.was_full() || refused_ > 0;
    refused_ = 0;
    disk_.GiveRoom();
    store_.reset();
    Open();
    ExpectAllIsThere();
    store_.reset();
    return was_full;
  });
}

TEST_F(DiskFullTest, ADiskThatIsFullWhenADatabaseIsMadeIsOneClearErrorAndNoHarm) {
  TryEachWrite([&](std::int64_t number) {
    SCOPED_TRACE(number);
    path_ = folder_.File(fmt::format("{}.db", number));
    disk_.FailWrite(number, /*once=*/false);
    const absl::Status status = Store::Open({.path = path_}).status();
    const bool was_full = disk_.was_full();
    disk_.GiveRoom();
    if (!status.ok()) {
      EXPECT_TRUE(absl::IsUnavailable(status)) << status;
      EXPECT_THAT(std::string(status.message()), HasSubstr(path_ + "': the disk is full"));
    }
    Open();
    EXPECT_TRUE(Must(store_->Read(SelectSweeps, 0, 10, /*archived=*/false)).empty());
    store_.reset();
    return was_full;
  });
}

// The database is readable, whichever write of the start finds the disk full, and whether or not
// the coordinator was killed before. Writes succeed when there is room.
TEST_F(DiskFullTest, ADatabaseOpensOnAFullDiskAndIsRead) {
  Open();
  TrainASweep();
  const auto check = [&](const std::function<void()>& fill) {
    fill();
    Open();
    ASSERT_NE(store_, nullptr);
    EXPECT_EQ(Must(store_->Read(FindTrial, "s", 1)).state, TrialState::kCompleted);
    EXPECT_EQ(Must(store_->Read(SelectEpochs, "s", 1, 0, 100)).size(), 5u);
    EXPECT_EQ(Must(store_->Read(SelectRanking, "s", 0, 10)).size(), 1u);
    const auto add = [](char digit) {
      return [digit](WriteTransaction& transaction) {
        return transaction.AddBlob(std::string(64, digit), 1);
      };
    };
    const absl::Status refused = store_->WriteAndWait(add('a'));
    EXPECT_TRUE(absl::IsUnavailable(refused)) << refused;
    EXPECT_TRUE(store_->Load().disk_is_full);
    EXPECT_TRUE(store_->Read(FindSweep, "s").ok());
    disk_.GiveRoom();
    ASSERT_EQ(store_->WriteAndWait(add('b')), absl::OkStatus());
    ASSERT_EQ(store_->WriteAndWait(add('c')), absl::OkStatus());
    EXPECT_FALSE(store_->Load().disk_is_full);
    ExpectAllIsThere();
    EXPECT_TRUE(std::filesystem::exists(path_ + "-shm")) << "others can read it again";
    store_.reset();
  };
  store_.reset();
  check([&] { disk_.SetFreeBytes(0); });
  check([&] { disk_.FailWrite(1, /*once=*/false); });
  // As after a kill: the log exists and its index has to be rebuilt.
  Open();
  std::filesystem::copy_file(path_ + "-wal", path_ + ".log");
  store_.reset();
  std::filesystem::rename(path_ + ".log", path_ + "-wal");
  check([&] { disk_.SetFreeBytes(0); });
}

// The index grows with about every 4,000 pages of the log. SQLite loses the errno of that.
TEST_F(DiskFullTest, AnIndexThatCannotGrowRefusesWritesUntilItCan) {
  store_ = Must(Store::Open({.path = path_}));
  StoreDriver(store_.get()).Create(TestSpec("s"));
  disk_.RefuseIndex();
  SweepSource source = TestSource("big");
  source.network_files["huge"] = std::string(24 << 20, 'x');
  const SweepSpec spec = TestSpec("big");
  const auto create = [&](WriteTransaction& transaction) {
    bool created = false;
    return transaction.CreateSweep(spec, source, "", &created).status();
  };
  for (int i = 0; i < 3; ++i) {
    const absl::Status status = store_->WriteAndWait(create);
    EXPECT_TRUE(absl::IsUnavailable(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("the disk is full"));
  }
  EXPECT_TRUE(disk_.was_full());
  EXPECT_TRUE(store_->Load().disk_is_full);
  EXPECT_TRUE(absl::IsNotFound(store_->Read(FindSweep, "big").status()));
  disk_.GiveRoom();
  EXPECT_EQ(store_->WriteAndWait(create), absl::OkStatus());
  EXPECT_TRUE(store_->Read(FindSweep, "big").ok());
}

TEST_F(DiskFullTest, ABigWriteThatDoesNotFitIsRefusedAndSmallOnesGoOn) {
  Open();
  disk_.SetFreeBytes(500'000);
  const SweepSpec spec = TestSpec("big");
  SweepSource source = TestSource("big");
  source.network_files["huge"] = std::string(1 << 20, 'x');
  const auto create = [&](WriteTransaction& transaction) {
    bool created = false;
    return transaction.CreateSweep(spec, source, "", &created).status();
  };
  EXPECT_TRUE(absl::IsUnavailable(store_->WriteAndWait(create)));
  EXPECT_TRUE(absl::IsNotFound(store_->Read(FindSweep, "big").status()));
  disk_.SetFreeBytes(500'000);
  StoreDriver driver(store_.get());
  driver.Create(TestSpec("small"));
  disk_.GiveRoom();
  EXPECT_EQ(store_->WriteAndWait(create), absl::OkStatus());
}

// A batch is one transaction, so one write's result may depend on another that was rolled back with
// it.
TEST_F(DiskFullTest, EveryWriteOfTheBatchIsAnsweredWithTheReason) {
  Open();
  disk_.FailWrite(1, /*once=*/false);
  std::promise<void> entered, gathered;
  std::vector<absl::Status> answers;
  const auto note = [&](absl::Status status) { answers.push_back(std::move(status)); };
  store_->Write(
      [&](WriteTransaction&) {
        entered.set_value();
        gathered.get_future().wait();
        return absl::OkStatus();
      },
      note);
  entered.get_future().wait();
  store_->Write(
      [](WriteTransaction& transaction) { return transaction.AddBlob(std::string(64, 'a'), 1); },
      note);
  store_->Write([](WriteTransaction&) { return absl::FailedPreconditionError("stale"); }, note);
  gathered.set_value();
  const absl::Status later = store_->WriteAndWait(
      [](WriteTransaction& transaction) { return transaction.AddBlob(std::string(64, 'b'), 1); });
  EXPECT_TRUE(absl::IsUnavailable(later)) << later;
  ASSERT_EQ(answers.size(), 3u);
  EXPECT_EQ(answers[0], absl::OkStatus()) << "it was alone and changed nothing";
  EXPECT_TRUE(absl::IsUnavailable(answers[1])) << answers[1];
  EXPECT_TRUE(absl::IsUnavailable(answers[2])) << answers[2];
  disk_.GiveRoom();
  EXPECT_EQ(Must(store_->Read(FindBlobSize, std::string(64, 'a'))), std::nullopt);
}

// A transaction larger than the cache writes before COMMIT; on an error SQLite rolls all of it
// back.
TEST_F(DiskFullTest, AFullDiskInTheMiddleOfATransactionUndoesAllOfIt) {
  auto database = Must(Database::Open(path_, Database::Mode::kCreate));
  ASSERT_TRUE(database->Execute("PRAGMA journal_mode = WAL; PRAGMA cache_size = 5").ok());
  ASSERT_TRUE(Migrate(*database, Migrations()).ok());
  FakeClock clock;
  const SweepSpec spec = TestSpec("big");
  SweepSource source = TestSource("big");
  for (int i = 0; i < 40; ++i) source.network_files[fmt::format("{}", i)].assign(8000, 'x');
  for (int number = 1; number <= 40; number += 3) {
    SCOPED_TRACE(number);
    std::vector<absl::Status> answers(3);
    {
      Writer writer(database.get(), &clock, {});
      disk_.FailWrite(number, /*once=*/true);
      writer.Submit(
          [&](WriteTransaction& transaction) {
            bool created = false;
            // Ignoring the error must not save the write.
            transaction.CreateSweep(spec, source, "", &created).status().IgnoreError();
            return absl::OkStatus();
          },
          [&](absl::Status status) { answers[0] = std::move(status); });
    }
    EXPECT_TRUE(disk_.was_full());
    EXPECT_TRUE(absl::IsUnavailable(answers[0])) << answers[0];
    EXPECT_EQ(*database->QueryInt("SELECT count(*) FROM sweep_files"), 0);
    disk_.GiveRoom();
  }
}

// Like a quota, the limit has another errno than a full disk and may stop within a page.
TEST(FileSizeLimit, IsAFullDisk) {
  const TemporaryFolder folder;
  const std::string path = folder.File("sweep.db");
  const auto store = Must(Store::Open({.path = path}));
  const auto create = [&](int number) {
    const SweepSpec spec = TestSpec("s" + std::to_string(number));
    return store->WriteAndWait([&](WriteTransaction& transaction) {
      bool created = false;
      return transaction.CreateSweep(spec, TestSource(spec.name), "", &created).status();
    });
  };
  ASSERT_EQ(create(0), absl::OkStatus());
  const auto handler = signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit little = {.rlim_cur = std::filesystem::file_size(path + "-wal") + 50'000,
                         .rlim_max = before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &little);
  int stored = 1;
  absl::Status refused;
  for (; refused.ok() && stored < 100; stored += refused.ok() ? 1 : 0) refused = create(stored);
  const absl::Status again = create(stored);
  setrlimit(RLIMIT_FSIZE, &before);
  signal(SIGXFSZ, handler);
  for (const absl::Status& status : {refused, again}) {
    EXPECT_TRUE(absl::IsUnavailable(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("the disk is full"));
  }
  EXPECT_EQ(create(stored), absl::OkStatus());
  EXPECT_EQ(Must(store->Read(SelectSweeps, 0, 1000, /*archived=*/false)).size(),
            static_cast<std::size_t>(stored) + 1);
}

}  // namespace
}  // namespace sweep
