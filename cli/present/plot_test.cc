// Compares plots with text files in testdata, each checked by eye. After an intended change,
// rewrite them with SWEEP_UPDATE_GOLDEN=1 and check them again.

#include "cli/present/plot.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <sstream>

#include "cli/present/curves.h"
#include "cli/present/text.h"

namespace sweep::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr double kGap = std::numeric_limits<double>::quiet_NaN();

void ExpectGolden(const std::string& name, const std::string& text) {
  const std::string path = std::string(SWEEP_CLI_TESTDATA) + "/" + name + ".txt";
  if (std::getenv("SWEEP_UPDATE_GOLDEN") != nullptr) std::ofstream(path) << text;
  std::ifstream file(path);
  std::ostringstream golden;
  golden << file.rdbuf();
  EXPECT_EQ(text, golden.str()) << path;
}

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// The test accuracies that write-up 002 prints, and made-up training accuracies.
std::vector<EpochMetrics> WriteUp002() {
  const double accuracy[] = {97.65, 98.77, 98.82, 99.02, 98.98, 98.99, 99.20, 99.34, 99.28, 99.22,
                             99.27, 99.35, 99.27, 99.25, 99.33, 99.44, 99.39, 99.29, 99.40};
  const double loss[] = {.0749, .0400, .0350, .0300, .0299, .0273, .0235, .0214, .0221, .0222,
                         .0218, .0206, .0219, .0222, .0205, .0179, .0191, .0194, .0188};
  std::vector<EpochMetrics> epochs;
  for (int i = 0; i < 19; ++i) {
    epochs.push_back({.epoch = i + 1,
                      .values = {{"train_loss", 0.02 + 0.5 / (i + 1) / (i + 1)},
                                 {"train_accuracy", 0.995 - 0.08 / (i + 1)},
                                 {"validation_loss", loss[i]},
                                 {"validation_accuracy", accuracy[i] / 100}}});
  }
  return epochs;
}

const Curves kAccuracies = PairOf("accuracy");
const Curves kLosses = PairOf("train_loss");
const std::vector<std::string> kGates = {"accuracy >= 0.994", "epochs < 20", "parameters < 20000"};

TEST(AccuracyPlot, OfWriteUp002) {
  ExpectGolden("plot_accuracy", RenderPlot(CurvesPlot(kAccuracies, WriteUp002(), kGates), {}));
}

TEST(AccuracyPlot, ShowsWhereTheEpochsThatCountEnd) {
  const Plot plot = CurvesPlot(kAccuracies, WriteUp002(), {"accuracy > 0.993", "epochs < 12"});
  ExpectGolden("plot_ascii", RenderPlot(plot, {.width = 60, .ascii = true}));
  EXPECT_EQ(plot.x_markers[0].at, 11.5);
  EXPECT_EQ(CurvesPlot(kAccuracies, {}, {"epochs <= 12"}).x_markers[0].at, 12.5);
}

TEST(AccuracyPlot, Of40Columns) {
  const std::string text =
      RenderPlot(CurvesPlot(kAccuracies, WriteUp002(), kGates), {.width = 40, .height = 9});
  ExpectGolden("plot_narrow", text);
  for (const std::string& line : Lines(text)) {
    // The note below the picture is a sentence and may be longer.
    if (line.find("not shown") != std::string::npos) continue;
    EXPECT_LE(DisplayWidth(line), 40) << line;
  }
}

TEST(AccuracyPlot, TheLineIsThatOfTheSweepsGate) {
  EXPECT_EQ(CurvesPlot(kAccuracies, WriteUp002(), {"accuracy >= 0.99"}).y_markers[0].at, 0.99);
  EXPECT_TRUE(CurvesPlot(kAccuracies, WriteUp002(), {"parameters < 20000"}).y_markers.empty());
  EXPECT_THAT(RenderPlot(CurvesPlot(kAccuracies, WriteUp002(), {"accuracy >= 0.992"}), {}),
              HasSubstr("99.2 % ┤"));
}

