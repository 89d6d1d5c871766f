#include "coordinator/search/driven_sweep.h"

#include <iterator>
#include <utility>

#include "coordinator/search/driver_core.h"
#include "coordinator/search/observations.h"
#include "coordinator/search/search_calls.h"
#include "coordinator/search/search_start.h"
#include "spdlog/spdlog.h"

namespace sweep {
namespace {

constexpr int kEventsPerRead = 256;
// A search that does not learn makes points when so many trials are missing: a write for each point
// would cost more than the points.
constexpr std::int64_t kMinMissingTrials = 16;

}  // namespace

DrivenSweep::DrivenSweep(const SearchDemand& demand, const DriverOptions& options)
    : id(demand.sweep_id),
      spec(demand.spec),
      revision(demand.revision),
      judge(spec->name, options.make_rule(*spec)),
      racer(spec->race ? std::make_unique<ReplicateRacer>(spec.get()) : nullptr) {
  shared_.has_news = observes();
}

bool DrivenSweep::Prepare(const DriverOptions& options) {
  if (search != nullptr) return true;
  absl::StatusOr<SearchStart> start = SearchStart();
  // Most searches begin without a look at the store.
  if (revision > 1 || !spec->warm_start.empty()) {
    start = ReadSearchStart(options.store, id, *spec);
  }
  if (!start.ok()) {
    spdlog::warn("earlier configurations not read sweep={} reason={:?}", spec->name,
                 std::string(start.status().message()));
    return false;
  }
  first_own_ = start->first_own();
  leaves_out = start->leaves_out();
  if (spec->method->TakesOtherPoints()) {
    stand_ins = std::make_unique<StartUpPoints>(spec.get(), *start);
  }
  search = options.make_search(spec.get(), *std::move(start));
  return true;
}

bool DrivenSweep::Observe(Store* store) {
  while (true) {
    const absl::StatusOr<ObservationPage> page = ReadObservations(
        store, id, *spec,
        {.after_sequence = seen, .known_points = points_, .first_own = first_own_}, kEventsPerRead);
    if (!page.ok()) {
      spdlog::warn("observations not read sweep={} reason={:?}", spec->name,
                   std::string(page.status().message()));
      return false;
    }
    for (const StoredObservation& stored : page->observations) {
      const Observation& observation = stored.observation;
      if (stand_ins != nullptr && observation.parameters != nullptr) {
        stand_ins->Know(*observation.parameters);
      }
      ObserveOrWarn(*spec, observation, search.get());
      judge.Observe(stored.trial_id, observation);
      if (racer != nullptr) racer->Observe(observation);
    }
    seen = page->last;
    if (!page->points.empty()) points_ = page->first_point + std::ssize(page->points) - 1;
    if (page->is_last) return true;
  }
}

void DrivenSweep::Tell(const Configuration& configuration, const Segment* segment) {
  if (!spec->method->learns) return;
  if (stand_ins != nullptr) stand_ins->Know(configuration.parameters);
  ObserveOrWarn(*spec,
                {.configuration = configuration.number,
                 .state = TrialState::kPending,
                 .parameters = &configuration.parameters,
                 .segment = segment},
                search.get());
}

bool DrivenSweep::IsRacing(const SearchDemand& demand) const {
  const bool has_made_all = !end_reason.empty() && suggested.empty();
  return racer != nullptr && (demand.is_used_up() || has_made_all);
}

std::int64_t DrivenSweep::Wanted(const SearchDemand& demand) const {
  const std::int64_t missing = search->Ahead(demand.free_slots) - demand.pending;
  if (!spec->method->learns && missing < kMinMissingTrials) return 0;
  return demand.ConfigurationsFor(missing);
}

}  // namespace sweep
