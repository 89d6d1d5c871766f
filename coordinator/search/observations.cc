#include "coordinator/search/observations.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <utility>

#include "coordinator/search/learned_gates.h"
#include "coordinator/search/search_start.h"
#include "coordinator/store/queries.h"

namespace sweep {
namespace {

// `places` are those of a sweep with a race.
TrialPlace PlaceOf(const SweepSpec& spec, const std::map<std::int64_t, TrialPlace>& places,
                   const EventRow& event) {
  if (const auto place = places.find(event.trial_id); place != places.end()) return place->second;
  // Otherwise trials are numbered configuration by configuration.
  return {.configuration = (event.number - 1) / spec.replicates + 1,
          .replicate = static_cast<int>((event.number - 1) % spec.replicates)};
}

}  // namespace

absl::StatusOr<ObservationPage> ReadObservations(Store* store, std::int64_t sweep_id,
                                                 const SweepSpec& spec,
                                                 const ObservationCursor& cursor, int limit) {
  absl::StatusOr<std::vector<EventRow>> events =
      store->Read(SelectEvents, sweep_id, cursor.after_sequence, limit);
  if (!events.ok()) return events.status();
  const bool learns_gates = spec.method->learns && !LearnedGates(spec).empty();
  const bool is_judged = spec.early_terminate || spec.stop_when;
  const bool reads_points =
      spec.stop_when || (spec.early_terminate && spec.early_terminate->ReadsPoints());
  ObservationPage page{.last = cursor.after_sequence, .is_last = std::ssize(*events) < limit};
  page.events = *std::move(events);
  std::map<std::int64_t, TrialPlace> places;
  if (spec.race && !page.events.empty()) {
    absl::StatusOr<std::map<std::int64_t, TrialPlace>> read = store->Read(
        SelectTrialPlaces, sweep_id, cursor.after_sequence, page.events.back().sequence);
    if (!read.ok()) return read.status();
    places = *std::move(read);
  }
  for (const EventRow& event : page.events) {
    page.last = event.sequence;
    if (event.trial_id == 0 || (event.epoch == 0 && !event.state)) continue;
    const TrialPlace place = PlaceOf(spec, places, event);
    Observation seen{.sequence = event.sequence,
                     .configuration = place.configuration,
                     .replicate = place.replicate,
                     .epoch = event.epoch,
                     .state = event.state.value_or(TrialState::kRunning)};
    if (event.epoch > 0) {
      const std::optional<double> value = event.values.Get(spec.objective().name);
      // A program may report it only now and then.
      if (!value && !learns_gates && !is_judged) continue;
      seen.value = value.value_or(std::numeric_limits<double>::quiet_NaN());
      seen.has_value = value.has_value();
      if (learns_gates || is_judged) seen.measures = &event.values;
    }
    page.observations.push_back({seen, event.trial_id});
  }
  if (!spec.method->learns && !reads_points) return page;
  std::int64_t last = cursor.known_points;
  for (const StoredObservation& seen : page.observations) {
    last = std::max(last, seen.observation.configuration);
  }
  if (last == cursor.known_points) return page;
  page.first_point = cursor.known_points + 1;
  absl::StatusOr<std::vector<SharedParameters>> points =
      store->Read(SelectPoints, sweep_id, page.first_point, last);
  if (!points.ok()) return points.status();
  page.points = *std::move(points);
  if (absl::Status placed = PlaceEarlierPoints(store, sweep_id, spec, page.first_point,
                                               cursor.first_own, &page.points);
      !placed.ok()) {
    return placed;
  }
  if (spec.HasPopulation()) {
    absl::StatusOr<std::vector<Segment>> segments =
        store->Read(SelectSegments, sweep_id, page.first_point, last);
    if (!segments.ok()) return segments.status();
    page.segments = *std::move(segments);
    // One that was stopped has another target in its row.
    for (Segment& segment : page.segments) {
      segment =
          spec.pbt.SegmentOf(segment.member, segment.parent, segment.start_epoch, spec.epochs);
    }
  }
  std::int64_t known = cursor.known_points;
  for (StoredObservation& seen : page.observations) {
    // Configurations are created in the order of their numbers.
    const std::int64_t number = seen.observation.configuration;
    if (number <= known || number - page.first_point >= std::ssize(page.points)) continue;
    known = number;
    const auto place = static_cast<std::size_t>(number - page.first_point);
    seen.observation.parameters = &page.points[place].values();
    if (place < page.segments.size()) seen.observation.segment = &page.segments[place];
  }
  return page;
}

}  // namespace sweep