TEST(AccuracyPlot, OfOneEpochAndOfNone) {
  ExpectGolden("plot_one_epoch", RenderPlot(CurvesPlot(kAccuracies, {WriteUp002()[0]}, kGates),
                                            {.width = 60, .height = 9}));
  EXPECT_EQ(RenderPlot(CurvesPlot(kAccuracies, {}, kGates), {}), "accuracy: no epochs yet\n");
}

TEST(AccuracyPlot, OfATrainingThatLearnsNothing) {
  std::vector<EpochMetrics> epochs = WriteUp002();
  for (EpochMetrics& epoch : epochs) {
    for (const std::string_view name : {kTrainAccuracy, kValidationAccuracy}) {
      epoch.values.Set(name, 0.1135);
    }
  }
  ExpectGolden("plot_equal",
               RenderPlot(CurvesPlot(kAccuracies, epochs, kGates), {.width = 60, .height = 9}));
}

TEST(AccuracyPlot, IsZoomedOnlyAsFarAsTheValuesAllow) {
  std::vector<EpochMetrics> epochs = WriteUp002();
  EXPECT_EQ(CurvesPlot(kAccuracies, epochs, {}).y.min, 0.98);
  for (EpochMetrics& epoch : epochs) {
    epoch.values.Set(kValidationAccuracy, epoch.Get(kValidationAccuracy) - 0.1);
  }
  EXPECT_EQ(CurvesPlot(kAccuracies, epochs, {}).y.min, 0.8);
  for (EpochMetrics& epoch : epochs) epoch.values.Set(kValidationAccuracy, kGap);
  EXPECT_FALSE(CurvesPlot(kAccuracies, epochs, {}).y.min.has_value());
}

TEST(AccuracyPlot, OfAThousandEpochs) {
  std::vector<EpochMetrics> epochs;
  for (int i = 1; i <= 1000; ++i) {
    epochs.push_back({.epoch = i,
                      .values = {{"train_accuracy", 0.999 - 0.03 / std::sqrt(i)},
                                 {"validation_accuracy", 0.995 - 0.02 / std::sqrt(i)}}});
  }
  ExpectGolden("plot_thousand_epochs", RenderPlot(CurvesPlot(kAccuracies, epochs, kGates), {}));
}

TEST(LossPlot, IsLogarithmicWhenTheLossFallsFar) {
  ExpectGolden("plot_loss", RenderPlot(CurvesPlot(kLosses, WriteUp002(), {}), {.height = 10}));
}

TEST(LossPlot, ValuesThatAreNotFiniteBreakTheCurve) {
  std::vector<EpochMetrics> epochs = WriteUp002();
  epochs[3].values.Set(kValidationLoss, kGap);
  epochs[4].values.Set(kValidationLoss, std::numeric_limits<double>::infinity());
  epochs[5].values.Set(kTrainLoss, -std::numeric_limits<double>::infinity());
  ExpectGolden("plot_not_finite",
               RenderPlot(CurvesPlot(kLosses, epochs, {}), {.width = 60, .height = 9}));
  for (EpochMetrics& epoch : epochs) {
    for (const std::string& name : kLosses) epoch.values.Set(name, kGap);
  }
  EXPECT_EQ(RenderPlot(CurvesPlot(kLosses, epochs, {}), {}), "loss: none reported\n");
}

TEST(CurvesPlot, AnEpochThatTellsNothingOfTheMeasureLeavesNoGap) {
  std::vector<EpochMetrics> epochs;
  for (int i = 1; i <= 6; ++i) {
    epochs.push_back({.epoch = i, .values = {{"size", 7}}});
    if (i % 2 == 0) epochs.back().values.Set("val/f1", 0.125 * i);
  }
  const Plot plot = CurvesPlot({"val/f1"}, epochs, {"val/f1 >= 0.5", "accuracy >= 0.9"});
  ASSERT_EQ(plot.series.size(), 1u);
  EXPECT_EQ(plot.series[0].points.size(), 3u);
  EXPECT_EQ(plot.series[0].name, "val/f1 0.75");
  EXPECT_EQ(plot.title, "val/f1");
  ASSERT_EQ(plot.y_markers.size(), 1u);
  EXPECT_EQ(plot.y_markers[0].name, "val/f1 >= 0.5");
  EXPECT_FALSE(plot.y.min.has_value()) << "nobody has said that it is a share";
  EXPECT_FALSE(plot.y.logarithmic) << "it rises";
  EXPECT_THAT(RenderPlot(plot, {}), Not(HasSubstr("%")));
}

