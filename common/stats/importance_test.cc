#include "common/stats/importance.h"

#include <cmath>
#include <limits>
#include <map>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sweep {
namespace {

// The point of trial i comes from Halton's sequence in the bases 2, 3, 5 and 7, so that Python
// draws the same: the expected shares are those of Optuna 4.9.0,
//
//   optuna.importance.get_param_importances(
//       study, evaluator=optuna.importance.PedAnovaImportanceEvaluator())
//
// for a study to minimise with FloatDistribution(1e-3, 0.3, log=True), FloatDistribution(0.5,
// 0.99), IntDistribution(4, 20) and CategoricalDistribution([0, 1, 2]), to which create_trial adds
// these points with Space::Costs as values.
double Halton(int index, int base) {
  double result = 0;
  double share = 1;
  for (int rest = index; rest > 0; rest /= base) {
    share /= base;
    result += share * (rest % base);
  }
  return result;
}

struct Space {
  ImportanceDimension lr{.name = "lr", .low = 1e-3, .high = 0.3, .log = true};
  ImportanceDimension momentum{.name = "momentum", .low = 0.5, .high = 0.99};
  ImportanceDimension width{.name = "width", .low = 4, .high = 20, .integer = true, .step = 1};
  ImportanceDimension schedule{.name = "schedule", .categories = 3};

  explicit Space(int trials) {
    for (int i = 1; i <= trials; ++i) {
      lr.values.push_back(
          std::exp(std::log(1e-3) + Halton(i, 2) * (std::log(0.3) - std::log(1e-3))));
      momentum.values.push_back(0.5 + Halton(i, 3) * 0.49);
      width.values.push_back(4 + std::floor(Halton(i, 5) * 17));
      schedule.values.push_back(std::floor(Halton(i, 7) * 3));
    }
  }
  std::vector<ImportanceDimension> All() const { return {lr, momentum, width, schedule}; }

  // Costs by influence: lr, schedule, momentum; width has none.
  std::vector<double> Costs() const {
    std::vector<double> costs;
    for (std::size_t i = 0; i < lr.values.size(); ++i) {
      const double x = std::log10(lr.values[i]) + 1.3;
      const double m = momentum.values[i] - 0.9;
      costs.push_back(x * x + 0.15 * schedule.values[i] + 0.5 * m * m);
    }
    return costs;
  }
};

std::map<std::string, double> Shares(const std::vector<Importance>& importances) {
  std::map<std::string, double> shares;
  for (const Importance& importance : importances) shares[importance.name] = importance.share;
  return shares;
}

TEST(PedAnova, SharesAreThoseOfOptuna) {
  const std::map<int, std::map<std::string, double>> kExpected = {
      {60,
       {{"lr", 0.8504638787046636},
        {"schedule", 0.13798523055970136},
        {"width", 0.00984027750539239},
        {"momentum", 0.0017106132302427096}}},
      {400,
       {{"lr", 0.7839017780169597},
        {"schedule", 0.2012889719952645},
        {"momentum", 0.007842363020359462},
        {"width", 0.006966886967416453}}}};
  for (const auto& [trials, expected] : kExpected) {
    const Space space(trials);
    const std::map<std::string, double> shares = Shares(PedAnova(space.All(), space.Costs()));
    for (const auto& [name, share] : expected) {
      EXPECT_NEAR(shares.at(name), share, 1e-6) << name << " of " << trials;
    }
  }
}

TEST(PedAnova, SharesDescendAndSumToOne) {
  const Space space(200);
  const std::vector<Importance> importances = PedAnova(space.All(), space.Costs());
  ASSERT_EQ(importances.size(), 4u);
  EXPECT_EQ(importances.front().name, "lr");
  double sum = 0, last = 1;
  for (const Importance& importance : importances) {
    EXPECT_LE(importance.share, last);
    last = importance.share;
    sum += importance.share;
  }
  EXPECT_NEAR(sum, 1, 1e-12);
}

TEST(PedAnova, SaysNothingOfTooFewOrEqualTrials) {
  const Space two(2);
  EXPECT_TRUE(PedAnova(two.All(), two.Costs()).empty());
  EXPECT_TRUE(PedAnova({}, {}).empty());
  const Space space(50);
  // All costs are equal, so all are among the best.
  EXPECT_TRUE(PedAnova(space.All(), std::vector<double>(50, 1)).empty());
}

TEST(PedAnova, TrialsWithoutAValueDoNotCount) {
  Space space(100);
  ImportanceDimension sparse = space.momentum;
  for (std::size_t i = 0; i < 100; i += 2) {
    sparse.values[i] = std::numeric_limits<double>::quiet_NaN();
  }
  ImportanceDimension never = space.momentum;
  never.name = "never";
  never.values.assign(100, std::numeric_limits<double>::quiet_NaN());
  const auto shares = Shares(PedAnova({space.lr, sparse, never}, space.Costs()));
  EXPECT_GT(shares.at("lr"), shares.at("momentum"));
  EXPECT_EQ(shares.at("never"), 0);
}

// Diverging above a learning rate outweighs small differences below it.
TEST(PedAnova, ATrialWithoutAFiniteCostIsWorseThanAllOthers) {
  ImportanceDimension lr{.name = "lr", .low = 0, .high = 1};
  ImportanceDimension noise{.name = "noise", .low = 0, .high = 1};
  std::vector<double> costs;
  for (int i = 0; i < 40; ++i) {
    lr.values.push_back(i / 39.0);
    noise.values.push_back((i * 17 % 40) / 39.0);
    costs.push_back(i < 4 ? 0.1 : std::numeric_limits<double>::infinity());
  }
  const std::vector<Importance> found = PedAnova({noise, lr}, costs);
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].name, "lr");
  // Only trials with a finite cost are the top, though fewer than a tenth.
  costs.assign(40, std::numeric_limits<double>::infinity());
  costs[0] = 0.1;
  EXPECT_FALSE(PedAnova({noise, lr}, costs).empty());
  costs[0] = costs[1];
  EXPECT_TRUE(PedAnova({noise, lr}, costs).empty()) << "nothing is better than anything";
}

}  // namespace
}  // namespace sweep
