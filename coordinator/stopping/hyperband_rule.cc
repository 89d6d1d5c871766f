#include "coordinator/stopping/hyperband_rule.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>

namespace sweep {
namespace {

// The shares of the first `count` of `all` brackets, as whole numbers.
std::vector<std::int64_t> SharesOf(int count, int all, int eta) {
  std::vector<std::int64_t> shares(static_cast<std::size_t>(all));
  std::int64_t power = 1;  // eta^s
  for (int s = 0; s < all; ++s, power *= eta) {
    shares[static_cast<std::size_t>(all - 1 - s)] = (all * power + s) / (s + 1);
  }
  shares.resize(static_cast<std::size_t>(count));
  return shares;
}

// The brackets in turn: each time the one that lacks most of its share.
std::vector<std::uint8_t> TurnsOf(const std::vector<std::int64_t>& shares) {
  const std::int64_t total = std::accumulate(shares.begin(), shares.end(), std::int64_t{0});
  std::vector<std::int64_t> lacks(shares.size());  // times `total`
  std::vector<std::uint8_t> turns;
  while (std::ssize(turns) < total) {
    for (std::size_t b = 0; b < shares.size(); ++b) lacks[b] += shares[b];
    const auto most = std::max_element(lacks.begin(), lacks.end());
    *most -= total;
    turns.push_back(static_cast<std::uint8_t>(most - lacks.begin()));
  }
  return turns;
}

}  // namespace

int HyperbandRule::CountBrackets(int epochs, int first, int eta) {
  int count = 0;
  for (std::int64_t rung = first; rung <= epochs; rung *= eta) ++count;
  return count;
}

HyperbandRule::HyperbandRule(const Options& options) {
  const int all = std::max(CountBrackets(options.epochs, options.first, options.eta), 1);
  const int count = options.brackets == 0 ? all : std::min(options.brackets, all);
  std::vector<int> rungs = RungsBelow(options.epochs, options.first, options.eta);
  for (int bracket = 0; bracket < count; ++bracket) {
    brackets_.push_back(
        std::make_unique<AshaRule>(AshaRule::Options{.rungs = rungs,
                                                     .eta = options.eta,
                                                     .promotes = options.promotes,
                                                     .maximize = options.maximize}));
    if (!rungs.empty()) rungs.erase(rungs.begin());
  }
  turns_ = TurnsOf(SharesOf(count, all, options.eta));
}

int HyperbandRule::BracketOf(std::int64_t configuration) const {
  return turns_[static_cast<std::size_t>((configuration - 1) % std::ssize(turns_))];
}

int HyperbandRule::FirstTarget(std::int64_t configuration) const {
  return RuleOf(configuration).FirstTarget(configuration);
}

std::vector<StopDecision> HyperbandRule::OnEpoch(const Observation& seen) {
  return RuleOf(seen.configuration).OnEpoch(seen);
}

std::vector<StopDecision> HyperbandRule::OnState(const Observation& seen) {
  return RuleOf(seen.configuration).OnState(seen);
}

std::vector<StopDecision> HyperbandRule::OnOnlyHeld() {
  std::vector<StopDecision> decisions;
  for (const auto& bracket : brackets_) {
    std::vector<StopDecision> more = bracket->OnOnlyHeld();
    std::move(more.begin(), more.end(), std::back_inserter(decisions));
  }
  return decisions;
}

}  // namespace sweep
