#include "coordinator/search/race_desk.h"

#include <memory>
#include <utility>
#include <vector>

namespace sweep {

void RaceDesk::Race(const SearchJob& job) {
  DrivenSweep& sweep = *job.sweep;
  if (!job.demand.is_open) return core_.Release(sweep);
  ReplicateRacer::Step step = sweep.racer->Next(job.demand.planned, DriverCore::kMaxBatch);
  if (step.is_over) return End(job, step.has_held);
  if (!step.seeds.empty()) return Give(job, std::move(step.seeds));
  core_.Await(sweep, "");
  core_.Release(sweep);
}

void RaceDesk::Give(const SearchJob& job, std::vector<ReplicateRacer::Seed> next) {
  // Both are shared by the write and its completion.
  auto seeds = std::make_shared<const std::vector<ReplicateRacer::Seed>>(std::move(next));
  auto result = std::make_shared<StoredSuggestions>();
  core_.Write(
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
      [this, seeds, result, sweep = job.sweep](bool ok) {
        if (ok) {
          for (const ReplicateRacer::Seed& seed : *seeds) sweep->racer->Give(seed);
          core_.host.suggestions_stored(*result);
        }
        MutexLock lock(&core_.mutex);
        core_.EndTurn(*sweep, ok);
      });
}

// What rests on hold is promoted or stopped first: it may still be the best.
void RaceDesk::End(const SearchJob& job, bool has_held) {
  DrivenSweep& sweep = *job.sweep;
  if (has_held && sweep.judge.has_rule() && (ends_.IsIssuing(sweep) || ends_.PromoteHeld(job))) {
    return core_.Release(sweep);
  }
  ends_.EndSearch(
      job, [id = job.demand.sweep_id, reason = sweep.end_reason, seen = sweep.seen](
               WriteTransaction& transaction) { return transaction.EndRace(id, reason, seen); });
}

}  // namespace sweep
