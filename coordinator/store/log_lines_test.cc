#include "coordinator/store/log_lines.h"

#include <map>

#include "coordinator/store/testing/store_testing.h"

namespace sweep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(CleanLogText, IsWhatCanBeStoredAndShown) {
  const std::map<std::string, std::string> cases = {
      {"", ""},
      {"epoch 1: 98 %", "epoch 1: 98 %"},
      {"größer", "größer"},
      {"a\xFFz", "a\uFFFDz"},
      {std::string("a\0z", 3), "a\uFFFDz"},
      {"half \xE2\x82", "half \uFFFD\uFFFD"},
  };
  for (const auto& [text, clean] : cases) EXPECT_EQ(CleanLogText(text), clean);
}

TEST(CleanLogText, CutsBetweenCharacters) {
  EXPECT_EQ(CleanLogText(std::string(4096, 'x')).size(), 4096u);
  EXPECT_EQ(CleanLogText(std::string(5000, 'x')).size(), 4096u);
  for (int before = 4090; before <= 4096; ++before) {
    const std::string text = std::string(static_cast<std::size_t>(before), 'x') + "€€€€";
    const std::string cut = CleanLogText(text);
    EXPECT_LE(cut.size(), 4096u);
    EXPECT_GT(cut.size(), 4092u);
    EXPECT_TRUE(text.starts_with(cut)) << before;
  }
  EXPECT_LE(CleanLogText(std::string(5000, '\xFF')).size(), 4096u);
}

class LogLinesTest : public testing::Test {
 protected:
  LogLinesTest()
      : store_(Must(Store::Open({.clock = &clock_}))), driver_(store_.get()), spec_(TestSpec("s")) {
    const SweepRow sweep = driver_.Create(spec_);
    trial_ = driver_.Add(sweep, spec_, 1).at(0);
    lease_ = driver_.Grant(trial_.id, "w");
  }

