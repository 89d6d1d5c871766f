#include <cmath>
#include <string>

#include "coordinator/views/region_pool.h"
#include "coordinator/views/testing/views_testing.h"
#include "coordinator/views/views.h"
#include "fmt/format.h"

namespace sweep {
namespace {

using testing::HasSubstr;

class RegionViewTest : public ViewsTest {
 protected:
  void Submit(const std::string& name,
              const std::string& more = "require: {accuracy: \">= 90%\"}\n") {
    const SweepSource source{
        .file = "s.yaml",
        .text = "name: " + name +
                "\nprogram: [./train]\nmethod: random\nrun_cap: 60\nepochs: 1\nreplicates: 2\n" +
                more + "parameters: {x: {min: 0.0, max: 1.0}, n: {values: [1, 2, 4]}}\n"};
    Diagnostics diagnostics;
    spec_ = Must(SweepSpec::Parse(source, &diagnostics));
    const absl::Status made = store_->WriteAndWait([&](WriteTransaction& transaction) {
      bool created = false;
      absl::StatusOr<SweepRow> row = transaction.CreateSweep(spec_, source, "", &created);
      if (row.ok()) sweep_ = *row;
      return row.status();
    });
    ASSERT_TRUE(made.ok()) << made;
    configurations_ = 0;
  }

  // Adds configurations that have ended, with an accuracy of at least 90 % for x in [0.2, 0.6].
  void Train(int count) {
    for (int i = 0; i < count; ++i) {
      const std::int64_t number = ++configurations_;
      const double x = std::fmod(0.618 * static_cast<double>(number), 1);
      const ParameterMap chosen = {{"x", x}, {"n", std::int64_t{1} << (number % 3)}};
      const auto configuration = Must(spec_.CompleteIfAllowed(number, chosen));
      std::vector<TrialRow> trials;
      ASSERT_TRUE(store_
                      ->WriteAndWait([&](WriteTransaction& transaction) {
                        auto rows = transaction.AddConfiguration(sweep_.id, spec_, *configuration);
                        if (rows.ok()) trials = *rows;
                        return rows.status();
                      })
                      .ok());
      for (const TrialRow& trial : trials) {
        const LeaseRow lease = driver_->Grant(trial.id, "a");
        const double accuracy = 0.92 - 0.1 * std::fabs(x - 0.4);
        ASSERT_TRUE(driver_->Record(lease, spec_, {TestEpoch(1, accuracy)}).ok());
        ASSERT_TRUE(driver_->Finish(lease, spec_, LeaseOutcome::kCompleted).ok());
      }
    }
  }

