#include "coordinator/search/driver.h"

#include <algorithm>
#include <atomic>
#include <latch>
#include <numeric>
#include <set>
#include <stdexcept>
#include <tuple>

#include "coordinator/scheduler/testing/faulty_store.h"
#include "coordinator/search/observations.h"
#include "coordinator/search/point_identity.h"
#include "coordinator/search/search_makers.h"
#include "coordinator/search/start_up_points.h"
#include "coordinator/stopping/testing/halving_rule.h"
#include "coordinator/store/sqlite.h"
#include "coordinator/store/testing/store_testing.h"
#include "fmt/format.h"

namespace sweep {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr SearchMethod kLearner = {
    .word = "random", .finite = false, .needs_run_cap = true, .learns = true, .help = ""};

// Records the calls of a test's searches.
struct Script {
  int ahead = 1;
  bool fails = false;
  std::function<void()> think = [] {};
  std::vector<std::int64_t> asked;
  std::vector<std::string> told;    // of the store's events
  std::vector<std::int64_t> taken;  // its own suggestions
};

// A model whose point consists of the number of observations and the configuration's number.
class ScriptedSearch final : public Search {
 public:
  ScriptedSearch(const SweepSpec* spec, Script* script) : spec_(*spec), script_(*script) {}

  void Observe(const Observation& seen) override {
    if (seen.sequence == 0) return script_.taken.push_back(seen.configuration);
    script_.told.push_back(fmt::format("{}/{}:{}={:.3g} {}", seen.configuration, seen.replicate,
                                       seen.epoch, seen.epoch > 0 ? seen.value : 0,
                                       TrialStateName(seen.state)));
  }
  absl::StatusOr<std::optional<Suggestion>> Suggest(std::int64_t number) override {
    script_.asked.push_back(number);
    script_.think();
    if (script_.fails) throw std::runtime_error("the matrix is singular");
    return WithOrigin(
        spec_.CompleteIfAllowed(number,
                                {{"lr", 0.001 * static_cast<double>(number)},
                                 {"momentum", 0.01 * static_cast<double>(script_.told.size())}}),
        {.source = SuggestionSource::kModel, .method = "gp", .expected_improvement = 0.25});
  }
  int Ahead(int free_slots) const override { return free_slots + script_.ahead; }

 private:
  const SweepSpec& spec_;
  Script& script_;
};

class SearchDriverTest : public testing::Test {
 protected:
  void SetUp() override {
    store_ = Must(Store::Open({.path = path_, .clock = &clock_}));
    faulty_ = std::make_unique<FaultyStore>(store_.get());
    MakeDriver();
  }
  void TearDown() override {
    driver_->Stop();
    ASSERT_TRUE(store_->WriteAndWait([](WriteTransaction&) { return absl::OkStatus(); }).ok());
    driver_.reset();
  }

  // Creates the driver anew, as after a restart.
  void MakeDriver() {
    driver_.reset();
    driver_ = std::make_unique<SearchDriver>(
        SearchDriver::Options{.store = faulty_.get(),
                              .events = &events_,
                              .clock = &clock_,
                              .make_search = [this](const SweepSpec* spec,
                                                    SearchStart start) -> std::unique_ptr<Search> {
                                if (make_search_) return make_search_(spec);
                                if (!spec->method->learns)
                                  return Search::Make(spec, std::move(start));
                                return std::make_unique<ScriptedSearch>(spec,
                                                                        &scripts_[spec->name]);
                              },
                              .make_rule = make_rule_},
        SearchDriver::Host{.demands =
                               [this] {
                                 if (changes_while_planning_) driver_->Wake();
                                 MutexLock lock(&mutex_);
                                 return std::vector<SearchDemand>(demands_.begin(), demands_.end());
                               },
                           .write =
                               [this](Store::WriteFunction function, Store::Completion done) {
                                 faulty_->Write(std::move(function), std::move(done));
                               },
                           .suggestions_stored =
                               [this](const StoredSuggestions& stored) {
                                 MutexLock lock(&mutex_);
                                 for (SearchDemand& demand : demands_) {
                                   if (demand.sweep_id != stored.sweep_id) continue;
                                   demand.configurations += stored.made;
                                   demand.pending += std::ssize(stored.trials);
                                   demand.is_open = !stored.exhausted;
                                 }
                                 changed_.NotifyAll();
                               },
                           .trial_decided =
                               [this](const TrialRow& row) {
                                 MutexLock lock(&mutex_);
                                 decided_.push_back(row);
                               }});
  }

  // Waits until the search of that sweep is exhausted.
  std::int64_t ConfigurationsAtTheEndOf(std::size_t demand) {
    MutexLock lock(&mutex_);
    while (demands_[demand].is_open) changed_.Wait(&mutex_);
    return demands_[demand].configurations;
  }

  SearchDemand* Submit(const std::string& name, bool learns, int run_cap = 20,
                       const std::string& more = "") {
    const std::string text = fmt::format(
        "name: {}\nmodel: cnn-18718\nmethod: random\nrun_cap: {}\nepochs: 5\nparameters:\n  lr: "
        "{{min: 0.0001, max: 0.9}}\n  momentum: {{min: 0.0, max: 0.99}}\n{}",
        name, run_cap, more);
    SearchDemand* const demand = SubmitText(text, run_cap);
    if (learns) {
      SweepSpec spec = *demand->spec;
      spec.method = &kLearner;
      MutexLock lock(&mutex_);
      demand->spec = std::make_shared<const SweepSpec>(std::move(spec));
    }
    return demand;
  }
  SearchDemand* SubmitText(const std::string& text, int planned) {
    const SweepSource source{.file = "s.yaml", .text = text};
    Diagnostics diagnostics;
    SweepSpec spec = Must(SweepSpec::Parse(source, &diagnostics));
    SweepRow row;
    EXPECT_TRUE(store_
                    ->WriteAndWait([&](WriteTransaction& transaction) {
                      bool created = false;
                      auto made = transaction.CreateSweep(spec, source, "", &created);
                      if (made.ok()) row = *made;
                      return made.status();
                    })
                    .ok());
    MutexLock lock(&mutex_);
    demands_.push_back({.sweep_id = row.id,
                        .spec = std::make_shared<const SweepSpec>(std::move(spec)),
                        .is_open = true,
                        .planned = planned});
    return &demands_.back();
  }

