#include "coordinator/search/tpe_search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

#include "common/base/philox.h"
#include "common/stats/objective.h"
#include "coordinator/search/point_identity.h"
#include "coordinator/search/random_search.h"

namespace sweep {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
// With more values than this, cells would take long and look like a continuous axis.
constexpr std::int64_t kMostCells = 64;
// Draws of all candidates anew, when none is allowed and new.
constexpr int kMostRounds = 20;
// Points that are looked at for branches.
constexpr std::int64_t kScouts = 256;
// The best of so many configurations, and the largest number of such.
constexpr double kGoodShare = 0.1;
constexpr std::size_t kMostGood = 25;
// Of the points, divided equally among the branches.
constexpr double kEqualShare = 0.5;

std::size_t GoodOf(std::size_t ended) {
  const double share = std::ceil(kGoodShare * static_cast<double>(ended));
  return std::min(static_cast<std::size_t>(share), kMostGood);
}

// Which axes exist at the point.
std::vector<bool> ShapeOf(const ParzenPoint& point) {
  std::vector<bool> exists;
  for (const double coordinate : point) exists.push_back(!std::isnan(coordinate));
  return exists;
}

std::vector<ParzenAxis> AxesOf(const SearchSpace& space) {
  std::vector<ParzenAxis> axes;
  for (std::size_t i = 0; i < space.dimensions().size(); ++i) {
    const bool is_ordered = space.dimensions()[i].scale != Dimension::Scale::kCategory;
    const std::int64_t values = space.axis(i).GridSize();
    const bool has_cells = values > 0 && (!is_ordered || values <= kMostCells);
    axes.push_back({.is_ordered = is_ordered,
                    .cells = has_cells ? static_cast<int>(values) : 0,
                    .shares = space.axis(i).probabilities});
  }
  return axes;
}

}  // namespace

TpeSearch::TpeSearch(const SweepSpec* spec, bool finite)
    : spec_(spec),
      finite_(finite),
      space_(spec),
      start_up_(spec, finite),
      completer_(spec),
      axes_(AxesOf(space_)) {
  const bool has_conditions =
      std::any_of(spec->parameters.begin(), spec->parameters.end(),
                  [](const Parameter& one) { return one.when.has_value(); });
  for (std::int64_t k = 1; has_conditions && k <= kScouts; ++k) {
    const auto scout = start_up_.Suggest(k);
    if (!scout.ok() || !scout->has_value()) break;
    const std::optional<ParzenPoint> point = PointOf((*scout)->parameters);
    if (point) branches_.try_emplace(ShapeOf(*point), axes_);
  }
}

std::optional<ParzenPoint> TpeSearch::PointOf(const ParameterMap& parameters) const {
  const absl::StatusOr<SearchSpace::Place> encoded = space_.Encode(parameters);
  if (!encoded.ok()) return std::nullopt;
  ParzenPoint point;
  for (const std::optional<double>& coordinate : *encoded) {
    point.push_back(coordinate.value_or(kNone));
  }
  return point;
}

void TpeSearch::AddKnown(std::int64_t number, const ParameterMap& parameters) {
  const auto [place, is_new] = known_.try_emplace(number);
  if (!is_new) return;
  Known& known = place->second;
  known.replicates.resize(static_cast<std::size_t>(std::max(spec_->replicates, 1)));
  if (finite_) seen_.insert(PointIdentity(parameters));
  std::optional<ParzenPoint> point = PointOf(parameters);
  if (!point) return;  // its file had other values, for example before an edit
  known.point = *std::move(point);
  known.branch = &branches_.try_emplace(ShapeOf(known.point), axes_).first->second;
  known.branch->changed.insert(number);
}

// Without a value from a replicate, its configuration is not better than one with fewer such.
std::vector<double> TpeSearch::RankOf(const Known& known) {
  double sum = 0;
  int completed = 0, with_cost = 0, epoch = 0;
  for (const Replicate& replicate : known.replicates) {
    if (replicate.state == TrialState::kCompleted) ++completed;
    epoch = std::max(epoch, replicate.epoch);
    if (!replicate.has_cost) continue;
    ++with_cost;
    sum += replicate.cost;
  }
  if (with_cost == 0) return {2, 0, 0, 0};
  const auto all = static_cast<int>(known.replicates.size());
  const double mean = sum / with_cost;
  if (completed == all && with_cost == all) return {0, mean, 0, 0};
  return {1, static_cast<double>(all - completed), -static_cast<double>(epoch), mean};
}

void TpeSearch::Observe(const Observation& observation) {
  if (observation.parameters != nullptr) {
    AddKnown(observation.configuration, *observation.parameters);
  }
  const auto found = known_.find(observation.configuration);
  if (found == known_.end()) return;
  Known& known = found->second;
  Replicate& replicate = known.replicates.at(static_cast<std::size_t>(observation.replicate));
  if (observation.epoch == 0) {
    replicate.state = observation.state;
  } else {
    replicate.epoch = observation.epoch;
    const double cost = CostOf(spec_->objective(), observation.value);
    if (std::isfinite(cost) && (!replicate.has_cost || cost < replicate.cost)) {
      replicate.cost = cost;
      replicate.has_cost = true;
    }
  }
  if (known.branch == nullptr) return;
  if (known.has_ended) {
    known.branch->ended.erase({known.rank, observation.configuration});
    --ended_;
  }
  known.has_ended = std::all_of(known.replicates.begin(), known.replicates.end(),
                                [](const Replicate& one) { return IsTerminal(one.state); });
  if (known.has_ended) {
    known.rank = RankOf(known);
    known.branch->ended.emplace(known.rank, observation.configuration);
    ++ended_;
  }
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
    to.Add(number, known_.at(number).point);
  }
  branch->changed.clear();
}

