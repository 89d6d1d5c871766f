#include "coordinator/search/driver_core.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "spdlog/spdlog.h"

namespace sweep {

std::int64_t SearchDemand::ConfigurationsFor(std::int64_t missing_trials) const {
  const std::int64_t replicates = spec->FirstReplicates();
  const std::int64_t left = std::max<std::int64_t>(planned - configurations, 0);
  return std::clamp<std::int64_t>((missing_trials + replicates - 1) / replicates, 0,
                                  std::min(left, DriverCore::kMaxBatch));
}

const DrivenSweep::Shared* DriverCore::Find(std::int64_t sweep_id) const {
  const auto found = sweeps.find(sweep_id);
  return found == sweeps.end() ? nullptr : &found->second->shared_;
}

void DriverCore::NoteWaits(DrivenSweep& sweep, const SearchDemand& demand) {
  std::deque<absl::Duration>& waits = Of(sweep).waits;
  const bool wants_more = demand.is_open && !demand.is_used_up();
  const std::int64_t waiting =
      wants_more ? std::max<std::int64_t>(demand.free_slots - demand.pending, 0) : 0;
  while (std::ssize(waits) > waiting) waits.pop_front();
  while (std::ssize(waits) < waiting) waits.push_back(Now());
}

void DriverCore::RestartWaits(DrivenSweep& sweep) {
  MutexLock lock(&mutex);
  std::deque<absl::Duration>& waits = Of(sweep).waits;
  std::fill(waits.begin(), waits.end(), Now());
}

void DriverCore::BeginThought(DrivenSweep& sweep) {
  MutexLock lock(&mutex);
  Of(sweep).thinks_since = Now();
}

bool DriverCore::EndThought(DrivenSweep& sweep, std::int64_t configurations) {
  MutexLock lock(&mutex);
  DrivenSweep::Shared& shared = Of(sweep);
  shared.is_slow = Now() - *std::exchange(shared.thinks_since, std::nullopt) >= kSlowThought;
  return !shared.stands_in && shared.stored <= configurations;
}

void DriverCore::Want() {
  if (!std::exchange(is_wanted, true)) wake.NotifyOne();
}

void DriverCore::Await(DrivenSweep& sweep, std::string why) {
  MutexLock lock(&mutex);
  Of(sweep).waits_for = std::move(why);
}

void DriverCore::EndTurn(DrivenSweep& sweep, bool ok) {
  DrivenSweep::Shared& shared = Of(sweep);
  shared.is_busy = false;
  if (!ok) {
    shared.not_before = Now() + kRetryAfter;
    std::fill(shared.waits.begin(), shared.waits.end(), shared.not_before);
  }
  Want();
}

void DriverCore::Release(DrivenSweep& sweep) {
  MutexLock lock(&mutex);
  Of(sweep).is_busy = false;
  if (Of(sweep).has_news) Want();  // a plan may have passed over the busy sweep
}

void DriverCore::Write(const SearchJob& job, std::string_view what, Store::WriteFunction function,
                       std::function<void(bool ok)> done) const {
  host.write(
      [function = std::move(function), id = job.demand.sweep_id,
       revision = job.demand.revision](WriteTransaction& transaction) {
        const absl::Status same = transaction.CheckRevision(id, revision);
        return same.ok() ? function(transaction) : same;
      },
      [name = job.demand.spec->name, what = std::string(what),
       done = std::move(done)](const absl::Status& status) {
        if (!status.ok() && !absl::IsAborted(status)) {  // else the file was edited
          spdlog::warn("{} not stored sweep={} reason={:?}", what, name,
                       std::string(status.message()));
        }
        done(status.ok());
      });
}

}  // namespace sweep