  // Replaces the file of a sweep by one with wider ranges. The driver hears of it with the demands.
  SearchDemand Edited(const SearchDemand& demand) {
    SweepSource source = Must(store_->Read(FindSweepById, demand.sweep_id)).source;
    source.text.replace(source.text.find("max: 0.9}"), 9, "max: 1.9}");
    Diagnostics diagnostics;
    SweepSpec spec = Must(SweepSpec::Parse(source, &diagnostics));
    EXPECT_TRUE(store_
                    ->WriteAndWait([&](WriteTransaction& transaction) {
                      return transaction
                          .EditSweep({.spec = &spec,
                                      .source = &source,
                                      .replaces_sha256 = "",
                                      .planned_configurations = demand.planned})
                          .status();
                    })
                    .ok());
    SearchDemand edited = demand;
    spec.method = demand.spec->method;
    edited.spec = std::make_shared<const SweepSpec>(std::move(spec));
    edited.revision = 2;
    return edited;
  }

  // Works until nothing is left to do.
  void Settle() {
    do {
      ASSERT_TRUE(store_->WriteAndWait([](WriteTransaction&) { return absl::OkStatus(); }).ok());
    } while (driver_->Turn());
  }

  std::vector<TrialRow> Trials(const std::string& sweep) {
    return Must(store_->Read(SelectTrials, {.sweep = sweep, .limit = 1000}));
  }
  std::vector<double> Column(const std::string& sweep, const std::string& name) {
    std::vector<double> values;
    for (const TrialRow& trial : Trials(sweep)) {
      values.push_back(AsDouble(trial.parameters.values().at(name)));
    }
    return values;
  }

