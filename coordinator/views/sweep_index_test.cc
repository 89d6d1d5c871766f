#include "coordinator/views/sweep_index.h"

#include <cmath>
#include <limits>

#include "coordinator/store/testing/store_testing.h"
#include "coordinator/views/index_query.h"
#include "coordinator/views/view_query.h"

namespace sweep {
namespace {

using testing::ElementsAre;

TEST(MetricHistogram, QuantilesOfAccuraciesAreExactToABin) {
  MetricHistogram histogram(/*is_share=*/true, /*maximize=*/true);
  for (int i = 0; i <= 100; ++i) histogram.Add(0.99 + i * 0.0001);
  histogram.Add(std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(histogram.count(), 101);
  EXPECT_NEAR(histogram.Quantile(0.5), 0.995, 1e-9);
  EXPECT_NEAR(histogram.Quantile(0.05), 0.9905, 1e-9);
  EXPECT_EQ(histogram.best(), 1);
}

TEST(MetricHistogram, QuantilesOfLossesAreExactToAPercent) {
  MetricHistogram histogram(/*is_share=*/false, /*maximize=*/false);
  for (const double loss : {1e-9, 0.02, 0.5, 40.0, 1e9}) histogram.Add(loss);
  EXPECT_NEAR(histogram.Quantile(0.5), 0.5, 0.005);
  EXPECT_NEAR(histogram.Quantile(0.4), 0.02, 0.0002);
  EXPECT_EQ(histogram.best(), 1e-9);
}

TEST(MetricHistogram, MeasuresMayBeNegative) {
  MetricHistogram histogram(/*is_share=*/false, /*maximize=*/true);
  for (const double reward : {-300.0, -2.0, 0.0, 5.0, 40.0}) histogram.Add(reward);
  EXPECT_NEAR(histogram.Quantile(0.01), -300, 3);
  EXPECT_NEAR(histogram.Quantile(0.4), -2, 0.02);
  EXPECT_EQ(histogram.Quantile(0.6), 0);
  EXPECT_EQ(histogram.best(), 40);
}

// Documents cannot show infinities, as they cannot show NaN.
TEST(MetricHistogram, InfinitiesAreLeftOut) {
  MetricHistogram histogram(/*is_share=*/false, /*maximize=*/true);
  for (const double sign : {1.0, -1.0}) {
    histogram.Add(sign * std::numeric_limits<double>::infinity());
  }
  EXPECT_EQ(histogram.count(), 0);
  histogram.Add(2);
  EXPECT_NEAR(histogram.Quantile(0.95), 2, 0.02);
  EXPECT_EQ(histogram.best(), 2);
}

TEST(MetricHistogram, EmptyHasNoQuantiles) {
  const MetricHistogram histogram(/*is_share=*/false, /*maximize=*/true);
  EXPECT_TRUE(std::isnan(histogram.Quantile(0.5)));
  EXPECT_TRUE(std::isnan(histogram.best()));
}

TEST(SweepIndex, LongTrainingsHaveAHistogramForEverySoManyEpochs) {
  SweepIndex index(std::make_shared<const SweepSpec>(SweepSpec{.epochs = 5000}));
  index.Put({.trial = {.number = 1, .configuration = 1}});
  for (int epoch = 1; epoch <= 5000; ++epoch) {
    index.AddEpoch({.number = 1, .epoch = epoch, .values = {0.9, 0.1, 0.9, 0.1}});
  }
  EXPECT_LE(index.bands().size(), static_cast<std::size_t>(SweepIndex::kMaxBands + 1));
  EXPECT_TRUE(index.bands().contains(5000));
}

TEST(SweepIndex, TrialsThatWereNotReadYetMatchNothing) {
  SweepIndex index(std::make_shared<const SweepSpec>(TestSpec("s")));
  index.Put({.trial = {.number = 3, .configuration = 3, .parameters = {{"lr", 0.03}}}});
  EXPECT_THAT(*SelectRows(index, {}), ElementsAre(2));
  EXPECT_THAT(*SelectRows(index, {.order_by = "lr"}), ElementsAre(2));
}

TEST(SweepIndex, FindsListsAndNestedHyperparameters) {
  Diagnostics diagnostics;
  const auto spec = std::make_shared<const SweepSpec>(Must(SweepSpec::Parse(
      {.file = "s.yaml",
       .text = "name: s\nprogram: ./train\nmethod: random\nrun_cap: 4\nparameters:\n"
               "  layers: {values: [[64, 32], [128], \"[128]\", x]}\n"
               "  optimizer: {lr: {min: 0.0, max: 1.0}}\n"},
      &diagnostics)));
  SweepIndex index(spec);
  const std::vector<Value> layers = {ListValue("[64,32]"), ListValue("[128]"), Value("[128]"),
                                     Value("x")};
  for (std::int64_t number = 1; number <= 4; ++number) {
    index.Put({.trial = {.number = number,
                         .configuration = number,
                         .parameters = {{"layers", layers[static_cast<std::size_t>(number - 1)]},
                                        {"optimizer.lr", 0.1 * static_cast<double>(number)}}}});
  }
  for (std::size_t row = 0; row < 4; ++row) {
    EXPECT_EQ(index.ParameterOf(row, 0), layers[row]) << "a list stays one";
  }
  const auto rows = [&](const char* text) {
    return *SelectRows(index, {.filter = *TrialFilter::Parse(text, spec)});
  };
  EXPECT_THAT(rows("layers == [64, 32] or optimizer.lr > 0.35 and layers == 'x'"),
              ElementsAre(0, 3));
  EXPECT_THAT(rows("optimizer.lr < 0.35 and layers != '[64,32]'"), ElementsAre(1, 2));
  EXPECT_THAT(rows("parameters.optimizer.lr < 0.25"), ElementsAre(0, 1));
  EXPECT_THAT(*SelectRows(index, {.order_by = "optimizer.lr desc"}), ElementsAre(3, 2, 1, 0));
  EXPECT_THAT(*SelectRows(index, {.order_by = "layers"}), ElementsAre(1, 2, 0, 3));
}

// A program's hyperparameters may have the names of a trial's fields or keywords of the language.
std::shared_ptr<const SweepSpec> ShadowingSpec() {
  Diagnostics diagnostics;
  absl::StatusOr<SweepSpec> spec = SweepSpec::Parse(
      {.file = "s.yaml",
       .text = "name: s\nprogram: [sh]\nmethod: grid\nparameters: {epoch: {values: [5, 9]}, state: "
               "{values: [calm, wild]}, number: 7, in: 1, \"true\": 3, model: {values: [a, b]}, "
               "receptive_field: 3}\n"},
      &diagnostics);
  EXPECT_TRUE(spec.ok()) << FormatDiagnostics(diagnostics);
  return std::make_shared<const SweepSpec>(*std::move(spec));
}

TEST(TrialFilter, ReachesHyperparametersThatShareANameWithTheTrial) {
  const auto spec = ShadowingSpec();
  SweepIndex index(spec);
  TrialRow row;
  row.number = 1;
  row.configuration = 1;
  row.parameters = {{"epoch", std::int64_t{5}},          {"state", std::string("calm")},
                    {"number", std::int64_t{7}},         {"in", std::int64_t{1}},
                    {"true", std::int64_t{3}},           {"model", std::string("a")},
                    {"receptive_field", std::int64_t{3}}};
  index.Put({.trial = {.number = 1, .configuration = 1, .parameters = row.parameters}});
  const auto count = [&](const std::string& text) {
    const absl::StatusOr<TrialFilter> filter = TrialFilter::Parse(text, spec);
    EXPECT_TRUE(filter.ok()) << filter.status();
    if (!filter.ok()) return -1;
    const auto rows = SelectRows(index, {.filter = *filter});
    EXPECT_TRUE(rows.ok()) << rows.status();
    EXPECT_EQ(filter->Matches(row).value_or(false), rows.ok() && rows->size() == 1) << text;
    return rows.ok() ? static_cast<int>(rows->size()) : -1;
  };
  EXPECT_EQ(count("parameters.epoch == 5 and parameters.state == 'calm'"), 1);
  EXPECT_EQ(count("parameters.number == 7 and parameters.in == 1 and parameters.true == 3"), 1);
  EXPECT_EQ(count("trial.number == 1 and trial.state == 'pending' and trial.epoch == 0"), 1);
  EXPECT_EQ(count("model == 'a'"), 1);
  EXPECT_EQ(count("parameters.model == 'b'"), 0);
  EXPECT_EQ(count("receptive_field == 3"), 1) << "there is no network with another one";
}

TEST(TrialFilter, RefusesANameThatCouldBeEither) {
  const auto spec = ShadowingSpec();
  const auto refusal = [&](const std::string& text) {
    return std::string(TrialFilter::Parse(text, spec).status().message());
  };
  EXPECT_THAT(refusal("epoch == 5"), testing::HasSubstr("write parameters.epoch for the "));
  EXPECT_THAT(refusal("state == 'calm'"), testing::HasSubstr("trial.state for the trial's own"));
  EXPECT_THAT(refusal("in == 1"), testing::HasSubstr("'in' is written parameters.in"));
  EXPECT_THAT(refusal("lr > 0"), testing::HasSubstr("there is no 'lr'"));
  EXPECT_THAT(refusal("parameters.worker == 'w'"), testing::HasSubstr("there is no"));
  SweepIndex index(spec);
  EXPECT_THAT(std::string(SelectRows(index, {.order_by = "epoch desc"}).status().message()),
              testing::HasSubstr("write parameters.epoch"));
  EXPECT_TRUE(SelectRows(index, {.order_by = "parameters.epoch desc"}).ok());
  EXPECT_TRUE(SelectRows(index, {.order_by = "trial.epoch"}).ok());
}

TEST(TrialFilter, SaysHowAMeasureWithASlashIsWritten) {
  const auto spec = std::make_shared<const SweepSpec>(
      TestSpec("own", "program: [train]\nmetric: {name: val/f1, goal: maximize}\n"));
  const auto refusal = [&](const std::string& text) {
    return std::string(TrialFilter::Parse(text, spec).status().message());
  };
  EXPECT_THAT(refusal("val/f1 > 0.5"),
              testing::HasSubstr("(a measure 'val/f1' is written best.\"val/f1\")"));
  EXPECT_THAT(refusal("lr > 0 and best.val/f1>0.5"), testing::HasSubstr("best.\"val/f1\""));
  EXPECT_THAT(refusal("low.val/f1 > 0.5"), testing::HasSubstr("low.\"val/f1\""));
  EXPECT_THAT(refusal("val/x > 0.5"), testing::HasSubstr("last.\"val/x\"")) << "not declared";
  EXPECT_THAT(refusal("f1 > 0.5"), testing::Not(testing::HasSubstr("is written")));
  EXPECT_THAT(refusal("1/f1 > 0.5"), testing::Not(testing::HasSubstr("is written")));
  EXPECT_EQ(refusal("best.\"val/f1\" > 0.5"), "");
}

TEST(SweepIndex, TrialsWithoutAValueComeLastInBothDirections) {
  SweepIndex index(std::make_shared<const SweepSpec>(TestSpec("s")));
  for (std::int64_t number = 1; number <= 4; ++number) {
    TrialRow trial{.number = number, .configuration = number};
    trial.result.epoch = number == 2 ? 0 : 1;
    const double accuracy =
        number == 3 ? std::numeric_limits<double>::quiet_NaN() : 1.0 / static_cast<double>(number);
    if (number != 2) AddToSummaries({{"accuracy", accuracy}}, &trial.result.measures);
    index.Put({.trial = trial});
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

}  // namespace
}  // namespace sweep
