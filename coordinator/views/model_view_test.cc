#include <atomic>
#include <cmath>
#include <string>
#include <thread>

#include "coordinator/store/testing/forwarding_store.h"
#include "coordinator/views/model_pool.h"
#include "coordinator/views/testing/views_testing.h"
#include "coordinator/views/views.h"

namespace sweep {
namespace {

using testing::HasSubstr;

class ModelViewTest : public ViewsTest {
 protected:
  void Submit(const std::string& name, const std::string& method, const std::string& more = "") {
    const SweepSource source{
        .file = "s.yaml",
        .text = "name: " + name + "\nprogram: [./train]\nmethod: " + method +
                "\nrun_cap: 60\nepochs: 1\nreplicates: 2\n" + more +
                "parameters: {x: {min: 0.0, max: 1.0}, n: {values: [1, 2, 4]}}\n"};
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

  // Adds configurations, most accurate at x = 0.3, that have ended.
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
        ASSERT_TRUE(
            driver_->Record(lease, spec_, {TestEpoch(1, 0.999 - std::pow(x - 0.3, 2))}).ok());
        ASSERT_TRUE(driver_->Finish(lease, spec_, LeaseOutcome::kCompleted).ok());
      }
    }
  }

  SweepSpec spec_;
  SweepRow sweep_;
  std::int64_t configurations_ = 0;
};

TEST_F(ModelViewTest, AProcessHasAMeanAndAnIntervalWithinTheMeasure) {
  Submit("s", "gp");
  Train(20);
  const Json view = Get("/api/sweeps/s/model");
  EXPECT_EQ(view["method"], "gp");
  EXPECT_EQ(view["metric"], "validation_accuracy");
  EXPECT_EQ(view["ready"], true);
  EXPECT_EQ(view["configurations"], 20);
  EXPECT_EQ(view["note"], "");
  ASSERT_EQ(view["slices"].size(), 2u);
  const Json& x = view["slices"][0];
  EXPECT_EQ(x["name"], "x");
  ASSERT_GE(x["values"].size(), 50u);
  EXPECT_EQ(x["values"][0], 0.0);
  double best = 0, at = 0;
  for (std::size_t i = 0; i < x["values"].size(); ++i) {
    const double mean = x["mean"][i];
    EXPECT_LE(x["low"][i].get<double>(), mean);
    EXPECT_LE(mean, x["high"][i].get<double>());
    EXPECT_LE(x["high"][i].get<double>(), 1);  // an accuracy
    if (mean > best) {
      best = mean;
      at = x["values"][i];
    }
  }
  EXPECT_NEAR(at, 0.3, 0.1);
  EXPECT_EQ(x["improvement"].size(), x["values"].size());
  EXPECT_EQ(x["density"].size(), 0u);
  EXPECT_EQ(view["slices"][1]["values"], Json({1, 2, 4}));
  // The first replicate of the configuration that the search ranks first.
  const std::int64_t trial = x["trial"];
  EXPECT_EQ(trial % 2, 1);
  EXPECT_NEAR(Get("/api/sweeps/s/trials/" + std::to_string(trial))["parameters"]["x"], 0.3, 0.1);
}

TEST_F(ModelViewTest, OtherMethodsSayWhatTheyHave) {
  Submit("t", "tpe");
  Train(12);
  const Json tpe = Get("/api/sweeps/t/model");
  EXPECT_EQ(tpe["slices"][0]["mean"].size(), 0u);
  EXPECT_EQ(tpe["slices"][0]["density"].size(), tpe["slices"][0]["values"].size());
  EXPECT_EQ(tpe["slices"][0]["other_density"].size(), tpe["slices"][0]["values"].size());
  Submit("g", "sobol");
  const Json sobol = Get("/api/sweeps/g/model");
  EXPECT_EQ(sobol["slices"].size(), 0u);
  EXPECT_EQ(sobol["ready"], true);
  EXPECT_EQ(sobol["note"], "sobol chooses points without looking at results: it has no model");
  driver_->CreateRefused("refused");
  const Json refused = Get("/api/sweeps/refused/model");
  EXPECT_EQ(refused["method"], "");
  EXPECT_THAT(refused["note"].get<std::string>(), HasSubstr("not_a_key"));
}

TEST_F(ModelViewTest, SaysHowManyResultsAreMissing) {
  Submit("s", "gp");
  EXPECT_EQ(Get("/api/sweeps/s/model")["note"],
            "gp has a model when 10 configurations have ended; 0 have so far");
  Train(9);
  const Json view = Get("/api/sweeps/s/model");
  EXPECT_EQ(view["note"], "gp has a model when 10 configurations have ended; 9 have so far");
  EXPECT_EQ(view["ready"], true);
  Train(1);
  EXPECT_EQ(Get("/api/sweeps/s/model")["slices"].size(), 2u);
}