TEST(CurvesPlot, TakesSeveralMeasures) {
  const std::vector<EpochMetrics> epochs = {{.epoch = 1, .values = {{"a", 1}, {"b", 2}}},
                                            {.epoch = 2, .values = {{"a", 3}, {"b", 1}}}};
  const Plot plot = CurvesPlot({"a", "b", "c"}, epochs, {});
  EXPECT_EQ(plot.title, "a, b, c");
  ASSERT_EQ(plot.series.size(), 2u) << "nobody has reported c";
  EXPECT_EQ(plot.series[1].name, "b 1");
  EXPECT_NE(plot.series[0].color, plot.series[1].color);
}

TEST(ChosenCurves, AreTheObjectivesAndWhatWasReportedOfAccuracyAndLoss) {
  const std::vector<EpochMetrics> program = {{.epoch = 1, .values = {{"val/f1", 0.5}}}};
  const std::vector<Objective> by_f1 = {{.name = "val/f1"}, {.name = "size", .maximize = false}};
  EXPECT_THAT(UsualCurves(by_f1, program), ElementsAre(Curves{"val/f1"}, Curves{"size"}));
  EXPECT_THAT(UsualCurves({{.name = "loss", .maximize = false}}, WriteUp002()),
              ElementsAre(kLosses, kAccuracies));
  EXPECT_THAT(*ChosenCurves({.metrics = {"val/f1"}}, {Objective()}, program),
              ElementsAre(Curves{"val/f1"}));
  EXPECT_THAT(*ChosenCurves({.metrics = {"loss", "train_loss"}}, {Objective()}, WriteUp002()),
              ElementsAre(Curves{"loss", "train_loss"}));
  EXPECT_EQ(ChosenCurves({.metrics = {"val/f2"}}, {Objective()}, program).status().message(),
            "--metric: no epoch has reported 'val/f2'; did you mean 'val/f1'?");
}

TEST(CountedEpochs, OfEveryEpochTheRowThatWasAcknowledgedFirst) {
  std::vector<v1::Epoch> rows(4);
  const int numbers[][2] = {{1, 1}, {2, 1}, {2, 2}, {3, 2}};  // epoch, attempt
  for (int i = 0; i < 4; ++i) {
    rows[i].set_epoch(numbers[i][0]);
    rows[i].set_attempt(numbers[i][1]);
    (*rows[i].mutable_metrics())["n"] = i;
  }
  for (const bool backwards : {false, true}) {
    if (backwards) std::reverse(rows.begin(), rows.end());
    const std::vector<EpochMetrics> epochs = CountedMetrics(rows);
    ASSERT_EQ(epochs.size(), 3u);
    EXPECT_EQ(epochs[1].Get("n"), 1);
    const std::vector<v1::Epoch> counted = CountedEpochs(rows);
    ASSERT_EQ(counted.size(), 3u);
    EXPECT_EQ(counted[1].attempt(), 1);
    EXPECT_EQ(counted[2].attempt(), 2);
  }
}

v1::Sweep AccuracySweep() {
  v1::Sweep sweep;
  sweep.set_metric("accuracy");
  sweep.set_maximize(true);
  sweep.add_gates("accuracy >= 0.994");
  return sweep;
}

v1::Trial Measured(int configuration, double accuracy) {
  v1::Trial trial;
  trial.set_configuration(configuration);
  trial.set_value(accuracy);
  return trial;
}

TEST(SweepHistory, ValuesAndTheBestSoFar) {
  SweepHistory history(AccuracySweep());
  const double values[] = {0.9921, 0.9905, 0.1,    0.9935, 0.9912,
                           0.9947, 0.9931, 0.9941, 0.9918, 0.9950};
  for (int i = 0; i < 10; ++i) history.Add(Measured(i + 1, values[i]));
  history.Add(Measured(2, 0.9940));  // a better replicate
  ExpectGolden("plot_history", RenderPlot(history.ToPlot(), {.width = 70, .height = 12}));
}

