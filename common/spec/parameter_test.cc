#include "common/spec/parameter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "common/protocol/trial_spec.h"

namespace sweep {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Value Int(std::int64_t value) { return value; }

Parameter Make(Distribution distribution, double min, double max, double q = 0) {
  return {.name = "x", .distribution = distribution, .min = min, .max = max, .q = q};
}

TEST(Distribution, NamesAreThoseOfWeightsAndBiases) {
  EXPECT_THAT(
      DistributionNames(),
      ElementsAre("constant", "categorical", "uniform", "int_uniform", "q_uniform",
                  "log_uniform_values", "q_log_uniform_values", "categorical_w_probabilities"));
  for (const std::string& name : DistributionNames()) {
    Distribution distribution;
    ASSERT_TRUE(ParseDistribution(name, &distribution));
    const bool is_second_word = name == "categorical_w_probabilities";
    EXPECT_EQ(DistributionName(distribution), is_second_word ? "categorical" : name);
  }
  Distribution distribution;
  EXPECT_FALSE(ParseDistribution("normal", &distribution));
}

TEST(Parameter, AConstantIsOneValue) {
  Parameter parameter{.name = "x", .values = {std::string("cosine")}};
  EXPECT_THAT(parameter.GridValues(), ElementsAre(Value("cosine")));
  for (double u : {0.0, 0.5, 0.999}) EXPECT_EQ(parameter.Quantile(u), Value("cosine"));
}

TEST(Parameter, CategoriesAreEquallyLikelyAndInTheFilesOrder) {
  Parameter parameter{.name = "x",
                      .distribution = Distribution::kCategorical,
                      .values = {Int(64), Int(32), Int(128)}};
  EXPECT_THAT(parameter.GridValues(), ElementsAre(Int(64), Int(32), Int(128)));
  EXPECT_EQ(parameter.Quantile(0), Int(64));
  EXPECT_EQ(parameter.Quantile(0.333), Int(64));
  EXPECT_EQ(parameter.Quantile(0.334), Int(32));
  EXPECT_EQ(parameter.Quantile(0.667), Int(128));
  EXPECT_EQ(parameter.Quantile(1), Int(128)) << "rounding must not lead past the end";
}

TEST(Parameter, CategoriesHaveTheirProbabilities) {
  Parameter parameter{.name = "x",
                      .distribution = Distribution::kCategorical,
                      .values = {Int(0), Int(64), Int(32), Int(1), Int(128), Int(2)},
                      .probabilities = {0, 0.5, 0.2, 0, 0.3, 0}};
  EXPECT_EQ(parameter.GridSize(), 6) << "a grid takes all";
  EXPECT_EQ(parameter.Quantile(0), Int(64));
  EXPECT_EQ(parameter.Quantile(0.499), Int(64));
  EXPECT_EQ(parameter.Quantile(0.501), Int(32));
  EXPECT_EQ(parameter.Quantile(0.699), Int(32));
  EXPECT_EQ(parameter.Quantile(0.701), Int(128));
  EXPECT_EQ(parameter.Quantile(1), Int(128)) << "rounding must not lead to one that is never drawn";
  EXPECT_EQ(parameter.PlaceOf(Int(64)), 0.25);
  EXPECT_DOUBLE_EQ(parameter.PlaceOf(Int(32)).value(), 0.6);
  EXPECT_DOUBLE_EQ(parameter.PlaceOf(Int(128)).value(), 0.85);
  for (const std::int64_t never : {0, 1, 2}) EXPECT_FALSE(parameter.PlaceOf(Int(never)));
}

TEST(Parameter, AProbabilityThatRoundingHidesHasNoPlace) {
  Parameter parameter{.name = "x",
                      .distribution = Distribution::kCategorical,
                      .values = {Int(0), Int(1), Int(2), Int(3)},
                      .probabilities = {0.1, 0.2, 1e-30, 0.7}};
  EXPECT_FALSE(parameter.PlaceOf(Int(2)));
  for (const std::int64_t value : {0, 1, 3}) {
    EXPECT_EQ(parameter.Quantile(parameter.PlaceOf(Int(value)).value()), Int(value));
  }
}

TEST(Parameter, UniformSpansItsRange) {
  const Parameter parameter = Make(Distribution::kUniform, 0.8, 0.99);
  EXPECT_EQ(parameter.GridSize(), 0);
  EXPECT_EQ(parameter.Quantile(0), Value(0.8));
  EXPECT_EQ(parameter.Quantile(1), Value(0.99));
  EXPECT_DOUBLE_EQ(AsDouble(parameter.Quantile(0.5)), 0.895);
}

TEST(Parameter, IntegersAreEquallyLikely) {
  const Parameter parameter = Make(Distribution::kIntUniform, -1, 2);
  EXPECT_THAT(parameter.GridValues(), ElementsAre(Int(-1), Int(0), Int(1), Int(2)));
  EXPECT_EQ(parameter.Quantile(0.2499), Int(-1));
  EXPECT_EQ(parameter.Quantile(0.25), Int(0));
  EXPECT_EQ(parameter.Quantile(0.9999), Int(2));
}

TEST(Parameter, SteppedValuesAreTheMultiplesWithinTheRange) {
  const Parameter tenths = Make(Distribution::kQUniform, 0.1, 0.45, 0.1);
  EXPECT_THAT(tenths.GridValues(), ElementsAre(Value(0.1), Value(0.2), Value(0.3), Value(0.4)))
      << "without binary noise";
  EXPECT_EQ(tenths.Quantile(0), Value(0.1));
  EXPECT_EQ(tenths.Quantile(0.99), Value(0.4));
  const Parameter whole = Make(Distribution::kQUniform, 30, 100, 32);
  EXPECT_THAT(whole.GridValues(), ElementsAre(Int(32), Int(64), Int(96))) << "integers stay such";
  const Parameter end = Make(Distribution::kQUniform, 0, 0.3, 0.1);
  EXPECT_EQ(end.GridSize(), 4) << "0.3 / 0.1 is a little below 3 in binary";
}

TEST(Parameter, LogUniformIsUniformInTheLogarithm) {
  const Parameter parameter = Make(Distribution::kLogUniform, 0.001, 0.1);
  EXPECT_EQ(parameter.GridSize(), 0);
  EXPECT_NEAR(AsDouble(parameter.Quantile(0)), 0.001, 1e-12);
  EXPECT_NEAR(AsDouble(parameter.Quantile(0.5)), 0.01, 1e-12);
  EXPECT_NEAR(AsDouble(parameter.Quantile(1)), 0.1, 1e-12);
}

TEST(Parameter, SteppedLogUniformStaysWithinItsRange) {
  const Parameter parameter = Make(Distribution::kQLogUniform, 10, 250, 16);
  std::set<std::int64_t> seen;
  for (double u = 0; u <= 1; u += 0.001) {
    const Value value = parameter.Quantile(u);
    ASSERT_TRUE(std::holds_alternative<std::int64_t>(value));
    seen.insert(std::get<std::int64_t>(value));
  }
  EXPECT_EQ(*seen.begin(), 16) << "10 rounds to 16, and 0 is below the range";
  EXPECT_EQ(*seen.rbegin(), 240) << "256 is above the range";
  EXPECT_EQ(seen.size(), 15u);
  EXPECT_EQ(parameter.GridSize(), 0);
}

TEST(Parameter, QuantilesNeverFall) {
  for (const Distribution distribution :
       {Distribution::kUniform, Distribution::kIntUniform, Distribution::kQUniform,
        Distribution::kLogUniform, Distribution::kQLogUniform}) {
    const Parameter parameter = Make(distribution, 1, 9, 0.5);
    double last = 0;
    for (double u = 0; u < 1; u += 1.0 / 1024) {
      const double value = AsDouble(parameter.Quantile(u));
      EXPECT_GE(value, std::max(last, 1.0)) << DistributionName(distribution) << " at " << u;
      EXPECT_LE(value, 9) << DistributionName(distribution) << " at " << u;
      last = value;
    }
  }
}

std::string Complaint(std::string_view name, const Value& value) {
  return std::string(CheckParameterValue(name, value).message());
}

TEST(KnownParameters, ValuesAreHeldAgainstTypeAndRange) {
  EXPECT_EQ(Complaint("lr", 0.1), "");
  EXPECT_EQ(Complaint("lr", Int(1)), "") << "an integer is a number";
  EXPECT_EQ(Complaint("lr", 0.0), "'lr' must be a number in (0, 100], not 0.0");
  EXPECT_EQ(Complaint("lr", std::nan("")), "'lr' must be a number in (0, 100], not NaN");
  EXPECT_EQ(Complaint("lr", Value("fast")), "'lr' must be a number in (0, 100], not 'fast'");
  EXPECT_EQ(Complaint("momentum", 1.0), "'momentum' must be a number in [0, 1), not 1.0");
  EXPECT_EQ(Complaint("batch_size", 64.0),
            "'batch_size' must be an integer in [1, 65536], not 64.0");
  EXPECT_EQ(Complaint("batch_size", Int(0)),
            "'batch_size' must be an integer in [1, 65536], not 0");
  EXPECT_EQ(Complaint("nesterov", Int(1)), "'nesterov' must be true or false, not 1");
  EXPECT_THAT(Complaint("schedule", Value("cosin")), HasSubstr("did you mean 'cosine'?"));
  EXPECT_EQ(Complaint("width", Value("a network's own")), "");
}

TEST(KnownParameters, DefaultsAreAllowedAndThoseOfTheTrainer) {
  const TrialSpec defaults;
  for (const KnownParameter& known : KnownParameters()) {
    EXPECT_EQ(Complaint(known.name, known.default_value), "");
    if (known.name == "dropout") continue;  // of the network, not of the trial
    TrialSpec spec;
    ASSERT_TRUE(SetTrialParameter(known.name, known.default_value, &spec)) << known.name;
    EXPECT_EQ(TrialSpecToJson(spec), TrialSpecToJson(defaults)) << known.name;
  }
}

TEST(KnownParameters, AreWhatATrialCanSet) {
  std::set<std::string> known{"dropout"}, settable{"dropout"};
  for (const KnownParameter& parameter : KnownParameters()) known.emplace(parameter.name);
  for (const std::string& name : TrialParameterNames()) settable.insert(name);
  EXPECT_EQ(known, settable);
}

// Sweep files, recipes and the trainer's line follow the same table.
TEST(KnownParameters, ASweepFileAndTheTrainerAllowTheSame) {
  for (const KnownParameter& known : KnownParameters()) {
    if (known.name == "dropout") continue;
    std::vector<Value> probes = {true, Int(0), Int(1), 0.5, 1.5, Value("none")};
    for (const double end : {known.min, known.max}) {
      for (const double probe : {end - 0.5, end, end + 0.5}) probes.push_back(probe);
      for (const int step : {-1, 0, 1}) probes.push_back(Int(std::llround(end) + step));
    }
    for (std::string_view choice : known.choices) probes.push_back(std::string(choice));
    for (const Value& probe : probes) {
      EXPECT_EQ(Complaint(known.name, probe).empty(),
                CheckTrialParameter(known.name, probe).empty())
          << known.name << " " << FormatValue(probe);
    }
  }
}

}  // namespace
}  // namespace sweep
