#include "coordinator/search/tpe_search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <tuple>

#include "common/base/philox.h"

namespace sweep {
namespace {

// With more values than this, cells would take long and look like a continuous axis.
constexpr std::int64_t kMostCells = 64;
// Draws of all candidates anew, when none is allowed and new.
constexpr int kMostRounds = 20;
// The best of so many configurations, and the largest number of such.
constexpr double kGoodShare = 0.1;
constexpr std::size_t kMostGood = 25;
// Of the points, divided equally among the branches.
constexpr double kEqualShare = 0.5;

std::size_t GoodOf(std::size_t ended) {
  const double share = std::ceil(kGoodShare * static_cast<double>(ended));
  return std::min(static_cast<std::size_t>(share), kMostGood);
}

std::vector<ParzenAxis> AxesOf(const SearchSpace& space) {
  std::vector<ParzenAxis> axes;
  for (std::size_t i = 0; i < space.dimensions().size(); ++i) {
    const bool is_ordered = space.dimensions()[i].ordered;
    const std::int64_t values = space.axis(i).GridSize();
    const bool has_cells = values > 0 && (!is_ordered || values <= kMostCells);
    axes.push_back({.is_ordered = is_ordered,
                    .cells = has_cells ? static_cast<int>(values) : 0,
                    .shares = space.axis(i).probabilities});
  }
  return axes;
}

}  // namespace

TpeSearch::TpeSearch(const SweepSpec* spec, bool distinct)
    : LearningSearch(spec, distinct), axes_(AxesOf(space())) {
  for (const std::vector<bool>& shape : SomeShapes()) branches_.try_emplace(shape, axes_);
}

TpeSearch::Branch& TpeSearch::BranchOf(const CubePoint& point) {
  return branches_.try_emplace(ShapeOf(point), axes_).first->second;
}

void TpeSearch::OnKnown(std::int64_t number, const Known& known) {
  BranchOf(known.point).changed.insert(number);
}

void TpeSearch::OnEnded(std::int64_t number, const Known& known) {
  BranchOf(known.point).ended.emplace(known.rank, number);
}

void TpeSearch::OnReopened(std::int64_t number, const Known& known) {
  BranchOf(known.point).ended.erase({known.rank, number});
}

void TpeSearch::Split(Branch* branch) {
  const std::size_t most = GoodOf(branch->ended.size());
  std::set<std::int64_t> best;
  for (auto one = branch->ended.begin(); one != branch->ended.end() && best.size() < most; ++one) {
    best.insert(one->second);
  }
  for (const std::int64_t number : branch->good.Numbers()) {
    if (!best.contains(number)) branch->changed.insert(number);
  }
  branch->changed.insert(best.begin(), best.end());
  for (const std::int64_t number : branch->changed) {
    const bool is_good = best.contains(number);
    ParzenMixture& to = is_good ? branch->good : branch->others;
    ParzenMixture& from = is_good ? branch->others : branch->good;
    if (to.Contains(number)) continue;
    if (from.Contains(number)) from.Remove(number);
    to.Add(number, Get(number).point);
  }
  branch->changed.clear();
}

// `u` is uniform in [0, 1).
TpeSearch::Branch* TpeSearch::ChooseBranch(double u) {
  std::vector<std::tuple<Rank, std::int64_t, Branch*>> best;
  for (auto& [shape, branch] : branches_) {
    // No more than the best tenth of all.
    auto one = branch.ended.begin();
    for (std::size_t i = 0; i < kMostGood && one != branch.ended.end(); ++i, ++one) {
      best.emplace_back(one->first, one->second, &branch);
    }
  }
  std::sort(best.begin(), best.end());
  const std::size_t good = GoodOf(ended());
  std::map<const Branch*, double> shares;
  for (std::size_t i = 0; i < good; ++i) {
    shares[std::get<Branch*>(best[i])] += (1 - kEqualShare) / static_cast<double>(good);
  }
  for (auto& [shape, branch] : branches_) {
    u -= shares[&branch] + kEqualShare / static_cast<double>(branches_.size());
    if (u < 0) return &branch;
  }
  return &branches_.begin()->second;  // by rounding
}

std::vector<double> TpeSearch::Ratios(Branch* branch, std::span<const CubePoint> points) {
  std::vector<double> ratios = branch->good.LogDensities(points);
  const std::vector<double> others = branch->others.LogDensities(points);
  for (std::size_t i = 0; i < points.size(); ++i) ratios[i] -= others[i];
  return ratios;
}

std::optional<Configuration> TpeSearch::BestOf(std::int64_t number, Branch* branch, bool stay,
                                               const std::vector<CubePoint>& drawn) {
  if (!HasConditions()) return BestOfRounded(number, branch, drawn);
  std::vector<Configuration> allowed;
  std::vector<CubePoint> points;
  for (Candidate& candidate : Allowed(number, drawn)) {
    const auto own = branches_.find(ShapeOf(candidate.point));
    if (stay && (own == branches_.end() || &own->second != branch)) continue;
    points.push_back(std::move(candidate.point));
    allowed.push_back(std::move(candidate.configuration));
  }
  if (allowed.empty()) return std::nullopt;
  const std::vector<double> ratios = Ratios(branch, points);
  const auto best = std::max_element(ratios.begin(), ratios.end());
  return std::move(allowed[static_cast<std::size_t>(best - ratios.begin())]);
}

// Which parameters exist is the same at each point, so only the best need be completed.
std::optional<Configuration> TpeSearch::BestOfRounded(std::int64_t number, Branch* branch,
                                                      const std::vector<CubePoint>& drawn) {
  std::vector<CubePoint> points;
  for (const CubePoint& place : drawn) points.push_back(Rounded(place));
  const std::vector<double> ratios = Ratios(branch, points);
  std::vector<std::size_t> order(points.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return ratios[a] > ratios[b]; });
  std::vector<CubePoint> best_first;
  for (const std::size_t i : order) best_first.push_back(drawn[i]);
  std::optional<Candidate> best = FirstAllowed(number, best_first);
  if (!best) return std::nullopt;
  return std::move(best->configuration);
}

