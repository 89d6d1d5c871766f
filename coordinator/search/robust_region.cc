#include "coordinator/search/robust_region.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <numeric>
#include <set>
#include <utility>

#include "common/base/philox.h"
#include "common/stats/intervals.h"
#include "coordinator/search/gate_model.h"
#include "coordinator/search/learned_gates.h"
#include "coordinator/search/region_box.h"
#include "coordinator/search/region_space.h"
#include "coordinator/search/slice_coordinates.h"
#include "coordinator/search/sobol_sequence.h"

namespace sweep {
namespace {

// Points drawn in a domain: to make it smaller, to make a box larger, and to say what is in it.
constexpr std::size_t kPeeled = 512, kPolished = 1024, kSaid = 1024;
// A box with fewer of them is a domain of its own.
constexpr std::size_t kLeastInside = 200;
constexpr int kMostDomains = 12;
// Configurations that boxes are made around, and how far they are from each other.
constexpr std::size_t kMostAnchors = 3;
constexpr double kApart = 0.15;
// Of a side, on both ends: where a box may still grow.
constexpr double kBeyond = 0.25;
constexpr int kExchanges = 4;
constexpr int kMostCorrections = 4;
// By how much less than the share the last look at a box may say.
constexpr double kSlack = 0.002;
constexpr int kValuesAlong = 25;
constexpr std::size_t kAllPointsAlong = 3000, kMostPointsAlong = 24, kLeastPointsAlong = 8;

// How much may be wrong with a box for a share: twice the misses.
RegionDemand DemandOf(double share) {
  return {.chance = share, .low = std::max(0.0, 1 - 2 * (1 - share))};
}

class RegionFinder {
 public:
  RegionFinder(const SweepSpec& spec, double share)
      : spec_(spec), share_(share), space_(&spec), sequence_(KeysOf(space_.axes().size())) {}

  RobustRegion Find(const std::vector<RegionRun>& runs);
  RobustRegions FindAll(const std::vector<RegionRun>& runs);

 private:
  struct Placed {
    const RegionRun* run = nullptr;
    CubePoint point;
    bool meets = false;  // all gates
  };
  struct Anchor {
    std::int64_t configuration = 0;
    CubePoint point;
    double chance = 0;
  };
  struct Found {
    RegionBox box;
    double volume = 0;
  };
  struct Look {
    double chance = 0, low = 0, high = 0;
    std::vector<RegionSample> samples;
  };

  std::vector<std::uint64_t> KeysOf(std::size_t axes) const {
    std::vector<std::uint64_t> keys;
    for (std::size_t i = 0; i < std::min(axes, SobolSequence::kMaxDimensions); ++i) {
      keys.push_back(DeriveKey(spec_.seed + i, "region"));
    }
    return keys;
  }
  const std::vector<RegionAxis>& axes() const { return space_.axes(); }

  // False when that says why there is no region.
  bool Place(const std::vector<RegionRun>& runs, RobustRegion* region);
  void Learn();
  bool IsOfNetwork(const Placed& placed) const;
  std::vector<Anchor> Anchors();
  void FindBox(const std::vector<Anchor>& anchors, RobustRegion* region);
  std::vector<RobustRegion> FindNetworks();
  RegionBox HullOf(const Anchor& anchor) const;
  std::vector<double> Shares(std::size_t count);
  Look LookAt(const RegionBox& domain, const Anchor& anchor, std::size_t count);
  std::optional<RegionBox> Peel(const RegionBox& hull, const Anchor& anchor, RegionDemand demand);
  RegionBox Polish(const RegionBox& box, const RegionBox& hull, const Anchor& anchor,
                   RegionDemand demand);
  std::optional<Found> BoxAround(const Anchor& anchor);
  void Count(const RegionBox& box, RobustRegion* region) const;
  void Say(const Found& found, const Anchor& anchor, RobustRegion* region);
  RobustRegion::Slice SliceAlong(std::size_t dimension, const RegionBox& box, const Anchor& anchor,
                                 std::size_t points);

