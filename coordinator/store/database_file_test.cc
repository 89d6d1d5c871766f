// A database is the same file under every spelling of its name.

#include "coordinator/store/database_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "coordinator/store/backup.h"
#include "coordinator/store/blob_store.h"
#include "coordinator/store/check.h"
#include "coordinator/store/peek.h"
#include "coordinator/store/testing/store_testing.h"
#include "fmt/format.h"

namespace sweep {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::string MessageOf(const absl::Status& status) { return std::string(status.message()); }

// The current folder has a folder "real", a link "folder" to it, and links "link.db" and "chain.db"
// to "real/sweep.db".
class DatabaseFileTest : public testing::Test {
 protected:
  DatabaseFileTest() {
    fs::create_directory(folder_.File("real"));
    fs::create_symlink("real", folder_.File("folder"));
    fs::create_symlink("folder/sweep.db", folder_.File("link.db"));
    fs::create_symlink(folder_.File("link.db"), folder_.File("chain.db"));
    fs::current_path(folder_.File(""));
  }
  ~DatabaseFileTest() override { fs::current_path(before_); }

  const fs::path before_ = fs::current_path();
  TemporaryFolder folder_;
  const std::string real_ = fs::canonical(folder_.File("")).string() + "/real/sweep.db";
  const std::vector<std::string> spellings_ = {real_,
                                               "real/sweep.db",
                                               "./real//sweep.db",
                                               "real/../folder/./sweep.db",
                                               "folder/../real/sweep.db",
                                               "folder/sweep.db",
                                               "link.db",
                                               folder_.File("link.db"),
                                               "chain.db",
                                               "real/../chain.db"};
};

TEST_F(DatabaseFileTest, EverySpellingLeadsToTheSameFile) {
  for (const bool is_there : {false, true}) {
    if (is_there) std::ofstream(real_).close();
    for (const std::string& spelling : spellings_) {
      SCOPED_TRACE(fmt::format("'{}' is there: {}", spelling, is_there));
      const auto file = DatabaseFile::Resolve(spelling);
      ASSERT_TRUE(file.ok()) << file.status();
      EXPECT_EQ(file->path(), real_);
      EXPECT_EQ(file->lock(), real_ + ".lock");
      EXPECT_EQ(file->blobs(), real_ + ".blobs");
    }
  }
}

TEST_F(DatabaseFileTest, MessagesShowWhatWasWrittenAndWhereLinksLead) {
  EXPECT_EQ(DatabaseFile::Resolve("real/sweep.db")->name(), "real/sweep.db");
  EXPECT_EQ(DatabaseFile::Resolve("./real/../real/sweep.db")->name(), "./real/../real/sweep.db");
  EXPECT_EQ(DatabaseFile::Resolve("link.db")->name(), "link.db -> " + real_);
  EXPECT_EQ(DatabaseFile::Resolve("folder/sweep.db")->name(), "folder/sweep.db -> " + real_);
}

TEST_F(DatabaseFileTest, NamesThatCanBeNoDatabaseAreRefusedAndLeaveNothing) {
  ASSERT_EQ(mkfifo("fifo", 0600), 0);
  fs::create_symlink("loop-b", "loop-a");
  fs::create_symlink("loop-a", "loop-b");
  fs::create_symlink("real", "to-folder.db");
  fs::create_symlink("x.db-wal", "to-log.db");
  std::ofstream("plain").close();
  const auto entries = [] {
    std::vector<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(".")) names.push_back(entry.path());
    std::sort(names.begin(), names.end());
    return names;
  };
  const std::vector<std::string> before = entries();
  for (const std::string name : {":memory:",
                                 "file:x.db",
                                 "file:x.db?mode=memory",
                                 "file::memory:",
                                 "sqlite:///x.db",
                                 "http://127.0.0.1:7078",
                                 "real",
                                 "real/",
                                 "x.db/",
                                 ".",
                                 "..",
                                 "/",
                                 "real/.",
                                 "fifo",
                                 "/dev/null",
                                 "loop-a",
                                 "to-folder.db",
                                 "plain/x.db",
                                 "x.db-wal",
                                 "x.db-shm",
                                 "x.db-journal",
                                 "x.db.lock",
                                 "x.db.blobs",
                                 "to-log.db"}) {
    SCOPED_TRACE(name);
    for (const absl::Status& status :
         {Store::Open({.path = name}).status(), StoreFiles::FindHolder(name).status(),
          BackUp({.database = name, .file = "copy.db"}).status(),
          CheckDatabase(name, [](const std::string&) {}).status(), PeekSweeps(name).status()}) {
      EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
      EXPECT_THAT(MessageOf(status), HasSubstr("'" + name + "'"));
    }
  }
  EXPECT_TRUE(absl::IsInvalidArgument(DatabaseFile::Resolve("").status()));
  EXPECT_EQ(entries(), before);
}

TEST_F(DatabaseFileTest, NamesThatOnlyLookSpecialAreFiles) {
  for (const std::string name : {"./:memory:", "./file:x.db", "%20?mode=memory#x", "memory"}) {
    SCOPED_TRACE(name);
    Must(Store::Open({.path = name})).reset();
    EXPECT_TRUE(fs::is_regular_file(name));
    EXPECT_GT(fs::file_size(name), 0u);
  }
}

TEST_F(DatabaseFileTest, AFolderThatIsNotThereIsNamed) {
  for (const std::string name : {"nowhere/x.db", "nowhere/../x.db"}) {
    const absl::Status status = Store::Open({.path = name}).status();
    EXPECT_TRUE(absl::IsNotFound(status)) << status;
    EXPECT_THAT(MessageOf(status), HasSubstr("there is no folder 'nowhere"));
  }
}

