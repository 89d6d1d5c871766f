#include "coordinator/search/sobol_search.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "absl/status/status.h"
#include "common/base/philox.h"
#include "common/spec/search_space.h"
#include "coordinator/search/point_identity.h"

namespace sweep {
namespace {

// The names of the dimensions, sorted, so that the order of keys has no effect.
std::vector<std::string> SortedNames(const SearchSpace& space) {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < space.dimensions().size(); ++i) names.push_back(space.axis(i).name);
  std::sort(names.begin(), names.end());
  return names;
}

std::vector<std::uint64_t> Keys(std::uint64_t seed, const std::vector<std::string>& names) {
  std::vector<std::uint64_t> keys;
  for (const std::string& name : names) keys.push_back(DeriveKey(seed, "sobol/" + name));
  return keys;
}

}  // namespace

SobolSearch::SobolSearch(const SweepSpec* spec, bool distinct)
    : spec_(spec),
      distinct_(distinct),
      space_(spec),
      sequence_(Keys(spec->seed, SortedNames(space_))),
      completer_(spec) {
  const std::vector<std::string> names = SortedNames(space_);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const auto place = std::lower_bound(names.begin(), names.end(), space_.axis(i).name);
    places_.push_back(static_cast<std::size_t>(place - names.begin()));
  }
}

std::vector<ParameterMap> SobolSearch::PointsAhead(std::size_t count) const {
  std::vector<ParameterMap> points;
  std::vector<double> place(places_.size());
  for (std::size_t k = 0; k < count; ++k) {
    for (std::size_t i = 0; i < places_.size(); ++i) {
      place[i] = sequence_.Coordinate(index_ + static_cast<std::uint32_t>(k), places_[i]);
    }
    points.push_back(space_.Decode(place));
  }
  return points;
}

bool SobolSearch::IsNew(const Configuration& configuration) {
  return !distinct_ || seen_.insert(PointIdentity(configuration.parameters)).second;
}

std::optional<Configuration> SobolSearch::NextOfSequence() {
  // The first point is nearly always valid; under strict constraints, doubling blocks are tested at
  // once.
  const std::uint32_t first = index_;
  std::size_t size = 1;
  for (int tried = 0; tried < kMaxTried;) {
    size = std::min({size, PointCompleter::kBlock, static_cast<std::size_t>(kMaxTried - tried)});
    for (PointCompleter::Result& result : completer_.Complete(made_ + 1, PointsAhead(size))) {
      ++tried;
      ++index_;
      if (result.ok() && result->has_value() && IsNew(**result)) return **std::move(result);
    }
    size *= 2;
  }
  index_ = first;  // a repeated call tries the same points
  return std::nullopt;
}

absl::StatusOr<std::optional<Configuration>> SobolSearch::NextOfRest() {
  while (true) {
    absl::StatusOr<std::optional<Configuration>> next = rest_->Point(++rest_number_);
    if (!next.ok() || (distinct_ && !next->has_value())) return next;
    if (!next->has_value()) rest_number_ = 0;  // all of them again
    if (!next->has_value() || !IsNew(**next)) continue;
    (*next)->number = made_ + 1;
    return next;
  }
}

absl::StatusOr<std::optional<Configuration>> SobolSearch::Next() {
  if (!rest_) {
    std::optional<Configuration> next = NextOfSequence();
    if (next) return next;
    if (!spec_->points) {
      return NoneDrawn(*spec_, kMaxTried, /*has_some=*/distinct_ && made_ > 0);
    }
    rest_.emplace(spec_, FiniteSearch::Order::kShuffled);
  }
  return NextOfRest();
}

void SobolSearch::Restart() {
  made_ = 0;
  index_ = 0;
  seen_.clear();
  rest_.reset();
  rest_number_ = 0;
}

absl::StatusOr<std::optional<Configuration>> SobolSearch::Point(std::int64_t number) {
  if (number <= made_) Restart();
  while (true) {
    absl::StatusOr<std::optional<Configuration>> next = Next();
    if (!next.ok() || !next->has_value()) return next;
    if (++made_ == number) return next;
  }
}

}  // namespace sweep
