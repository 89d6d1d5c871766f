// A confirmation beside what its finalists were chosen by.

#include <gmock/gmock.h>

#include "coordinator/store/testing/store_testing.h"
#include "coordinator/views/testing/views_testing.h"
#include "fmt/format.h"
#include "proto/documents/values.h"

namespace sweep {
namespace {

using testing::ElementsAre;

class ConfirmationViewTest : public ViewsTest {
 protected:
  // Selection `s`, as Fill has it: trial 1 completed at 0.95, 2 at 0.5, 3 diverged after an epoch.
  // Sweep `c` confirms the trials, each with three runs of these accuracies.
  void Confirm(const std::vector<int>& trials, const std::vector<std::vector<double>>& accuracies,
               const std::string& confirmed = "s") {
    Fill("s");
    const SweepRow selection = Must(store_->Read(FindSweep, std::string("s")));
    std::string numbers, points;
    for (const int trial : trials) {
      numbers += (numbers.empty() ? "" : " ") + std::to_string(trial);
      points += fmt::format("{}{{lr: 0.0{}}}", points.empty() ? "" : ", ", trial);
    }
    const std::string more = fmt::format(
        "replicates: 3\ngate_on: mean\ntry_first: [{}]\nlabels: {{confirms: {}, "
        "confirms_submitted: \"{}\", finalists: \"{}\"}}\n",
        points, confirmed, TimeText(selection.created), numbers);
    SweepSource source = TestSource("c", more);
    const std::string grid = "method: grid\n";  // which takes no points
    source.text.replace(source.text.find(grid), grid.size(), "method: random\nrun_cap: 3\n");
    Diagnostics diagnostics;
    spec_ = Must(SweepSpec::Parse(source, &diagnostics));
    SweepRow sweep;
    ASSERT_TRUE(store_
                    ->WriteAndWait([&](WriteTransaction& transaction) {
                      bool created = false;
                      absl::StatusOr<SweepRow> row =
                          transaction.CreateSweep(spec_, source, "", &created);
                      if (row.ok()) sweep = *row;
                      return row.status();
                    })
                    .ok());
    for (std::size_t i = 0; i < accuracies.size(); ++i) {
      runs_.push_back(driver_->Add(sweep, spec_, static_cast<std::int64_t>(i) + 1));
      for (std::size_t j = 0; j < accuracies[i].size(); ++j) {
        driver_->Train(runs_.back()[j], spec_, accuracies[i][j]);
      }
    }
  }
  Json Document() { return Get("/api/sweeps/c/confirmation"); }

  SweepSpec spec_;
  std::vector<std::vector<TrialRow>> runs_;
};

TEST_F(ConfirmationViewTest, SetsFreshRunsBesideTheSelection) {
  Confirm({1, 2}, {{0.94, 0.93, 0.92}, {0.49, 0.50, 0.51}});
  const Json view = Document();
  EXPECT_EQ(view["selection"], "s");
  EXPECT_EQ(view["is_there"], true);
  EXPECT_EQ(view["confirmations"], 1);
  ASSERT_EQ(view["finalists"].size(), 2u);
  const Json& one = view["finalists"][0];
  EXPECT_EQ(one["rank"], 1);
  EXPECT_EQ(one["trial"], 1);
  EXPECT_EQ(one["parameters"]["lr"], 0.01);
  EXPECT_NEAR(one["selected_mean"], 0.95, 1e-12);
  EXPECT_NEAR(one["confirmed"], 0.93, 1e-12);
  EXPECT_NEAR(one["optimism"], 0.02, 1e-12);
  EXPECT_EQ(one["optimism_note"], "");
  // Student's t with two degrees of freedom, 4.302653 · 0.01 / √3.
  EXPECT_NEAR(one["confirmed_interval"][0], 0.93 - 0.0248414, 1e-6);
  EXPECT_NEAR(one["optimism_interval"][1], 0.02 + 0.0248414, 1e-6);
  EXPECT_LT(one["confirmed_bound"], 0.93);
  EXPECT_EQ(one["planned_runs"], 3);
  EXPECT_EQ(one["ended_runs"], 3);
  EXPECT_EQ(one["gates"].size(), 2u);
  EXPECT_EQ(view["finalists"][1]["trial"], 2);
  EXPECT_NEAR(view["finalists"][1]["optimism"], 0, 1e-12);
  EXPECT_THAT((std::vector<int>{one["group"], view["finalists"][1]["group"]}), ElementsAre(1, 2));
}

TEST_F(ConfirmationViewTest, SaysWhyThereIsNoOptimism) {
  Confirm({3, 1}, {{0.94, 0.93, 0.92}, {}});
  const Json view = Document();
  const Json& failed = view["finalists"][0];
  EXPECT_TRUE(failed["optimism"].is_null() && failed["optimism_interval"].is_null());
  EXPECT_EQ(failed["optimism_note"], "in the selection a run failed after epoch 1 of 5");
  EXPECT_TRUE(failed["confirmed_interval"].is_array()) << "that is known";
  EXPECT_TRUE(view["finalists"][1]["confirmed"].is_null()) << "nothing has run yet";
  EXPECT_EQ(view["finalists"][1]["ended_runs"], 0);
}

TEST_F(ConfirmationViewTest, CountsWhatTheTestImagesHaveJudged) {
  Confirm({1, 2}, {{0.94, 0.93, 0.92}, {0.5}});
  const Json view = Document();
  EXPECT_EQ(view["selection_looks"], 3) << "the fourth trial waits";
  EXPECT_EQ(view["test_looks"], 5);
}

// The selection is found by the time of its submission, whatever it is called by now.
TEST_F(ConfirmationViewTest, FollowsARenaming) {
  Confirm({1, 2}, {{0.94, 0.93, 0.92}}, "earlier");
  EXPECT_EQ(Document()["selection"], "s");
  EXPECT_NEAR(Document()["finalists"][0]["selected_mean"], 0.95, 1e-12);
}

TEST_F(ConfirmationViewTest, OfAnyOtherSweepThereIsNone) {
  Fill("s");
  const Json view = Get("/api/sweeps/s/confirmation");
  EXPECT_EQ(view["selection"], "");
  EXPECT_TRUE(view["finalists"].empty());
}

}  // namespace
}  // namespace sweep
