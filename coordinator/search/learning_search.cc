#include "coordinator/search/learning_search.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "common/stats/objective.h"
#include "coordinator/search/random_search.h"
#include "coordinator/search/slice_coordinates.h"

namespace sweep {
namespace {

constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();
// Points that are looked at for shapes.
constexpr std::int64_t kScouts = 256;
// Values of a slice, and of all slices together.
constexpr std::size_t kSliceValues = 50, kLeastSliceValues = 10;
constexpr std::size_t kAllSliceValues = 2500;

// Of ended configurations, best first: which have completed, and meet the learned gates. Whether
// what earlier sweeps have found meets them is unknown: it leads the search until this sweep's own
// results do, or it would hold the search where its gates are missed.
enum class Class {
  kComplete,
  kPartial,
  kMissed,
  kPartialMissed,
  kUnjudged,
  kPartialUnjudged,
  kWithoutCost
};

}  // namespace

LearningSearch::LearningSearch(const SweepSpec* spec, bool distinct, std::size_t start_up)
    : spec_(spec),
      distinct_(distinct),
      least_ended_(start_up),
      space_(spec),
      gates_(*spec),
      judged_(spec->JudgedMeasures()),
      start_up_(spec, distinct),
      completer_(spec) {}

bool LearningSearch::HasConditions() const {
  return std::any_of(spec_->parameters.begin(), spec_->parameters.end(),
                     [](const Parameter& one) { return one.when.has_value(); });
}

std::set<std::vector<bool>> LearningSearch::SomeShapes() {
  std::set<std::vector<bool>> shapes;
  if (!HasConditions()) {
    shapes.insert(std::vector<bool>(space_.dimensions().size(), true));
    return shapes;
  }
  for (std::int64_t k = 1; k <= kScouts; ++k) {
    const auto scout = start_up_.sequence().Point(k);
    if (!scout.ok() || !scout->has_value()) break;
    const std::optional<CubePoint> point = PointOf((*scout)->parameters);
    if (point) shapes.insert(ShapeOf(*point));
  }
  return shapes;
}

std::optional<CubePoint> LearningSearch::PointOf(const ParameterMap& parameters) const {
  const absl::StatusOr<SearchSpace::Place> encoded = space_.Encode(parameters);
  if (!encoded.ok()) return std::nullopt;
  CubePoint point;
  for (const std::optional<double>& coordinate : *encoded) {
    point.push_back(coordinate.value_or(kMissing));
  }
  return point;
}

LearningSearch::Known* LearningSearch::AddKnown(std::int64_t number, const ParameterMap& parameters,
                                                std::size_t replicates) {
  const auto [place, is_new] = known_.try_emplace(number);
  if (!is_new) return nullptr;
  Known& known = place->second;
  known.replicates.resize(replicates);
  start_up_.Know(parameters);
  std::optional<CubePoint> point = PointOf(parameters);
  if (!point) return &known;
  known.point = *std::move(point);
  known.is_in_space = true;
  OnKnown(number, known);
  return &known;
}

void LearningSearch::AddKnown(std::int64_t number, const ParameterMap& parameters) {
  AddKnown(number, parameters, static_cast<std::size_t>(std::max(spec_->FirstReplicates(), 1)));
}

void LearningSearch::Take(double cost, Replicate* replicate) {
  if (!std::isfinite(cost) || (replicate->has_cost && cost >= replicate->cost)) return;
  replicate->cost = cost;
  replicate->has_cost = true;
}

void LearningSearch::TakeEarlier(const std::vector<EarlierConfiguration>& earlier) {
  std::vector<std::int64_t> numbers;
  for (const EarlierConfiguration& one : earlier) {
    if (one.replicates.empty()) continue;
    const std::int64_t number = -std::ssize(numbers) - 1;
    Known* const known = AddKnown(number, one.point, one.replicates.size());
    if (!known->is_in_space) {  // the caller has found a place for each
      known_.erase(number);
      continue;
    }
    for (std::size_t i = 0; i < one.replicates.size(); ++i) {
      Replicate& replicate = known->replicates[i];
      replicate.state = one.replicates[i].state;
      replicate.epoch = one.replicates[i].epoch;
      Take(CostOf(spec_->objective(), one.replicates[i].value), &replicate);
    }
    known->has_ended = true;
    known->is_unjudged = !gates_.empty();
    Judge(known);
    ++ended_;
    OnEnded(number, *known);
    numbers.push_back(number);
  }
  if (!numbers.empty()) OnEarlier(numbers);
}

void LearningSearch::NoteEpoch(const Observation& observation, Replicate* replicate) const {
  if (observation.has_value) {
    replicate->epoch = observation.epoch;
    Take(CostOf(spec_->objective(), observation.value), replicate);
  }
  if (gates_.empty() || observation.measures == nullptr) return;
  EpochMetrics judged{.epoch = observation.epoch, .values = {}};
  for (const std::string& name : judged_) {
    if (const std::optional<double> value = observation.measures->Get(name)) {
      judged.values.Set(name, *value);
    }
  }
  if (replicate->result == nullptr) replicate->result = std::make_unique<TrialResult>();
  AddEpoch(*spec_, judged, replicate->result.get());
  // The best epoch may be one that misses the gates.
  const double cost = CostOf(spec_->objective(), ValueOf(*spec_, *replicate->result).metric);
  if (std::isfinite(cost)) replicate->cost = cost;
}

void LearningSearch::JudgeGates(Known* known) const {
  known->excesses.assign(gates_.size(), kMissing);
  known->violation = 0;
  if (known->is_unjudged) return;
  for (std::size_t gate = 0; gate < gates_.size(); ++gate) {
    int measured = 0;
    double mean = 0;
    for (std::size_t i = 0; i < known->replicates.size(); ++i) {
      const Replicate& replicate = known->replicates[i];
      if (replicate.result == nullptr || IsOpenExtra(*known, i)) continue;
      const double value = ValueOf(*spec_, *replicate.result).values.GetOrNaN(gates_.measure(gate));
      if (std::isfinite(value)) mean += (value - mean) / ++measured;
    }
    if (measured > 0) known->excesses[gate] = gates_.Excess(gate, mean);
    known->violation += gates_.Violation(gate, known->excesses[gate]);
  }
}

// Sets what holds for ended configurations only.
void LearningSearch::Judge(Known* known) const {
  double mean = 0;
  int all = 0, completed = 0, epoch = 0;
  known->with_cost = 0;
  for (std::size_t i = 0; i < known->replicates.size(); ++i) {
    if (IsOpenExtra(*known, i)) continue;
    const Replicate& replicate = known->replicates[i];
    ++all;
    if (replicate.state == TrialState::kCompleted) ++completed;
    epoch = std::max(epoch, replicate.epoch);
    if (!replicate.has_cost) continue;
    ++known->with_cost;
    // A mean of partial means, because a sum may be infinite.
    mean += (replicate.cost - mean) / known->with_cost;
  }
  known->is_complete = completed == all && known->with_cost == all;
  known->cost = std::nullopt;
  if (known->with_cost > 0) known->cost = mean;
  JudgeGates(known);
  const bool is_feasible = known->violation == 0;
  const auto rank_of = [&](Class judged, Class unjudged, Class missed) {
    return static_cast<double>(known->is_unjudged ? unjudged : is_feasible ? judged : missed);
  };
  if (!known->cost) {
    known->rank = {static_cast<double>(Class::kWithoutCost), 0, 0, 0};
  } else if (known->is_complete) {
    const double rank = rank_of(Class::kComplete, Class::kUnjudged, Class::kMissed);
    known->rank = is_feasible ? Rank{rank, *known->cost, 0, 0}
                              : Rank{rank, known->violation, *known->cost, 0};
  } else {
    known->rank = {rank_of(Class::kPartial, Class::kPartialUnjudged, Class::kPartialMissed),
                   static_cast<double>(all - completed), -static_cast<double>(epoch), *known->cost};
  }
}

bool LearningSearch::IsOpenExtra(const Known& known, std::size_t replicate) const {
  return replicate >= static_cast<std::size_t>(spec_->FirstReplicates()) &&
         !IsTerminal(known.replicates[replicate].state);
}

void LearningSearch::Observe(const Observation& observation) {
  if (observation.parameters != nullptr) {
    AddKnown(observation.configuration, *observation.parameters);
  }
  const auto found = known_.find(observation.configuration);
  if (found == known_.end()) return;
  Known& known = found->second;
  if (known.first_sequence == 0) known.first_sequence = observation.sequence;
  known.last_sequence = observation.sequence;
  const auto place = static_cast<std::size_t>(observation.replicate);
  if (place >= known.replicates.size()) known.replicates.resize(place + 1);
  Replicate& replicate = known.replicates[place];
  const bool was_open_extra = IsOpenExtra(known, place);
  if (was_open_extra && (observation.epoch > 0 || !IsTerminal(observation.state))) {
    if (observation.epoch > 0) NoteEpoch(observation, &replicate);
    return;
  }
  if (known.has_ended) {
    known.has_ended = false;
    if (known.is_in_space) {
      --ended_;
      OnReopened(observation.configuration, known);
    }
  }
  if (observation.epoch == 0) {
    replicate.state = observation.state;
  } else {
    NoteEpoch(observation, &replicate);
  }
  known.has_ended = true;
  bool runs = false;
  for (std::size_t i = 0; i < known.replicates.size(); ++i) {
    const TrialState state = known.replicates[i].state;
    if (IsTerminal(state) || IsOpenExtra(known, i)) continue;
    known.has_ended = false;
    // When a suggestion was told is no event of the sweep.
    if (state != TrialState::kOnHold && known.first_sequence > 0) runs = known.is_in_space;
  }
  if (runs != std::exchange(known.runs, runs)) running_ += runs ? 1 : -1;
  if (!known.has_ended) return;
  Judge(&known);
  if (!known.is_in_space) return;
  ++ended_;
  OnEnded(observation.configuration, known);
}

std::vector<LearningSearch::Candidate> LearningSearch::Allowed(
    std::int64_t number, const std::vector<CubePoint>& points) {
  std::vector<Candidate> allowed;
  for (std::size_t first = 0; first < points.size(); first += PointCompleter::kBlock) {
    std::vector<ParameterMap> block;
    const std::size_t end = std::min(points.size(), first + PointCompleter::kBlock);
    for (std::size_t i = first; i < end; ++i) block.push_back(space_.Decode(points[i]));
    for (PointCompleter::Result& result : completer_.Complete(number, block)) {
      if (!result.ok() || !result->has_value() || !start_up_.IsNew((*result)->parameters)) continue;
      // Without the coordinates that do not exist there.
      std::optional<CubePoint> point = PointOf((*result)->parameters);
      if (!point) continue;
      allowed.push_back({.configuration = **std::move(result), .point = *std::move(point)});
    }
  }
  return allowed;
}

std::optional<LearningSearch::Candidate> LearningSearch::FirstAllowed(
    std::int64_t number, std::span<const CubePoint> points) {
  // Most often the first one is; completing points costs more than looking at them in blocks saves.
  for (std::size_t count = 1; !points.empty(); count *= 2) {
    const std::span<const CubePoint> some = points.first(std::min(count, points.size()));
    std::vector<Candidate> allowed = Allowed(number, {some.begin(), some.end()});
    if (!allowed.empty()) return std::move(allowed.front());
    points = points.subspan(some.size());
  }
  return std::nullopt;
}

CubePoint LearningSearch::Rounded(const CubePoint& place) const {
  CubePoint point;
  for (std::size_t i = 0; i < place.size(); ++i) {
    const Parameter& axis = space_.axis(i);
    point.push_back(axis.PlaceOf(axis.Quantile(place[i])).value_or(place[i]));
  }
  return point;
}

absl::StatusOr<std::optional<Configuration>> LearningSearch::Next(std::int64_t number) {
  if (distinct_ || ended_ < least_ended_) return start_up_.Point(number);
  // The sequence would have to make all points before this one.
  return RandomSearch(spec_, /*distinct=*/false).Point(number);
}

absl::StatusOr<std::optional<Suggestion>> LearningSearch::Peek(std::int64_t number) {
  SuggestionOrigin origin{.method = std::string(spec_->method->word),
                          .seen_results = static_cast<std::int64_t>(ended_)};
  if (ended_ >= least_ended_) {
    if (std::optional<Choice> choice = Model(number)) {
      origin.source = SuggestionSource::kModel;
      origin.expected_improvement = choice->expected_improvement;
      return Suggestion{.configuration = std::move(choice->configuration),
                        .origin = std::move(origin)};
    }
  }
  origin.source = ended_ < least_ended_ ? SuggestionSource::kStartUp : SuggestionSource::kRandom;
  return WithOrigin(Next(number), std::move(origin));
}

absl::StatusOr<std::optional<Suggestion>> LearningSearch::Suggest(std::int64_t number) {
  absl::StatusOr<std::optional<Suggestion>> next = Peek(number);
  if (next.ok() && next->has_value()) AddKnown(number, (*next)->configuration.parameters);
  return next;
}

std::int64_t LearningSearch::BestWith(std::size_t dimension) const {
  std::int64_t best = 0;
  for (const auto& [number, known] : known_) {
    if (!known.has_ended || !known.is_in_space || std::isnan(known.point[dimension])) continue;
    if (best == 0 || RanksBefore(number, best)) best = number;
  }
  return best;
}

std::vector<LearningSearch::SlicePlace> LearningSearch::PlacesAlong(std::size_t dimension,
                                                                    CubePoint point, int count) {
  const double own = point[dimension];
  for (double& coordinate : point) {
    // A parameter that does not exist there may do so at another value of this one.
    if (std::isnan(coordinate)) coordinate = 0.5;
  }
  std::vector<SlicePlace> places;
  std::vector<ParameterMap> chosen;
  for (const double coordinate :
       SliceCoordinates(space_.axis(dimension), space_.dimensions()[dimension], own, count)) {
    places.push_back({.coordinate = coordinate, .point = std::nullopt});
    point[dimension] = coordinate;
    chosen.push_back(space_.Decode(point));
  }
  for (std::size_t first = 0; first < chosen.size(); first += PointCompleter::kBlock) {
    const std::size_t size = std::min(PointCompleter::kBlock, chosen.size() - first);
    const std::vector<PointCompleter::Result> results =
        completer_.Complete(/*number=*/1, std::span(chosen).subspan(first, size));
    for (std::size_t i = 0; i < size; ++i) {
      if (!results[i].ok() || !results[i]->has_value()) continue;
      places[first + i].point = PointOf((*results[i])->parameters);
    }
  }
  return places;
}

std::optional<ModelSlices> LearningSearch::Slices() {
  ModelSlices known{.ended = ended_, .needed = std::max<std::size_t>(least_ended_, 1)};
  if (known.ended < known.needed) return known;
  const std::size_t dimensions = space_.dimensions().size();
  const std::size_t count = std::clamp(kAllSliceValues / std::max<std::size_t>(dimensions, 1),
                                       kLeastSliceValues, kSliceValues);
  std::vector<std::vector<SlicePlace>> places;
  for (std::size_t i = 0; i < dimensions; ++i) {
    const std::int64_t best = BestWith(i);
    if (best == 0) continue;
    places.push_back(PlacesAlong(i, Get(best).point, static_cast<int>(count)));
    ModelSlice& slice = known.slices.emplace_back();
    slice.dimension = i;
    slice.configuration = best;
    for (const SlicePlace& place : places.back()) {
      slice.values.push_back(space_.axis(i).Quantile(place.coordinate));
    }
  }
  Describe(places, &known.slices);
  return known;
}

}  // namespace sweep
