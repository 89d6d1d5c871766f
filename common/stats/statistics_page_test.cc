// The examples of docs/statistics.md, computed again.

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "common/stats/confirmation.h"
#include "common/stats/groups.h"
#include "common/stats/intervals.h"
#include "common/stats/race.h"
#include "common/stats/sequential.h"

namespace sweep {
namespace {

class StatisticsPage : public ::testing::Test {
 protected:
  // As one line.
  static std::string Page() {
    std::ifstream file(std::string(SWEEP_SOURCE_DIR) + "/docs/statistics.md");
    std::string page;
    for (std::string word; file >> word;) page += word + " ";
    return page;
  }
  static std::string Percent(const Interval& interval, int digits) {
    return fmt::format("{:.{}f} to {:.{}f} %", 100 * interval.low, digits, 100 * interval.high,
                       digits);
  }

  void Says(const std::string& text) const {
    EXPECT_NE(page_.find(text), std::string::npos) << "docs/statistics.md should say: " << text;
  }

  const std::string page_ = Page();
  // The five runs.
  const double mean_ = (0.9941 + 0.9946 + 0.9939 + 0.9944 + 0.9942) / 5;
  const double deviation_ =
      std::sqrt((1.4 * 1.4 + 3.6 * 3.6 + 3.4 * 3.4 + 1.6 * 1.6 + 0.4 * 0.4) / 4) * 1e-4;
};

TEST_F(StatisticsPage, OneAccuracy) {
  Says("**" + Percent(WilsonInterval(0.994, 10'000), 4) + "**");
  Says(fmt::format("{:.4f} to 100 %", 100 * WilsonInterval(1, 20).low));
}

TEST_F(StatisticsPage, SeveralSeeds) {
  const double half = StudentQuantile(0.975, 4) * deviation_ / std::sqrt(5);
  Says(fmt::format("the mean {:.3f} % and s = {:.4f} points", 100 * mean_, 100 * deviation_));
  Says(fmt::format("t = {:.4f},", StudentQuantile(0.975, 4)));
  Says("**" + Percent({mean_ - half, mean_ + half}, 4) + "**");
  Says("7 of 20 runs give **" + Percent(WilsonInterval(0.35, 20), 1));
}

TEST_F(StatisticsPage, Groups) {
  std::vector<Estimate> estimates;
  for (const double accuracy : {0.9948, 0.9945, 0.9935, 0.9890, 0.9885, 0.9780}) {
    estimates.push_back(EstimateOfShare(accuracy, 10'000));
  }
  EXPECT_THAT(GroupsOf(estimates), testing::ElementsAre(1, 1, 1, 2, 2, 3));
  Says(fmt::format("p up to {:.5f}", DifferenceProbability(estimates[2], estimates[3])));
  Says(fmt::format("**p = {:.3f}**", DifferenceProbability(estimates[0], estimates[2])));
  const Estimate five = EstimateOfMean(mean_, deviation_, 5);
  const Estimate others = EstimateOfMean(0.99338, 0.00037013511046645115, 5);
  Says(fmt::format("**p = {:.5f}**", DifferenceProbability(five, others)));
  Says(fmt::format("(p = {:.4f})",
                   DifferenceProbability(estimates[0], EstimateOfShare(0.9920, 10'000))));
}

TEST_F(StatisticsPage, Race) {
  const auto completed = [](std::vector<double> percents) {
    std::vector<RaceRun> runs;
    for (const double one : percents) runs.push_back({TrialState::kCompleted, one});
    return runs;
  };
  const std::vector<Contender> contenders = {ContenderOf(1, completed({99.40, 99.46, 99.43})),
                                             ContenderOf(2, completed({99.38, 99.44, 99.41})),
                                             ContenderOf(3, completed({99.30}))};
  const RaceVerdict verdict = JudgeRace({.max = 10, .left = 9}, contenders);
  Says(fmt::format("**s = {:.2f} points** with {} degrees", *verdict.deviation, verdict.degrees));
  Says(fmt::format("is {:.4f}. B", verdict.quantile));
  const double reach = verdict.quantile * *verdict.deviation;
  Says(fmt::format("where {:.4f} would rule it out", reach * std::sqrt(2.0 / 3)));
  Says(fmt::format("where **{:.4f}** would", reach * std::sqrt(4.0 / 3)));
  EXPECT_EQ(verdict.racing, 2);
  EXPECT_EQ(verdict.next, 0u);
  const double later = StudentQuantile(1 - 0.05 / 20, 8);
  Says(fmt::format("t with 8 degrees is {:.4f}", later));
  Says(fmt::format("**{:.4f}** is enough", later * 0.03 * std::sqrt(1.2)));
}

TEST_F(StatisticsPage, Confidence) {
  const double t = StudentQuantile(0.95, 4);
  const double bound = mean_ - t * deviation_ / std::sqrt(5);
  Says(fmt::format("t = {:.4f} and the lower bound **{:.4f} %**", t, 100 * bound));
  Says(fmt::format("misses 99.4 % by {:.4f} points", 99.4 - 100 * bound));
}

TEST_F(StatisticsPage, Confirmation) {
  const double half = StudentQuantile(0.975, 4) * deviation_ / std::sqrt(5);
  const Confirmation made = ConfirmationOf({}, 0.9949, mean_, half, 5);
  Says(fmt::format("**{:.3f} points ({:.3f} to {:.3f})**", 100 * *made.optimism,
                   100 * made.optimism_interval->low, 100 * made.optimism_interval->high));
}

TEST_F(StatisticsPage, Comparison) {
  const SequentialResult known =
      CompareInTurn({0.0007, 0.0002, 0.0011, 0.0009, 0.0005, 0.0014, 0.0008}, 0);
  EXPECT_EQ(known.pairs, 7);
  Says(fmt::format("**e = {:.1f}**", known.evidence));
  Says(fmt::format("by {:.3f} points (**{:.3f} to {:.3f}**)", 100 * known.mean,
                   100 * known.interval->low, 100 * known.interval->high));
}

}  // namespace
}  // namespace sweep
