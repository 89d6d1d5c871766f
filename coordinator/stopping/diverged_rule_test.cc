#include "coordinator/stopping/diverged_rule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "coordinator/stopping/asha_rule.h"
#include "coordinator/stopping/stopping_rule.h"

namespace sweep {
namespace {

TEST(DivergedRule, StopsAtOnceWhateverTheOtherRuleSays) {
  DivergedRule rule("val/f1", std::make_unique<AshaRule>(AshaRule::Options{.rungs = {5}}));
  EXPECT_EQ(rule.FirstTarget(1), 5);
  EXPECT_TRUE(rule.OnEpoch({.configuration = 1, .epoch = 1, .value = 0.5}).empty());
  for (const double value :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    const std::vector<StopDecision> decisions =
        rule.OnEpoch({.configuration = 2, .replicate = 1, .epoch = 2, .value = value});
    ASSERT_EQ(decisions.size(), 1u);
    EXPECT_EQ(decisions[0].action, StopDecision::Action::kStop);
    EXPECT_EQ(decisions[0].configuration, 2);
    EXPECT_EQ(decisions[0].replicate, 1);
    EXPECT_EQ(decisions[0].reason, "stopped after epoch 2: it has diverged, its val/f1 is " +
                                       std::string(value > 0 ? "inf" : "nan"));
  }
}

TEST(DivergedRule, AnEpochThatDidNotReportTheObjectiveHasNotDiverged) {
  DivergedRule rule("val/f1", std::make_unique<AshaRule>(AshaRule::Options{.rungs = {5}}));
  EXPECT_TRUE(rule.OnEpoch({.configuration = 1,
                            .epoch = 1,
                            .value = std::numeric_limits<double>::quiet_NaN(),
                            .has_value = false})
                  .empty());
}

}  // namespace
}  // namespace sweep
