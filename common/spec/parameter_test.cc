#include "common/spec/parameter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "common/base/normal.h"
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
                  "log_uniform_values", "q_log_uniform_values", "normal", "q_normal", "log_normal",
                  "q_log_normal", "inv_log_uniform_values", "categorical_w_probabilities"));
  for (const std::string& name : DistributionNames()) {
    Distribution distribution;
    ASSERT_TRUE(ParseDistribution(name, &distribution));
    const std::string own = name == "categorical_w_probabilities" ? "categorical"
                            : name == "inv_log_uniform_values"    ? "log_uniform_values"
                                                                  : name;
    EXPECT_EQ(DistributionName(distribution), own);
  }
  Distribution distribution;
  EXPECT_FALSE(ParseDistribution("beta", &distribution));
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

constexpr double kOpen = std::numeric_limits<double>::infinity();

Parameter Normal(Distribution distribution, double mu, double sigma, double q = 0,
                 double min = -kOpen, double max = kOpen) {
  Parameter parameter = Make(distribution, min, max, q);
  parameter.mu = mu;
  parameter.sigma = sigma;
  return parameter;
}

TEST(Parameter, NormalHasTheQuantilesOfTables) {
  const Parameter plain = Normal(Distribution::kNormal, 3, 0.5);
  EXPECT_EQ(plain.GridSize(), 0);
  EXPECT_EQ(plain.Quantile(0.5), Value(3.0));
  EXPECT_NEAR(AsDouble(plain.Quantile(0.975)), 3 + 0.5 * 1.959963984540054, 1e-14);
  EXPECT_EQ(plain.Quantile(0), Value(-1.0)) << "8 standard deviations";
  EXPECT_EQ(plain.Quantile(1), Value(7.0));
  const Parameter log = Normal(Distribution::kLogNormal, std::log(0.1), 1);
  EXPECT_NEAR(AsDouble(log.Quantile(0.5)), 0.1, 1e-15);
  EXPECT_NEAR(AsDouble(log.Quantile(0.025)), 0.1 * std::exp(-1.959963984540054), 1e-15);
}

// A truncated normal is what is left when draws outside the ends are drawn again.
TEST(Parameter, ATruncatedNormalIsTheWholeOneWithinItsEnds) {
  for (const auto& [min, max] : {std::pair(-1.0, 0.5), {2.0, 4.0}, {-5.0, -2.5}, {1.0, kOpen}}) {
    const Parameter cut = Normal(Distribution::kNormal, 0, 1, 0, min, max);
    const double below = NormalCdf(min), within = NormalCdf(max) - below;
    for (double u = 1.0 / 64; u < 1; u += 1.0 / 64) {
      const double x = AsDouble(cut.Quantile(u));
      EXPECT_GE(x, min);
      EXPECT_LE(x, max);
      EXPECT_NEAR((NormalCdf(x) - below) / within, u, 1e-12) << min << " " << u;
    }
    EXPECT_EQ(cut.Quantile(0), Value(min));
    if (max < kOpen) EXPECT_EQ(cut.Quantile(1), Value(max));
    EXPECT_EQ(cut.PlaceOf(min - 0.1), std::nullopt);
  }
}

TEST(Parameter, APlaceIsTheInverseOfItsQuantile) {
  for (const Parameter& parameter :
       {Normal(Distribution::kNormal, 3, 0.5), Normal(Distribution::kNormal, 0, 1, 0, 2, 4),
        Normal(Distribution::kNormal, 0, 1, 0, -4, -2),
        Normal(Distribution::kLogNormal, -3, 1, 0, 1e-3, 0.5),
        Normal(Distribution::kLogNormal, -3, 2), Make(Distribution::kLogUniform, 1e-4, 1)}) {
    for (double u = 1e-9; u < 0.9999; u = u < 0.01 ? 3 * u : u + 0.01) {
      const Value value = parameter.Quantile(u);
      const std::optional<double> place = parameter.PlaceOf(value);
      ASSERT_TRUE(place.has_value()) << u;
      EXPECT_NEAR(*place, u, 1e-12 * u + 1e-15) << DistributionName(parameter.distribution);
      const double x = AsDouble(value);
      EXPECT_NEAR(AsDouble(parameter.Quantile(*place)), x, 1e-11 * std::abs(x)) << u;
    }
  }
}

TEST(Parameter, ANumberThatNoDrawReachesHasNoPlace) {
  const Parameter plain = Normal(Distribution::kNormal, 0, 1);
  for (const double far : {-40.0, -9.0, 9.0, 40.0}) EXPECT_FALSE(plain.PlaceOf(far)) << far;
  EXPECT_TRUE(plain.PlaceOf(-7.5) && plain.PlaceOf(7.5));
  const Parameter log = Normal(Distribution::kLogNormal, 0, 1);
  for (const double far : {-1.0, 0.0, 1e-9, 1e9}) EXPECT_FALSE(log.PlaceOf(far)) << far;
}