TEST_F(ModelViewTest, AnswersWithTheLastModelWhileTheNextIsComputed) {
  Submit("s", "gp");
  Train(11);
  const auto spec = std::make_shared<const SweepSpec>(spec_);
  ModelPool pool(store_.get(), {.least_pause = absl::Hours(1)});
  const auto first = Must(pool.Get(sweep_.id, spec, absl::Seconds(20)));
  ASSERT_TRUE(first.ready);
  EXPECT_EQ(first.model->known.ended, 11u);
  Train(1);
  // It rests; nobody waits for that.
  const auto second = Must(pool.Get(sweep_.id, spec, absl::Seconds(20)));
  EXPECT_FALSE(second.ready);
  EXPECT_EQ(second.model, first.model);
  // The file was changed: another search, at once.
  const auto changed = std::make_shared<const SweepSpec>(spec_);
  const auto third = Must(pool.Get(sweep_.id, changed, absl::Seconds(20)));
  EXPECT_TRUE(third.ready);
  EXPECT_EQ(third.model->known.ended, 12u);
}

// The points of an earlier file are those of the present space where they have a place there, and
// what earlier sweeps have found has no trial here.
TEST_F(ModelViewTest, KnowsEditsAndEarlierSweeps) {
  Submit("s", "gp");
  Train(12);
  ModelPool pool(store_.get(), {.least_pause = absl::ZeroDuration(), .rest = 0});
  const auto before = std::make_shared<const SweepSpec>(spec_);
  EXPECT_EQ(Must(pool.Get(sweep_.id, before, absl::Seconds(20))).model->known.ended, 12u);
  SweepSource source = sweep_.source;
  source.text.replace(source.text.find("max: 1.0"), 8, "max: 0.5");
  Diagnostics diagnostics;
  const auto after =
      std::make_shared<const SweepSpec>(Must(SweepSpec::Parse(source, &diagnostics)));
  ASSERT_TRUE(store_
                  ->WriteAndWait([&](WriteTransaction& transaction) {
                    return transaction
                        .EditSweep({.spec = after.get(),
                                    .source = &source,
                                    .replaces_sha256 = "",
                                    .planned_configurations = 60})
                        .status();
                  })
                  .ok());
  const auto now = Must(pool.Get(sweep_.id, after, absl::Seconds(20)));
  ASSERT_TRUE(now.ready);
  EXPECT_EQ(now.model->known.ended, 6u) << "6 of 12 lie beyond 0.5";

  Submit("warm", "gp", "warm_start: s\n");
  std::vector<EndedPoint> earlier;
  for (int i = 0; i < 15; ++i) {
    const Configuration made = Must(spec_.Complete(1, {{"x", 0.05 * i}, {"n", std::int64_t{2}}}));
    earlier.push_back(
        {.number = i + 1,
         .point = {.chosen = SharedParameters(made.parameters),
                   .trained = SharedParameters(made.resolved)},
         .replicates = {{.state = TrialState::kCompleted, .epoch = 1, .best = 0.5 + 0.01 * i}}});
  }
  ASSERT_TRUE(store_
                  ->WriteAndWait([&](WriteTransaction& transaction) {
                    return transaction.AddWarmStart(sweep_.id, {{.source = "s", .taken = 15}},
                                                    earlier);
                  })
                  .ok());
  const Json view = Get("/api/sweeps/warm/model");
  EXPECT_EQ(view["configurations"], 15);
  ASSERT_EQ(view["slices"].size(), 2u);
  EXPECT_EQ(view["slices"][0]["trial"], 0) << "one of the earlier sweep";
}

TEST_F(ModelViewTest, KeepsFewSearches) {
  Submit("a", "gp");
  const SweepRow first = sweep_;
  const auto spec = std::make_shared<const SweepSpec>(spec_);
  Submit("b", "gp");
  const auto other = std::make_shared<const SweepSpec>(spec_);
  ModelPool pool(store_.get(), {.max_sweeps = 1, .least_pause = absl::ZeroDuration()});
  EXPECT_TRUE(Must(pool.Get(first.id, spec, absl::Seconds(20))).ready);
  const auto refused = Must(pool.Get(sweep_.id, other, absl::Seconds(20)));
  EXPECT_FALSE(refused.ready);
  EXPECT_EQ(refused.model, nullptr);
  ModelPool taking(store_.get(), {.max_sweeps = 1, .keep_time = absl::ZeroDuration()});
  EXPECT_TRUE(Must(taking.Get(first.id, spec, absl::Seconds(20))).ready);
  EXPECT_TRUE(Must(taking.Get(sweep_.id, other, absl::Seconds(20))).ready);
  EXPECT_EQ(taking.size(), 1u);
}

// Reads of other threads than the test's fail while it is broken.
class BrokenStore final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;
  absl::Status RunRead(const ReadFunction& query) override {
    if (is_broken && std::this_thread::get_id() != owner_) return absl::InternalError("no disk");
    return ForwardingStore::RunRead(query);
  }
  std::atomic<bool> is_broken = true;

 private:
  const std::thread::id owner_ = std::this_thread::get_id();
};

TEST_F(ModelViewTest, AFailedReadIsSaidAndTriedAgain) {
  Submit("s", "gp");
  Train(10);
  const auto spec = std::make_shared<const SweepSpec>(spec_);
  BrokenStore store(store_.get());
  ModelPool pool(&store, {.least_pause = absl::ZeroDuration(), .rest = 0});
  EXPECT_TRUE(absl::IsInternal(pool.Get(sweep_.id, spec, absl::Seconds(20)).status()));
  store.is_broken = false;
  const auto answer = Must(pool.Get(sweep_.id, spec, absl::Seconds(20)));
  EXPECT_TRUE(answer.ready);
  EXPECT_EQ(answer.model->known.ended, 10u);
}

}  // namespace
}  // namespace sweep
