// The size of the write-ahead log while readers never pause.

#include "coordinator/store/checkpointer.h"

#include <atomic>
#include <filesystem>
#include <future>
#include <thread>

#include "coordinator/store/testing/store_testing.h"
#include "fmt/format.h"

namespace sweep {
namespace {

using testing::HasSubstr;

constexpr std::int64_t kLimit = 256 << 10;
// A batch of this test is one small write: a few pages.
constexpr std::int64_t kBound = kLimit + (64 << 10);

class CheckpointerTest : public testing::Test {
 protected:
  void Open() {
    store_ = Must(Store::Open({.path = path_, .log_limit_bytes = kLimit}));
    StoreDriver(store_.get()).Create(TestSpec("s"));
  }

  // One write of some pages.
  void Write() {
    ASSERT_EQ(store_->WriteAndWait([&](WriteTransaction& transaction) {
      for (int i = 0; i < 20; ++i, ++blobs_) {
        const absl::Status added = transaction.AddBlob(fmt::format("{:064x}", blobs_ * 7919), 1);
        if (!added.ok()) return added;
      }
      return absl::OkStatus();
    }),
              absl::OkStatus());
    written_ += store_->files().LogBytes() > last_ ? store_->files().LogBytes() - last_ : 0;
    last_ = store_->files().LogBytes();
    largest_ = std::max(largest_, last_);
  }

  TemporaryFolder folder_;
  const std::string path_ = folder_.File("sweep.db");
  std::unique_ptr<Store> store_;
  std::int64_t blobs_ = 0, written_ = 0, last_ = 0, largest_ = 0;
};

// Keeps the log in use at every moment: each reader begins before the previous one ends.
class RelayOfReaders {
 public:
  explicit RelayOfReaders(Store* store) {
    for (int i = 0; i < 4; ++i) {
      threads_.emplace_back([store, this](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
          const auto sweeps = store->Read(SelectSweeps, 0, 10, /*archived=*/false);
          if (!sweeps.ok() || sweeps->size() != 1) failed_ = true;
          ++reads_;
        }
      });
    }
  }
  std::int64_t reads() const { return reads_; }
  bool failed() const { return failed_; }

 private:
  std::atomic<std::int64_t> reads_ = 0;
  std::atomic<bool> failed_ = false;
  std::vector<std::jthread> threads_;
};

TEST_F(CheckpointerTest, ReadersThatOverlapAllTheTimeDoNotLetTheLogGrow) {
  Open();
  RelayOfReaders readers(store_.get());
  while (written_ < 4 * kLimit || readers.reads() < 1000) Write();
  EXPECT_LE(largest_, kBound);
  EXPECT_GT(largest_, kLimit / 8);
  EXPECT_FALSE(readers.failed());
}

TEST_F(CheckpointerTest, AnotherProcessThatReadsOnAndOnIsOnlyComplainedAbout) {
  Open();
  auto person = Must(Database::Open(path_, Database::Mode::kReadOnly));
  ASSERT_TRUE(person->Execute("BEGIN").ok());
  ASSERT_TRUE(person->QueryInt("SELECT count(*) FROM blobs").ok());
  testing::internal::CaptureStdout();
  while (last_ < 4 * kLimit) Write();
  const std::string log = testing::internal::GetCapturedStdout();
  EXPECT_THAT(log, HasSubstr("write-ahead log cannot be emptied"));
  EXPECT_EQ(log.find("cannot be emptied"), log.rfind("cannot be emptied")) << "once a minute";
  ASSERT_TRUE(person->Execute("COMMIT").ok());
  for (int i = 0; i < 100 && store_->files().LogBytes() > kBound; ++i) Write();
  EXPECT_LE(store_->files().LogBytes(), kBound) << "once it has gone";
}

// Does not end by itself during the test.
constexpr char kEndless[] =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

TEST(ReaderPool, AQueryThatTakesTooLongIsEndedAndNamed) {
  TemporaryFolder folder;
  Must(Database::Open(folder.File("x.db"), Database::Mode::kCreate))
      ->Execute("CREATE TABLE t(i)")
      .IgnoreError();
  ReaderPool pool({.path = folder.File("x.db"), .time_limit = absl::Milliseconds(50)});
  const absl::Status status =
      pool.Read([](Database& database) { return database.QueryInt(kEndless).status(); });
  EXPECT_TRUE(absl::IsDeadlineExceeded(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("x.db': no answer within 50ms: WITH"));
  const absl::Status quick =
      pool.Read([](Database& database) { return database.QueryInt("SELECT 7").status(); });
  EXPECT_EQ(quick, absl::OkStatus()) << "the connection is of use again";
}

TEST(ReaderPool, TheGateStopsALongQueryWhichThenRunsAgain) {
  TemporaryFolder folder;
  Must(Database::Open(folder.File("x.db"), Database::Mode::kCreate))
      ->Execute("CREATE TABLE t(i)")
      .IgnoreError();
  ReaderPool pool({.path = folder.File("x.db"), .time_limit = absl::Seconds(60)});
  std::promise<void> reading;
  int runs = 0;
  std::future<absl::Status> answer = std::async(std::launch::async, [&] {
    return pool.Read([&](Database& database) {
      if (++runs == 1) reading.set_value();
      return database.QueryInt(runs == 1 ? kEndless : "SELECT 7").status();
    });
  });
  reading.get_future().wait();
  EXPECT_TRUE(pool.CloseGate());
  EXPECT_EQ(answer.wait_for(std::chrono::milliseconds(50)), std::future_status::timeout)
      << "it got in through the closed gate";
  pool.OpenGate();
  EXPECT_EQ(answer.get(), absl::OkStatus());
  EXPECT_EQ(runs, 2);
}

}  // namespace
}  // namespace sweep