  SweepSpec spec_;
  SweepRow sweep_;
  std::int64_t configurations_ = 0;
};

TEST_F(RegionViewTest, SaysTheRangesAndWhatTheSweepsOwnRunsSay) {
  Submit("s");
  Train(30);
  const Json view = Get("/api/sweeps/s/region");
  ASSERT_EQ(view["answer"], "found") << view;
  EXPECT_EQ(view["note"], "");
  EXPECT_EQ(view["ready"], true);
  EXPECT_EQ(view["share"], 0.9);
  EXPECT_EQ(view["configurations"], 30);
  EXPECT_EQ(view["runs"], 60);
  EXPECT_EQ(view["around"].get<std::int64_t>() % 2, 1) << "the first trial of a configuration";
  EXPECT_GE(view["expected"].get<double>(), 0.895);
  EXPECT_LE(view["expected_interval"][0], view["expected"]);
  ASSERT_EQ(view["ranges"].size(), 2u);
  const Json& x = view["ranges"][0];
  EXPECT_EQ(x["name"], "x");
  EXPECT_NEAR(x["low"], 0.2, 0.05);
  EXPECT_NEAR(x["high"], 0.6, 0.05);
  EXPECT_EQ(x["values"], Json::array());
  EXPECT_NEAR(x["tried_high"], std::fmod(0.618 * 21, 1), 1e-6);
  const Json& n = view["ranges"][1];
  EXPECT_EQ(n["values"], Json({1, 2, 4}));
  EXPECT_EQ(n["low"], 1);
  EXPECT_EQ(n["tried"], Json({1, 2, 4}));
  // What lies in the region by the trials themselves.
  int inside = 0, met = 0;
  for (int number = 1; number <= 60; ++number) {
    const Json trial = Get("/api/sweeps/s/trials/" + std::to_string(number));
    const double at = trial["parameters"]["x"];
    if (at < x["low"].get<double>() || at > x["high"].get<double>()) continue;
    ++inside;
    met += trial["best"].get<double>() >= 0.9 ? 1 : 0;
  }
  EXPECT_EQ(view["runs_inside"], inside);
  EXPECT_EQ(view["qualifying_inside"], met);
  EXPECT_GT(inside, 10);
  ASSERT_EQ(view["slices"].size(), 2u);
  const Json& slice = view["slices"][0];
  EXPECT_EQ(slice["chance"].size(), slice["values"].size());
  EXPECT_LT(slice["chance"].back(), 0.1);
  EXPECT_NEAR(view["volume"], x["high"].get<double>() - x["low"].get<double>(), 0.01);
  const Json sure = Get("/api/sweeps/s/region", "share=0.99");
  EXPECT_EQ(sure["share"], 0.99);
  EXPECT_LT(sure["volume"], view["volume"]);
}

// Of two networks the second needs a smaller x; of the third no run meets the criteria.
TEST_F(RegionViewTest, HasABoxForEachOfSeveralNetworks) {
  const SweepSource source{
      .file = "n.yaml",
      .text =
          "name: n\nmodel: {values: [cnn-18718, cnn-16034, cnn-17216]}\nmethod: random\n"
          "run_cap: 90\nepochs: 1\nrequire: {accuracy: \">= 90%\"}\n"
          "parameters: {lr: {min: 0.1, max: 1.0}}\n"};
  Diagnostics diagnostics;
  spec_ = Must(SweepSpec::Parse(source, &diagnostics));
  ASSERT_TRUE(store_
                  ->WriteAndWait([&](WriteTransaction& transaction) {
                    bool created = false;
                    absl::StatusOr<SweepRow> row =
                        transaction.CreateSweep(spec_, source, "", &created);
                    if (row.ok()) sweep_ = *row;
                    return row.status();
                  })
                  .ok());
  for (std::int64_t number = 1; number <= 90; ++number) {
    const double lr = 0.1 + 0.9 * std::fmod(0.618 * static_cast<double>(number), 1);
    const std::string model = spec_.models[static_cast<std::size_t>(number) % 3];
    const auto configuration =
        Must(spec_.CompleteIfAllowed(number, {{"lr", lr}, {"model", model}}));
    std::vector<TrialRow> trials;
    ASSERT_TRUE(store_
                    ->WriteAndWait([&](WriteTransaction& transaction) {
                      auto rows = transaction.AddConfiguration(sweep_.id, spec_, *configuration);
                      if (rows.ok()) trials = *rows;
                      return rows.status();
                    })
                    .ok());
    const double middle = model == spec_.models[0] ? 0.7 : 0.3;
    const double accuracy = model == spec_.models[2] ? 0.5 : 0.92 - 0.1 * std::fabs(lr - middle);
    const LeaseRow lease = driver_->Grant(trials.at(0).id, "a");
    ASSERT_TRUE(driver_->Record(lease, spec_, {TestEpoch(1, accuracy)}).ok());
    ASSERT_TRUE(driver_->Finish(lease, spec_, LeaseOutcome::kCompleted).ok());
  }
  const Json view = Get("/api/sweeps/n/region", "share=0.8");
  ASSERT_EQ(view["networks"].size(), 3u) << view;
  double lows[2] = {};
  for (std::size_t i = 0; i < 2; ++i) {
    const Json& network = view["networks"][i];
    EXPECT_EQ(network["model"], spec_.models[i]);
    ASSERT_EQ(network["answer"], "found") << network;
    EXPECT_EQ(network["runs"], 30);
    for (const Json& range : network["ranges"]) {
      if (range["name"] == "model") EXPECT_EQ(range["values"], Json({spec_.models[i]}));
      if (range["name"] == "lr") lows[i] = range["low"];
    }
    EXPECT_EQ(Get(fmt::format("/api/sweeps/n/trials/{}", network["around"].get<int>()))["model"],
              spec_.models[i]);
  }
  EXPECT_GT(lows[0], lows[1] + 0.2);
  EXPECT_EQ(view["networks"][2]["answer"], "none_qualifies");
  EXPECT_EQ(view["networks"][2]["note"],
            "none of the 30 runs that have ended meets all criteria, so there is no region around "
            "one");
}

TEST_F(RegionViewTest, SaysWhyThereIsNone) {
  Submit("plain", "");
  EXPECT_EQ(Get("/api/sweeps/plain/region")["answer"], "no_gates");
  Submit("s");
  Train(9);
  const Json few = Get("/api/sweeps/s/region");
  EXPECT_EQ(few["answer"], "too_few");
  EXPECT_EQ(few["note"], "a region needs 10 configurations that have ended; 9 have so far");
  EXPECT_TRUE(few["expected"].is_null());
  EXPECT_EQ(few["ranges"], Json::array());
  Submit("strict", "require: {accuracy: \">= 99%\"}\n");
  Train(10);
  const Json none = Get("/api/sweeps/strict/region");
  EXPECT_EQ(none["answer"], "none_qualifies");
  EXPECT_THAT(none["note"].get<std::string>(), HasSubstr("none of the 20 runs"));
  driver_->CreateRefused("refused");
  const Json refused = Get("/api/sweeps/refused/region");
  EXPECT_EQ(refused["answer"], "not_accepted");
  EXPECT_THAT(refused["note"].get<std::string>(), HasSubstr("not_a_key"));
}

TEST_F(RegionViewTest, RefusesWhatIsNoShare) {
  Submit("s");
  for (const char* const share : {"0.3", "1", "90", "nan", "much", "0.9x"}) {
    const absl::Status status = Refusal("/api/sweeps/s/region", fmt::format("share={}", share));
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << share;
    EXPECT_THAT(std::string(status.message()), HasSubstr(share));
  }
}

std::vector<RegionRun> NoRuns() { return {}; }

TEST_F(RegionViewTest, AnswersWithTheLastRegionWhileItRests) {
  Submit("s");
  const auto spec = std::make_shared<const SweepSpec>(spec_);
  RegionPool pool({.least_pause = absl::Hours(1)});
  const auto first = pool.Get(1, spec, 0.9, 5, NoRuns, absl::Seconds(20));
  ASSERT_TRUE(first.ready);
  EXPECT_EQ(first.region->found.all.problem, RobustRegion::Problem::kTooFew);
  const auto never = []() -> std::vector<RegionRun> {
    ADD_FAILURE() << "nobody needs them";
    return {};
  };
  EXPECT_TRUE(pool.Get(1, spec, 0.9, 5, never, absl::Seconds(20)).ready);
  const auto resting = pool.Get(1, spec, 0.9, 6, never, absl::Seconds(20));
  EXPECT_FALSE(resting.ready);
  EXPECT_EQ(resting.region, first.region);
  // Another share, and another version of the file, are computed at once.
  EXPECT_TRUE(pool.Get(1, spec, 0.8, 6, NoRuns, absl::Seconds(20)).ready);
  const auto changed = std::make_shared<const SweepSpec>(spec_);
  EXPECT_TRUE(pool.Get(1, changed, 0.9, 6, NoRuns, absl::Seconds(20)).ready);
}

TEST_F(RegionViewTest, KeepsFewRegions) {
  Submit("s");
  const auto spec = std::make_shared<const SweepSpec>(spec_);
  RegionPool pool({.max_regions = 1, .least_pause = absl::Hours(1)});
  EXPECT_TRUE(pool.Get(1, spec, 0.9, 5, NoRuns, absl::Seconds(20)).ready);
  EXPECT_TRUE(pool.Get(2, spec, 0.9, 5, NoRuns, absl::Seconds(20)).ready);
  int read = 0;
  const auto count = [&] {
    ++read;
    return std::vector<RegionRun>();
  };
  EXPECT_TRUE(pool.Get(1, spec, 0.9, 5, count, absl::Seconds(20)).ready);
  EXPECT_EQ(read, 1) << "it was dropped for the other";
}

}  // namespace
}  // namespace sweep