TEST(SweepHistory, IsThatOfTheObjectiveAndOfItsGoal) {
  v1::Sweep sweep;
  sweep.set_metric("val/error");
  SweepHistory history(sweep);
  const double values[] = {0.5, 0.75, 0.25};
  for (int i = 0; i < 3; ++i) history.Add(Measured(i + 1, values[i]));
  history.Add(Measured(2, 0.6));
  v1::Trial silent;
  silent.set_configuration(4);
  history.Add(silent);  // has reported nothing
  const Plot plot = history.ToPlot();
  EXPECT_EQ(plot.title, "best val/error by configuration");
  ASSERT_EQ(plot.series[1].points.size(), 3u);
  EXPECT_EQ(plot.series[1].points[1].y, 0.6) << "the better replicate";
  EXPECT_EQ(plot.series[0].points.back().y, 0.25);
  EXPECT_EQ(plot.series[0].points[1].y, 0.5);
}

TEST(SweepHistory, OfTenThousandConfigurationsIsDrawnWithinASecond) {
  SweepHistory history(AccuracySweep());
  for (int i = 1; i <= 10'000; ++i) {
    history.Add(Measured(i, 0.996 - 0.0004 * (i * 7919 % 37)));
  }
  const auto start = std::chrono::steady_clock::now();
  const std::string text = RenderPlot(history.ToPlot(), {});
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
  EXPECT_EQ(Lines(text).size(), 14u + 2u);
}

TEST(Plot, ColoursOnlyWhenAllowed) {
  const Plot plot = CurvesPlot(kAccuracies, WriteUp002(), kGates);
  EXPECT_THAT(RenderPlot(plot, {}), Not(HasSubstr("\x1b")));
  const std::string colored = RenderPlot(plot, {.color = true});
  EXPECT_THAT(colored, HasSubstr("\x1b[32m"));
  // The same picture below the colours.
  std::string plain;
  for (std::size_t at = 0; at < colored.size(); ++at) {
    if (colored[at] == '\x1b') {
      at = colored.find('m', at);
    } else {
      plain += colored[at];
    }
  }
  EXPECT_EQ(plain, RenderPlot(plot, {}));
}

TEST(Plot, AsciiIsAscii) {
  Plot plot = CurvesPlot(kAccuracies, WriteUp002(), kGates);
  plot.title = "Prüfling";
  for (const char c : RenderPlot(plot, {.ascii = true})) ASSERT_GE(c, 0);
}

TEST(Plot, AbsurdSizesAndValuesAreDrawnAllTheSame) {
  for (const double value : {0.0, 1e-300, 1e300, -5.0}) {
    Plot plot{.series = {{.name = "s", .points = {{1, value}, {2, value}, {3, value * 2}}}}};
    EXPECT_FALSE(RenderPlot(plot, {.width = -1, .height = 0}).empty());
  }
}

TEST(NiceTicks, AreRoundAndNotTooMany) {
  EXPECT_THAT(NiceTicks(0, 10, 6, false), ElementsAre(0, 2, 4, 6, 8, 10));
  EXPECT_THAT(NiceTicks(1, 3, 9, true), ElementsAre(1, 2, 3));
  for (int most = 2; most < 20; ++most) {
    EXPECT_LE(NiceTicks(0.98, 1, most, false).size(), static_cast<std::size_t>(most));
  }
}

TEST(Locale, SaysWhetherPlotsAreAscii) {
  const char* before = std::getenv("LC_ALL");
  const std::string kept = before == nullptr ? "" : before;
  setenv("LC_ALL", "C", 1);
  EXPECT_TRUE(LocaleIsAscii());
  setenv("LC_ALL", "de_DE.UTF-8", 1);
  EXPECT_FALSE(LocaleIsAscii());
  setenv("LC_ALL", "C.utf8", 1);
  EXPECT_FALSE(LocaleIsAscii());
  before == nullptr ? unsetenv("LC_ALL") : setenv("LC_ALL", kept.c_str(), 1);
}

}  // namespace
}  // namespace sweep::cli
