#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <utility>
#include <vector>

#include "coordinator/stopping/stopping_rule.h"

namespace sweep {

// A rule for tests, like successive halving: trials wait at each rung, and of the n that have
// reached one, the best n / 2 (more is better) continue to the next, from the last rung to the end.
class HalvingRule final : public StoppingRule {
 public:
  // `rungs`: epochs, rising. `says_hold`: trials start without a target and are put on hold when
  // they reach the first rung.
  explicit HalvingRule(std::vector<int> rungs, bool says_hold = false)
      : rungs_(std::move(rungs)), says_hold_(says_hold) {}

  int FirstTarget(std::int64_t /*configuration*/) const override {
    return says_hold_ ? 0 : rungs_.front();
  }

  std::vector<StopDecision> OnEpoch(const Observation& seen) override {
    const auto rung = std::find(rungs_.begin(), rungs_.end(), seen.epoch);
    if (rung == rungs_.end()) return {};
    std::vector<StopDecision> decisions;
    if (says_hold_ && rung == rungs_.begin()) {
      decisions.push_back({.action = StopDecision::Action::kHold,
                           .configuration = seen.configuration,
                           .replicate = seen.replicate,
                           .target_epoch = seen.epoch,
                           .reason = "rests at its first rung"});
    }
    auto& ranked = ranked_[seen.epoch];
    ranked.emplace(seen.value, Trial(seen.configuration, seen.replicate));
    const int next = rung + 1 == rungs_.end() ? 0 : *(rung + 1);
    std::size_t better = 0;
    for (auto place = ranked.begin(); better < ranked.size() / 2; ++place, ++better) {
      if (!promoted_[seen.epoch].insert(place->second).second) continue;
      decisions.push_back({.action = StopDecision::Action::kPromote,
                           .configuration = place->second.first,
                           .replicate = place->second.second,
                           .target_epoch = next});
    }
    return decisions;
  }

 private:
  using Trial = std::pair<std::int64_t, int>;

  const std::vector<int> rungs_;
  const bool says_hold_;
  std::map<int, std::multimap<double, Trial, std::greater<>>> ranked_;  // by rung
  std::map<int, std::set<Trial>> promoted_;                             // by rung
};

}  // namespace sweep