TEST_F(DatabaseFileTest, OneCoordinatorWhateverItIsCalled) {
  for (const std::string first : {"real/sweep.db", "chain.db"}) {
    const auto store = Must(Store::Open({.path = first}));
    ASSERT_TRUE(store->files().PublishAddress("127.0.0.1:41234").ok());
    EXPECT_EQ(store->files().BlobFolder(), real_ + ".blobs");
    for (const std::string& second : spellings_) {
      SCOPED_TRACE(fmt::format("'{}' beside '{}'", second, first));
      const absl::Status status = Store::Open({.path = second}).status();
      EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
      EXPECT_THAT(MessageOf(status), HasSubstr("in use by another coordinator at 127.0.0.1:41234"));
      EXPECT_EQ(*StoreFiles::FindHolder(second), "127.0.0.1:41234");
    }
  }
}

TEST_F(DatabaseFileTest, BlobsAreFoundFromEverySpelling) {
  const std::string sha256 =
      "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";  // of "hello"
  {
    const auto store = Must(Store::Open({.path = "link.db"}));
    const auto blobs = Must(BlobStore::Open(store->files().BlobFolder()));
    const auto blob = Must(blobs->Put(sha256, 5));
    ASSERT_TRUE(blob->Append("hello").ok());
    ASSERT_TRUE(blob->Commit().ok());
    StoreDriver driver(store.get());
    const SweepSpec spec = TestSpec("s");
    const TrialRow trial = driver.Add(driver.Create(spec), spec, 1).at(0);
    ASSERT_TRUE(store
                    ->WriteAndWait([&](WriteTransaction& transaction) {
                      return transaction.AddBlob(sha256, 5);
                    })
                    .ok());
    const LeaseRow lease = driver.Grant(trial.id, "w");
    ASSERT_TRUE(driver.Record(lease, spec, TestEpochs(1, 1, 0.5), sha256, 1).ok());
  }
  int number = 0;
  for (const std::string& spelling : spellings_) {
    SCOPED_TRACE(spelling);
    EXPECT_TRUE(Must(CheckDatabase(spelling, [](const std::string&) {})).sound());
    const BackupResult copy =
        Must(BackUp({.database = spelling, .file = fmt::format("copy-{}.db", ++number)}));
    EXPECT_EQ(copy.blobs, 1);
    EXPECT_TRUE(copy.faults.empty());
    EXPECT_EQ(Must(PeekSweeps(spelling)).size(), 1u);
  }
}

TEST_F(DatabaseFileTest, ABackupToTheDatabaseItselfOrItsPartsIsRefused) {
  Must(Store::Open({.path = real_})).reset();
  for (const std::string& spelling : spellings_) {
    EXPECT_TRUE(absl::IsAlreadyExists(BackUp({.database = real_, .file = spelling}).status()));
  }
  fs::create_directory(real_ + ".blobs");
  for (const char* part : {".lock", "-wal", "-shm", "-journal", ".blobs/copy.db"}) {
    const absl::Status status = BackUp({.database = "link.db", .file = real_ + part}).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << part << status;
  }
  // SQLite would use it as the log of the copy.
  std::ofstream("copy.db-wal") << "left over";
  EXPECT_TRUE(absl::IsAlreadyExists(BackUp({.database = real_, .file = "copy.db"}).status()));
}

// The write-ahead log is beside one of the names only; a reader by another name would miss it.
TEST_F(DatabaseFileTest, AFileWithSeveralNamesIsRefusedByAllWhoDoNotServeIt) {
  {
    const auto store = Must(Store::Open({.path = real_}));
    fs::create_hard_link(real_, "other.db");
    const std::vector<absl::Status> refused = {
        Store::Open({.path = "other.db"}).status(),
        BackUp({.database = "other.db", .file = "copy.db"}).status(),
        CheckDatabase("other.db", [](const std::string&) {}).status(),
        PeekSweeps("other.db").status()};
    for (const absl::Status& status : refused) {
      EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
    }
    EXPECT_THAT(MessageOf(refused[0]), HasSubstr("under another name"));
    StoreDriver(store.get()).Create(TestSpec("s"));
    EXPECT_TRUE(BackUp({.database = "link.db", .file = "copy.db"}).ok()) << "its holder's name";
  }
  for (const std::string& name : {real_, std::string("other.db")}) {
    const absl::Status status = Store::Open({.path = name}).status();
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
    EXPECT_THAT(MessageOf(status), HasSubstr("has 2 names (hard links)"));
  }
  EXPECT_FALSE(fs::exists("other.db.lock")) << "nothing is left of those that were refused";
  fs::remove("other.db");
  EXPECT_TRUE(Store::Open({.path = real_}).ok());
}

TEST_F(DatabaseFileTest, ALockFileThatIsALinkIsNotFollowed) {
  std::ofstream("thesis.txt") << "years of work";
  fs::create_symlink("thesis.txt", "x.db.lock");
  const absl::Status status = Store::Open({.path = "x.db"}).status();
  EXPECT_TRUE(absl::IsPermissionDenied(status)) << status;
  EXPECT_THAT(MessageOf(status), HasSubstr("is a link; remove it"));
  EXPECT_EQ(fs::file_size("thesis.txt"), 13u);
}

TEST_F(DatabaseFileTest, ARemovedLockFileLetsNoSecondCoordinatorIn) {
  const auto store = Must(Store::Open({.path = real_}));
  fs::remove(real_ + ".lock");
  const absl::Status status = Store::Open({.path = real_}).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(MessageOf(status), HasSubstr("whose lock file was removed"));
  EXPECT_FALSE(fs::exists(real_ + ".lock"));
}

}  // namespace
}  // namespace sweep