// The share of the draws that give each value.
std::map<double, double> Shares(const Parameter& parameter) {
  std::map<double, double> shares;
  constexpr int kSteps = 200'000;
  for (int i = 0; i < kSteps; ++i) {
    shares[AsDouble(parameter.Quantile((i + 0.5) / kSteps))] += 1.0 / kSteps;
  }
  for (const auto& [value, share] : shares) {
    const std::optional<double> place = parameter.PlaceOf(value);
    EXPECT_TRUE(place.has_value()) << value;
    if (!place) continue;
    EXPECT_EQ(AsDouble(parameter.Quantile(*place)), value);
    double below = 0;
    for (const auto& [other, part] : shares) below += other < value ? part : 0;
    EXPECT_NEAR(*place, below + share / 2, 1e-5) << value << " is in the middle of its share";
  }
  return shares;
}

TEST(Shares, OfIntegersAndMultiplesAreEqual) {
  for (const Parameter& parameter :
       {Make(Distribution::kIntUniform, 1, 4), Make(Distribution::kQUniform, 1, 4, 1),
        Make(Distribution::kQUniform, 0.3, 4.9, 1)}) {
    const std::map<double, double> shares = Shares(parameter);
    ASSERT_EQ(shares.size(), 4u);
    for (const auto& [value, share] : shares) EXPECT_NEAR(share, 0.25, 1e-5) << value;
  }
}

TEST(Shares, OfLogarithmicMultiplesAreThoseOfTheNumbersThatRoundToThem) {
  // Of numbers that are uniform in the logarithm between 1 and 100, 69 % are below 24.
  for (const double min : {1.0, 9.0, 16.0}) {
    const std::map<double, double> shares = Shares(Make(Distribution::kQLogUniform, min, 100, 16));
    ASSERT_EQ(shares.size(), 6u);
    const double all = std::log(96.0 / 16);
    EXPECT_NEAR(shares.at(16), std::log(24.0 / 16) / all, 1e-5) << min;
    EXPECT_NEAR(shares.at(32), std::log(40.0 / 24) / all, 1e-5) << min;
    EXPECT_NEAR(shares.at(80), std::log(88.0 / 72) / all, 1e-5) << min;
    EXPECT_NEAR(shares.at(96), std::log(96.0 / 88) / all, 1e-5) << min;
  }
}

TEST(Shares, OfALogarithmicMultipleNearZeroAreNotThoseOfZero) {
  const Parameter tiny = Make(Distribution::kQLogUniform, 1e-12, 2, 1);
  EXPECT_EQ(tiny.Quantile(0), Int(1)) << "zero has no logarithm";
  EXPECT_NEAR(Shares(tiny).at(1), std::log(1.5) / std::log(2), 1e-5);
}

TEST(Shares, OfNormalMultiplesAreThoseOfTheNumbersThatRoundToThem) {
  const std::map<double, double> open = Shares(Normal(Distribution::kQNormal, 0.1, 1, 0.5));
  for (const double value : {-1.0, -0.5, 0.0, 0.5, 2.0}) {
    EXPECT_NEAR(open.at(value), NormalCdf(value + 0.15) - NormalCdf(value - 0.35), 1e-5) << value;
  }
  EXPECT_FALSE(std::signbit(AsDouble(Normal(Distribution::kQNormal, 0, 1, 0.5).Quantile(0.49))))
      << "zero has no sign";
  // What lies outside is drawn again, so that the ends get no more than their own.
  const std::map<double, double> cut =
      Shares(Normal(Distribution::kQNormal, 0.1, 1, 0.5, -0.7, 1.0));
  ASSERT_EQ(cut.size(), 4u);
  const double all = NormalCdf(1.15) - NormalCdf(-0.85);
  for (const auto& [value, share] : cut) {
    EXPECT_NEAR(share, (NormalCdf(value + 0.15) - NormalCdf(value - 0.35)) / all, 1e-5) << value;
  }
}

TEST(Shares, OfLogNormalMultiplesAreThoseOfTheNumbersThatRoundToThem) {
  const auto below = [](double x) { return x > 0 ? NormalCdf(std::log(x) - 1) : 0; };
  const std::map<double, double> open = Shares(Normal(Distribution::kQLogNormal, 1, 1, 2));
  for (const double value : {0.0, 2.0, 4.0, 20.0}) {
    EXPECT_NEAR(open.at(value), below(value + 1) - below(value - 1), 1e-5) << value;
  }
  const std::map<double, double> cut = Shares(Normal(Distribution::kQLogNormal, 1, 1, 2, 0.5, 9));
  ASSERT_EQ(cut.size(), 4u) << "2, 4, 6 and 8";
  for (const auto& [value, share] : cut) {
    const double own = below(value + 1) - below(value - 1);
    EXPECT_NEAR(share, own / (below(9) - below(1)), 1e-5) << value;
  }
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
