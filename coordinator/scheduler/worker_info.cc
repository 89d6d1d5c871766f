#include "coordinator/scheduler/worker_info.h"

#include <vector>

namespace sweep {
namespace {

std::vector<OtherData> DescribeOtherData(const WorkTable& table, const WorkerEntry& worker) {
  std::vector<OtherData> list;
  for (const auto& [sweep_id, data] : worker.can.other_data) {
    const auto sweep = table.sweeps().find(sweep_id);
    if (sweep == table.sweeps().end()) continue;
    list.push_back(data);
    list.back().sweep = sweep->second.name;
    list.back().sweep_sha256 = sweep->second.data_sha256;
  }
  return list;
}

}  // namespace

std::set<std::string_view> CallersThatWait(const WorkTable& table) {
  std::set<std::string_view> callers;
  for (const auto& [sweep_id, asks] : table.asks()) {
    for (const PendingAsk& ask : asks) callers.insert(ask.caller);
  }
  return callers;
}

WorkerInfo DescribeWorker(const WorkTable& table, const WorkerEntry& worker, const Clock& clock,
                          const WorkerBuilds& builds) {
  WorkerInfo info{.name = worker.name,
                  .description = worker.description,
                  .connected = worker.connected,
                  .draining = worker.leaves(),
                  .created = worker.created,
                  .last_seen = worker.last_seen,
                  .completed = worker.completed,
                  .failed = worker.failed};
  if (worker.is_caller()) {
    info.connected = !worker.leases.empty();
    info.description.slots = static_cast<int>(worker.leases.size());
  }
  const std::string& build = worker.description.build;
  if (!worker.is_caller() && IsOlderThanExpected(build, builds)) {
    info.expected_build = builds.expected;
  }
  info.put_aside = DescribeHealth(worker, clock);
  info.other_data = DescribeOtherData(table, worker);
  for (const TrialKey& key : worker.leases) {
    const TrialEntry* const trial = table.FindTrial(key);
    info.trials.push_back(trial->row.short_name());
    if (trial->progress) info.images_per_second += trial->progress->images_per_second;
  }
  return info;
}

std::optional<PutAside> DescribeHealth(const WorkerEntry& worker, const Clock& clock) {
  if (!worker.health.until()) return std::nullopt;
  return PutAside{.failures = worker.health.failures(),
                  .reason = worker.health.reason(),
                  .until = clock.Now() + (*worker.health.until() - clock.Monotonic())};
}

}  // namespace sweep
