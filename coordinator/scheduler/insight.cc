#include "coordinator/scheduler/insight.h"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "coordinator/scheduler/fleet_health.h"
#include "coordinator/scheduler/worker_info.h"

namespace sweep {
namespace {

void CountWorker(const WorkerEntry& worker, SchedulerCounts* counts) {
  // The worker is known only from the leases that it had when this coordinator started, and is
  // expected back.
  if (worker.session.empty()) return;
  if (!worker.connected) {
    ++counts->workers_gone;
    return;
  }
  if (worker.leaves()) {
    ++counts->workers_draining;
    return;
  }
  counts->slots += worker.description.slots;
  if (worker.health.until()) {
    ++counts->workers_put_aside;
    return;
  }
  ++counts->workers_connected;
  counts->free_slots += std::max(worker.free_slots(), 0);
}

void DescribeWorkers(const WorkTable& table, const Demand& demand, const Clock& clock,
                     TrialSituation* situation) {
  for (const auto& [name, worker] : table.workers()) {
    if (!worker.connected) continue;
    ++situation->workers;
    const Misfit misfit = Fits(demand, worker.can);
    if (misfit == Misfit::kTrainsOthers) {
      situation->others.insert(worker.can.only_sweeps.begin(), worker.can.only_sweeps.end());
    }
    if (misfit != Misfit::kNone && misfit != Misfit::kOtherData) {
      ++situation->misfits[misfit];
      continue;
    }
    ++situation->may_train_it;
    if (worker.leaves()) {
      ++situation->draining;
      continue;
    }
    if (misfit == Misfit::kOtherData) {
      OtherData& data = situation->other_data[name] = worker.can.other_data.at(demand.sweep_id);
      data.sweep = demand.sweep;
      const auto sweep = table.sweeps().find(demand.sweep_id);
      if (sweep != table.sweeps().end()) data.sweep_sha256 = sweep->second.data_sha256;
      continue;
    }
    if (std::optional<PutAside> aside = DescribeHealth(worker, clock)) {
      situation->put_aside.emplace(name, *std::move(aside));
      continue;
    }
    situation->slots += worker.description.slots;
    situation->busy += worker.description.slots - std::max(worker.free_slots(), 0);
    for (const TrialKey& key : worker.leases) {
      ++situation->busy_with[table.FindTrial(key)->row.sweep];
    }
  }
}

// The trial waits only while every worker that could take it now is one on which it failed.
void DescribeFailures(const WorkTable& table, const TrialEntry& trial, absl::Duration now,
                      TrialSituation* situation) {
  situation->failed_on.assign(trial.failed_on.begin(), trial.failed_on.end());
  const bool waits =
      std::any_of(trial.failed_on.begin(), trial.failed_on.end(), [&](const std::string& name) {
        const auto worker = table.workers().find(name);
        return worker != table.workers().end() && worker->second.connected &&
               WaitsForAnother(table, trial, worker->second, now);
      });
  if (waits) situation->waits_for_another = trial.waits_for_another_until - now;
}

// Before the trial at place n of its sweep's queue every other sweep gets n turns, and one more if
// its next turn comes before this sweep's.
// A sweep in a forecast of who gets slots.
struct SweepForecast {
  explicit SweepForecast(const SweepEntry& entry)
      : sweep(&entry),
        left(std::ssize(entry.pending)),
        in_use(entry.in_use),
        served(entry.served) {}
  Turn turn() const {
    return {.load = static_cast<double>(in_use) / sweep->spec->share,
            .served = served,
            .id = sweep->id};
  }

