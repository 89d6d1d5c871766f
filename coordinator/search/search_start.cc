#include "coordinator/search/search_start.h"

#include <algorithm>
#include <utility>

#include "common/spec/known_points.h"
#include "coordinator/store/queries.h"

namespace sweep {
namespace {

// Configurations per read, so that no read takes long.
constexpr std::int64_t kPointsPerRead = 1000;

// A point without a place in the space stays as it was chosen: then no search takes it for one.
ParameterMap PointOrChosen(const SweepSpec& spec, const MadePoint& made) {
  absl::StatusOr<ParameterMap> point = PointIn(spec, made.chosen, made.trained);
  return point.ok() ? *std::move(point) : made.chosen.values();
}

}  // namespace

absl::Status ReadMadePoints(Store* store, std::int64_t sweep_id, std::int64_t first,
                            std::int64_t last, const std::function<void(const MadePoint&)>& take) {
  for (; first <= last; first += kPointsPerRead) {
    const absl::StatusOr<std::vector<MadePoint>> made =
        store->Read(SelectMadePoints, sweep_id, first, std::min(first + kPointsPerRead - 1, last));
    if (!made.ok()) return made.status();
    for (const MadePoint& one : *made) take(one);
  }
  return absl::OkStatus();
}

absl::Status PlaceEarlierPoints(Store* store, std::int64_t sweep_id, const SweepSpec& spec,
                                std::int64_t first, std::int64_t first_own,
                                std::vector<SharedParameters>* points) {
  const std::int64_t last = std::min(first_own, first + std::ssize(*points)) - 1;
  auto next = points->begin();
  return ReadMadePoints(store, sweep_id, first, last, [&](const MadePoint& made) {
    *next++ = SharedParameters(PointOrChosen(spec, made));
  });
}

absl::StatusOr<SearchStart> ReadSearchStart(Store* store, std::int64_t sweep_id,
                                            const SweepSpec& spec) {
  const absl::StatusOr<std::int64_t> own = store->Read(FindFirstConfiguration, sweep_id);
  if (!own.ok()) return own.status();
  return ReadSearchStart(store, sweep_id, spec, *own);
}

absl::StatusOr<SearchStart> ReadSearchStart(Store* store, std::int64_t sweep_id,
                                            const SweepSpec& spec, std::int64_t first_own) {
  SearchStart start;
  absl::Status made = ReadMadePoints(store, sweep_id, 1, first_own - 1, [&](const MadePoint& one) {
    start.made.push_back(PointOrChosen(spec, one));
  });
  if (!made.ok()) return made;
  if (spec.warm_start.empty()) return start;
  for (std::int64_t after = 0;;) {
    const absl::StatusOr<std::vector<EndedPoint>> points =
        store->Read(SelectWarmPoints, sweep_id, after, static_cast<int>(kPointsPerRead));
    if (!points.ok()) return points.status();
    if (points->empty()) return start;
    after = points->back().number;
    for (const EndedPoint& one : *points) {
      absl::StatusOr<ParameterMap> place = PointIn(spec, one.point.chosen, one.point.trained);
      if (!place.ok()) continue;
      EarlierConfiguration& known = start.earlier.emplace_back(
          EarlierConfiguration{.point = *std::move(place), .replicates = {}});
      for (const EndedPoint::Replicate& replicate : one.replicates) {
        known.replicates.push_back(
            {.state = replicate.state, .epoch = replicate.epoch, .value = replicate.best});
      }
    }
  }
}

}  // namespace sweep