  static std::vector<LogRow> Lines(std::int64_t first, std::int64_t last, std::size_t size = 8) {
    std::vector<LogRow> lines;
    for (std::int64_t line = first; line <= last; ++line) {
      lines.push_back({.line = line, .text = std::string(size, 'x')});
    }
    return lines;
  }
  absl::Status Append(const std::vector<LogRow>& lines) {
    return store_->WriteAndWait([&](WriteTransaction& transaction) {
      return transaction.AppendLogs(StoreDriver::Token(lease_), lines);
    });
  }
  std::vector<LogRow> All() { return Must(store_->Read(SelectLogLines, "s", 1, 0, 0, 100'000)); }

  FakeClock clock_;
  std::unique_ptr<Store> store_;
  StoreDriver driver_;
  const SweepSpec spec_;
  TrialRow trial_;
  LeaseRow lease_;
};

TEST_F(LogLinesTest, ALineIsStoredOnce) {
  ASSERT_EQ(Append({{.line = 1, .text = "first"}, {.line = 3, .text = "third"}}), absl::OkStatus());
  ASSERT_EQ(Append({{.line = 3, .text = "again"}, {.line = 4, .text = "fourth"}}),
            absl::OkStatus());
  const auto lines = All();
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[1].text, "third");
  EXPECT_EQ(lines[1].attempt, 1);
  EXPECT_EQ(lines[1].line, 3);
  EXPECT_EQ(lines[1].time, clock_.Now()) << "the worker has given none";
}

TEST_F(LogLinesTest, AnAttemptKeepsSoManyLinesAndOneThatSaysSo) {
  for (std::int64_t line = 1; line < 12'000; line += 100) {
    ASSERT_EQ(Append(Lines(line, line + 99)), absl::OkStatus());
  }
  const auto lines = All();
  ASSERT_EQ(lines.size(), 10'001u);
  EXPECT_EQ(lines[9'999].text, "xxxxxxxx");
  EXPECT_EQ(lines[10'000].line, 10'001);
  EXPECT_THAT(lines[10'000].text, HasSubstr("dropped"));
  ASSERT_EQ(Append(Lines(9'990, 10'100)), absl::OkStatus()) << "sent again";
  EXPECT_EQ(All().size(), 10'001u);

  // The next attempt has its own limit.
  ASSERT_TRUE(driver_.Finish(lease_, spec_, LeaseOutcome::kFailed).ok());
  lease_ = driver_.Grant(trial_.id, "w");
  ASSERT_EQ(Append(Lines(1, 2)), absl::OkStatus());
  EXPECT_EQ(All().size(), 10'003u);
}

TEST_F(LogLinesTest, AnAttemptKeepsSoManyBytes) {
  for (std::int64_t line = 1; line <= 300; ++line) {
    ASSERT_EQ(Append(Lines(line, line, 5000)), absl::OkStatus());
  }
  const auto lines = All();
  ASSERT_EQ(lines.size(), 257u) << "256 lines of 4 KiB are 1 MiB";
  EXPECT_EQ(lines[0].text.size(), 4096u);
  EXPECT_THAT(lines[256].text, HasSubstr("1024 KiB"));
}

TEST_F(LogLinesTest, ALineSentAgainCountsOnce) {
  for (int i = 0; i < 3; ++i) {
    for (std::int64_t line = 1; line <= 9'900; line += 100) {
      ASSERT_EQ(Append(Lines(line, line + 99)), absl::OkStatus());
    }
  }
  ASSERT_EQ(Append(Lines(9'901, 10'000)), absl::OkStatus());
  EXPECT_EQ(All().size(), 10'000u);
  EXPECT_EQ(All().back().text, "xxxxxxxx");
}

TEST_F(LogLinesTest, OnlyTheLatestAttemptsTokenIsTaken) {
  const LeaseRow first = lease_;
  ASSERT_TRUE(driver_.Finish(lease_, spec_, LeaseOutcome::kFailed).ok());
  EXPECT_EQ(Append(Lines(1, 1)), absl::OkStatus()) << "last words";
  lease_ = driver_.Grant(trial_.id, "w");
  ASSERT_EQ(Append(Lines(1, 1)), absl::OkStatus());
  lease_ = first;
  EXPECT_TRUE(absl::IsFailedPrecondition(Append(Lines(2, 2))));
  lease_.secret = "";
  EXPECT_TRUE(absl::IsFailedPrecondition(Append(Lines(2, 2))));
  EXPECT_EQ(All().size(), 2u);
}

TEST_F(LogLinesTest, NumbersMustAscend) {
  EXPECT_TRUE(absl::IsInvalidArgument(Append({{.line = 0}})));
  EXPECT_TRUE(absl::IsInvalidArgument(Append({{.line = 2}, {.line = 2}})));
  EXPECT_TRUE(absl::IsInvalidArgument(Append({{.line = kMaxLogLineNumber + 1}})));
  EXPECT_EQ(Append({{.line = kMaxLogLineNumber}}), absl::OkStatus());
}

TEST_F(LogLinesTest, TheTailStartsAfterTheLineBefore) {
  ASSERT_EQ(Append(Lines(1, 5)), absl::OkStatus());
  EXPECT_EQ(Must(store_->Read(FindLogLineBefore, "s", 1, 2)).line, 3);
  EXPECT_EQ(Must(store_->Read(FindLogLineBefore, "s", 1, 5)).attempt, 0);
  EXPECT_EQ(Must(store_->Read(SelectLogLines, "s", 1, 1, 3, 10)).size(), 2u);
  EXPECT_EQ(Must(store_->Read(SelectLogLines, "s", 1, 1, 3, 1)).size(), 1u);
  EXPECT_TRUE(absl::IsNotFound(store_->Read(SelectLogLines, "s", 9, 0, 0, 1).status()));
  EXPECT_TRUE(absl::IsNotFound(store_->Read(FindLogLineBefore, "t", 1, 1).status()));
}

}  // namespace
}  // namespace sweep
