#include "coordinator/search/search_race.h"

#include <memory>
#include <utility>
#include <vector>

#include "coordinator/search/search_ends.h"

namespace sweep {
namespace {

void GiveSeeds(DriverCore& core, const SearchJob& job, std::vector<ReplicateRacer::Seed> next) {
  // Both are shared by the write and its completion.
  auto seeds = std::make_shared<const std::vector<ReplicateRacer::Seed>>(std::move(next));
  auto result = std::make_shared<StoredSuggestions>();
  core.Write(
      job, "further seeds",
      [seeds, result, demand = job.demand](WriteTransaction& transaction) {
        *result = {.sweep_id = demand.sweep_id};
        for (const ReplicateRacer::Seed& seed : *seeds) {
          absl::StatusOr<TrialRow> row = transaction.AddReplicate(
              demand.sweep_id, *demand.spec, seed.configuration, seed.replicate);
          if (!row.ok()) return row.status();
          result->trials.push_back(*std::move(row));
        }
        return absl::OkStatus();
      },
      [&core, seeds, result, sweep = job.sweep](bool ok) {
        if (ok) {
          for (const ReplicateRacer::Seed& seed : *seeds) sweep->racer->Give(seed);
          core.host.suggestions_stored(*result);
        }
        MutexLock lock(&core.mutex);
        // What was committed but reported as failed is seen by reading the events again.
        if (!ok) core.Of(*sweep).has_news = true;
        core.EndTurn(*sweep, ok);
      });
}

// What rests on hold is promoted or stopped first: it may still be the best.
void EndRace(DriverCore& core, const SearchJob& job, bool has_held) {
  if (has_held && PromotesHeld(core, job)) return core.Release(*job.sweep);
  EndSearch(core, job,
            [id = job.demand.sweep_id, reason = job.sweep->end_reason, seen = job.sweep->seen](
                WriteTransaction& transaction) { return transaction.EndRace(id, reason, seen); });
}

}  // namespace

void RunRace(DriverCore& core, const SearchJob& job) {
  DrivenSweep& sweep = *job.sweep;
  if (!job.demand.is_open) return core.Release(sweep);
  ReplicateRacer::Step step = sweep.racer->Next(job.demand.planned, DriverCore::kMaxBatch);
  if (step.is_over) return EndRace(core, job, step.has_held);
  if (!step.seeds.empty()) return GiveSeeds(core, job, std::move(step.seeds));
  core.Await(sweep, "");
  core.Release(sweep);
}

}  // namespace sweep