// `u` is uniform in [0, 1).
TpeSearch::Branch* TpeSearch::ChooseBranch(double u) {
  std::vector<std::tuple<std::vector<double>, std::int64_t, Branch*>> ended;
  for (auto& [shape, branch] : branches_) {
    // No more than the best tenth of all.
    auto one = branch.ended.begin();
    for (std::size_t i = 0; i < kMostGood && one != branch.ended.end(); ++i, ++one) {
      ended.emplace_back(one->first, one->second, &branch);
    }
  }
  std::sort(ended.begin(), ended.end());
  const std::size_t good = GoodOf(ended_);
  std::map<const Branch*, double> shares;
  for (std::size_t i = 0; i < good; ++i) {
    shares[std::get<Branch*>(ended[i])] += (1 - kEqualShare) / static_cast<double>(good);
  }
  for (auto& [shape, branch] : branches_) {
    u -= shares[&branch] + kEqualShare / static_cast<double>(branches_.size());
    if (u < 0) return &branch;
  }
  return &branches_.begin()->second;  // by rounding
}

bool TpeSearch::IsNew(const Configuration& configuration) const {
  return !finite_ || !seen_.contains(PointIdentity(configuration.parameters));
}

std::optional<Configuration> TpeSearch::BestOf(std::int64_t number, Branch* branch, bool stay,
                                               const std::vector<ParzenPoint>& drawn) {
  std::vector<ParameterMap> points;
  for (const ParzenPoint& point : drawn) points.push_back(space_.Decode(point));
  std::vector<PointCompleter::Result> results = completer_.Complete(number, points);
  std::vector<Configuration> allowed;
  std::vector<ParzenPoint> places;
  for (PointCompleter::Result& result : results) {
    if (!result.ok() || !result->has_value() || !IsNew(**result)) continue;
    // Without the coordinates that do not exist there.
    std::optional<ParzenPoint> place = PointOf((*result)->parameters);
    if (!place) continue;
    const auto own = branches_.find(ShapeOf(*place));
    if (stay && (own == branches_.end() || &own->second != branch)) continue;
    places.push_back(*std::move(place));
    allowed.push_back(**std::move(result));
  }
  if (allowed.empty()) return std::nullopt;
  const std::vector<double> good = branch->good.LogDensities(places);
  const std::vector<double> other = branch->others.LogDensities(places);
  std::size_t best = 0;
  for (std::size_t i = 1; i < allowed.size(); ++i) {
    if (good[i] - other[i] > good[best] - other[best]) best = i;
  }
  return std::move(allowed[best]);
}

std::optional<Configuration> TpeSearch::Model(std::int64_t number) {
  PhiloxStream random(DeriveKey(spec_->seed, "tpe"), static_cast<std::uint64_t>(number));
  Branch* const branch =
      branches_.size() == 1 ? &branches_.begin()->second : ChooseBranch(random.NextUniform());
  Split(branch);
  for (int round = 0; round < kMostRounds; ++round) {
    std::vector<ParzenPoint> drawn;
    for (int i = 0; i < kCandidates; ++i) drawn.push_back(branch->good.Draw(&random));
    std::optional<Configuration> best =
        BestOf(number, branch, /*stay=*/round < kMostRounds / 2, drawn);
    if (best) return best;
  }
  return std::nullopt;
}

// The first new point of the sequence, since the model may have taken some.
absl::StatusOr<std::optional<Configuration>> TpeSearch::NextOfFinite(std::int64_t number) {
  while (true) {
    absl::StatusOr<std::optional<Configuration>> next = start_up_.Suggest(passed_ + 1);
    // A space that cannot be listed ends when the sequence brings nothing new for long.
    if (!next.ok() && passed_ > 0) return std::nullopt;
    if (!next.ok() || !next->has_value()) return next;
    ++passed_;
    if (!IsNew(**next)) continue;
    (*next)->number = number;
    return next;
  }
}

absl::StatusOr<std::optional<Configuration>> TpeSearch::NextOfMany(std::int64_t number) {
  if (ended_ < kStartUp) return start_up_.Suggest(number);
  // The sequence would have to make all points before this one.
  return RandomSearch(spec_, /*finite=*/false).Suggest(number);
}

absl::StatusOr<std::optional<Configuration>> TpeSearch::Suggest(std::int64_t number) {
  std::optional<Configuration> next;
  if (ended_ >= kStartUp) next = Model(number);
  if (!next) {
    absl::StatusOr<std::optional<Configuration>> other =
        finite_ ? NextOfFinite(number) : NextOfMany(number);
    if (!other.ok() || !other->has_value()) return other;
    next = *std::move(other);
  }
  AddKnown(number, next->parameters);
  return next;
}

}  // namespace sweep
