#include "coordinator/store/writer.h"

#include <algorithm>
#include <cstdio>
#include <future>
#include <stdexcept>

#include "coordinator/store/schema.h"
#include "coordinator/store/testing/store_testing.h"
#include "spdlog/sinks/stdout_sinks.h"
#include "spdlog/spdlog.h"

namespace sweep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::int64_t kBlobBytes = 3;

std::string Sha(char digit) { return std::string(64, digit); }

Store::WriteFunction AddBlob(char digit) {
  return [digit](WriteTransaction& transaction) {
    return transaction.AddBlob(Sha(digit), kBlobBytes);
  };
}

// Blocks the writer's thread in a function until Open, so that the next writes form a batch.
class Barrier {
 public:
  Store::WriteFunction Function() {
    return [this](WriteTransaction&) {
      entered_.set_value();
      opened_.get_future().wait();
      return absl::OkStatus();
    };
  }
  void WaitUntilEntered() { entered_.get_future().wait(); }
  void Open() { opened_.set_value(); }

 private:
  std::promise<void> entered_;
  std::promise<void> opened_;
};

class WriterTest : public testing::Test {
 protected:
  WriterTest() {
    database_ = *Database::Open(":memory:", Database::Mode::kCreate);
    EXPECT_TRUE(Migrate(*database_, Migrations()).ok());
    EXPECT_TRUE(database_->Execute("PRAGMA foreign_keys = ON").ok());
  }

  void Start(int max_queued = 100) {
    writer_ = std::make_unique<Writer>(
        database_.get(), &clock_,
        Writer::Options{.max_queued = max_queued,
                        .on_batch = [this](const auto& batch) { batches_.push_back(batch); }});
  }

  // Collects answers in the order of their arrival.
  Store::Completion Note(const std::string& name) {
    return [this, name](const absl::Status& status) {
      answers_.push_back(name + (status.ok() ? "" : " " + absl::StatusCodeToString(status.code())));
      messages_.push_back(std::string(status.message()));
    };
  }

  // What is submitted between the two is one transaction. The first one submits "barrier".
  void BeginGroup() {
    Start();
    writer_->Submit(barrier_.Function(), Note("barrier"));
    barrier_.WaitUntilEntered();
  }
  void EndGroup() {
    barrier_.Open();
    Finish();
  }

  // Ends the writer, which first answers all queued writes.
  void Finish() { writer_.reset(); }

  std::int64_t Blobs() { return *database_->QueryInt("SELECT count(*) FROM blobs"); }

  FakeClock clock_;
  Barrier barrier_;
  std::unique_ptr<Database> database_;
  std::vector<BatchReport> batches_;  // by the writer's thread
  std::vector<std::string> answers_;
  std::vector<std::string> messages_;
  std::unique_ptr<Writer> writer_;
};

TEST_F(WriterTest, AnswersInOrderAndDrainsAtTheEnd) {
  Start();
  writer_->Submit(AddBlob('a'), Note("a"));
  writer_->Submit(AddBlob('b'), Note("b"));
  writer_->Submit(AddBlob('c'), Note("c"));
  Finish();
  EXPECT_THAT(answers_, ElementsAre("a", "b", "c"));
  EXPECT_EQ(Blobs(), 3);
}

TEST_F(WriterTest, RefusesWhatComesAfterItsEnd) {
  Start();
  writer_->Submit([](WriteTransaction&) { return absl::OkStatus(); }, Note("before"));
  writer_->Stop();
  writer_->Submit([](WriteTransaction&) { return absl::OkStatus(); }, Note("after"));
  EXPECT_THAT(answers_, ElementsAre("before", "after UNAVAILABLE"));
}

TEST_F(WriterTest, AFailedFunctionOfAGroupTakesNoOtherWithIt) {
  BeginGroup();
  writer_->Submit(AddBlob('a'), Note("a"));
  writer_->Submit(
      [](WriteTransaction& transaction) {
        transaction.AddBlob(Sha('b'), kBlobBytes).IgnoreError();
        return absl::CancelledError("changed my mind");
      },
      Note("b"));
  writer_->Submit([](WriteTransaction&) -> absl::Status { throw std::runtime_error("oops"); },
                  Note("throws"));
  writer_->Submit(AddBlob('c'), Note("c"));
  EndGroup();
  EXPECT_THAT(answers_, ElementsAre("barrier", "a", "b CANCELLED", "throws INTERNAL", "c"));
  EXPECT_EQ(*database_->QueryInt("SELECT count(*) FROM blobs WHERE sha256 >= 'c' OR sha256 < 'b'"),
            2);
  EXPECT_EQ(Blobs(), 2);
}