  TemporaryFolder folder_;
  const std::string path_ = folder_.File("sweep.db");
  FakeClock clock_;
  EventBus events_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<FaultyStore> faulty_;
  std::map<std::string, Script> scripts_;
  Mutex mutex_;
  CondVar changed_;
  bool changes_while_planning_ = false;
  // Guarded by mutex_ if the driver has threads.
  std::deque<SearchDemand> demands_;
  std::vector<TrialRow> decided_;
  std::function<std::unique_ptr<Search>(const SweepSpec*)>
      make_search_;  // instead of scripted ones
  decltype(SearchDriver::Options::make_rule) make_rule_ = StoppingRule::Make;  // used by MakeDriver
  std::unique_ptr<SearchDriver> driver_;
};

TEST_F(SearchDriverTest, AModelIsAskedForNoMoreThanItWants) {
  SearchDemand* const demand = Submit("s", /*learns=*/true);
  Settle();
  EXPECT_EQ(Trials("s").size(), 1u);
  demand->free_slots = 3;
  Settle();
  EXPECT_EQ(Trials("s").size(), 4u) << "one for each free slot and one ahead";
  EXPECT_THAT(scripts_["s"].asked, ElementsAre(1, 2, 3, 4));
}

TEST_F(SearchDriverTest, WhatASlowModelHasFoundIsStoredBeforeItLooksForMore) {
  Script& script = scripts_["s"];
  script.ahead = 6;
  script.think = [this] { clock_.Advance(absl::Milliseconds(30)); };
  Submit("s", /*learns=*/true);
  EXPECT_TRUE(driver_->Turn());
  EXPECT_THAT(script.asked, ElementsAre(1, 2)) << "after 50 ms it stops";
  Settle();
  EXPECT_EQ(Trials("s").size(), 6u);
  EXPECT_THAT(script.asked, ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST_F(SearchDriverTest, ASearchThatLearnsNothingFillsTheQueue) {
  Submit("s", /*learns=*/false, 200);
  Settle();
  EXPECT_GE(Trials("s").size(), 64u);
  EXPECT_LT(Trials("s").size(), 200u);
}

TEST_F(SearchDriverTest, PointsThatCostNothingAreMadeManyAtATime) {
  SearchDemand* const demand = Submit("s", /*learns=*/false, 200);
  Settle();
  ASSERT_EQ(Trials("s").size(), 64u);
  demand->pending = 64 - 15;
  Settle();
  EXPECT_EQ(Trials("s").size(), 64u);
  demand->pending = 64 - 16;
  Settle();
  EXPECT_EQ(Trials("s").size(), 80u);
  EXPECT_EQ(demand->pending, 64);
}

TEST_F(SearchDriverTest, TheLastPointsAreMadeEvenIfTheyAreFew) {
  SearchDemand* const demand = Submit("s", /*learns=*/false, 67);
  Settle();
  ASSERT_EQ(Trials("s").size(), 64u);
  demand->pending = 0;
  Settle();
  EXPECT_EQ(Trials("s").size(), 67u);
  EXPECT_TRUE(Must(store_->Read(FindSweep, "s")).exhausted);
}

TEST_F(SearchDriverTest, WhatASearchHasSuggestedIsKeptUntilItIsStored) {
  SearchDemand* const demand = Submit("s", /*learns=*/true);
  demand->free_slots = 2;
  faulty_->Refuse(absl::StatusCode::kUnavailable);
  EXPECT_TRUE(driver_->Turn());
  EXPECT_FALSE(driver_->Turn()) << "not again at once";
  EXPECT_THAT(Trials("s"), IsEmpty());
  faulty_->Refuse(absl::StatusCode::kOk);
  clock_.Advance(absl::Seconds(2));
  Settle();
  EXPECT_EQ(Trials("s").size(), 3u);
  EXPECT_THAT(scripts_["s"].asked, ElementsAre(1, 2, 3)) << "each once";
}

TEST_F(SearchDriverTest, AnExtensionTouchesNoSearch) {
  SearchDemand* const demand = Submit("s", /*learns=*/true, 2);
  demand->free_slots = 5;
  Settle();
  EXPECT_EQ(Trials("s").size(), 2u);
  EXPECT_TRUE(Must(store_->Read(FindSweep, "s")).exhausted);
  ASSERT_TRUE(store_
                  ->WriteAndWait([](WriteTransaction& transaction) {
                    return transaction.ExtendSweep("s", 4).status();
                  })
                  .ok());
  demand->planned = 4;
  demand->is_open = true;
  Settle();
  EXPECT_EQ(Trials("s").size(), 4u);
  EXPECT_THAT(scripts_["s"].asked, ElementsAre(1, 2, 3, 4));
}

TEST_F(SearchDriverTest, AModelThatFailsIsHelpedOutByARandomPoint) {
  scripts_["s"].fails = true;
  SearchDemand* const demand = Submit("s", /*learns=*/true);
  Submit("drawn", /*learns=*/false);
  demand->free_slots = 1;
  Settle();
  ASSERT_EQ(Trials("s").size(), 2u);
  const SweepSpec& spec = *demands_[0].spec;
  EXPECT_EQ(Trials("s")[0].parameters.values().size(), spec.parameters.size());
  scripts_["s"].fails = false;
  demand->free_slots = 2;
  Settle();
  EXPECT_EQ(Column("s", "lr")[2], 0.003) << "the model is asked again for the next one";
}

TEST_F(SearchDriverTest, AModelSeesEveryEventInOrderAndAgainAfterARestart) {
  SearchDemand* const demand = Submit("s", /*learns=*/true, 20, "replicates: 2\n");
  scripts_["s"].ahead = 2;
  Settle();
  ASSERT_EQ(Trials("s").size(), 2u);
  StoreDriver writes(store_.get());
  const LeaseRow lease = writes.Grant(Trials("s")[1].id, "w");
  ASSERT_TRUE(writes.Record(lease, *demand->spec, {TestEpoch(1, 0.5)}).ok());
  ASSERT_TRUE(writes.Finish(lease, *demand->spec, LeaseOutcome::kGivenBack).ok());
  events_.Notify(demand->sweep_id, EventBus::Signal::kEvents);
  demand->pending = 1;
  Settle();
  const std::vector<std::string> told = scripts_["s"].told;
  EXPECT_THAT(told, ElementsAre("1/0:0=0 pending", "1/1:0=0 pending", "1/1:0=0 leased",
                                "1/1:1=0.5 running", "1/1:0=0 running", "1/1:0=0 pending"));
  ASSERT_EQ(Trials("s").size(), 4u);
  EXPECT_DOUBLE_EQ(Column("s", "momentum")[2], 0.06) << "it had seen six of them";

  scripts_["s"].told.clear();
  MakeDriver();
  demand->pending = 0;
  Settle();
  EXPECT_EQ(std::vector<std::string>(scripts_["s"].told.begin(), scripts_["s"].told.begin() + 6),
            told);
  EXPECT_DOUBLE_EQ(Column("s", "momentum")[4], 0.08) << "and two new trials";
}

TEST_F(SearchDriverTest, WhatASuggestionHadSeenIsStored) {
  SearchDemand* const demand = Submit("s", /*learns=*/true);
  Settle();
  demand->pending = 0;
  events_.Notify(demand->sweep_id, EventBus::Signal::kEvents);
  Settle();
  const std::vector<EventRow> events = Must(store_->Read(SelectEvents, demand->sweep_id, 0, 10));
  ASSERT_EQ(events.size(), 3u);  // the sweep, and two trials
  const auto database = Must(Database::Open(path_, Database::Mode::kReadOnly));
  for (const int number : {1, 2}) {
    EXPECT_EQ(Must(database->QueryInt(fmt::format(
                  "SELECT seen_sequence FROM configurations WHERE number = {}", number))),
              events[static_cast<std::size_t>(number - 1)].sequence);
  }
}

TEST_F(SearchDriverTest, AModelThatThinksHoldsUpNoOtherSweep) {
  std::latch entered(1), leave(1);
  scripts_["slow"].think = [&] {
    entered.count_down();
    leave.wait();
  };
  Submit("slow", /*learns=*/true, 1);
  driver_->StartThreads();
  driver_->Wake();
  entered.wait();
  Submit("quick", /*learns=*/false, 3);
  driver_->Wake();
  EXPECT_EQ(ConfigurationsAtTheEndOf(1), 3);
  {
    MutexLock lock(&mutex_);
    EXPECT_EQ(demands_[0].configurations, 0);
  }
  leave.count_down();
  EXPECT_EQ(ConfigurationsAtTheEndOf(0), 1);
}

TEST_F(SearchDriverTest, ChangesDuringAPlanHoldUpNoSweepEither) {
  std::latch entered(3), leave(1);
  for (const char* name : {"slow", "slower", "slowest"}) {
    scripts_[name].think = [&] {
      entered.count_down();
      leave.wait();
    };
    Submit(name, /*learns=*/true, 1);
  }
  changes_while_planning_ = true;
  driver_->StartThreads();
  driver_->Wake();
  entered.wait();
  Submit("quick", /*learns=*/false, 3);
  driver_->Wake();
  EXPECT_EQ(ConfigurationsAtTheEndOf(3), 3);
  leave.count_down();
  for (const int slow : {0, 1, 2}) EXPECT_EQ(ConfigurationsAtTheEndOf(slow), 1);
}

// What the store has of a configuration's origin.
struct StoredOrigin {
  std::string source;
  std::int64_t asked = 0;  // 0: its own number
  std::int64_t seen = 0;
  ParameterMap parameters;
};

// A model that may take longer than slots wait for it.
class SlowModelTest : public SearchDriverTest {
 protected:
  // Lets the slots that wait for a model have start-up points, as the thread for them would.
  bool StandIn() {
    const bool has_any = driver_->StandIn();
    EXPECT_TRUE(store_->WriteAndWait([](WriteTransaction&) { return absl::OkStatus(); }).ok());
    return has_any;
  }
  std::vector<StoredOrigin> Origins() {
    std::vector<StoredOrigin> origins;
    const auto database = Must(Database::Open(path_, Database::Mode::kReadOnly));
    Statement row = database->Prepare(
        "SELECT chosen_source, coalesce(asked_number, 0), seen_sequence, number FROM "
        "configurations "
        "ORDER BY number");
    while (*row.Step()) {
      origins.push_back(
          {.source = row.Text(0), .asked = row.Int(1), .seen = row.Int(2), .parameters = {}});
      origins.back().parameters =
          Trials("s")[static_cast<std::size_t>(row.Int(3) - 1)].parameters.values();
    }
    return origins;
  }
  std::vector<std::string> Sources() {
    std::vector<std::string> sources;
    for (const StoredOrigin& origin : Origins()) sources.push_back(origin.source);
    return sources;
  }
};

TEST_F(SlowModelTest, AFreeSlotGetsAStartUpPointAfterASecond) {
  SearchDemand* const demand = Submit("s", /*learns=*/true);
  Script& script = scripts_["s"];
  script.ahead = 0;
  demand->free_slots = 2;
  script.think = [&] {
    EXPECT_EQ(driver_->LongThought(1), std::nullopt);
    clock_.Advance(absl::Milliseconds(900));
    EXPECT_FALSE(StandIn()) << "it may still think";
    clock_.Advance(absl::Milliseconds(200));
    EXPECT_EQ(driver_->LongThought(1), absl::Milliseconds(1100));
    EXPECT_TRUE(StandIn());
    EXPECT_EQ(Trials("s").size(), 2u) << "one for each free slot";
    EXPECT_FALSE(StandIn()) << "no slot is free any more";
    script.think = [] {};
  };
  Settle();
  EXPECT_EQ(driver_->LongThought(1), std::nullopt);
  EXPECT_THAT(Sources(), ElementsAre("stand_in", "stand_in"));
  const SweepSpec& spec = *demand->spec;
  StartUpPoints start_up(&spec, SearchStart());
  for (const int number : {1, 2}) {
    EXPECT_EQ(Origins()[number - 1].parameters, Must(start_up.Point(number))->parameters) << number;
  }

  // What the model has found meanwhile is for the next slot.
  demand->pending = 1;
  Settle();
  ASSERT_THAT(Sources(), ElementsAre("stand_in", "stand_in", "model"));
  EXPECT_EQ(Origins()[2].asked, 1);
  EXPECT_DOUBLE_EQ(Column("s", "lr")[2], 0.001) << "the point that it made for number 1";
  EXPECT_THAT(script.asked, ElementsAre(1));
  EXPECT_THAT(script.taken, ElementsAre(3)) << "it knows it under the number that it got";
  EXPECT_THAT(script.told, ElementsAre("1/0:0=0 pending", "2/0:0=0 pending"));
  demand->pending = 1;
  events_.Notify(demand->sweep_id, EventBus::Signal::kEvents);
  Settle();
  EXPECT_THAT(script.asked, ElementsAre(1, 4));
  EXPECT_EQ(Origins()[3].asked, 0);
}

// None of these thoughts takes a second, but the third slot would have to wait for all of them.
TEST_F(SlowModelTest, NoSlotWaitsForSeveralThoughts) {
  SearchDemand* const demand = Submit("s", /*learns=*/true);
  Script& script = scripts_["s"];
  script.ahead = 0;
  demand->free_slots = 3;
  script.think = [&] {
    clock_.Advance(absl::Milliseconds(600));
    if (script.asked.size() < 2) {
      EXPECT_FALSE(StandIn());
      return;
    }
    EXPECT_EQ(driver_->LongThought(1), absl::Milliseconds(600));
    EXPECT_TRUE(StandIn());
    script.think = [] {};
  };
  Settle();
  EXPECT_THAT(Sources(), ElementsAre("model", "stand_in", "stand_in"));
}

// The first thought is quick, so a second one begins before it is stored.
TEST_F(SlowModelTest, WhatAQuickThoughtHasFoundIsStoredBeforeThePointsThatStandIn) {
  SearchDemand* const demand = Submit("s", /*learns=*/true);
  Script& script = scripts_["s"];
  script.ahead = 0;
  demand->free_slots = 2;
  script.think = [&] {
    if (script.asked.size() < 2) return;
    EXPECT_THAT(Trials("s"), IsEmpty());
    clock_.Advance(absl::Milliseconds(1100));
    EXPECT_TRUE(StandIn());
    EXPECT_THAT(Sources(), ElementsAre("model", "stand_in"));
    script.think = [] {};
  };
  Settle();
  demand->pending = 1;
  Settle();
  EXPECT_THAT(Sources(), ElementsAre("model", "stand_in", "model"));
  EXPECT_EQ(Origins()[0].asked, 0);
  EXPECT_EQ(Origins()[2].asked, 2);
  EXPECT_THAT(script.asked, ElementsAre(1, 2));
  EXPECT_THAT(script.told, ElementsAre("1/0:0=0 pending", "2/0:0=0 pending"));
}

// Whatever was being made for the old file, and whoever has heard of the edit, nothing of it is
// stored under the new one.
TEST_F(SlowModelTest, AnEditDropsWhatAnOldFileStandsInForOrThinksOf) {
  for (const bool is_heard : {false, true}) {
    SCOPED_TRACE(is_heard);
    const std::string name = is_heard ? "heard" : "unheard";
    SearchDemand* const demand = Submit(name, /*learns=*/true);
    demand->free_slots = 2;
    Script& script = scripts_[name];
    script.ahead = 0;
    SearchDemand edited;
    script.think = [&] {
      clock_.Advance(absl::Seconds(2));
      edited = Edited(*demand);
      if (is_heard) *demand = edited;
      EXPECT_EQ(StandIn(), !is_heard) << "it is tried only as long as nothing is known of the edit";
      EXPECT_THAT(Trials(name), IsEmpty());
      script.think = [] {};
    };
    driver_->Turn();
    ASSERT_TRUE(store_->WriteAndWait([](WriteTransaction&) { return absl::OkStatus(); }).ok());
    EXPECT_THAT(Trials(name), IsEmpty()) << "what the model has found for the old file";
    *demand = edited;
    EXPECT_EQ(driver_->LongThought(demand->sweep_id), std::nullopt);
    Settle();
    EXPECT_THAT(script.asked, ElementsAre(1, 1, 2)) << "asked anew";
    EXPECT_EQ(Trials(name).size(), 2u);
    demand->is_open = false;
  }
}

TEST_F(SlowModelTest, TheModelGoesOnAfterARestartWithoutWhatItHadFound) {
  SearchDemand* const demand = Submit("s", /*learns=*/true);
  Script& script = scripts_["s"];
  script.ahead = 0;
  demand->free_slots = 1;
  script.think = [&] {
    clock_.Advance(absl::Seconds(2));
    EXPECT_TRUE(StandIn());
    script.think = [] {};
  };
  Settle();
  MakeDriver();
  script.asked.clear();
  script.told.clear();
  demand->pending = 0;
  Settle();
  EXPECT_THAT(script.told, ElementsAre("1/0:0=0 pending"));
  EXPECT_THAT(script.asked, ElementsAre(2));
  ASSERT_THAT(Sources(), ElementsAre("stand_in", "model"));
  EXPECT_EQ(Origins()[1].asked, 0);
}

TEST_F(SlowModelTest, AStartUpPointThatIsNotStoredLeavesTheNumberToTheModel) {
  SearchDemand* const demand = Submit("s", /*learns=*/true);
  Script& script = scripts_["s"];
  script.ahead = 0;
  demand->free_slots = 1;
  script.think = [&] {
    clock_.Advance(absl::Seconds(2));
    faulty_->Refuse(absl::StatusCode::kUnavailable);
    EXPECT_TRUE(StandIn());
    faulty_->Refuse(absl::StatusCode::kOk);
    EXPECT_FALSE(StandIn()) << "not again at once";
    script.think = [] {};
  };
  Settle();
  ASSERT_THAT(Sources(), ElementsAre("model"));
  EXPECT_EQ(Origins()[0].asked, 0);
  EXPECT_THAT(script.asked, ElementsAre(1));
}

TEST_F(SlowModelTest, NoSlotThatIsFreeMeansNoStartUpPoint) {
  Submit("s", /*learns=*/true);
  scripts_["s"].think = [&] {
    clock_.Advance(absl::Seconds(5));
    EXPECT_FALSE(StandIn());
  };
  Settle();
  EXPECT_THAT(Sources(), ElementsAre("model")) << "the one that is made ahead";
}

TEST_F(SlowModelTest, TheBudgetCountsStartUpPointsToo) {
  SearchDemand* const demand = Submit("s", /*learns=*/true, 2);
  Script& script = scripts_["s"];
  demand->free_slots = 5;
  script.think = [&] {
    clock_.Advance(absl::Seconds(2));
    EXPECT_TRUE(StandIn());
  };
  Settle();
  EXPECT_THAT(Sources(), ElementsAre("stand_in", "stand_in"));
  EXPECT_TRUE(Must(store_->Read(FindSweep, "s")).exhausted);
}

TEST_F(SlowModelTest, AThreadOfItsOwnStandsInWhileAllOthersThink) {
  SearchDemand* demands[3];
  std::latch leave(1);
  for (int i = 0; i < 3; ++i) {
    const std::string name = fmt::format("s{}", i);
    scripts_[name].ahead = 0;
    scripts_[name].think = [&] { leave.wait(); };
    demands[i] = Submit(name, /*learns=*/true, 1);
  }
  for (SearchDemand* demand : demands) demand->free_slots = 1;
  driver_->StartThreads();
  driver_->Wake();
  // The driver's clock is the test's.
  while (true) {
    clock_.Advance(absl::Milliseconds(500));
    MutexLock lock(&mutex_);
    if (demands_[0].configurations + demands_[1].configurations + demands_[2].configurations == 3) {
      break;
    }
    changed_.WaitFor(&mutex_, std::chrono::milliseconds(50));
  }
  leave.count_down();
  driver_->Stop();  // while the latch is there
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(ConfigurationsAtTheEndOf(i), 1);
}

// Only two threads are for slow models. The third one waits for its turn, and its slot waits no
// longer than those of the others.
TEST_F(SlowModelTest, ASlotWhoseModelWaitsForAThreadGetsAStartUpPointToo) {
  constexpr int kSweeps = 3;
  SearchDemand* demands[kSweeps];
  std::latch all_slow(kSweeps), leave(1);
  for (int i = 0; i < kSweeps; ++i) {
    const std::string name = fmt::format("s{}", i);
    Script& script = scripts_[name];
    script.ahead = 0;
    script.think = [&, is_first = true]() mutable {
      if (!std::exchange(is_first, false)) return leave.wait();
      all_slow.arrive_and_wait();
      clock_.Advance(absl::Milliseconds(100));
    };
    demands[i] = Submit(name, /*learns=*/true, 2);
    demands[i]->free_slots = 2;
  }
  driver_->StartThreads();
  driver_->Wake();
  const auto all_have = [&](std::int64_t configurations) {
    mutex_.AssertHeld();
    return std::ranges::all_of(demands, [&](const SearchDemand* demand) {
      return demand->configurations == configurations;
    });
  };
  while (true) {
    clock_.Advance(absl::Milliseconds(200));
    MutexLock lock(&mutex_);
    if (all_have(2)) break;
    changed_.WaitFor(&mutex_, std::chrono::milliseconds(20));
  }
  leave.count_down();
  driver_->Stop();  // while the latches are there
  for (std::size_t i = 0; i < kSweeps; ++i) EXPECT_EQ(ConfigurationsAtTheEndOf(i), 2);
}

// A real model that is slow now and then. All of its suggestions can be made again from what is
// stored, in the order in which it was asked.
class SlowSearch final : public Search {
 public:
  SlowSearch(const SweepSpec* spec, std::function<void(std::int64_t)> think)
      : search_(Search::Make(spec)), think_(std::move(think)) {}

  void Observe(const Observation& seen) override { search_->Observe(seen); }
  absl::StatusOr<std::optional<Suggestion>> Suggest(std::int64_t number) override {
    return search_->Suggest(number);
  }
  absl::StatusOr<std::optional<Suggestion>> Peek(std::int64_t number) override {
    auto next = search_->Peek(number);
    think_(number);
    return next;
  }
  int Ahead(int free_slots) const override { return search_->Ahead(free_slots); }

 private:
  const std::unique_ptr<Search> search_;
  const std::function<void(std::int64_t)> think_;
};

class ReplayOfSlowModelsTest
    : public SlowModelTest,
      public testing::WithParamInterface<std::tuple<std::string, std::string>> {};

TEST_P(ReplayOfSlowModelsTest, EveryPointFollowsFromWhatIsStored) {
  const auto& [method, parameters] = GetParam();
  std::int64_t asked = 0;
  make_search_ = [&](const SweepSpec* spec) {
    return std::make_unique<SlowSearch>(spec, [&](std::int64_t) {
      if (++asked % 3 != 0) return;
      clock_.Advance(absl::Seconds(2));
      StandIn();
    });
  };
  MakeDriver();
  SearchDemand* const demand =
      SubmitText(fmt::format("name: s\nprogram: ./none\nmethod: {}\nrun_cap: 40\nepochs: 5\n"
                             "metric: {{name: accuracy}}\nparameters:\n{}",
                             method, parameters),
                 40);
  StoreDriver writes(store_.get());
  std::int64_t trained = 0;
  for (int round = 0; round < 60 && demand->is_open; ++round) {
    demand->free_slots = 2;
    Settle();
    // After a restart at any instant the search is the same.
    if (round % 7 == 3) MakeDriver();
    demand->free_slots = 0;
    const std::vector<TrialRow> trials = Trials("s");
    for (int i = 0; i < 2 && trained < std::ssize(trials); ++i) {
      const TrialRow& trial = trials[static_cast<std::size_t>(trained++)];
      const LeaseRow lease = writes.Grant(trial.id, "w");
      const double x = AsDouble(trial.parameters.values().at("x"));
      ASSERT_TRUE(writes.Record(lease, *demand->spec, {TestEpoch(1, 1 / (1 + x * x))}).ok());
      ASSERT_TRUE(writes.Finish(lease, *demand->spec, LeaseOutcome::kCompleted).ok());
    }
    demand->pending = 0;
    events_.Notify(demand->sweep_id, EventBus::Signal::kEvents);
  }
  std::vector<StoredOrigin> origins = Origins();
  ASSERT_EQ(origins.size(), 40u);

  // Stand-ins come after the suggestion that was asked for the first of their numbers.
  std::vector<std::size_t> order(origins.size());
  std::iota(order.begin(), order.end(), 0);
  const auto key = [&](std::size_t i) {
    const auto number = static_cast<std::int64_t>(i) + 1;
    return std::tuple(origins[i].asked > 0 ? origins[i].asked : number,
                      origins[i].source == "stand_in", number);
  };
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
  const std::unique_ptr<Search> search = Search::Make(demand->spec.get());
  const bool all_distinct = TriesNoPointTwice(*demand->spec);
  StartUpPoints stand_ins(demand->spec.get(), SearchStart());
  const ObservationPage page = Must(ReadObservations(store_.get(), 1, *demand->spec, {}, 10'000));
  auto event = page.observations.begin();
  int modelled = 0, later = 0, stood_in = 0;
  std::set<std::string> points;
  for (const std::size_t i : order) {
    const StoredOrigin& origin = origins[i];
    const auto number = static_cast<std::int64_t>(i) + 1;
    for (; event != page.observations.end() && event->observation.sequence <= origin.seen;
         ++event) {
      search->Observe(event->observation);
    }
    points.insert(PointIdentity(origin.parameters));
    if (origin.source == "stand_in") {
      for (std::size_t j = 0; j < i; ++j) stand_ins.Know(origins[j].parameters);
      EXPECT_EQ(Must(stand_ins.Point(number))->parameters, origin.parameters) << number;
      ++stood_in;
    } else {
      const auto again = Must(search->Peek(origin.asked > 0 ? origin.asked : number));
      ASSERT_TRUE(again.has_value());
      EXPECT_EQ(again->configuration.parameters, origin.parameters)
          << number << " asked as " << origin.asked << " after " << origin.seen;
      EXPECT_EQ(SuggestionSourceName(again->origin.source), origin.source) << number;
      if (origin.source == "model") ++modelled;
      if (origin.asked > 0) ++later;
    }
    search->Observe(
        {.configuration = number, .state = TrialState::kPending, .parameters = &origin.parameters});
  }
  EXPECT_GT(modelled, 10);
  EXPECT_GT(stood_in, 5);
  EXPECT_GE(later, 3) << "got a later number than the one that they were asked for";
  if (all_distinct) EXPECT_EQ(points.size(), 40u) << "a point twice";
  if (demand->spec->repeat_points) EXPECT_LE(points.size(), 6u);
}

INSTANTIATE_TEST_SUITE_P(
    Methods, ReplayOfSlowModelsTest,
    testing::Combine(testing::Values("tpe", "gp", "cmaes"),
                     testing::Values("  x: {min: 0.0, max: 1.0}\n  y: {min: 0.0, max: 1.0}\n",
                                     "  x: {min: 1, max: 9}\n  y: {min: 1, max: 6}\n",
                                     "  x: {min: 1, max: 3}\n  y: {min: 1, max: 2}\n"
                                     "repeat_points: true\n")),
    [](const auto& info) {
      const std::string& space = std::get<1>(info.param);
      const bool repeats = space.find("repeat") != std::string::npos;
      const bool is_finite = space.find("0.0") == std::string::npos;
      return std::get<0>(info.param) + (repeats ? "_repeats" : is_finite ? "_finite" : "_ranges");
    });

TEST_F(SearchDriverTest, ATrialThatTheRuleEndsIsStoppedOnce) {
  SearchDemand* const demand = Submit(
      "s", /*learns=*/false, 3, "early_terminate: {type: median, min_epochs: 2, min_trials: 2}\n");
  Settle();
  StoreDriver writes(store_.get());
  const auto report = [&](std::int64_t number, double accuracy) {
    const LeaseRow lease = writes.Grant(Trials("s")[number - 1].id, "w");
    const std::vector<EpochMetrics> epochs = {TestEpoch(1, accuracy), TestEpoch(2, accuracy)};
    ASSERT_TRUE(writes.Record(lease, *demand->spec, epochs).ok());
    events_.Notify(demand->sweep_id, EventBus::Signal::kEvents);
    Settle();
  };
  report(1, 0.9);
  report(2, 0.8);
  EXPECT_THAT(decided_, IsEmpty()) << "compared with fewer than two";
  report(3, 0.5);
  ASSERT_EQ(decided_.size(), 1u);
  EXPECT_EQ(decided_[0].number, 3);
  EXPECT_TRUE(decided_[0].stopping);
  EXPECT_EQ(decided_[0].target_epoch, 2);
  EXPECT_EQ(decided_[0].state, TrialState::kRunning) << "its holder saves the weights first";
  EXPECT_THAT(decided_[0].reason, HasSubstr("stopped after epoch 2 by the median rule"));
  events_.Notify(demand->sweep_id, EventBus::Signal::kEvents);
  Settle();
  EXPECT_EQ(decided_.size(), 1u);
}

// Trials under a rule that promotes the better half after each rung.
class HalvingTest : public SearchDriverTest {
 protected:
  void Begin(std::vector<int> rungs, bool says_hold, int trials) {
    make_rule_ = [rungs = std::move(rungs), says_hold](const SweepSpec&) {
      return std::make_unique<HalvingRule>(rungs, says_hold);
    };
    MakeDriver();
    demand_ = Submit("s", /*learns=*/false, trials, "early_terminate: {type: median}\n");
    Settle();
  }
  // Trains the trial up to `epoch`, which ends its lease.
  void Train(std::int64_t number, int epoch, double accuracy) {
    const LeaseRow lease = writes().Grant(Trial(number).id, "w");
    const std::vector<EpochMetrics> epochs = {TestEpoch(epoch, accuracy)};
    ASSERT_TRUE(writes().Record(lease, *demand_->spec, epochs).ok());
    ASSERT_TRUE(writes().Finish(lease, *demand_->spec, LeaseOutcome::kHeld).ok());
    events_.Notify(demand_->sweep_id, EventBus::Signal::kEvents);
  }
  void Cancel(std::int64_t number) {
    ASSERT_TRUE(store_
                    ->WriteAndWait([&](WriteTransaction& transaction) {
                      return transaction.CancelTrial("s", number, demand_->spec.get()).status();
                    })
                    .ok());
    events_.Notify(demand_->sweep_id, EventBus::Signal::kEvents);
  }
  TrialRow Trial(std::int64_t number) { return Must(store_->Read(FindTrial, "s", number)); }
  StoreDriver writes() { return StoreDriver(store_.get()); }

  SearchDemand* demand_ = nullptr;
};

TEST_F(HalvingTest, NewTrialsHaveTheFirstTargetAndThePromotedOnesTheNext) {
  Begin({1, 3}, /*says_hold=*/false, 3);
  EXPECT_EQ(Trial(1).target_epoch, 1);
  Train(1, 1, 0.5);
  Settle();
  EXPECT_EQ(Trial(1).state, TrialState::kOnHold);
  EXPECT_THAT(decided_, IsEmpty());
  Train(2, 1, 0.7);
  Settle();
  EXPECT_EQ(Trial(1).state, TrialState::kOnHold);
  EXPECT_EQ(Trial(2).state, TrialState::kPending);
  EXPECT_EQ(Trial(2).target_epoch, 3);
  ASSERT_EQ(decided_.size(), 1u) << "the scheduler is told";
  EXPECT_EQ(decided_[0].number, 2);
  EXPECT_EQ(decided_[0].state, TrialState::kPending);
}

TEST_F(HalvingTest, AHoldAndAPromotionInOneBreathLeaveTheLaterTarget) {
  Begin({1, 3}, /*says_hold=*/true, 2);
  for (const int number : {1, 2}) {
    const LeaseRow lease = writes().Grant(Trial(number).id, "w");
    const std::vector<EpochMetrics> epochs = {TestEpoch(1, 0.3 + 0.1 * number)};
    ASSERT_TRUE(writes().Record(lease, *demand_->spec, epochs).ok());
    events_.Notify(demand_->sweep_id, EventBus::Signal::kEvents);
    Settle();
  }
  EXPECT_EQ(Trial(1).target_epoch, 1);
  EXPECT_TRUE(Trial(1).ends_early());
  EXPECT_EQ(Trial(2).target_epoch, 3) << "it does not go on to its last epoch";
  EXPECT_FALSE(Trial(2).ends_early());
}

TEST_F(HalvingTest, APromotionThatIsRefusedIsMadeLaterBeforeTheSweepEnds) {
  Begin({1}, /*says_hold=*/false, 2);
  Train(1, 1, 0.5);
  Train(2, 1, 0.7);
  demand_->is_open = false;
  demand_->only_on_hold = true;  // as the scheduler reports it
  ASSERT_TRUE(Must(store_->Read(FindSweep, "s")).exhausted);
  faulty_->Refuse(absl::StatusCode::kUnavailable);
  EXPECT_TRUE(driver_->Turn());
  faulty_->Refuse(absl::StatusCode::kOk);
  EXPECT_FALSE(driver_->Turn()) << "not again at once";
  clock_.Advance(absl::Seconds(2));
  EXPECT_TRUE(driver_->Turn());
  demand_->only_on_hold = false;
  Settle();
  EXPECT_EQ(Trial(1).state, TrialState::kOnHold);
  EXPECT_EQ(Trial(2).state, TrialState::kPending);
  EXPECT_EQ(Trial(2).target_epoch, 0);
  Cancel(2);
  demand_->only_on_hold = true;
  EXPECT_TRUE(driver_->Turn());
  demand_->only_on_hold = false;
  Settle();
  EXPECT_EQ(Trial(1).state, TrialState::kStopped);
  EXPECT_EQ(Must(store_->Read(FindSweep, "s")).state, SweepState::kCompleted);
}

// The rule of a file, with one trial in three to go on from epoch 1.
class AshaDriverTest : public HalvingTest {
 protected:
  void BeginWith(const std::string& rule, int trials) {
    demand_ = Submit("s", /*learns=*/false, trials, rule);
    Settle();
  }
};

TEST_F(AshaDriverTest, WhenOnlyTrialsOnHoldAreLeftTheBestGoesOn) {
  BeginWith("early_terminate: {type: asha}\n", 2);
  Train(1, 1, 0.7);
  Train(2, 1, 0.5);
  Settle();
  EXPECT_THAT(decided_, IsEmpty()) << "no place for one of two";
  demand_->is_open = false;
  demand_->only_on_hold = true;  // as the scheduler reports it
  EXPECT_TRUE(driver_->Turn());
  demand_->only_on_hold = false;
  Settle();
  ASSERT_EQ(decided_.size(), 1u);
  EXPECT_EQ(decided_[0].number, 1);
  EXPECT_EQ(Trial(1).state, TrialState::kPending);
  EXPECT_EQ(Trial(1).target_epoch, 3);
  // After a restart it is known from its state.
  MakeDriver();
  Settle();
  Train(1, 3, 0.8);
  Settle();
  demand_->only_on_hold = true;
  EXPECT_TRUE(driver_->Turn());
  demand_->only_on_hold = false;
  Settle();
  EXPECT_EQ(Trial(1).state, TrialState::kPending);
  EXPECT_EQ(Trial(1).target_epoch, 0);
  EXPECT_EQ(Trial(2).state, TrialState::kOnHold);
}

TEST_F(AshaDriverTest, ARuleEndsTheSearch) {
  BeginWith("require: {accuracy: \">= 0.9\"}\nstop_when: {qualifying: 1}\n", 1000);
  const std::int64_t made = std::ssize(Trials("s"));
  ASSERT_GT(made, 1);
  ASSERT_LT(made, 1000);
  const LeaseRow lease = writes().Grant(Trial(2).id, "w");
  ASSERT_TRUE(writes().Record(lease, *demand_->spec, {TestEpoch(1, 0.95)}).ok());
  events_.Notify(demand_->sweep_id, EventBus::Signal::kEvents);
  Settle();
  const SweepRow sweep = Must(store_->Read(FindSweep, "s"));
  EXPECT_TRUE(sweep.exhausted);
  EXPECT_EQ(sweep.search_reason, "1 configuration qualifies and 'stop_when' asks for no more");
  EXPECT_EQ(std::ssize(Trials("s")), made);
  EXPECT_EQ(Trial(1).state, TrialState::kStopped);
  EXPECT_EQ(Trial(1).reason, sweep.search_reason);
  EXPECT_TRUE(Trial(2).stopping) << "its holder saves the weights first";
  EXPECT_EQ(Trial(2).target_epoch, 1);
  ASSERT_TRUE(writes().Finish(lease, *demand_->spec, LeaseOutcome::kStopped).ok());
  EXPECT_EQ(Must(store_->Read(FindSweep, "s")).state, SweepState::kCompleted);
}

TEST_F(AshaDriverTest, AnEndThatTheStoreRefusesIsTriedAgain) {
  BeginWith("require: {accuracy: \">= 0.9\"}\nstop_when: {qualifying: 1}\n", 1000);
  const LeaseRow lease = writes().Grant(Trial(2).id, "w");
  ASSERT_TRUE(writes().Record(lease, *demand_->spec, {TestEpoch(1, 0.95)}).ok());
  demand_->free_slots = 0;  // nothing else asks for a turn
  faulty_->Refuse(absl::StatusCode::kUnavailable);
  events_.Notify(demand_->sweep_id, EventBus::Signal::kEvents);
  Settle();
  faulty_->Refuse(absl::StatusCode::kOk);
  EXPECT_FALSE(Must(store_->Read(FindSweep, "s")).exhausted);
  clock_.Advance(absl::Seconds(2));
  Settle();
  EXPECT_TRUE(Must(store_->Read(FindSweep, "s")).exhausted);
}

}  // namespace
}  // namespace sweep
