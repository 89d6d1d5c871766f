// Files are deleted or replaced while a coordinator serves the database.

#include "coordinator/store/served_files.h"

#include <filesystem>
#include <fstream>
#include <memory>
#include <thread>

#include "common/logging/testing/captured_log.h"
#include "coordinator/store/blob_store.h"
#include "coordinator/store/sqlite.h"
#include "coordinator/store/testing/store_testing.h"

namespace sweep {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class ServedFilesTest : public testing::Test {
 protected:
  ServedFilesTest() {
    store_ = Must(Store::Open({.path = path_}));
    blobs_ = Must(BlobStore::Open(store_->files().BlobFolder()));
    StoreDriver(store_.get()).Create(TestSpec("before"));
  }

  absl::Status TryToCreate(const std::string& name) {
    const SweepSpec spec = TestSpec(name);
    return store_->WriteAndWait([&](WriteTransaction& transaction) {
      bool created = false;
      return transaction.CreateSweep(spec, TestSource(name), "", &created).status();
    });
  }

  int LinesWith(const std::string& text) {
    int count = 0;
    const std::string log = log_.text();
    for (std::size_t at = log.find(text); at != std::string::npos; at = log.find(text, at + 1)) {
      ++count;
    }
    return count;
  }

  CapturedLog log_;  // outlives the store, which logs
  TemporaryFolder folder_;
  const std::string path_ = folder_.File("sweep.db");
  std::unique_ptr<Store> store_;
  std::unique_ptr<BlobStore> blobs_;
};

TEST_F(ServedFilesTest, WithoutOneOfItsFilesNothingIsAcknowledgedUntilItIsBack) {
  int number = 0;
  for (const std::string suffix : {"", ".lock", "-wal", "-shm", ".blobs"}) {
    SCOPED_TRACE("sweep.db" + suffix);
    const std::string file = path_ + suffix;
    const std::string name = "s" + std::to_string(++number);
    fs::rename(file, file + ".away");
    for (int i = 0; i < 3; ++i) {
      const absl::Status status = TryToCreate(name);
      EXPECT_TRUE(absl::IsUnavailable(status)) << status;
      EXPECT_THAT(std::string(status.message()), HasSubstr("'" + file + "' was deleted or moved"));
    }
    EXPECT_TRUE(store_->Load().files_are_lost);
    EXPECT_FALSE(store_->files().Check().ok());
    EXPECT_TRUE(store_->Read(FindSweep, "before").ok()) << "what is there can be read";
    EXPECT_TRUE(absl::IsNotFound(store_->Read(FindSweep, name).status()));
    fs::rename(file + ".away", file);
    EXPECT_EQ(TryToCreate(name + "-later"), absl::OkStatus());
    EXPECT_FALSE(store_->Load().files_are_lost);
  }
  EXPECT_EQ(LinesWith("database lost"), 5) << log_.text();
  EXPECT_EQ(LinesWith("database is back"), 5) << log_.text();
}

TEST_F(ServedFilesTest, AFileInItsPlaceIsNotIt) {
  for (const std::string suffix : {"", ".lock", "-wal"}) {
    const std::string file = path_ + suffix;
    fs::rename(file, file + ".away");
    fs::copy_file(file + ".away", file);
    const absl::Status status = TryToCreate("s");
    EXPECT_TRUE(absl::IsUnavailable(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("'" + file + "' was replaced"));
    fs::rename(file + ".away", file);
  }
}

// A new connection would read another database.
TEST_F(ServedFilesTest, WhatIsReadIsNeverThatOfAnotherFile) {
  fs::rename(path_, path_ + ".away");
  {
    const auto other = Must(Store::Open({.path = folder_.File("other.db")}));
    StoreDriver(other.get()).Create(TestSpec("foreign"));
  }
  fs::rename(folder_.File("other.db"), path_);
  std::vector<std::jthread> readers;
  for (int i = 0; i < 8; ++i) {
    readers.emplace_back([&] {
      for (int j = 0; j < 100; ++j) {
        const auto sweeps = store_->Read(SelectSweeps, 0, 10, /*archived=*/false);
        ASSERT_TRUE(sweeps.ok()) << sweeps.status();
        ASSERT_EQ(sweeps->size(), 1u);
        ASSERT_EQ(sweeps->front().name, "before");
      }
    });
  }
}

TEST_F(ServedFilesTest, ItIsSaidAlsoWhenNobodyWrites) {
  fs::remove(path_);
  while (!store_->Load().files_are_lost) std::this_thread::yield();
  store_.reset();
  EXPECT_EQ(LinesWith("database lost"), 1) << log_.text();
}

// Another database with its own log has the name now.
TEST_F(ServedFilesTest, TheEndOfOneThatWasReplacedTouchesNothingOfItsSuccessor) {
  for (const char* suffix : {"", ".lock", "-wal", "-shm"}) fs::remove(path_ + suffix);
  const auto second = Must(Store::Open({.path = path_}));
  StoreDriver(second.get()).Create(TestSpec("second"));
  EXPECT_TRUE(absl::IsUnavailable(TryToCreate("lost")));
  store_.reset();
  EXPECT_TRUE(fs::exists(path_ + "-wal"));
  EXPECT_TRUE(fs::exists(path_ + "-shm"));
  StoreDriver(second.get()).Create(TestSpec("third"));
  const auto reader = Must(Database::Open(path_, Database::Mode::kReadOnly));
  EXPECT_EQ(*reader->QueryInt("SELECT count(*) FROM sweeps"), 2);
}

// `cp backup.db sweep.db` writes into the open file.
TEST_F(ServedFilesTest, WhatIsCopiedOverTheDatabaseIsNoticedAndStaysWhatItIs) {
  const std::string other = folder_.File("other.db");
  {
    const auto store = Must(Store::Open({.path = other}));
    StoreDriver(store.get()).Create(TestSpec("foreign"));
  }
  fs::copy_file(other, path_, fs::copy_options::overwrite_existing);
  for (const std::string name : {"a", "b"}) {
    const absl::Status status = TryToCreate(name);
    EXPECT_TRUE(absl::IsUnavailable(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("has written into the database"));
  }
  EXPECT_EQ(LinesWith("database lost"), 1) << log_.text();
  store_.reset();
  EXPECT_EQ(LinesWith("put aside"), 1) << log_.text();
  store_ = Must(Store::Open({.path = path_}));
  const auto sweeps = Must(store_->Read(SelectSweeps, 0, 10, /*archived=*/false));
  ASSERT_EQ(sweeps.size(), 1u);
  EXPECT_EQ(sweeps.front().name, "foreign");
  EXPECT_EQ(TryToCreate("a"), absl::OkStatus());
}

TEST_F(ServedFilesTest, ALogThatIsCutShortIsNoticed) {
  fs::resize_file(path_ + "-wal", 0);
  const absl::Status status = TryToCreate("a");
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("has cut short its write-ahead log"));
}

TEST_F(ServedFilesTest, WhatACheckpointWritesIsItsOwn) {
  store_.reset();
  store_ = Must(Store::Open({.path = path_, .log_limit_bytes = 1}));  // as often as can be
  const auto before = fs::last_write_time(path_);
  for (int i = 0; i < 40; ++i) {
    ASSERT_EQ(TryToCreate("s" + std::to_string(i)), absl::OkStatus());
    ASSERT_EQ(store_->files().Check(), absl::OkStatus());
  }
  EXPECT_NE(fs::last_write_time(path_), before);
  EXPECT_EQ(LinesWith("database lost"), 0) << log_.text();
}

TEST_F(ServedFilesTest, AnUploadWaitsForTheFolderOfBlobs) {
  fs::remove_all(path_ + ".blobs");
  EXPECT_TRUE(absl::IsUnavailable(blobs_->Put(std::string(64, 'a'), 1).status()));
  EXPECT_FALSE(fs::exists(path_ + ".blobs"));
}

}  // namespace
}  // namespace sweep