// Adds the run to `*runs`, and a blob for each run.
Store::WriteFunction CountRuns(int* runs, char digit) {
  return [runs, digit](WriteTransaction& transaction) {
    ++*runs;
    return transaction.AddBlob(Sha(digit), kBlobBytes + *runs);
  };
}

TEST_F(WriterTest, RunsAGroupAgainWhenAFunctionFailsAfterItHasWritten) {
  BeginGroup();
  int a = 0, b = 0, c = 0;
  writer_->Submit(CountRuns(&a, 'a'), Note("a"));
  writer_->Submit(
      [&](WriteTransaction& transaction) {
        ++b;
        transaction.AddBlob(Sha('b'), kBlobBytes).IgnoreError();
        return absl::CancelledError("changed my mind");
      },
      Note("b"));
  writer_->Submit(CountRuns(&c, 'c'), Note("c"));
  EndGroup();
  EXPECT_THAT(answers_, ElementsAre("barrier", "a", "b CANCELLED", "c"));
  EXPECT_EQ(a, 2);
  EXPECT_EQ(b, 2);
  EXPECT_EQ(c, 1) << "the first run ends with the failure";
  EXPECT_EQ(*database_->QueryInt("SELECT size_bytes FROM blobs WHERE sha256 LIKE 'a%'"),
            kBlobBytes + 2)
      << "the first run is not undone";
  EXPECT_EQ(Blobs(), 2);
  EXPECT_TRUE(batches_.back().stored);
}

TEST_F(WriterTest, RunsAGroupOnceWhenAFunctionFailsBeforeItHasWritten) {
  BeginGroup();
  int a = 0, b = 0, c = 0;
  writer_->Submit(CountRuns(&a, 'a'), Note("a"));
  writer_->Submit(
      [&](WriteTransaction&) {
        ++b;
        return absl::CancelledError("changed my mind");
      },
      Note("b"));
  writer_->Submit(CountRuns(&c, 'c'), Note("c"));
  EndGroup();
  EXPECT_THAT(answers_, ElementsAre("barrier", "a", "b CANCELLED", "c"));
  EXPECT_THAT((std::vector<int>{a, b, c}), ElementsAre(1, 1, 1));
  EXPECT_EQ(Blobs(), 2);
}

TEST_F(WriterTest, AGroupIsOneTransaction) {
  BeginGroup();
  bool committed_between = false;
  writer_->Submit(AddBlob('a'), [&](const absl::Status&) { committed_between = Blobs() != 2; });
  writer_->Submit(AddBlob('b'), Note("b"));
  EndGroup();
  EXPECT_FALSE(committed_between) << "the first answer came before the second function had run";
}

TEST_F(WriterTest, AFullQueueRefusesAtOnce) {
  Start(/*max_queued=*/2);
  Barrier barrier;
  writer_->Submit(barrier.Function(), Note("barrier"));
  barrier.WaitUntilEntered();
  std::vector<absl::Status> refused;
  writer_->Submit(AddBlob('a'), Note("a"));
  writer_->Submit(AddBlob('b'), Note("b"));
  writer_->Submit(AddBlob('c'), [&](absl::Status status) { refused.push_back(status); });
  ASSERT_EQ(refused.size(), 1u);
  EXPECT_TRUE(absl::IsResourceExhausted(refused[0])) << refused[0];
  barrier.Open();
  Finish();
  EXPECT_THAT(answers_, ElementsAre("barrier", "a", "b"));
  EXPECT_EQ(Blobs(), 2);
}

