// Limits of answers, and consistent answers while the store changes.

#include "coordinator/store/testing/meddling_store.h"
#include "coordinator/views/testing/views_testing.h"

namespace sweep {
namespace {

using testing::EndsWith;
using testing::HasSubstr;

constexpr std::size_t kMaxBytes = 300'000;

TEST_F(ViewsTest, ASweepThatChangesWhileItIsReadIsNotKeptAsItWas) {
  const SweepSpec spec = TestSpec("s");
  const TrialRow trial = driver_->Add(driver_->Create(spec), spec, 1).at(0);
  MeddlingStore store(store_.get());
  Views::Options options = Options();
  options.store = &store;
  const auto views = Views::Make(options);
  store.AfterReads(1, [&] { driver_->Train(trial, spec, 0.95); });
  for (int turn = 0; turn < 2; ++turn) {
    const Json view = Json::parse(Must(views->Get({.path = "/api/sweeps/s"})).json);
    EXPECT_EQ(view["trials"]["completed"], 1) << turn;
  }
}

TEST_F(ViewsTest, AFilterThatTakesTooLongIsRefused) {
  const std::string replicates = "replicates: 300\n";
  const SweepSpec spec = TestSpec("s", replicates);
  driver_->Add(driver_->Create(spec, replicates), spec, 1);
  Views::Options options = Options();
  options.filter_time = absl::ZeroDuration();
  const auto views = Views::Make(options);
  const ViewRequest request{.path = "/api/sweeps/s/trials", .query = "where=lr+%3E+0"};
  const absl::Status refusal = views->Get(request).status();
  EXPECT_TRUE(absl::IsInvalidArgument(refusal)) << refusal;
  EXPECT_THAT(std::string(refusal.message()),
              HasSubstr("filter 'lr > 0' takes too long over 300 trials"));
  EXPECT_TRUE(views->Get({.path = "/api/sweeps/s/trials"}).ok());
  EXPECT_EQ(Json::parse(Must(views_->Get(request)).json)["total"], 300);
}

// In JSON every byte of a line becomes six.
TEST_F(ViewsTest, LogsThatGrowAsJsonAreReadWithoutAGap) {
  constexpr int kLines = 60;
  const SweepSpec spec = TestSpec("s");
  const LeaseRow lease = driver_->Grant(driver_->Add(driver_->Create(spec), spec, 1).at(0).id, "a");
  std::vector<LogRow> lines;
  for (int line = 1; line <= kLines; ++line) {
    lines.push_back({.attempt = 1, .line = line, .text = std::string(3000, '\x01')});
  }
  ASSERT_TRUE(store_
                  ->WriteAndWait([&](WriteTransaction& transaction) {
                    return transaction.AppendLogs(StoreDriver::Token(lease), lines);
                  })
                  .ok());
  std::int64_t last = 0;
  std::string query;
  for (bool more = true; more;) {
    const ViewAnswer answer =
        Must(views_->Get({.path = "/api/sweeps/s/trials/1/logs", .query = query}));
    EXPECT_LE(answer.json.size(), kMaxBytes);
    const Json view = Json::parse(answer.json);
    ASSERT_FALSE(view["lines"].empty());
    for (const Json& line : view["lines"]) ASSERT_EQ(line["line"], ++last);
    more = view["more"];
    query = "after=" + view["next"].get<std::string>();
  }
  EXPECT_EQ(last, kLines);
}

TEST_F(ViewsTest, SweepsWithLongLabelsAreListedWithoutAGap) {
  std::string labels = "labels:\n";
  for (int i = 0; i < 60; ++i) {
    labels += "  label-" + std::to_string(i) + ": \"" + std::string(250, 'x') + "\"\n";
  }
  for (int i = 0; i < 40; ++i) {
    const std::string name = "s" + std::to_string(i);
    driver_->Create(TestSpec(name, labels), labels);
  }
  std::size_t seen = 0;
  std::string token;
  do {
    const ViewAnswer answer =
        Must(views_->Get({.path = "/api/sweeps", .query = "page_token=" + token}));
    EXPECT_LE(answer.json.size(), kMaxBytes);
    const Json view = Json::parse(answer.json);
    ASSERT_FALSE(view["sweeps"].empty());
    for (const Json& sweep : view["sweeps"]) {
      ASSERT_EQ(sweep["name"], "s" + std::to_string(39 - seen));
      ++seen;
    }
    token = view["next_page_token"];
  } while (!token.empty());
  EXPECT_EQ(seen, 40u);
}

TEST_F(ViewsTest, ManyAttemptsWithLongReasonsFitAndShowWhatIsCut) {
  const SweepSpec spec = TestSpec("s");
  const TrialRow trial = driver_->Add(driver_->Create(spec), spec, 1).at(0);
  const std::string long_reason(2000, 'x');
  const auto attempts_after = [&](int attempts) {
    for (int i = 0; i < attempts; ++i) {
      const LeaseRow lease = driver_->Grant(trial.id, "a");
      EXPECT_TRUE(driver_->Finish(lease, spec, LeaseOutcome::kGivenBack, long_reason).ok());
    }
    const ViewAnswer answer = Must(views_->Get({.path = "/api/sweeps/s/trials/1"}));
    EXPECT_LE(answer.json.size(), kMaxBytes);
    return Json::parse(answer.json)["attempts"];
  };
  EXPECT_EQ(attempts_after(1)[0]["reason"], long_reason);
  const Json attempts = attempts_after(199);
  ASSERT_EQ(attempts.size(), 200u);
  for (const Json& attempt : attempts) {
    EXPECT_THAT(attempt["reason"].get<std::string>(), EndsWith("x…"));
  }
}

TEST_F(ViewsTest, AYoungIndexIsNotDroppedForAnother) {
  for (int i = 0; i < 5; ++i) Fill("s" + std::to_string(i));
  Views::Options options = Options();
  options.index_keep = absl::Hours(1);
  const auto views = Views::Make(options);
  const auto look = [&](int i, const std::string& view) {
    return Json::parse(
        Must(views->Get({.path = "/api/sweeps/s" + std::to_string(i) + "/" + view})).json);
  };
  for (int i = 0; i < 5; ++i) EXPECT_EQ(look(i, "curves")["ready"], i < 4) << i;
  EXPECT_EQ(look(4, "trials")["total"], 4) << "of the store";
  for (int i = 0; i < 4; ++i) EXPECT_EQ(look(i, "curves")["ready"], true) << i;
}

}  // namespace
}  // namespace sweep