  const SweepSpec& spec_;
  const double share_;
  RegionSpace space_;
  const SobolSequence sequence_;
  std::uint32_t drawn_ = 0;  // points of the sequence
  std::vector<Placed> placed_;
  std::unique_ptr<GateModel> model_;
  std::string network_;  // that boxes are looked for of; "": of any
};

bool RegionFinder::IsOfNetwork(const Placed& placed) const {
  if (network_.empty()) return true;
  const auto found = placed.run->parameters.find("model");
  return found != placed.run->parameters.end() && found->second == Value(network_);
}

bool RegionFinder::Place(const std::vector<RegionRun>& runs, RobustRegion* region) {
  std::set<std::int64_t> configurations;
  std::vector<CubePoint> points;
  for (const RegionRun& run : runs) {
    std::optional<CubePoint> point = space_.PlaceOf(run.parameters);
    if (!point) continue;  // of a file before an edit
    configurations.insert(run.configuration);
    points.push_back(*point);
    // Any coordinate stands for one that is missing.
    for (double& one : points.back()) one = std::isnan(one) ? 0.5 : one;
    placed_.push_back({.run = &run, .point = *std::move(point)});
  }
  const std::vector<RegionSpace::Drawn> drawn = space_.Draw(points);
  bool any_meets = false;
  for (std::size_t i = 0; i < placed_.size(); ++i) {
    placed_[i].meets = placed_[i].run->meets && drawn[i].meets_network;
    any_meets = any_meets || placed_[i].meets;
  }
  region->configurations = std::ssize(configurations);
  region->runs = std::ssize(placed_);
  using Problem = RobustRegion::Problem;
  region->problem = axes().empty() ? Problem::kNothingVaries
                    : region->configurations < RobustRegion::kLeastConfigurations ? Problem::kTooFew
                    : !any_meets ? Problem::kNoneMeets
                                 : Problem::kNone;
  return region->problem == Problem::kNone;
}

void RegionFinder::Learn() {
  std::vector<GateModel::Run> runs;
  for (const Placed& placed : placed_) {
    GateModel::Run& made = runs.emplace_back();
    made.point = space_.ToProcess(placed.point);
    made.excesses = placed.run->excesses;
    const bool is_within = std::all_of(made.excesses.begin(), made.excesses.end(),
                                       [](double excess) { return excess <= 0; });
    // Something else was wrong with it, as that it failed after a good epoch.
    if (is_within && !placed.run->meets) {
      made.excesses.assign(made.excesses.size(), std::numeric_limits<double>::quiet_NaN());
    }
  }
  model_ = std::make_unique<GateModel>(space_.GaussianAxes(), runs.front().excesses.size(), runs);
}

// The configurations of which a run met the gates, those first at which a run is most likely to.
std::vector<RegionFinder::Anchor> RegionFinder::Anchors() {
  std::vector<Anchor> all;
  std::set<std::int64_t> seen;
  std::vector<GaussianPoint> points;
  for (const Placed& placed : placed_) {
    if (!placed.meets || !IsOfNetwork(placed)) continue;
    if (!seen.insert(placed.run->configuration).second) continue;
    all.push_back({.configuration = placed.run->configuration, .point = placed.point});
    points.push_back(space_.ToProcess(placed.point));
  }
  const std::vector<GateModel::Chance> chances = model_->Predict(points);
  for (std::size_t i = 0; i < all.size(); ++i) all[i].chance = chances[i].mean;
  std::stable_sort(all.begin(), all.end(),
                   [](const Anchor& a, const Anchor& b) { return a.chance > b.chance; });
  std::vector<Anchor> chosen;
  const auto is_near = [&](const Anchor& a, const Anchor& b) {
    if (ShapeOf(a.point) != ShapeOf(b.point)) return false;
    for (std::size_t i = 0; i < axes().size(); ++i) {
      if (!std::isnan(a.point[i]) && std::fabs(a.point[i] - b.point[i]) > kApart) return false;
    }
    return true;
  };
  for (const Anchor& anchor : all) {
    if (chosen.size() == kMostAnchors) break;
    const bool is_new = std::none_of(chosen.begin(), chosen.end(),
                                     [&](const Anchor& one) { return is_near(one, anchor); });
    if (is_new) chosen.push_back(anchor);
  }
  return chosen;
}

RegionBox RegionFinder::HullOf(const Anchor& anchor) const {
  const std::vector<bool> shape = ShapeOf(anchor.point);
  std::vector<CubePoint> points;
  for (const Placed& placed : placed_) {
    if (IsOfNetwork(placed) && ShapeOf(placed.point) == shape) points.push_back(placed.point);
  }
  return space_.HullOf(points);
}

// The next point of the sequence; random beyond its dimensions.
std::vector<double> RegionFinder::Shares(std::size_t count) {
  std::vector<double> shares(count);
  PhiloxStream random(DeriveKey(spec_.seed, "region"), drawn_);
  for (std::size_t i = 0; i < count; ++i) {
    shares[i] =
        i < SobolSequence::kMaxDimensions ? sequence_.Coordinate(drawn_, i) : random.NextUniform();
  }
  ++drawn_;
  return shares;
}

RegionFinder::Look RegionFinder::LookAt(const RegionBox& domain, const Anchor& anchor,
                                        std::size_t count) {
  std::vector<CubePoint> points;
  for (std::size_t i = 0; i < count; ++i) {
    points.push_back(PlaceIn(axes(), domain, Shares(axes().size())));
  }
  const std::vector<bool> shape = ShapeOf(anchor.point);
  const std::vector<RegionSpace::Drawn> drawn = space_.Draw(points);
  std::vector<GaussianPoint> asked;
  Look look;
  for (std::size_t i = 0; i < count; ++i) {
    const bool counts = !drawn[i].point.empty();
    look.samples.push_back({.point = points[i],
                            .counts = counts,
                            .is_foreign = counts && ShapeOf(drawn[i].point) != shape});
    if (counts) asked.push_back(space_.ToProcess(drawn[i].point));
  }
  const std::vector<GateModel::Chance> chances = model_->Predict(asked);
  double all = 0;
  std::size_t next = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (!look.samples[i].counts) continue;
    const GateModel::Chance& chance = chances[next++];
    ++all;
    if (!drawn[i].meets_network) continue;
    look.samples[i].chance = chance.mean;
    look.samples[i].low = chance.low;
    look.chance += chance.mean;
    look.low += chance.least;
    look.high += chance.most;
  }
  for (double* const sum : {&look.chance, &look.low, &look.high}) *sum /= std::max(all, 1.0);
  return look;
}

// From the whole hull, with new points whenever few are left in the box.
std::optional<RegionBox> RegionFinder::Peel(const RegionBox& hull, const Anchor& anchor,
                                            RegionDemand demand) {
  RegionBox domain = hull;
  for (int i = 0; i < kMostDomains; ++i) {
    const Look look = LookAt(domain, anchor, kPeeled);
    RegionCells cells(axes(), domain, look.samples, anchor.point);
    const bool holds = cells.PeelUntil(demand, kLeastInside);
    domain = cells.Box();
    if (holds) return domain;
  }
  return std::nullopt;
}

// In a domain around the box, in which it may also grow.
RegionBox RegionFinder::Polish(const RegionBox& box, const RegionBox& hull, const Anchor& anchor,
                               RegionDemand demand) {
  RegionBox domain = box;
  for (std::size_t i = 0; i < axes().size(); ++i) {
    if (!box[i].exists) continue;
    domain[i].categories = hull[i].categories;
    if (!axes()[i].ordered) continue;
    double beyond = kBeyond * (box[i].high - box[i].low);
    const auto steps = static_cast<double>(axes()[i].steps);
    if (axes()[i].steps > 0) beyond = std::ceil(beyond * steps) / steps;
    domain[i].low = std::max(hull[i].low, box[i].low - beyond);
    domain[i].high = std::min(hull[i].high, box[i].high + beyond);
  }
  const Look look = LookAt(domain, anchor, kPolished);
  RegionCells cells(axes(), domain, look.samples, anchor.point);
  cells.Set(box);
  if (!cells.PeelUntil(demand, 1)) return box;
  cells.Grow(demand);
  cells.Exchange(demand, kExchanges);
  return cells.Box();
}

std::optional<RegionFinder::Found> RegionFinder::BoxAround(const Anchor& anchor) {
  RegionDemand demand = DemandOf(share_);
  const RegionBox hull = HullOf(anchor);
  for (int i = 0; i < kMostCorrections; ++i) {
    std::optional<RegionBox> box = Peel(hull, anchor, demand);
    if (!box) return std::nullopt;
    box = Polish(Polish(*box, hull, anchor, demand), hull, anchor, demand);
    for (std::size_t axis = 0; axis < axes().size(); ++axis) {
      (*box)[axis] = space_.Rounded(axis, (*box)[axis], anchor.point[axis]);
    }
    const Look look = LookAt(*box, anchor, kSaid);
    RobustRegion counted;
    Count(*box, &counted);
    const double met = static_cast<double>(counted.inside_meeting) /
                       static_cast<double>(std::max<std::int64_t>(counted.inside, 1));
    const bool is_refuted = WilsonInterval(met, counted.inside).high < share_;
    if (look.chance >= share_ - kSlack && !is_refuted) {
      return Found{.box = *box, .volume = VolumeOf(axes(), *box)};
    }
    demand.chance = is_refuted ? (1 + demand.chance) / 2
                               : std::min(demand.chance + share_ - look.chance, 0.9999);
  }
  return std::nullopt;
}

void RegionFinder::Count(const RegionBox& box, RobustRegion* region) const {
  for (const Placed& placed : placed_) {
    if (!IsInside(axes(), box, placed.point)) continue;
    ++region->inside;
    if (placed.meets) ++region->inside_meeting;
  }
}

RobustRegion::Slice RegionFinder::SliceAlong(std::size_t dimension, const RegionBox& box,
                                             const Anchor& anchor, std::size_t points) {
  RobustRegion::Slice slice{.dimension = dimension};
  const Parameter& parameter = space_.space().axis(dimension);
  std::vector<std::vector<double>> shares;
  for (std::size_t i = 0; i < points; ++i) shares.push_back(Shares(axes().size()));
  std::vector<CubePoint> asked;
  const std::vector<double> coordinates = SliceCoordinates(
      parameter, space_.space().dimensions()[dimension], anchor.point[dimension], kValuesAlong);
  for (const double coordinate : coordinates) {
    slice.values.push_back(parameter.Quantile(coordinate));
    for (const std::vector<double>& at : shares) {
      asked.push_back(PlaceIn(axes(), box, at));
      asked.back()[dimension] = coordinate;
    }
  }
  const std::vector<RegionSpace::Drawn> drawn = space_.Draw(asked);
  std::vector<GaussianPoint> allowed;
  for (const RegionSpace::Drawn& one : drawn) {
    if (!one.point.empty()) allowed.push_back(space_.ToProcess(one.point));
  }
  const std::vector<GateModel::Chance> chances = model_->Predict(allowed);
  std::size_t next = 0;
  for (std::size_t v = 0; v < coordinates.size(); ++v) {
    double count = 0, chance = 0, low = 0, high = 0;
    for (std::size_t i = 0; i < points; ++i) {
      const RegionSpace::Drawn& one = drawn[v * points + i];
      if (one.point.empty()) continue;
      const GateModel::Chance& here = chances[next++];
      ++count;
      if (!one.meets_network) continue;
      chance += here.mean;
      low += here.least;
      high += here.most;
    }
    slice.chance.push_back(chance / count);  // NaN of none
    slice.low.push_back(low / count);
    slice.high.push_back(high / count);
  }
  return slice;
}

void RegionFinder::Say(const Found& found, const Anchor& anchor, RobustRegion* region) {
  const RegionBox hull = HullOf(anchor);
  region->configuration = anchor.configuration;
  region->configuration_chance = anchor.chance;
  region->volume = found.volume;
  Count(found.box, region);
  const Look look = LookAt(found.box, anchor, kSaid);
  region->chance = look.chance;
  region->low = look.low;
  region->high = look.high;
  std::size_t existing = 0;
  for (const RegionSide& side : found.box) existing += side.exists ? 1 : 0;
  const std::size_t points =
      std::clamp(kAllPointsAlong / (kValuesAlong * std::max<std::size_t>(existing, 1)),
                 kLeastPointsAlong, kMostPointsAlong);
  for (std::size_t i = 0; i < axes().size(); ++i) {
    if (!found.box[i].exists) continue;
    RobustRegion::Side& side = region->sides.emplace_back();
    side.dimension = i;
    side.values = space_.ValuesOf(i, found.box[i]);
    side.tried = space_.ValuesOf(i, hull[i]);
    // A list that is no scale of numbers has no ends, but values.
    if (axes()[i].ordered && (side.values.empty() || IsMonotonic(side.values))) {
      std::tie(side.low, side.high) = space_.EndsOf(i, found.box[i]);
      std::tie(side.tried_low, side.tried_high) = space_.EndsOf(i, hull[i]);
    }
    region->slices.push_back(SliceAlong(i, found.box, anchor, points));
  }
}

void RegionFinder::FindBox(const std::vector<Anchor>& anchors, RobustRegion* region) {
  std::optional<Found> largest;
  Anchor around;
  for (const Anchor& anchor : anchors) {
    std::optional<Found> found = BoxAround(anchor);
    if (!found || (largest && found->volume <= largest->volume)) continue;
    largest = std::move(found);
    around = anchor;
  }
  if (largest) return Say(*largest, around, region);
  region->problem = RobustRegion::Problem::kNotSure;
  region->configuration = anchors.front().configuration;
  region->configuration_chance = anchors.front().chance;
}

RobustRegion RegionFinder::Find(const std::vector<RegionRun>& runs) {
  RobustRegion region;
  if (!Place(runs, &region)) return region;
  Learn();
  FindBox(Anchors(), &region);
  return region;
}

std::vector<RobustRegion> RegionFinder::FindNetworks() {
  struct Network {
    RobustRegion region;
    std::vector<Anchor> anchors;  // the likeliest first
  };
  std::vector<Network> networks;
  std::vector<double> chances;
  for (const std::string& model : spec_.models) {
    network_ = model;
    Network& made =
        networks.emplace_back(Network{.region = {.model = model}, .anchors = Anchors()});
    std::set<std::int64_t> configurations;
    for (const Placed& placed : placed_) {
      if (!IsOfNetwork(placed)) continue;
      ++made.region.runs;
      configurations.insert(placed.run->configuration);
    }
    made.region.configurations = std::ssize(configurations);
    if (!made.anchors.empty()) chances.push_back(made.anchors.front().chance);
  }
  std::sort(chances.begin(), chances.end(), std::greater<>());
  constexpr std::size_t kMost = RobustRegions::kMostNetworks;
  const double least = chances.size() > kMost ? chances[kMost - 1] : 0;
  std::vector<RobustRegion> regions;
  for (Network& network : networks) {
    network_ = network.region.model;
    if (network.anchors.empty()) {
      network.region.problem = RobustRegion::Problem::kNoneMeets;
    } else if (network.anchors.front().chance < least) {
      continue;
    } else {
      FindBox(network.anchors, &network.region);
    }
    regions.push_back(std::move(network.region));
  }
  return regions;
}

RobustRegions RegionFinder::FindAll(const std::vector<RegionRun>& runs) {
  RobustRegions regions{.all = Find(runs), .networks = {}};
  // Without the model, for what `all` says, there are none.
  if (model_ != nullptr && spec_.models.size() > 1) regions.networks = FindNetworks();
  return regions;
}

}  // namespace

RobustRegion FindRobustRegion(const SweepSpec& spec, const std::vector<RegionRun>& runs,
                              double share) {
  if (LearnedGates::AllOf(spec).empty()) {
    RobustRegion region;
    region.problem = RobustRegion::Problem::kNoGates;
    return region;
  }
  return RegionFinder(spec, share).Find(runs);
}

RobustRegions FindRobustRegions(const SweepSpec& spec, const std::vector<RegionRun>& runs,
                                double share) {
  if (LearnedGates::AllOf(spec).empty()) {
    return {.all = FindRobustRegion(spec, runs, share), .networks = {}};
  }
  return RegionFinder(spec, share).FindAll(runs);
}

}  // namespace sweep
