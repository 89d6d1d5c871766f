#include "coordinator/search/cma_search.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "common/base/normal.h"
#include "coordinator/search/cma_evolution.h"
#include "coordinator/search/median.h"

namespace sweep {
namespace {

constexpr double kInfinite = std::numeric_limits<double>::infinity();

constexpr double kFirstSigma = 1.0 / 6;
// A continuous axis is settled when the distribution is as narrow as this, an axis of cells when
// hardly more than its margin is left.
constexpr double kNarrow = 1e-5;
constexpr double kHardlyMore = 1.1;
// Costs that differ by less, relative to them, are equal.
constexpr double kEqualCosts = 1e-12;
constexpr int kMostFlat = 3;
// Of the population, by runs that were given up.
constexpr int kMostDoublings = 6;

// Draws for a suggestion until one is allowed and new: one, then rounds of more, from the third one
// on each wider than the one before.
constexpr int kMostDrawRounds = 16;
constexpr int kDrawsPerRound = 16;
constexpr double kWidenBy = 1.5;

double Mirrored(double x) {
  x = std::fmod(std::abs(x), 2.0);
  return std::min(x > 1 ? 2 - x : x, kBelowOne);
}

}  // namespace

CmaSearch::CmaSearch(const SweepSpec* spec, bool distinct)
    : LearningSearch(spec, distinct, /*start_up=*/0), first_own_(std::ssize(spec->try_first) + 1) {
  if (!space().dimensions().empty()) Begin(CubePoint(space().dimensions().size(), 0.5), 0);
}

CmaSearch::~CmaSearch() = default;

bool CmaSearch::IsDiscrete(std::size_t axis) const {
  return space().axis(axis).GridSize() > 0 || space().axis(axis).q > 0;
}

CmaSearch::Cell CmaSearch::CellAt(std::size_t axis, double coordinate) const {
  const Parameter& parameter = space().axis(axis);
  coordinate = std::clamp(coordinate, 0.0, kBelowOne);
  if (const auto cells = static_cast<double>(parameter.GridSize()); cells > 0) {
    const double cell = std::min(std::floor(coordinate * cells), cells - 1);
    return {.low = cell == 0 ? -kInfinite : cell / cells,
            .high = cell == cells - 1 ? kInfinite : (cell + 1) / cells};
  }
  // Cells of several widths: the end of this one by bisection, its beginning by its middle.
  const Value value = parameter.Quantile(coordinate);
  const auto is_inside = [&](double at) { return SameValue(parameter.Quantile(at), value); };
  const double middle = parameter.PlaceOf(value).value_or(coordinate);
  double high = kInfinite;
  if (!is_inside(kBelowOne)) {
    double inside = coordinate, outside = kBelowOne;
    for (int i = 0; i < 40; ++i) {
      const double half = (inside + outside) / 2;
      (is_inside(half) ? inside : outside) = half;
    }
    high = outside;
  }
  const double low = is_inside(0) ? -kInfinite : 2 * middle - std::min(high, 1.0);
  return {.low = low, .high = high};
}

void CmaSearch::OnKnown(std::int64_t /*number*/, const Known& /*known*/) {}

// The first run begins around the best place that is known. The other points are no sample of its
// distribution, and do not move it.
void CmaSearch::OnEarlier(const std::vector<std::int64_t>& numbers) {
  if (evolution_ == nullptr) return;
  const auto best = std::min_element(numbers.begin(), numbers.end(),
                                     [&](auto a, auto b) { return RanksBefore(a, b); });
  if (!Get(*best).cost) return;
  runs_ = 0;
  Begin(Get(*best).point, 0);
}

void CmaSearch::OnEnded(std::int64_t number, const Known& known) {
  most_running_ = std::max(most_running_, running() + 1);  // with this one
  // A point of an earlier run would only lead back to its end.
  if (evolution_ == nullptr || number < 0 || known.first_sequence < run_began_) return;
  waiting_.push_back(number);
  if (waiting_.size() >= std::max(population_, most_running_)) Advance(known.last_sequence);
}

// One that has moved the distribution already counts again when it ends again.
void CmaSearch::OnReopened(std::int64_t number, const Known& /*known*/) {
  std::erase(waiting_, number);
}

void CmaSearch::Begin(const CubePoint& mean, std::int64_t sequence) {
  evolution_ = std::make_unique<CmaEvolution>(
      CmaEvolution::Vector::Map(mean.data(), std::ssize(mean)), kFirstSigma);
  progress_ = {};
  run_began_ = generation_began_ = sequence;
  waiting_.clear();
  most_running_ = 0;
  population_ = static_cast<std::size_t>(CmaEvolution::PopulationOf(std::ssize(mean)))
                << std::min(runs_, kMostDoublings);
  ++runs_;
  KeepNeighbours();
}

std::vector<double> CmaSearch::Unrounded(std::int64_t number, const CubePoint& point) const {
  PhiloxStream random(DeriveKey(spec().seed, "cmaes/cell"), static_cast<std::uint64_t>(number));
  std::vector<double> place = point;
  for (std::size_t i = 0; i < place.size(); ++i) {
    const double u = random.NextUniform();
    if (!IsDiscrete(i)) continue;
    const auto axis = static_cast<CmaEvolution::Index>(i);
    const double mean = evolution_->mean(axis), deviation = evolution_->Deviation(axis);
    const Cell cell = CellAt(i, place[i]);
    // Of a tail, since the distribution function has more digits near 0 than near 1.
    const bool is_above = cell.low > mean;
    const double near = is_above ? mean - cell.low : cell.high - mean;
    const double far = is_above ? mean - cell.high : cell.low - mean;
    const double all = NormalCdf(near / deviation), less = NormalCdf(far / deviation);
    const double drawn = deviation * NormalQuantile(less + u * (all - less));
    place[i] = std::clamp(is_above ? mean - drawn : mean + drawn, cell.low, cell.high);
  }
  return place;
}

void CmaSearch::Advance(std::int64_t sequence) {
  std::sort(waiting_.begin(), waiting_.end(),
            [&](std::int64_t a, std::int64_t b) { return RanksBefore(a, b); });
  const Known &best = Get(waiting_.front()), &middle = Get(waiting_[waiting_.size() / 2]);
  const auto cost = [](const Known& known) {
    return known.violation > 0 ? kInfinite : known.cost.value_or(kInfinite);
  };
  progress_.best.push_back(cost(best));
  progress_.middle.push_back(cost(middle));
  if (best.rank == Get(waiting_.back()).rank) {
    ++progress_.flat;
  } else {
    progress_.flat = 0;
    std::vector<CmaEvolution::Point> ranked;
    for (const std::int64_t number : waiting_) {
      const Known& known = Get(number);
      const std::vector<double> place = Unrounded(number, known.point);
      ranked.push_back(
          {.place = CmaEvolution::Vector::Map(place.data(), std::ssize(place)),
           .is_own = known.first_sequence > generation_began_ && number >= first_own_});
    }
    evolution_->Update(ranked);
  }
  waiting_.clear();
  most_running_ = 0;
  generation_began_ = sequence;
  if (IsOver()) {
    PhiloxStream random(DeriveKey(spec().seed, "cmaes/run"), static_cast<std::uint64_t>(runs_));
    CubePoint mean(space().dimensions().size());
    for (double& coordinate : mean) coordinate = random.NextUniform();
    return Begin(mean, sequence);
  }
  KeepNeighbours();
}

double CmaSearch::Margin() const {
  return 1 / static_cast<double>(space().dimensions().size() * population_);
}

void CmaSearch::KeepNeighbours() {
  for (std::size_t i = 0; i < space().dimensions().size(); ++i) {
    if (!IsDiscrete(i)) continue;
    const auto axis = static_cast<CmaEvolution::Index>(i);
    const Cell cell = CellAt(i, evolution_->mean(axis));
    evolution_->Keep(axis, cell.low, cell.high, Margin());
  }
}

// Most of the criteria of Auger and Hansen, and the stagnation of the tutorial's appendix B.3.
bool CmaSearch::IsOver() const {
  if (!evolution_->IsSound() || progress_.flat >= kMostFlat) return true;
  bool is_settled = true;
  // The deviation, in cells, at which half of the margin lies beyond either end of a cell.
  const double of_margin = 0.5 / -NormalQuantile(Margin() / 2);
  for (std::size_t i = 0; i < space().dimensions().size() && is_settled; ++i) {
    const auto axis = static_cast<CmaEvolution::Index>(i);
    double narrow = kNarrow;
    if (IsDiscrete(i)) {
      const Cell cell = CellAt(i, evolution_->mean(axis));
      const double width = std::min(cell.high, 1.0) - std::max(cell.low, 0.0);
      narrow = std::max(narrow, kHardlyMore * of_margin * width);
    }
    is_settled = evolution_->Reach(axis) < narrow;
  }
  if (is_settled) return true;
  const std::vector<double>& best = progress_.best;
  const std::size_t share = 30 * space().dimensions().size() / population_;
  if (best.size() >= 10 + share) {
    const auto [least, most] =
        std::minmax_element(best.end() - 10 - std::ptrdiff_t(share), best.end());
    // Infinite ones may be getting nearer to a gate.
    if (std::isfinite(*most) && *most - *least <= kEqualCosts * std::abs(*least)) return true;
  }
  const std::size_t window = std::max(120 + share, best.size() / 5);
  if (best.size() < window) return false;
  const auto has_stopped = [&](const std::vector<double>& costs) {
    const auto from = costs.end() - static_cast<std::ptrdiff_t>(window);
    const auto third = static_cast<std::ptrdiff_t>(window * 3 / 10);
    const double late = UpperMedian({costs.end() - third, costs.end()});
    return std::isfinite(late) && late >= UpperMedian({from, from + third});
  };
  return has_stopped(best) && has_stopped(progress_.middle);
}

std::optional<CmaSearch::Choice> CmaSearch::Model(std::int64_t number) {
  if (evolution_ == nullptr) return std::nullopt;
  PhiloxStream random(DeriveKey(spec().seed, "cmaes"), static_cast<std::uint64_t>(number));
  double spread = 1;
  for (int round = 0; round < kMostDrawRounds; ++round) {
    if (round > 2) spread *= kWidenBy;
    std::vector<CubePoint> drawn;
    for (int i = 0; i < (round == 0 ? 1 : kDrawsPerRound); ++i) {
      drawn.push_back(Draw(&random, spread));
    }
    std::vector<Candidate> allowed = Allowed(number, drawn);
    if (!allowed.empty()) return Choice{.configuration = std::move(allowed.front().configuration)};
  }
  return std::nullopt;
}

CubePoint CmaSearch::Draw(PhiloxStream* random, double spread) const {
  CmaEvolution::Vector normal(std::ssize(space().dimensions()));
  for (double& one : normal) one = NormalQuantile(random->NextUniform());
  const CmaEvolution::Vector place = evolution_->PointOf(normal, spread);
  CubePoint point(place.begin(), place.end());
  for (std::size_t i = 0; i < point.size(); ++i) {
    point[i] = IsDiscrete(i) ? std::clamp(point[i], 0.0, kBelowOne) : Mirrored(point[i]);
  }
  return point;
}

double CmaSearch::DensityAt(std::size_t axis, double coordinate) const {
  const double mean = evolution_->mean(static_cast<CmaEvolution::Index>(axis));
  const double deviation = evolution_->Deviation(static_cast<CmaEvolution::Index>(axis));
  if (IsDiscrete(axis)) {
    const Cell cell = CellAt(axis, coordinate);
    const double share =
        NormalCdf((cell.high - mean) / deviation) - NormalCdf((cell.low - mean) / deviation);
    return share / (std::min(cell.high, 1.0) - std::max(cell.low, 0.0));
  }
  double density = 0;
  // What lies beyond the cube is mirrored into it.
  for (const double place : {coordinate, -coordinate, 2 - coordinate}) {
    const double z = (place - mean) / deviation;
    density += std::exp(-0.5 * z * z) / (kSqrt2Pi * deviation);
  }
  return density;
}

void CmaSearch::Describe(const std::vector<std::vector<SlicePlace>>& places,
                         std::vector<ModelSlice>* slices) {
  if (evolution_ == nullptr) return;
  for (std::size_t s = 0; s < slices->size(); ++s) {
    ModelSlice& slice = (*slices)[s];
    for (const SlicePlace& place : places[s]) {
      slice.density.push_back(DensityAt(slice.dimension, place.coordinate));
    }
  }
}

}  // namespace sweep
