#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "coordinator/stopping/asha_rule.h"
#include "coordinator/stopping/stopping_rule.h"

namespace sweep {

// Hyperband (L. Li, K. Jamieson, G. DeSalvo, A. Rostamizadeh, A. Talwalkar, JMLR 18, 2018) with
// asynchronous brackets: bracket b has the rungs from first · eta^b on, so the later ones give more
// trials a chance that start slowly. Each bracket is an AshaRule of its own.
//
// The paper gives bracket b of B the share n = ⌈B / (s + 1) · eta^s⌉, s = B - 1 - b, of the
// configurations, which costs about as many epochs in each. Which configuration belongs to which
// bracket follows from its number alone: of any first k configurations, each bracket has its share
// to within one.
class HyperbandRule final : public StoppingRule {
 public:
  struct Options {
    int epochs = 0;  // the last one
    int first = 1;   // rung of bracket 0
    int eta = 3;
    int brackets = 0;  // the first so many; 0: all
    bool promotes = true;
    bool maximize = true;
  };

  explicit HyperbandRule(const Options& options);

  // How many brackets there are: of the whole numbers b ≥ 0 with first · eta^b ≤ epochs.
  static int CountBrackets(int epochs, int first, int eta);

  int brackets() const { return static_cast<int>(brackets_.size()); }
  int BracketOf(std::int64_t configuration) const;

  int FirstTarget(std::int64_t configuration) const override;
  std::vector<StopDecision> OnEpoch(const Observation& seen) override;
  std::vector<StopDecision> OnState(const Observation& seen) override;
  std::vector<StopDecision> OnOnlyHeld() override;

 private:
  AshaRule& RuleOf(std::int64_t configuration) const {
    return *brackets_[static_cast<std::size_t>(BracketOf(configuration))];
  }

  std::vector<std::unique_ptr<AshaRule>> brackets_;
  std::vector<std::uint8_t> turns_;  // brackets of the first configurations; then it repeats
};

}  // namespace sweep