  const SweepEntry* sweep;
  std::int64_t left;  // trials that wait
  std::int64_t in_use, served;
};

struct UserForecast {
  UserEntry user;
  std::map<Turn, SweepForecast> sweeps;  // with trials that wait
};

// How many trials of each of the others get a slot before the sweep's trial after `before` of its
// own, if slots become free one by one and nothing else happens. By name, without zeros.
std::map<std::string, std::int64_t> TrialsAhead(const std::map<std::string, UserEntry>& users,
                                                const SweepEntry& sweep, std::int64_t before,
                                                const std::vector<const SweepEntry*>& others) {
  // Nobody looks at the end of a longer queue, and the scheduler waits for this.
  constexpr int kMostSteps = 2'000;
  std::map<std::string, std::int64_t> ahead;
  std::map<std::string, UserForecast> forecast;
  const auto add = [&](const SweepEntry& one) {
    UserForecast& user = forecast[one.user];
    user.user = users.at(one.user);
    const SweepForecast entry(one);
    user.sweeps.emplace(entry.turn(), entry);
  };
  add(sweep);
  for (const SweepEntry* const other : others) {
    if (other->spec->priority > sweep.spec->priority) {
      ahead[other->name] = std::ssize(other->pending);
    } else if (other->spec->priority == sweep.spec->priority) {
      add(*other);
    }
  }
  // After all real turns.
  std::int64_t turns = std::numeric_limits<std::int64_t>::max() - kMostSteps - 1;
  for (int step = 0; step < kMostSteps; ++step) {
    const auto next = std::ranges::min_element(
        forecast, {}, [](const auto& item) { return item.second.user.turn(); });
    UserForecast& user = next->second;
    SweepForecast one = user.sweeps.extract(user.sweeps.begin()).mapped();
    const bool is_own = one.sweep == &sweep;
    if (is_own && before-- == 0) break;
    if (!is_own) ++ahead[one.sweep->name];
    ++one.in_use;
    ++user.user.in_use;
    one.served = user.user.served = ++turns;
    if (--one.left > 0) {
      user.sweeps.emplace(one.turn(), one);
    } else if (is_own) {
      break;  // the trial does not wait any more
    }
    if (user.sweeps.empty()) forecast.erase(next);
  }
  return ahead;
}

void DescribeQueue(const WorkTable& table, const SweepEntry& sweep, TrialSituation* situation) {
  const auto before =
      std::distance(sweep.pending.begin(), sweep.pending.lower_bound(situation->trial.number));
  situation->ahead_in_sweep = before;
  if (sweep.is_for_callers()) return;
  const auto is_trained = [&](const SweepEntry& other) {
    return std::any_of(table.workers().begin(), table.workers().end(), [&](const auto& item) {
      const WorkerEntry& worker = item.second;
      return worker.connected && !worker.leaves() &&
             Fits(other.demand(), worker.can) == Misfit::kNone;
    });
  };
  std::vector<const SweepEntry*> waiting;
  for (const auto& [id, other] : table.sweeps()) {
    if (id == sweep.id || other.is_for_callers() || !other.is_offered()) continue;
    if (is_trained(other)) waiting.push_back(&other);
  }
  situation->priority = sweep.spec->priority;
  situation->has_shares = sweep.spec->share != 1;
  situation->ahead_in_others = TrialsAhead(table.users(), sweep, before, waiting);
  for (const SweepEntry* const other : waiting) {
    if (!situation->ahead_in_others.contains(other->name)) continue;
    if (other->spec->priority != sweep.spec->priority) {
      situation->priorities[other->name] = other->spec->priority;
    }
    situation->has_shares |= other->spec->share != 1;
    for (const std::string& user : {sweep.user, other->user}) {
      situation->slots_of_users[user] = table.users().at(user).in_use;
    }
  }
}

}  // namespace

SchedulerCounts Insight::Counts() const {
  MutexLock lock(&state_.effects.mutex);
  SchedulerCounts counts = state_.counted;
  counts.pending = state_.table.trials_in(TrialState::kPending);
  counts.leased = state_.table.trials_in(TrialState::kLeased);
  counts.running = state_.table.trials_in(TrialState::kRunning);
  counts.on_hold = state_.table.trials_in(TrialState::kOnHold);
  counts.completed = state_.table.trials_in(TrialState::kCompleted);
  counts.stopped = state_.table.trials_in(TrialState::kStopped);
  counts.failed = state_.table.trials_in(TrialState::kFailed);
  counts.diverged = state_.table.trials_in(TrialState::kDiverged);
  counts.cancelled = state_.table.trials_in(TrialState::kCancelled);
  counts.images_per_second = state_.table.images_per_second();
  for (const auto& [id, sweep] : state_.table.sweeps()) {
    if (sweep.state == SweepState::kPaused) {
      ++counts.paused_sweeps;
      continue;
    }
    ++counts.active_sweeps;
    if (!sweep.is_for_callers()) counts.queued += std::ssize(sweep.pending);
    if (!sweep.exhausted) {
      counts.to_make += std::max<std::int64_t>(sweep.planned - sweep.configurations, 0);
    }
  }
  for (const auto& [name, worker] : state_.table.workers()) CountWorker(worker, &counts);
  return counts;
}

// ---- Workers and progress

std::vector<WorkerInfo> Insight::Workers() const {
  std::vector<WorkerInfo> workers;
  MutexLock lock(&state_.effects.mutex);
  const std::set<std::string_view> waiting = CallersThatWait(state_.table);
  for (const auto& [name, entry] : state_.table.workers()) {
    if (!entry.has_called()) continue;
    WorkerInfo& info = workers.emplace_back(
        DescribeWorker(state_.table, entry, *state_.options.clock, state_.options.worker_builds));
    if (waiting.contains(name)) info.connected = true;
  }
  std::stable_partition(workers.begin(), workers.end(),
                        [](const WorkerInfo& worker) { return worker.connected; });
  return workers;
}

std::vector<TrialProgress> Insight::Progress(const std::string& sweep) const {
  MutexLock lock(&state_.effects.mutex);
  std::vector<TrialProgress> progress;
  const SweepEntry* const entry = state_.table.FindSweep(sweep);
  if (entry == nullptr) return progress;
  for (const auto& [number, trial] : entry->trials) {
    if (trial.progress.has_value()) progress.push_back({sweep, number, *trial.progress});
  }
  return progress;
}

// ---- What a trial waits for

TrialSituation Insight::Situation(const TrialRow& trial) const {
  TrialSituation situation{.trial = trial, .now = state_.options.clock->Now()};
  situation.search_thinks = long_thought_(trial.sweep_id);
  situation.search_waits = search_waits_(trial.sweep_id);
  MutexLock lock(&state_.effects.mutex);
  const SweepEntry* const sweep = state_.table.FindSweep(trial.sweep);
  situation.is_in_table = sweep != nullptr;
  if (sweep != nullptr) {
    situation.sweep_state = sweep->state;
    situation.give_back = sweep->give_back;
    situation.pause_reason = sweep->pause_reason;
    situation.is_for_callers = sweep->is_for_callers();
    situation.required = sweep->needs.required;
    situation.store_is_full = state_.Now() < state_.no_grants_before;
    DescribeQueue(state_.table, *sweep, &situation);
  }
  const Demand demand =
      sweep != nullptr ? sweep->demand() : Demand{.sweep_id = trial.sweep_id, .sweep = trial.sweep};
  if (!situation.is_for_callers) {
    DescribeWorkers(state_.table, demand, *state_.options.clock, &situation);
  }
  const auto holder = state_.table.workers().find(trial.worker);
  if (holder != state_.table.workers().end() && holder->second.has_called()) {
    situation.holder_is_connected = holder->second.connected || holder->second.is_caller();
    situation.holder_drains = holder->second.leaves();
    situation.holder_last_seen = holder->second.last_seen;
  }
  const TrialEntry* const entry = state_.table.FindTrial(TrialKey{trial.sweep_id, trial.number});
  if (entry != nullptr) {
    situation.is_being_granted =
        entry->claim == Claim::kGranting || entry->claim == Claim::kReviving;
    situation.progress = entry->progress;
    DescribeFailures(state_.table, *entry, state_.Now(), &situation);
    if (entry->held()) {
      situation.waits_for_holder = std::max(entry->deadline - state_.Now(), absl::ZeroDuration());
    }
  }
  return situation;
}

}  // namespace sweep
