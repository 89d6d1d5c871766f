// Filtering, sorting and paging of the ranking.

#include <gmock/gmock.h>

#include "coordinator/store/testing/store_testing.h"
#include "coordinator/views/testing/views_testing.h"

namespace sweep {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class RankingViewTest : public ViewsTest {
 protected:
  // The rank of each row.
  std::vector<int> Column(const std::string& query, const char* key) {
    const Json view = Get("/api/sweeps/s/ranking", query);
    std::vector<int> values;
    for (const Json& row : view["rows"]) values.push_back(row[key]);
    return values;
  }
  std::vector<int> Ranks(const std::string& query) { return Column(query, "rank"); }
};

TEST_F(RankingViewTest, IsFilteredAndKeepsTheRanks) {
  Fill("s");
  EXPECT_THAT(Ranks(""), ElementsAre(1, 2, 3));
  EXPECT_THAT(Ranks("where=lr+%3E+0.015"), ElementsAre(2, 3));
  EXPECT_THAT(Ranks("state=failed"), ElementsAre(3));
  EXPECT_THAT(Ranks("qualifying=1"), ElementsAre(1));
  EXPECT_EQ(Get("/api/sweeps/s/ranking", "where=lr+%3E+0.015")["total"], 2);
  EXPECT_THAT(Ranks("where=lr+%3E+9"), IsEmpty());
}

TEST_F(RankingViewTest, IsSortedByWhatItShows) {
  Fill("s");
  EXPECT_THAT(Ranks("sort=rank"), ElementsAre(1, 2, 3));
  EXPECT_THAT(Ranks("sort=rank+desc"), ElementsAre(3, 2, 1));
  EXPECT_THAT(Ranks("sort=accuracy"), ElementsAre(3, 2, 1));
  EXPECT_THAT(Ranks("sort=lr+desc"), ElementsAre(3, 2, 1));
  EXPECT_THAT(Ranks("sort=best_loss").back(), 3);  // NaN
  EXPECT_THAT(Ranks("sort=accuracy+desc&offset=1&limit=1"), ElementsAre(2));
}

TEST_F(RankingViewTest, OneRowStandsForAllReplicates) {
  const SweepSpec spec = TestSpec("s", "replicates: 2\n");
  const SweepRow sweep = driver_->Create(spec, "replicates: 2\n");
  for (const double better : {0.6, 0.7}) {
    const std::vector<TrialRow> trials = driver_->Add(sweep, spec, better < 0.65 ? 1 : 2);
    driver_->Train(trials.at(0), spec, 0.5);
    EXPECT_EQ(Ranks("sort=accuracy").size(), better < 0.65 ? 1u : 2u);
    driver_->Train(trials.at(1), spec, better);
  }
  EXPECT_THAT(Column("sort=accuracy", "configuration"), ElementsAre(1, 2));
  EXPECT_THAT(Column("sort=accuracy", "trial"), ElementsAre(2, 4));
  EXPECT_THAT(Ranks("sort=accuracy"), ElementsAre(2, 1));
}

TEST_F(RankingViewTest, OfOneReplicateThereIsNoIntervalOfTheMean) {
  const SweepSpec spec = TestSpec("s", "replicates: 2\n");
  const SweepRow sweep = driver_->Create(spec, "replicates: 2\n");
  const std::vector<TrialRow> trials = driver_->Add(sweep, spec, 1);
  driver_->Train(trials.at(0), spec, 0.6);
  Json row = Get("/api/sweeps/s/ranking")["rows"][0];
  EXPECT_EQ(row["replicates"], 1);
  EXPECT_TRUE(row["mean_half_width"].is_null() && row["mean_interval"].is_null()) << row;
  EXPECT_TRUE(row["mean_last"].is_number());
  driver_->Train(trials.at(1), spec, 0.7);
  row = Get("/api/sweeps/s/ranking")["rows"][0];
  EXPECT_EQ(row["replicates"], 2);
  EXPECT_GT(row["mean_half_width"], 0);
  EXPECT_EQ(row["mean_interval"].size(), 2u);
}

// Of three configurations with two replicates each the first two have means within their spread,
// the third is far away; all have the same groups whatever the page shows.
TEST_F(RankingViewTest, HasGroupsAndTheRunsThatQualify) {
  const std::string more = "replicates: 3\n";
  const SweepSpec spec = TestSpec("s", more);
  const SweepRow sweep = driver_->Create(spec, more);
  const std::vector<std::vector<double>> accuracies = {
      {0.950, 0.951, 0.952}, {0.949, 0.952, 0.950}, {0.300, 0.301, 0.302}};
  for (std::size_t i = 0; i < accuracies.size(); ++i) {
    const auto trials = driver_->Add(sweep, spec, static_cast<std::int64_t>(i) + 1);
    for (std::size_t j = 0; j < trials.size(); ++j) {
      driver_->Train(trials[j], spec, accuracies[i][j]);
    }
  }
  EXPECT_THAT(Column("", "group"), ElementsAre(1, 1, 2));
  EXPECT_THAT(Column("", "group_size"), ElementsAre(2, 2, 1));
  EXPECT_THAT(Column("offset=1&limit=2", "group"), ElementsAre(1, 2));
  EXPECT_THAT(Column("sort=rank+desc", "group"), ElementsAre(2, 1, 1));
  EXPECT_THAT(Column("", "ended_runs"), ElementsAre(3, 3, 3));
  const Json row = Get("/api/sweeps/s/ranking")["rows"][2];
  EXPECT_EQ(row["qualifying_interval"].size(), 2u);
}

TEST_F(RankingViewTest, WhatCannotBeAskedIsRefused) {
  Fill("s");
  EXPECT_THAT(std::string(Refusal("/api/sweeps/s/ranking", "sort=colour").message()),
              HasSubstr("'colour'"));
  EXPECT_THAT(std::string(Refusal("/api/sweeps/s/ranking", "where=colour+%3D%3D+1").message()),
              HasSubstr("'colour'"));
  EXPECT_TRUE(absl::IsInvalidArgument(Refusal("/api/sweeps/s/trials", "sort=accuracy")));
}

// The whole ranking comes from the store; a filtered one needs the index.
TEST_F(RankingViewTest, BeforeTheIndexIsCompleteOnlyTheWholeIsThere) {
  Fill("s");
  Views::Options options = Options();
  options.index_wait = absl::ZeroDuration();
  const auto views = Views::Make(options);
  const std::string path = "/api/sweeps/s/ranking";
  EXPECT_TRUE(absl::IsUnavailable(views->Get({.path = path, .query = "sort=lr"}).status()));
  EXPECT_TRUE(Views::Make(options)->Get({.path = path}).ok());
}

}  // namespace
}  // namespace sweep
