#include "coordinator/search/gaussian_process.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "common/base/philox.h"
#include "coordinator/search/expected_improvement.h"

namespace sweep {
namespace {

using Eigen::VectorXd;

const std::vector<GaussianAxis> kMixedAxes = {GaussianAxis::kNumber, GaussianAxis::kNumber,
                                              GaussianAxis::kCategory};
const GaussianParameters kParameters = {
    .inverse_squared_length = {4, 1, 2}, .scale = 1.5, .noise = 1e-4};

GaussianPoint RandomGaussianPoint(PhiloxStream* random) {
  return {random->NextUniform(), random->NextUniform(), static_cast<double>(random->NextBelow(3))};
}

double Smooth(const GaussianPoint& point) {
  return std::sin(4 * point[0]) + point[1] - 0.5 * point[2];
}

struct Sample {
  std::vector<GaussianPoint> points;
  VectorXd values;
};

Sample SampleOf(int size, std::uint64_t seed) {
  PhiloxStream random(seed, 0);
  Sample sample{.points = {}, .values = VectorXd(size)};
  for (int i = 0; i < size; ++i) {
    sample.points.push_back(RandomGaussianPoint(&random));
    sample.values(i) = Smooth(sample.points.back());
  }
  return sample;
}

GaussianProcess ProcessOf(const Sample& sample) {
  GaussianProcess process(kMixedAxes);
  process.Reset(kParameters);
  for (const GaussianPoint& point : sample.points) process.Add(point, 1);
  process.SetValues(sample.values);
  return process;
}

TEST(GaussianProcess, PredictsAFunctionFromItsValues) {
  const GaussianProcess process = ProcessOf(SampleOf(150, 1));
  PhiloxStream random(2, 0);
  for (int i = 0; i < 50; ++i) {
    const GaussianPoint point = RandomGaussianPoint(&random);
    const GaussianProcess::Prediction prediction = process.Predict(point);
    EXPECT_NEAR(prediction.mean, Smooth(point), 0.2);
    EXPECT_LT(prediction.variance, 0.1);
    EXPECT_GT(prediction.variance, 0);
  }
}

TEST(GaussianProcess, KnowsLittleFarFromItsPoints) {
  GaussianProcess process(kMixedAxes);
  process.Reset({.inverse_squared_length = {100, 100, 100}, .scale = 1.5, .noise = 1e-6});
  process.Add({0.1, 0.1, 0}, 1);
  process.SetValues(VectorXd::Constant(1, 2));
  EXPECT_NEAR(process.Predict({0.1, 0.1, 0}).mean, 2, 1e-4);
  EXPECT_NEAR(process.Predict({0.9, 0.9, 0}).mean, 0, 1e-2);
  EXPECT_NEAR(process.Predict({0.9, 0.9, 0}).variance, 1.5, 1e-2);
  EXPECT_NEAR(process.Predict({0.1, 0.1, 1}).variance, 1.5, 1e-2) << "another category";
}

TEST(GaussianProcess, ManyPredictionsAreAsOne) {
  const GaussianProcess process = ProcessOf(SampleOf(60, 3));
  const Sample others = SampleOf(20, 4);
  const GaussianProcess::Predictions many = process.Predict(others.points);
  for (int i = 0; i < 20; ++i) {
    const auto one = process.Predict(others.points[static_cast<std::size_t>(i)]);
    EXPECT_NEAR(many.means(i), one.mean, 1e-9);
    EXPECT_NEAR(many.variances(i), one.variance, 1e-9);
  }
}

TEST(GaussianProcess, GradientsAreThoseOfThePredictions) {
  const GaussianProcess process = ProcessOf(SampleOf(40, 5));
  PhiloxStream random(6, 0);
  constexpr double kStep = 1e-5;
  for (int i = 0; i < 20; ++i) {
    const GaussianPoint point = RandomGaussianPoint(&random);
    const auto prediction = process.Predict(point);
    for (std::size_t d = 0; d < 2; ++d) {
      GaussianPoint below = point, above = point;
      below[d] -= kStep;
      above[d] += kStep;
      const auto low = process.Predict(below), high = process.Predict(above);
      EXPECT_NEAR(prediction.mean_gradient[d], (high.mean - low.mean) / (2 * kStep), 1e-4);
      EXPECT_NEAR(prediction.variance_gradient[d], (high.variance - low.variance) / (2 * kStep),
                  1e-4);
    }
    EXPECT_EQ(prediction.mean_gradient[2], 0) << "a category has none";
  }
}

TEST(GaussianProcess, IsTheSameAfterPointsCameAndWent) {
  const Sample sample = SampleOf(150, 7);
  const GaussianProcess direct = ProcessOf(sample);
  GaussianProcess detour(kMixedAxes);
  detour.Reset(kParameters);
  PhiloxStream random(8, 0);
  for (int i = 0; i < 150; ++i) {
    for (int k = 0; k < i % 4; ++k) detour.Add(RandomGaussianPoint(&random), 1);
    detour.Truncate(i);
    detour.Add(sample.points[static_cast<std::size_t>(i)], 1);
  }
  detour.SetValues(sample.values);
  const GaussianPoint point = {0.3, 0.7, 1};
  EXPECT_EQ(direct.Predict(point).mean, detour.Predict(point).mean) << "to the last bit";
  EXPECT_EQ(direct.Predict(point).variance, detour.Predict(point).variance);
}

TEST(GaussianProcess, MoreMeasurementsOfAPointSayMore) {
  GaussianProcess process(kMixedAxes);
  process.Reset({.inverse_squared_length = {4, 1, 2}, .scale = 1, .noise = 0.5});
  process.Add({0.5, 0.5, 0}, 1);
  process.Add({0.5, 0.5, 2}, 9);
  process.SetValues(VectorXd::Constant(2, 1));
  const VectorXd means = process.FittedMeans();
  EXPECT_GT(means(1), means(0));
  EXPECT_LT(process.Predict({0.5, 0.5, 2}).variance, process.Predict({0.5, 0.5, 0}).variance);
}

TEST(GaussianProcess, EqualPointsDoNotMakeItSingular) {
  GaussianProcess process(kMixedAxes);
  process.Reset({.inverse_squared_length = {1, 1, 1}, .scale = 1, .noise = 1e-6});
  for (int i = 0; i < 200; ++i) process.Add({0.5, 0.5, 1}, 1);
  process.SetValues(VectorXd::Constant(200, 0.7));
  const auto prediction = process.Predict({0.5, 0.5, 1});
  EXPECT_NEAR(prediction.mean, 0.7, 1e-3);
  EXPECT_TRUE(std::isfinite(process.Predict({0.2, 0.5, 0}).mean));
}

GaussianData NoisyData(double deviation) {
  PhiloxStream random(9, 0);
  GaussianData data;
  double square = 0;
  for (int i = 0; i < 100; ++i) {
    data.points.push_back(RandomGaussianPoint(&random));
    // A sum of twelve uniform numbers is nearly normal.
    double noise = -6;
    for (int k = 0; k < 12; ++k) noise += random.NextUniform();
    data.values.push_back(std::numbers::sqrt2 * std::sin(6 * data.points.back()[0]) +
                          deviation * noise);
    square += data.values.back() * data.values.back() / 100;
    data.counts.push_back(1);
  }
  for (double& value : data.values) value /= std::sqrt(square);
  return data;
}

TEST(FitGaussianProcess, FindsTheAxesThatMatterAndTheNoise) {
  const GaussianParameters rough = FitGaussianProcess(kMixedAxes, NoisyData(0.5));
  EXPECT_GT(rough.inverse_squared_length[0], 5 * rough.inverse_squared_length[1]);
  EXPECT_GT(rough.inverse_squared_length[0], 5 * rough.inverse_squared_length[2]);
  EXPECT_GT(rough.noise, 0.08) << "a fifth of the variance";
  EXPECT_LT(rough.noise, 0.4);
  const GaussianParameters smooth = FitGaussianProcess(kMixedAxes, NoisyData(0));
  EXPECT_LT(smooth.noise, 1e-3);
}

// ---- expected improvement

// By the trapezium rule.
double Integral(double best, double mean, double deviation) {
  double sum = 0;
  constexpr int kSteps = 200'000;
  const double from = best - 40 * deviation;
  const double step = (best - from) / kSteps;
  for (int i = 0; i < kSteps; ++i) {
    const double y = from + (i + 0.5) * step;
    const double z = (y - mean) / deviation;
    sum += (best - y) * std::exp(-0.5 * z * z);
  }
  return sum * step / (deviation * std::sqrt(2 * std::numbers::pi));
}

TEST(LogExpectedImprovement, IsTheLogarithmOfTheIntegral) {
  for (const double mean : {-30.0, -1.0, 0.0, 0.9, 1.1, 3.0, 12.0, 19.9, 20.1, 30.0}) {
    EXPECT_NEAR(LogExpectedImprovement(0, mean, 1).value, std::log(Integral(0, mean, 1)), 1e-5)
        << mean;
    EXPECT_NEAR(LogExpectedImprovement(0.5, mean / 4, 0.25).value,
                std::log(Integral(0.5, mean / 4, 0.25)), 1e-5)
        << mean;
  }
}

TEST(LogExpectedImprovement, HasItsDerivativesAlsoWhereItUnderflows) {
  constexpr double kStep = 1e-6;
  for (const double mean : {-3.0, 0.0, 2.0, 19.0, 21.0, 100.0, 1e4}) {
    const LogImprovement here = LogExpectedImprovement(0, mean, 1);
    EXPECT_TRUE(std::isfinite(here.value)) << mean;
    const double slope = (LogExpectedImprovement(0, mean + kStep, 1).value -
                          LogExpectedImprovement(0, mean - kStep, 1).value) /
                         (2 * kStep);
    EXPECT_NEAR(here.by_mean, slope, 1e-4 * (1 + std::fabs(slope))) << mean;
    const double wider = (LogExpectedImprovement(0, mean, 1 + kStep).value -
                          LogExpectedImprovement(0, mean, 1 - kStep).value) /
                         (2 * kStep);
    EXPECT_NEAR(here.by_deviation, wider, 1e-3 * (1 + std::fabs(wider))) << mean;
  }
}

TEST(ExpectedImprovement, OfACostInProportionIsThatOfTheValue) {
  for (const double mean : {-9.0, -1.0, 0.0, 0.9, 3.0, 6.0}) {
    const double expected = 40 * Integral(0.5, mean, 1.5);
    EXPECT_NEAR(ExpectedImprovement(0.5, mean, 1.5, {.at_zero = 40, .rate = 0}), expected,
                0.005 * expected)
        << mean;
  }
}

TEST(ExpectedImprovement, OfACostThatGrowsExponentiallyCountsLowValuesLess) {
  constexpr double kBest = 0.3, kDeviation = 0.8, kRate = 0.7;
  const auto cost = [](double value) { return 5 / kRate * std::exp(kRate * value); };
  for (const double mean : {-2.0, 0.0, 0.5, 3.0}) {
    constexpr int kSteps = 100'000;
    double sum = 0;
    for (int i = 0; i < kSteps; ++i) {
      const double z = -10 + 20 * (i + 0.5) / kSteps;
      const double less = cost(kBest) - cost(mean + kDeviation * z);
      if (less > 0) sum += less * std::exp(-0.5 * z * z) * 20 / kSteps;
    }
    const double expected = sum / std::sqrt(2 * std::numbers::pi);
    EXPECT_NEAR(ExpectedImprovement(kBest, mean, kDeviation, {.at_zero = 5, .rate = kRate}),
                expected, 0.005 * expected)
        << mean;
  }
}

TEST(LogAugmentedImprovement, IsLessWhereAMeasurementTellsLittle) {
  EXPECT_EQ(LogAugmentedImprovement(0, 1, 0.5, 0).value, LogExpectedImprovement(0, 1, 0.5).value);
  // 1 - 4 / 5 with a deviation of 3.
  EXPECT_NEAR(LogAugmentedImprovement(0, 1, 3, 4).value,
              LogExpectedImprovement(0, 1, 3).value + std::log(0.2), 1e-12);
  constexpr double kStep = 1e-6;
  for (const double deviation : {0.01, 0.3, 2.0}) {
    for (const double mean : {-1.0, 0.5, 2.0}) {
      const auto at = [&](double m, double d) {
        return LogAugmentedImprovement(0, m, d, 0.7).value;
      };
      const LogImprovement here = LogAugmentedImprovement(0, mean, deviation, 0.7);
      const double step = kStep * deviation;
      const double by_mean = (at(mean + step, deviation) - at(mean - step, deviation)) / (2 * step);
      const double by_deviation =
          (at(mean, deviation + step) - at(mean, deviation - step)) / (2 * step);
      EXPECT_NEAR(here.by_mean, by_mean, 1e-4 * (1 + std::fabs(by_mean)));
      EXPECT_NEAR(here.by_deviation, by_deviation, 1e-4 * (1 + std::fabs(by_deviation)));
    }
  }
}

}  // namespace
}  // namespace sweep
