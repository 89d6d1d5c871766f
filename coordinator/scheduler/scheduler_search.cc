// The part of the scheduler that makes configurations, on a thread of its own, so that a slow
// suggestion delays no report.

#include <algorithm>
#include <utility>

#include "coordinator/scheduler/scheduler_impl.h"
#include "fmt/format.h"
#include "spdlog/spdlog.h"

namespace sweep {
namespace {

// Configurations of one sweep per turn: others get theirs in between.
constexpr std::int64_t kMaxBatch = 64;
// Trials that wait even when no worker is there.
constexpr std::int64_t kMinPending = 8;
constexpr absl::Duration kRetryAfter = absl::Seconds(1);

}  // namespace

struct SchedulerImpl::SearchJob {
  std::int64_t sweep_id = 0;
  std::string sweep;
  std::shared_ptr<const SweepSpec> spec;  // shared with the sweep's entry
  std::int64_t first = 0;                 // number of the first configuration
  std::int64_t count = 0;
  bool reaches_budget = false;
  bool fresh = false;  // start with a new Search
};

struct SchedulerImpl::SearchBatch {
  SearchJob job;
  std::vector<Configuration> configurations;
  bool exhausted = false;
  std::string reason;            // of a search that ended before its budget was used
  std::vector<TrialRow> trials;  // what has been made of them
  std::int64_t made = 0;
};

bool SchedulerImpl::SearchTurn() {
  std::vector<SearchJob> jobs = PlanSearch();
  for (const SearchJob& job : jobs) RunSearch(job);
  return !jobs.empty();
}

std::vector<SchedulerImpl::SearchJob> SchedulerImpl::PlanSearch() {
  MutexLock lock(&mutex_);
  std::erase_if(searchers_, [&](const auto& item) {
    mutex_.AssertHeld();
    return table_.FindSweep(item.first) == nullptr;
  });
  std::vector<SearchJob> jobs;
  if (stopping_) return jobs;
  const std::int64_t target = std::max(2 * table_.connected_slots(), kMinPending);
  for (auto& [id, sweep] : table_.sweeps()) {
    const bool idle = sweep.state == SweepState::kActive && !sweep.exhausted && !sweep.searching &&
                      sweep.search_not_before <= Now();
    const std::int64_t missing = target - static_cast<std::int64_t>(sweep.pending.size());
    const std::int64_t left = std::max<std::int64_t>(sweep.planned - sweep.configurations, 0);
    if (!idle || (missing <= 0 && left > 0)) continue;
    const std::int64_t wanted = (missing + sweep.spec->replicates - 1) / sweep.spec->replicates;
    const std::int64_t count = std::clamp<std::int64_t>(wanted, 0, std::min(left, kMaxBatch));
    sweep.searching = true;
    jobs.push_back({.sweep_id = id,
                    .sweep = sweep.name,
                    .spec = sweep.spec,
                    .first = sweep.configurations + 1,
                    .count = count,
                    .reaches_budget = count == left,
                    .fresh = std::exchange(sweep.fresh_search, false)});
  }
  return jobs;
}

void SchedulerImpl::RunSearch(const SearchJob& job) {
  Searcher& searcher = searchers_[job.sweep_id];
  if (job.fresh || searcher.search == nullptr) {
    searcher.search.reset();  // it refers to the old spec
    searcher.spec = job.spec;
    searcher.search = Search::Make(searcher.spec.get());
  }
  auto batch = std::make_shared<SearchBatch>();  // shared by the write and its completion
  batch->job = job;
  batch->exhausted = job.reaches_budget;
  for (std::int64_t i = 0; i < job.count; ++i) {
    absl::StatusOr<std::optional<Configuration>> next = searcher.search->Suggest(job.first + i);
    if (!next.ok()) {
      spdlog::error("search ended sweep={} reason={:?}", job.sweep,
                    std::string(next.status().message()));
    }
    if (!next.ok() || !next->has_value()) {
      batch->exhausted = true;
      batch->reason = next.ok() ? fmt::format(
                                      "the search space has only {} points that satisfy "
                                      "the constraints and can be built",
                                      job.first + i - 1)
                                : std::string(next.status().message());
      break;
    }
    batch->configurations.push_back(**std::move(next));
  }
  {
    MutexLock lock(&mutex_);
    DeferWrite(
        [batch](WriteTransaction& transaction) {
          for (const Configuration& configuration : batch->configurations) {
            absl::StatusOr<std::vector<TrialRow>> rows =
                transaction.AddConfiguration(batch->job.sweep_id, *batch->job.spec, configuration);
            if (absl::IsResourceExhausted(rows.status())) {
              batch->exhausted = true;
              break;
            }
            if (!rows.ok()) return rows.status();
            batch->trials.insert(batch->trials.end(), rows->begin(), rows->end());
            ++batch->made;
          }
          if (!batch->exhausted) return absl::OkStatus();
          const absl::StatusOr<bool> ended =
              transaction.MarkExhausted(batch->job.sweep_id, batch->reason);
          batch->exhausted = ended.value_or(false);
          return ended.status();
        },
        [this, batch](const absl::Status& status) { OnConfigurations(batch, status); });
  }
  RunDeferred();
}

void SchedulerImpl::OnConfigurations(const std::shared_ptr<SearchBatch>& batch,
                                     const absl::Status& status) {
  MutexLock lock(&mutex_);
  SweepEntry* const sweep = table_.FindSweep(batch->job.sweep_id);
  if (sweep == nullptr) return;  // cancelled meanwhile
  sweep->searching = false;
  if (status.ok()) {
    sweep->configurations += batch->made;
    sweep->exhausted = batch->exhausted;
    for (const TrialRow& trial : batch->trials) table_.Apply(trial, absl::ZeroDuration());
    EndIfDone(batch->job.sweep_id);
    DeferSignal(batch->job.sweep_id, EventBus::Signal::kEvents);
  } else {
    DeferLog(spdlog::level::warn, fmt::format("configurations not stored sweep={} reason={:?}",
                                              batch->job.sweep, std::string(status.message())));
    sweep->fresh_search = true;
    sweep->search_not_before = Now() + kRetryAfter;
  }
  React();
}

void SchedulerImpl::SearchThread(const std::stop_token& stop) {
  while (true) {
    {
      MutexLock lock(&mutex_);
      while (!search_wanted_ && !stop.stop_requested()) wake_search_.Wait(&mutex_);
      if (stop.stop_requested()) return;
      search_wanted_ = false;
    }
    SearchTurn();
  }
}

}  // namespace sweep
