#include "coordinator/views/sweep_index.h"

#include <cmath>
#include <limits>

#include "coordinator/store/store_testing.h"
#include "coordinator/views/index_query.h"
#include "coordinator/views/json.h"
#include "coordinator/views/view_query.h"

namespace sweep {
namespace {

using testing::ElementsAre;

TEST(MetricHistogram, QuantilesOfAccuraciesAreExactToABin) {
  MetricHistogram histogram(MetricHistogram::Metric::kAccuracy);
  for (int i = 0; i <= 100; ++i) histogram.Add(0.99 + i * 0.0001);
  histogram.Add(std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(histogram.count(), 101);
  EXPECT_NEAR(histogram.Quantile(0.5), 0.995, 1e-9);
  EXPECT_NEAR(histogram.Quantile(0.05), 0.9905, 1e-9);
  EXPECT_EQ(histogram.best(), 1);
}

TEST(MetricHistogram, QuantilesOfLossesAreExactToAPercent) {
  MetricHistogram histogram(MetricHistogram::Metric::kLoss);
  for (const double loss : {1e-9, 0.02, 0.5, 40.0, 1e9}) histogram.Add(loss);
  EXPECT_NEAR(histogram.Quantile(0.5), 0.5, 0.005);
  EXPECT_NEAR(histogram.Quantile(0.4), 0.02, 0.0002);
  EXPECT_EQ(histogram.best(), 1e-9);
}

TEST(MetricHistogram, EmptyHasNoQuantiles) {
  const MetricHistogram histogram(MetricHistogram::Metric::kLoss);
  EXPECT_TRUE(std::isnan(histogram.Quantile(0.5)));
  EXPECT_TRUE(std::isnan(histogram.best()));
}

TEST(SweepIndex, LongTrainingsHaveAHistogramForEverySoManyEpochs) {
  SweepIndex index(std::make_shared<const SweepSpec>(SweepSpec{.epochs = 5000}));
  index.Put({.number = 1, .configuration = 1});
  for (int epoch = 1; epoch <= 5000; ++epoch) {
    index.AddEpoch({.number = 1, .epoch = epoch, .accuracy = 0.9, .loss = 0.1});
  }
  EXPECT_LE(index.bands().size(), static_cast<std::size_t>(SweepIndex::kMaxBands + 1));
  EXPECT_TRUE(index.bands().contains(5000));
}

TEST(SweepIndex, TrialsThatWereNotReadYetMatchNothing) {
  SweepIndex index(std::make_shared<const SweepSpec>(TestSpec("s")));
  index.Put({.number = 3, .configuration = 3, .parameters = {{"lr", 0.03}}});
  EXPECT_THAT(*SelectRows(index, {}), ElementsAre(2));
  EXPECT_THAT(*SelectRows(index, {.order_by = "lr"}), ElementsAre(2));
}

TEST(SweepIndex, TrialsWithoutAValueComeLastInBothDirections) {
  SweepIndex index(std::make_shared<const SweepSpec>(TestSpec("s")));
  for (std::int64_t number = 1; number <= 4; ++number) {
    TrialSummary trial{.number = number, .configuration = number};
    trial.result.epoch = number == 2 ? 0 : 1;
    trial.result.best_accuracy =
        number == 3 ? std::numeric_limits<double>::quiet_NaN() : 1.0 / static_cast<double>(number);
    index.Put(trial);
  }
  EXPECT_THAT(*SelectRows(index, {.order_by = "best_accuracy"}), ElementsAre(3, 0, 1, 2));
  EXPECT_THAT(*SelectRows(index, {.order_by = "best_accuracy desc"}), ElementsAre(0, 3, 1, 2));
}

TEST(ViewQuery, SplitsAndDecodes) {
  const ViewQuery query = Must(ViewQuery::Parse("/api/sweeps/a%2Fb//trials", "x=1+2&y=%26&z&=4"));
  EXPECT_THAT(query.path, ElementsAre("sweeps", "a/b", "trials"));
  EXPECT_EQ(query.Text("x"), "1 2");
  EXPECT_EQ(query.Text("y"), "&");
  EXPECT_EQ(query.Text("z"), "");
}

TEST(Json, RoundedNumbersAreShort) {
  EXPECT_EQ(RoundedJson(0.991200029850006).dump(), "0.9912");
  EXPECT_EQ(RoundedJson(1234567.89).dump(), "1234570.0");
  EXPECT_EQ(RoundedJson(-1.23456789e-12).dump(), "-1.23457e-12");
  EXPECT_EQ(RoundedJson(std::numeric_limits<double>::infinity()).dump(), "null");
  EXPECT_EQ(RoundedJson(0).dump(), "0.0");
}

}  // namespace
}  // namespace sweep
