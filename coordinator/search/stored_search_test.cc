#include "coordinator/search/stored_search.h"

#include <cmath>
#include <deque>
#include <set>

#include "common/spec/search_methods.h"
#include "coordinator/search/point_identity.h"
#include "coordinator/search/search_replay.h"
#include "coordinator/search/start_up_points.h"
#include "coordinator/store/queries.h"
#include "coordinator/store/testing/store_testing.h"
#include "fmt/format.h"

namespace sweep {
namespace {

// A stored sweep whose configurations were suggested by a search that saw the trials before, three
// of them at a time.
class StoredSearchTest : public testing::TestWithParam<std::string> {
 protected:
  static constexpr int kConfigurations = 30;

  void SetUp() override { Begin(); }
  // Another sweep, in a store of its own.
  void Begin() {
    store_ = Must(Store::Open({.clock = &clock_}));
    seen_.clear();
    points_.clear();
    waiting_.clear();
    first_own_ = 1;
  }

  SweepSource Parse(const std::string& parameters, const std::string& more) {
    SweepSource source{
        .file = "s.yaml",
        .text = fmt::format("name: s\nmodel: cnn-18718\nmethod: {}\nepochs: 5\nreplicates: 2\n"
                            "{}{}parameters:\n{}",
                            GetParam(), GetParam() == "grid" ? "" : "run_cap: 100\n", more,
                            parameters)};
    Diagnostics diagnostics;
    auto spec = SweepSpec::Parse(source, &diagnostics);
    EXPECT_TRUE(spec.ok()) << FormatDiagnostics(diagnostics);
    if (spec.ok()) spec_ = std::make_shared<const SweepSpec>(*std::move(spec));
    return source;
  }

  void Edit(const std::string& parameters) {
    const SweepSource source = Parse(parameters, "");
    ASSERT_TRUE(store_
                    ->WriteAndWait([&](WriteTransaction& transaction) {
                      auto edited = transaction.EditSweep({.spec = spec_.get(),
                                                           .source = &source,
                                                           .replaces_sha256 = "",
                                                           .planned_configurations = 100});
                      if (edited.ok()) first_own_ = edited->first_configuration;
                      return edited.status();
                    })
                    .ok());
  }

  void Submit(const std::string& parameters, const std::string& more = "") {
    const SweepSource source = Parse(parameters, more);
    ASSERT_NE(spec_, nullptr);
    ASSERT_TRUE(store_
                    ->WriteAndWait([&](WriteTransaction& transaction) {
                      bool created = false;
                      auto made = transaction.CreateSweep(*spec_, source, "", &created);
                      if (made.ok()) sweep_ = *made;
                      return made.status();
                    })
                    .ok());
  }

  std::unique_ptr<StoredSearch> MakeSearch() {
    return Must(StoredSearch::Make(store_.get(), sweep_.id, spec_, first_own_));
  }

  std::int64_t LastSequence() { return Must(store_->Read(FindLastSequence, sweep_.id)); }

  void Add(const Configuration& configuration, std::int64_t seen,
           std::optional<SuggestionOrigin> origin = std::nullopt, std::int64_t asked_number = 0) {
    std::vector<TrialRow> trials;
    ASSERT_TRUE(store_
                    ->WriteAndWait([&](WriteTransaction& transaction) {
                      auto rows = transaction.AddConfiguration(
                          sweep_.id, *spec_, configuration,
                          {.seen_sequence = seen, .origin = origin, .asked_number = asked_number});
                      if (rows.ok()) trials = *rows;
                      return rows.status();
                    })
                    .ok());
    seen_.push_back(seen);
    points_.push_back(configuration.parameters);
    for (const TrialRow& trial : trials) waiting_.push_back(trial);
  }

  // Makes configurations from number `first` on as the driver does: what is suggested is trained
  // later. Returns their number.
  int Sweep(int count = kConfigurations, std::int64_t first = 1) {
    const auto search_made = MakeSearch();
    StoredSearch& search = *search_made;
    for (std::int64_t number = first; number < first + count; ++number) {
      // Some suggestions know no more than the one before.
      if (number % 3 != 0 || number == first) {
        EXPECT_TRUE(search.ObserveThrough(LastSequence()).ok());
      }
      const auto next = search.Suggest(number);
      EXPECT_TRUE(next.ok()) << next.status();
      if (!next.ok() || !next->has_value()) return static_cast<int>(number - first);
      Add((*next)->configuration, search.seen());
      while (waiting_.size() > 6) TrainNext();
    }
    return count;
  }