TEST_F(WriterTest, AFullDatabaseIsReportedAndNothingOfThatCallStays) {
  Start();
  Finish();
  const std::int64_t pages = *database_->QueryInt("PRAGMA page_count");
  ASSERT_TRUE(database_->Execute("PRAGMA max_page_count = " + std::to_string(pages + 2)).ok());
  Start();
  const SweepSpec spec = TestSpec("big");
  SweepSource source = TestSource("big");
  source.network_files["huge"] = std::string(1 << 20, 'x');
  writer_->Submit(AddBlob('a'), Note("a"));
  Barrier barrier;
  writer_->Submit(barrier.Function(), Note("barrier"));
  barrier.WaitUntilEntered();
  writer_->Submit(
      [&](WriteTransaction& transaction) {
        bool created = false;
        // Even if the function ignores the error, half a sweep must not remain.
        transaction.CreateSweep(spec, source, "", &created).status().IgnoreError();
        return absl::OkStatus();
      },
      Note("big"));
  barrier.Open();
  Finish();
  Start();
  writer_->Submit(AddBlob('b'), Note("b"));
  Finish();
  EXPECT_THAT(answers_, ElementsAre("a", "barrier", "big UNAVAILABLE", "b"));
  EXPECT_THAT(messages_[2], HasSubstr("full"));
  EXPECT_EQ(
      std::count_if(batches_.begin(), batches_.end(), [](const auto& b) { return b.refused; }), 1);
  EXPECT_FALSE(batches_.back().refused);
  EXPECT_EQ(Blobs(), 2);
  EXPECT_EQ(*database_->QueryInt("SELECT count(*) FROM sweeps"), 0);
}

TEST_F(WriterTest, WhatSqliteUndidWithTheWholeTransactionIsNotAcknowledged) {
  BeginGroup();
  writer_->Submit(AddBlob('a'), Note("a"));
  writer_->Submit(
      [this](WriteTransaction&) {
        EXPECT_TRUE(database_->Execute("ROLLBACK").ok());  // as SQLite itself may do on a full disk
        return absl::DataLossError("disk");
      },
      Note("fault"));
  writer_->Submit(AddBlob('b'), Note("b"));
  EndGroup();
  EXPECT_EQ(answers_.at(1), "a DATA_LOSS");
  EXPECT_EQ(answers_.at(2), "fault DATA_LOSS");
  EXPECT_EQ(answers_.at(3), "b");
  EXPECT_EQ(Blobs(), 1);
}

TEST_F(WriterTest, KnowsWhenItIsInsideAFunction) {
  Start();
  bool inside = false;
  bool in_completion = true;
  const Writer* writer = writer_.get();
  writer_->Submit(
      [&, writer](WriteTransaction&) {
        inside = writer->InsideFunction();
        return absl::OkStatus();
      },
      [&, writer](const absl::Status&) { in_completion = writer->InsideFunction(); });
  Finish();
  EXPECT_TRUE(inside);
  EXPECT_FALSE(in_completion);
}

TEST_F(WriterTest, TellsOfEachTransaction) {
  BeginGroup();
  for (const char digit : {'a', 'b', 'c'}) writer_->Submit(AddBlob(digit), Note("blob"));
  EXPECT_EQ(writer_->queued(), 3);
  EndGroup();
  ASSERT_EQ(batches_.size(), 2u);
  EXPECT_EQ(batches_[0].writes, 1u);
  EXPECT_EQ(batches_[1].writes, 3u);
  EXPECT_GT(batches_[1].commit, absl::ZeroDuration());
  EXPECT_GE(batches_[1].duration, batches_[1].commit);
  EXPECT_FALSE(batches_[1].refused);
}

using WriterDeathTest = WriterTest;

TEST_F(WriterDeathTest, AFailedCommitEndsTheProcess) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_DEATH(
      {
        spdlog::set_default_logger(spdlog::stderr_logger_mt("stderr"));
        Start();
        writer_->Submit(
            [this](WriteTransaction&) {
              // This foreign key is only checked at COMMIT.
              return database_->Execute(
                  "PRAGMA defer_foreign_keys = ON; INSERT INTO artifacts VALUES (1, 'x', 'y')");
            },
            [](const absl::Status&) { std::fputs("acknowledged\n", stderr); });
        Finish();
      },
      testing::AllOf(HasSubstr("commit_failed"), testing::Not(HasSubstr("acknowledged"))));
}

}  // namespace
}  // namespace sweep