std::optional<TpeSearch::Choice> TpeSearch::Model(std::int64_t number) {
  PhiloxStream random(DeriveKey(spec().seed, "tpe"), static_cast<std::uint64_t>(number));
  Branch* const branch =
      branches_.size() == 1 ? &branches_.begin()->second : ChooseBranch(random.NextUniform());
  Split(branch);
  for (int round = 0; round < kMostRounds; ++round) {
    std::vector<CubePoint> drawn;
    for (int i = 0; i < kCandidates; ++i) drawn.push_back(branch->good.Draw(&random));
    std::optional<Configuration> best =
        BestOf(number, branch, /*stay=*/round < kMostRounds / 2, drawn);
    // A ratio of densities says nothing of how large an improvement would be.
    if (best) return Choice{.configuration = *std::move(best)};
  }
  return std::nullopt;
}

// Of the branch of the slice's configuration.
void TpeSearch::Describe(const std::vector<std::vector<SlicePlace>>& places,
                         std::vector<ModelSlice>* slices) {
  for (std::size_t s = 0; s < slices->size(); ++s) {
    ModelSlice& slice = (*slices)[s];
    Branch& branch = BranchOf(Get(slice.configuration).point);
    Split(&branch);
    // A coordinate alone: the density over this axis, whatever the others are.
    std::vector<CubePoint> points;
    for (const SlicePlace& place : places[s]) {
      points.emplace_back(axes_.size(), std::numeric_limits<double>::quiet_NaN());
      points.back()[slice.dimension] = place.coordinate;
    }
    for (const double density : branch.good.LogDensities(points)) {
      slice.density.push_back(std::exp(density));
    }
    for (const double density : branch.others.LogDensities(points)) {
      slice.other_density.push_back(std::exp(density));
    }
  }
}

}  // namespace sweep