  void TrainNext() {
    const TrialRow trial = waiting_.front();
    waiting_.pop_front();
    const double lr = AsDouble(trial.parameters.values().at("lr"));
    StoreDriver(store_.get())
        .Train(trial, *spec_, 0.9 - 0.1 * std::abs(std::log10(lr) + 2) - 0.001 * trial.replicate);
  }

  FakeClock clock_;
  std::unique_ptr<Store> store_;
  std::shared_ptr<const SweepSpec> spec_;
  SweepRow sweep_;
  std::int64_t first_own_ = 1;  // of the file of `spec_`
  std::vector<std::int64_t> seen_;
  std::vector<ParameterMap> points_;
  std::deque<TrialRow> waiting_;
};

std::vector<std::string> AllMethods() {
  std::vector<std::string> words;
  for (const SearchMethod& method : SearchMethods()) {
    // A population needs trainings between its points: PopulationRestartTest repeats one.
    if (!method.has_population) words.emplace_back(method.word);
  }
  return words;
}

INSTANTIATE_TEST_SUITE_P(Methods, StoredSearchTest, testing::ValuesIn(AllMethods()),
                         [](const auto& info) { return info.param; });

constexpr char kWide[] =
    "  lr: {distribution: log_uniform_values, min: 0.0001, max: 1.0}\n"
    "  momentum: {min: 0.0, max: 0.99}\n";
constexpr char kFinite[] =
    "  lr: {values: [0.001, 0.003, 0.01, 0.03, 0.1]}\n"
    "  momentum: {values: [0.0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95]}\n";
constexpr char kRepeating[] =
    "  lr: {values: [0.001, 0.01, 0.1]}\n  momentum: {values: [0.0, 0.5]}\n"
    "repeat_points: true\n";

TEST_P(StoredSearchTest, AnotherSearchGivesTheSamePoints) {
  for (const char* const space : {kFinite, kWide, kRepeating}) {
    if (GetParam() == "grid" && space != kFinite) continue;
    Begin();
    Submit(space, GetParam() == "grid" ? "" : "try_first: [{lr: 0.01, momentum: 0.5}]\n");
    ASSERT_NE(spec_, nullptr);
    ASSERT_EQ(Sweep(), kConfigurations);
    const auto again_made = MakeSearch();
    StoredSearch& again = *again_made;
    for (std::size_t i = 0; i < points_.size(); ++i) {
      const auto number = static_cast<std::int64_t>(i) + 1;
      ASSERT_TRUE(again.ObserveThrough(seen_[i]).ok());
      if (spec_->method->learns) {
        EXPECT_EQ(again.seen(), seen_[i]);
      }
      const auto next = again.Peek(number);
      ASSERT_TRUE(next.ok() && next->has_value()) << next.status();
      EXPECT_EQ((*next)->configuration.parameters, points_[i]) << number;
      again.Know(number, points_[i]);
    }
  }
}

TEST_P(StoredSearchTest, StopsAtTheSequence) {
  if (!FindSearchMethod(GetParam())->learns) GTEST_SKIP() << "it does not see the events";
  Submit(kWide);
  // More events than a page has.
  ASSERT_EQ(Sweep(), kConfigurations);
  const std::int64_t last = LastSequence();
  ASSERT_GT(last, 300);
  const auto search_made = MakeSearch();
  StoredSearch& search = *search_made;
  for (const std::int64_t sequence : {std::int64_t{1}, last / 2, last / 2, last - 1}) {
    ASSERT_TRUE(search.ObserveThrough(sequence).ok());
    EXPECT_EQ(search.seen(), sequence);
  }
  ASSERT_TRUE(search.ObserveThrough(5).ok());
  EXPECT_EQ(search.seen(), last - 1) << "what was seen stays seen";
  ASSERT_TRUE(search.ObserveThrough(LastSequence()).ok());
  EXPECT_EQ(search.seen(), last);
}

// What a search knows decides: a suggestion that has not seen the last trials is another one.
TEST_P(StoredSearchTest, AnotherSequenceGivesOtherPoints) {
  if (!FindSearchMethod(GetParam())->learns) GTEST_SKIP() << "it does not see the events";
  Submit(kWide);
  ASSERT_EQ(Sweep(), kConfigurations);
  const auto all_made = MakeSearch(), half_made = MakeSearch();
  StoredSearch &all = *all_made, &half = *half_made;
  ASSERT_TRUE(all.ObserveThrough(LastSequence()).ok());
  ASSERT_TRUE(half.ObserveThrough(seen_[kConfigurations / 2]).ok());
  EXPECT_NE((*all.Suggest(kConfigurations + 1))->configuration.parameters,
            (*half.Suggest(kConfigurations + 1))->configuration.parameters);
}

// A person, or another build, has chosen one point: the search goes on from that one.
TEST_P(StoredSearchTest, GoesOnFromThePointThatWasTaken) {
  Submit(kFinite);
  ASSERT_NE(spec_, nullptr);
  const auto search_made = MakeSearch();
  StoredSearch& search = *search_made;
  const auto peeked = search.Peek(1);
  ASSERT_TRUE(peeked.ok() && peeked->has_value());
  const auto again = search.Peek(1);
  ASSERT_TRUE(again.ok() && again->has_value());
  EXPECT_EQ((*peeked)->configuration.parameters, (*again)->configuration.parameters)
      << "nothing was taken";
  if (!spec_->method->learns) return;
  const ParameterMap other{{"lr", 0.1}, {"momentum", 0.95}};
  search.Know(1, other);
  const auto second = search.Peek(2);
  ASSERT_TRUE(second.ok() && second->has_value());
  EXPECT_NE((*second)->configuration.parameters, other);
  if (FindSearchMethod(GetParam())->word != "cmaes") {
    EXPECT_EQ((*second)->configuration.parameters, (*peeked)->configuration.parameters)
        << "the sequence's first is still new";
  }
}

// A model that was slow for one number: start-up points took it and the next one, and what the
// model found is stored after them.
TEST_P(StoredSearchTest, AReplayKnowsWhatStoodInForASlowModel) {
  if (!FindSearchMethod(GetParam())->learns) GTEST_SKIP() << "it has no model";
  constexpr int kStandIns = 2;
  for (const bool is_finite : {true, false}) {
    Begin();
    Submit(is_finite ? kFinite : kWide);
    ASSERT_NE(spec_, nullptr);
    const auto search_made = MakeSearch();
    StoredSearch& search = *search_made;
    StartUpPoints stand_ins(spec_.get(), SearchStart());
    std::set<std::string> known;
    std::int64_t number = 0;
    const auto add = [&](Configuration configuration, SuggestionSource source, std::int64_t asked) {
      configuration.number = ++number;
      known.insert(PointIdentity(configuration.parameters));
      stand_ins.Know(configuration.parameters);
      search.Know(number, configuration.parameters);
      Add(configuration, search.seen(), SuggestionOrigin{.source = source, .method = GetParam()},
          asked);
      while (waiting_.size() > 3) TrainNext();
    };
    while (number < 20) {
      ASSERT_TRUE(search.ObserveThrough(LastSequence()).ok());
      const auto next = search.Peek(number + 1);
      ASSERT_TRUE(next.ok() && next->has_value()) << next.status();
      const std::int64_t asked = number + 1;
      // After 15 the coordinator ended before it stored what the model had found.
      const bool is_lost = number == 15;
      if (number == 12 || number == 16 || is_lost) {
        for (int i = 0; i < (is_lost ? 1 : kStandIns); ++i) {
          const auto point = Must(stand_ins.Point(number + 1));
          ASSERT_TRUE(point.has_value());
          add(*point, SuggestionSource::kStandIn, 0);
        }
      }
      if (is_lost || known.contains(PointIdentity((*next)->configuration.parameters))) continue;
      add((*next)->configuration, (*next)->origin.source, asked == number + 1 ? 0 : asked);
    }
    const auto replay = Must(SearchReplay::Make(store_.get(), sweep_.id, spec_, first_own_));
    const auto rows = Must(store_->Read(SelectSuggestions, sweep_.id, std::int64_t{1}, number));
    ASSERT_EQ(std::ssize(rows), number);
    for (const SuggestionRow& row : rows) {
      const auto again = replay->Again(row);
      ASSERT_TRUE(again.ok() && again->has_value()) << row.number << " " << again.status();
      EXPECT_EQ((*again)->configuration.parameters, row.parameters.values()) << row.number;
    }
  }
}

// Each file's configurations come again from the search of that file, which knows those before as
// points of its own space.
TEST_P(StoredSearchTest, AnEditedSweepIsRepeatedFileByFile) {
  for (const bool is_finite : {true, false}) {
    if (GetParam() == "grid" && !is_finite) continue;
    SCOPED_TRACE(is_finite);
    Begin();
    Submit(is_finite ? kFinite : kWide);
    ASSERT_NE(spec_, nullptr);
    ASSERT_EQ(Sweep(16), 16);
    const auto before = spec_;
    Edit(is_finite ? "  lr: {values: [0.001, 0.003, 0.01, 0.1, 0.3]}\n"
                     "  momentum: {values: [0.0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99]}\n"
                   : "  lr: {distribution: log_uniform_values, min: 0.001, max: 2.0}\n"
                     "  momentum: {min: 0.0, max: 0.99}\n");
    const auto after = spec_;
    ASSERT_EQ(Sweep(14, 17), 14);
    int other = 0;
    for (const bool is_after : {false, true}) {
      const std::int64_t first = is_after ? 17 : 1, last = is_after ? 30 : 16;
      const auto again =
          Must(StoredSearch::Make(store_.get(), sweep_.id, is_after ? after : before, first));
      // What does not know of the edit.
      const auto wrong =
          Must(StoredSearch::Make(store_.get(), sweep_.id, is_after ? before : after, 1));
      for (std::int64_t number = first; number <= last; ++number) {
        const auto i = static_cast<std::size_t>(number - 1);
        ASSERT_TRUE(again->ObserveThrough(seen_[i]).ok());
        const auto next = again->Peek(number);
        ASSERT_TRUE(next.ok() && next->has_value()) << next.status();
        EXPECT_EQ((*next)->configuration.parameters, points_[i]) << number;
        again->Know(number, points_[i]);
        ASSERT_TRUE(wrong->ObserveThrough(seen_[i]).ok());
        const auto wrongly = wrong->Peek(number);
        if (!wrongly.ok() || !wrongly->has_value() ||
            (*wrongly)->configuration.parameters != points_[i]) {
          ++other;
        }
        wrong->Know(number, points_[i]);
      }
    }
    EXPECT_GT(other, 5);
  }
}

// What a sweep has taken from an earlier one is known at its first suggestion, and every time
// again.
TEST_P(StoredSearchTest, BeginsWithWhatEarlierSweepsHaveFound) {
  if (!FindSearchMethod(GetParam())->learns) GTEST_SKIP() << "it learns nothing";
  Submit(kWide, "warm_start: earlier\n");
  ASSERT_NE(spec_, nullptr);
  std::vector<EndedPoint> known;
  for (int i = 0; i < 20; ++i) {
    const ParameterMap point = {{"lr", std::pow(10, -3.7 + 0.18 * i)}, {"momentum", 0.04 * i}};
    const Configuration made = Must(spec_->Complete(1, point));
    known.push_back(
        {.number = i + 1,
         .point = {.chosen = SharedParameters(made.parameters),
                   .trained = SharedParameters(made.resolved)},
         .replicates = {{.state = TrialState::kCompleted, .epoch = 5, .best = 0.03 * i}}});
  }
  const auto cold = MakeSearch();
  ASSERT_TRUE(store_
                  ->WriteAndWait([&](WriteTransaction& transaction) {
                    return transaction.AddWarmStart(sweep_.id, {{.source = "earlier", .taken = 20}},
                                                    known);
                  })
                  .ok());
  ASSERT_EQ(Sweep(8), 8);
  EXPECT_NE((*Must(cold->Peek(1))).configuration.parameters, points_[0]);
  const auto again = MakeSearch();
  for (std::size_t i = 0; i < points_.size(); ++i) {
    ASSERT_TRUE(again->ObserveThrough(seen_[i]).ok());
    const auto next = Must(again->Peek(static_cast<std::int64_t>(i) + 1));
    ASSERT_TRUE(next.has_value());
    EXPECT_EQ(next->configuration.parameters, points_[i]) << i;
    EXPECT_EQ(next->origin.source, SuggestionSource::kModel);
    again->Know(static_cast<std::int64_t>(i) + 1, points_[i]);
  }
  const auto slices = again->search().Slices();
  ASSERT_TRUE(slices.has_value());
  EXPECT_GE(slices->ended, 20u);
  ASSERT_FALSE(slices->slices.empty());
}

}  // namespace
}  // namespace sweep
