#include "coordinator/search/driver.h"

#include <pthread.h>

#include <algorithm>
#include <set>
#include <utility>

#include "coordinator/search/observations.h"
#include "coordinator/search/point_identity.h"
#include "coordinator/search/replicate_racer.h"
#include "coordinator/search/search_calls.h"
#include "coordinator/search/search_makers.h"
#include "coordinator/search/search_start.h"
#include "coordinator/search/stand_ins.h"
#include "spdlog/spdlog.h"

namespace sweep {
namespace {

constexpr int kThreads = 3;
// Configurations of one sweep per write, so that other sweeps get their turn.
constexpr std::int64_t kMaxBatch = 64;
// A search that does not learn makes points when so many trials are missing: a write for each point
// would cost more than the points.
constexpr std::int64_t kMinMissingTrials = 16;
// What a slow model has found is stored before it looks for more.
constexpr absl::Duration kLongestBatch = absl::Milliseconds(50);
constexpr int kEventsPerRead = 256;
constexpr int kMaxStopsPerWrite = 256;
// Trials may change several thousand times a second; one plan answers all changes of this time.
constexpr absl::Duration kPlanInterval = absl::Milliseconds(2);
// For so long a free slot waits for a model.
constexpr absl::Duration kPatience = absl::Seconds(1);
// While a model thinks for longer, how often slots are looked at.
constexpr absl::Duration kLookInterval = absl::Milliseconds(100);
// Delay after a refused write or a failed read.
constexpr absl::Duration kRetryAfter = absl::Seconds(1);

}  // namespace

// The search and rule of one sweep. Members not guarded by the driver's lock belong to the thread
// that set `is_busy`.
struct SearchDriver::Entry {
  // Guarded by the driver's lock.
  bool is_busy = false;
  std::int64_t plan = 0;              // number of the latest plan that listed the sweep
  bool has_news = false;              // the search or the rule may not have seen all events
  absl::Duration not_before;          // monotonic
  std::uint64_t subscription = 0;     // 0: neither of them observes events
  std::int64_t stored = 0;            // number of the last stored configuration
  std::vector<std::int64_t> refused;  // trials whose decision was not stored
  int storing = 0;                    // decisions being stored
  bool is_ended_by_rule = false;
  bool has_made_all = false;  // the search has no more points; of a sweep with a race
  bool race_waits = false;    // for an event; nobody gets a seed before
  std::string waits_for;      // why the search has none for now; it is asked again after an event
  std::optional<absl::Duration> thinks_since;  // monotonic; the model looks for the next number
  bool stands_in = false;                      // start-up points are being made or stored
  absl::Duration no_stand_in_before;           // monotonic
  std::set<std::string> stood_in;              // identities of those since the model was asked

  std::shared_ptr<const SweepSpec> spec;  // shared; the search refers to it
  std::int64_t revision = 1;              // of the sweep file
  std::unique_ptr<Search> search;         // null until the first job
  std::int64_t first_own = 1;             // number of the first configuration of this file
  bool leaves_out = false;                // points that are known from elsewhere
  std::unique_ptr<StoppingRule> rule;     // null: no trial is stopped
  std::unique_ptr<ReplicateRacer> racer;  // null: the sweep has no race
  std::int64_t raced_version = 0;         // of the racer, when it was last asked
  std::int64_t seen = 0;                  // sequence of the last event observed
  std::int64_t points = 0;                // configurations whose points were observed
  struct Suggested {
    std::shared_ptr<const Configuration> configuration;  // shared with the write
    WriteTransaction::Suggestion facts;
    bool is_told = false;  // to the search; of a model that learns
  };
  // What follows belongs to the thread that set `stands_in`, while there is one.
  std::unique_ptr<StandIns> stand_ins;  // null: the method does not learn
  bool is_finite = false;
  std::set<std::string> known;  // identities of all points, when finite and a model learns

  std::deque<Suggested> suggested;  // not stored yet
  std::string end_reason;           // set when the search makes no more points
  // Ids of observed trials by configuration and replicate, when there is a rule.
  std::map<std::pair<std::int64_t, int>, std::int64_t> trial_ids;
  // The rule's last decision on each trial, by id, until the trial has ended.
  struct Decision {
    StopDecision::Action action = StopDecision::Action::kStop;
    int target_epoch = 0;
    std::string reason;
    bool after_hold = false;  // a promotion of a trial whose decided hold may not be stored yet
    bool is_issued = false;

    absl::StatusOr<TrialRow> Store(WriteTransaction& transaction, std::int64_t trial_id,
                                   const SweepSpec& spec) const;
  };
  std::map<std::int64_t, Decision> decisions;
};

absl::StatusOr<TrialRow> SearchDriver::Entry::Decision::Store(WriteTransaction& transaction,
                                                              std::int64_t trial_id,
                                                              const SweepSpec& spec) const {
  switch (action) {
    case StopDecision::Action::kStop:
      return transaction.StopTrial(trial_id, spec, target_epoch, reason);
    case StopDecision::Action::kHold:
      return transaction.HoldTrial(trial_id, target_epoch, reason);
    case StopDecision::Action::kPromote:
      break;
  }
  if (after_hold) {
    // The hold may not be stored yet: hold the trial at the new target in any case.
    const absl::Status held = transaction.HoldTrial(trial_id, target_epoch, "").status();
    if (!held.ok()) return held;
  }
  return transaction.PromoteTrial(trial_id, target_epoch);
}

struct SearchDriver::Batch {
  Job job;
  std::vector<Entry::Suggested> suggestions;
  std::string end_reason;  // why the search ends after them; empty: it may go on
  bool goes_on = false;    // the sweep does, also when the search ends
  bool stands_in = false;
  StoredSuggestions result;
};

SearchDriver::SearchDriver(const Options& options, Host host)
    : options_(options), host_(std::move(host)) {}

SearchDriver::~SearchDriver() {
  MutexLock lock(&mutex_);
  for (const auto& [id, entry] : entries_) {
    if (entry->subscription != 0) options_.events->Unsubscribe(entry->subscription);
  }
}

void SearchDriver::StartThreads() {
  for (int i = 0; i < kThreads; ++i) {
    threads_.emplace_back([this](const std::stop_token& stop) { Thread(stop); });
  }
  threads_.emplace_back([this](const std::stop_token& stop) { StandInThread(stop); });
}

void SearchDriver::Wake() {
  MutexLock lock(&mutex_);
  Want();
}

void SearchDriver::Want() {
  if (!std::exchange(wanted_, true)) wake_.NotifyOne();
}

void SearchDriver::Stop() {
  for (std::jthread& thread : threads_) thread.request_stop();
  {
    MutexLock lock(&mutex_);
    wake_.NotifyAll();
    stop_.NotifyAll();
  }
  threads_.clear();  // joins
}

bool SearchDriver::Turn() {
  const std::vector<Job> jobs = Plan();
  for (const Job& job : jobs) Run(job);
  return !jobs.empty();
}

void SearchDriver::Thread(const std::stop_token& stop) {
  pthread_setname_np(pthread_self(), "search");
  while (true) {
    std::optional<Job> job;
    {
      MutexLock lock(&mutex_);
      while (queue_.empty() && !stop.stop_requested()) {
        if (!wanted_) {
          wake_.Wait(&mutex_);
          continue;
        }
        const absl::Duration pause = next_plan_ - RealClock()->Monotonic();
        if (pause <= absl::ZeroDuration()) break;
        wake_.WaitFor(&mutex_, absl::ToChronoNanoseconds(pause));
      }
      if (stop.stop_requested()) return;
      if (!queue_.empty()) {
        job = std::move(queue_.front());
        queue_.pop_front();
        // The job may take long, and this thread may have taken the notification of other work.
        if (wanted_ || !queue_.empty()) wake_.NotifyOne();
      } else {
        wanted_ = false;
        next_plan_ = RealClock()->Monotonic() + kPlanInterval;
      }
    }
    if (job) {
      Run(*job);
      continue;
    }
    std::vector<Job> jobs = Plan();
    MutexLock lock(&mutex_);
    for (Job& planned : jobs) queue_.push_back(std::move(planned));
    for (std::size_t i = 1; i < jobs.size(); ++i) wake_.NotifyOne();  // this thread takes the first
  }
}

std::shared_ptr<SearchDriver::Entry> SearchDriver::FindOrMake(const SearchDemand& demand) {
  std::shared_ptr<Entry>& entry = entries_[demand.sweep_id];
  if (entry != nullptr && entry->revision > demand.revision) return nullptr;
  if (entry != nullptr && entry->revision == demand.revision) return entry;
  // A thread that still works for the earlier file does so on its own entry, and stores nothing.
  if (entry != nullptr && entry->subscription != 0) {
    options_.events->Unsubscribe(entry->subscription);
  }
  entry = std::make_shared<Entry>();
  entry->spec = demand.spec;
  entry->revision = demand.revision;
  entry->rule = options_.make_rule(*entry->spec);
  // A population has points more than once.
  entry->is_finite =
      entry->spec->method->learns && !entry->spec->HasPopulation() && HasFiniteSpace(*entry->spec);
  if (entry->spec->race) entry->racer = std::make_unique<ReplicateRacer>(entry->spec.get());
  const bool judges = entry->rule != nullptr || entry->racer != nullptr;
  if (!entry->spec->method->learns && !judges) return entry;
  entry->has_news = true;
  // The bus may call it once more after Unsubscribe, but not after Stop.
  entry->subscription = options_.events->Subscribe(
      demand.sweep_id, [this, weak = std::weak_ptr<Entry>(entry)](EventBus::Signal signal) {
        const std::shared_ptr<Entry> known = weak.lock();
        if (signal != EventBus::Signal::kEvents || known == nullptr) return;
        MutexLock lock(&mutex_);
        known->has_news = true;
        Want();
      });
  return entry;
}

std::int64_t SearchDriver::Wanted(const Entry& entry, const SearchDemand& demand) {
  const std::int64_t missing = entry.search->Ahead(demand.free_slots) - demand.pending;
  if (!entry.spec->method->learns && missing < kMinMissingTrials) return 0;
  const std::int64_t replicates = demand.spec->FirstReplicates();
  const std::int64_t left = std::max<std::int64_t>(demand.planned - demand.configurations, 0);
  return std::clamp<std::int64_t>((missing + replicates - 1) / replicates, 0,
                                  std::min(left, kMaxBatch));
}

std::vector<SearchDriver::Job> SearchDriver::Plan() {
  std::vector<SearchDemand> demands = host_.demands();
  std::vector<Job> jobs;
  MutexLock lock(&mutex_);
  ++plans_;
  const absl::Duration now = options_.clock->Monotonic();
  for (SearchDemand& demand : demands) {
    const std::shared_ptr<Entry> entry = FindOrMake(demand);
    if (entry == nullptr) {
      entries_[demand.sweep_id]->plan = plans_;
      continue;
    }
    entry->plan = plans_;
    // The scheduler's demand may be older than the last stored write.
    const bool is_stale = demand.configurations < entry->stored;
    if (entry->is_busy || entry->stands_in || is_stale || entry->not_before > now) continue;
    const bool is_used_up = demand.configurations >= demand.planned;
    const bool races = IsRacing(*entry, demand);
    const auto suggests = [&] { return entry->waits_for.empty() && Wanted(*entry, demand) > 0; };
    const bool wants = demand.is_open && (entry->search == nullptr ||
                                          (races ? !entry->race_waits : is_used_up || suggests()));
    const bool is_to_end =
        (demand.only_on_hold && entry->storing == 0) || (demand.is_open && entry->is_ended_by_rule);
    if (!wants && !entry->has_news && !is_to_end) continue;
    entry->is_busy = true;
    jobs.push_back({.entry = entry, .demand = std::move(demand)});
  }
  std::erase_if(entries_, [&](const auto& item) {  // sweeps that have ended
    mutex_.AssertHeld();
    const Entry& entry = *item.second;
    if (entry.plan == plans_) return false;
    if (entry.subscription != 0) options_.events->Unsubscribe(entry.subscription);
    return true;
  });
  return jobs;
}

void SearchDriver::Run(const Job& job) {
  Entry* const entry = job.entry.get();
  if (!Prepare(job) || !Observe(job)) {
    MutexLock lock(&mutex_);
    entry->not_before = options_.clock->Monotonic() + kRetryAfter;
    entry->has_news = true;
    entry->is_busy = false;
    return;
  }
  IssueDecisions(job);
  if (job.demand.only_on_hold) return EndIfDecided(job);
  if (EndSearchByRule(job)) return;
  if (IsRacing(*entry, job.demand)) return Race(job);
  const std::int64_t count = Wanted(*entry, job.demand);
  const bool is_used_up = job.demand.configurations >= job.demand.planned;
  if (!job.demand.is_open || (count == 0 && !is_used_up)) return Release(entry);
  if (!Suggest(job, count)) return Release(entry);
  if (entry->suggested.empty() && entry->end_reason.empty() && !is_used_up) return Release(entry);
  Store(job, count);
}

// The rule has stopped the trials, so nothing is left to do when the search has ended.
bool SearchDriver::EndSearchByRule(const Job& job) {
  Entry* const entry = job.entry.get();
  std::string reason = entry->rule == nullptr ? "" : entry->rule->SweepEnd();
  if (reason.empty()) return false;
  {
    MutexLock lock(&mutex_);
    entry->is_ended_by_rule = true;
  }
  if (!job.demand.is_open) return false;
  entry->suggested.clear();
  entry->end_reason = std::move(reason);
  Store(job, 1);
  return true;
}

void SearchDriver::Release(Entry* entry) {
  MutexLock lock(&mutex_);
  entry->is_busy = false;
  if (entry->has_news) Want();  // a plan may have passed over the busy sweep
}

void SearchDriver::BeginStandIns(Entry* entry) {
  entry->stand_ins =
      std::make_unique<StandIns>(entry->spec.get(), entry->is_finite, entry->first_own);
}

bool SearchDriver::Prepare(const Job& job) {
  Entry* const entry = job.entry.get();
  if (entry->search != nullptr) return true;
  absl::StatusOr<SearchStart> start = SearchStart();
  // Most searches begin without a look at the store.
  if (entry->revision > 1 || !entry->spec->warm_start.empty()) {
    start = ReadSearchStart(options_.store, job.demand.sweep_id, *entry->spec);
  }
  if (!start.ok()) {
    spdlog::warn("earlier configurations not read sweep={} reason={:?}", entry->spec->name,
                 std::string(start.status().message()));
    return false;
  }
  entry->first_own = start->first_own();
  entry->leaves_out = start->leaves_out();
  if (entry->is_finite) {
    for (const EarlierConfiguration& one : start->earlier) {
      entry->known.insert(PointIdentity(one.point));
    }
  }
  // None of a population: they would belong to no member.
  if (entry->spec->method->learns && !entry->spec->HasPopulation()) BeginStandIns(entry);
  entry->search = options_.make_search(entry->spec.get(), *std::move(start));
  return true;
}

bool SearchDriver::Observe(const Job& job) {
  Entry* const entry = job.entry.get();
  {
    MutexLock lock(&mutex_);
    for (const std::int64_t trial_id : std::exchange(entry->refused, {})) {
      const auto decision = entry->decisions.find(trial_id);
      if (decision != entry->decisions.end()) decision->second.is_issued = false;
    }
    if (!std::exchange(entry->has_news, false)) return true;
    entry->waits_for.clear();
    // A trial that is tried again may be one to go on from.
    if (entry->spec->HasPopulation()) entry->end_reason.clear();
  }
  while (true) {
    const absl::StatusOr<ObservationPage> page =
        ReadObservations(options_.store, job.demand.sweep_id, *entry->spec,
                         {.after_sequence = entry->seen,
                          .known_points = entry->points,
                          .first_own = entry->first_own},
                         kEventsPerRead);
    if (!page.ok()) {
      spdlog::warn("observations not read sweep={} reason={:?}", job.demand.spec->name,
                   std::string(page.status().message()));
      return false;
    }
    for (const StoredObservation& stored : page->observations) {
      if (entry->is_finite && stored.observation.parameters != nullptr) {
        entry->known.insert(PointIdentity(*stored.observation.parameters));
      }
      ObserveOrWarn(*entry->spec, stored.observation, entry->search.get());
      Judge(entry, stored.trial_id, stored.observation);
      if (entry->racer != nullptr) entry->racer->Observe(stored.observation);
    }
    entry->seen = page->last;
    if (!page->points.empty()) entry->points = page->first_point + std::ssize(page->points) - 1;
    if (page->is_last) return true;
  }
}

void SearchDriver::Judge(Entry* entry, std::int64_t trial_id, const Observation& observation) {
  if (entry->rule == nullptr) return;
  entry->trial_ids[{observation.configuration, observation.replicate}] = trial_id;
  const bool is_epoch = observation.epoch > 0;
  for (StopDecision& decision :
       is_epoch ? entry->rule->OnEpoch(observation) : entry->rule->OnState(observation)) {
    const bool is_own = decision.configuration == observation.configuration &&
                        decision.replicate == observation.replicate;
    Note(entry, std::move(decision), is_own ? observation.epoch : 0);
  }
  if (is_epoch) return;
  const auto decided = entry->decisions.find(trial_id);
  if (decided == entry->decisions.end()) return;
  // Forgets decisions that were carried out: the trial has ended (one that a person retries had
  // ended before), or it is on hold as decided, until its promotion.
  const bool is_carried_out = observation.state == TrialState::kOnHold &&
                              decided->second.action == StopDecision::Action::kHold;
  if (IsTerminal(observation.state) || is_carried_out) entry->decisions.erase(decided);
}

void SearchDriver::Note(Entry* entry, StopDecision decision, int epoch) {
  const auto trial_id = entry->trial_ids.find({decision.configuration, decision.replicate});
  if (trial_id == entry->trial_ids.end()) {
    spdlog::error("stopping rule decided on an unknown trial sweep={} configuration={}",
                  entry->spec->name, decision.configuration);
    return;
  }
  const auto [place, is_new] = entry->decisions.try_emplace(trial_id->second);
  Entry::Decision& last = place->second;
  if (!is_new && last.action == StopDecision::Action::kStop) return;
  const bool is_stop = decision.action == StopDecision::Action::kStop;
  const int target = is_stop && decision.target_epoch == 0 ? epoch : decision.target_epoch;
  if (!is_new && last.action == decision.action && last.target_epoch == target) return;
  const bool after_hold = decision.action == StopDecision::Action::kPromote && !is_new &&
                          (last.action == StopDecision::Action::kHold || last.after_hold);
  last = {.action = decision.action,
          .target_epoch = target,
          .reason = std::move(decision.reason),
          .after_hold = after_hold};
}

// Runs after all events are observed: after a restart, most repeated decisions were carried out
// before.
void SearchDriver::IssueDecisions(const Job& job) {
  for (auto& [trial_id, decision] : job.entry->decisions) {
    if (std::exchange(decision.is_issued, true)) continue;
    {
      MutexLock lock(&mutex_);
      ++job.entry->storing;
    }
    auto row = std::make_shared<TrialRow>();  // shared by the write and its completion
    host_.write(
        [row, id = trial_id, demand = job.demand, decision](WriteTransaction& transaction) {
          if (absl::Status same = transaction.CheckRevision(demand.sweep_id, demand.revision);
              !same.ok()) {
            return same;
          }
          absl::StatusOr<TrialRow> decided = decision.Store(transaction, id, *demand.spec);
          if (decided.ok()) *row = *std::move(decided);
          return decided.status();
        },
        [this, row, id = trial_id, entry = job.entry](const absl::Status& status) {
          if (status.ok()) {
            host_.trial_decided(*row);
          } else if (!absl::IsAborted(status)) {  // else the file was edited
            spdlog::warn("decision on a trial not stored trial_id={} reason={:?}", id,
                         std::string(status.message()));
          }
          OnDecisionStored(entry.get(), id, status.ok());
        });
  }
}

void SearchDriver::OnDecisionStored(Entry* entry, std::int64_t trial_id, bool ok) {
  MutexLock lock(&mutex_);
  if (!ok) {
    entry->refused.push_back(trial_id);
    entry->not_before = options_.clock->Monotonic() + kRetryAfter;
    entry->has_news = true;
  }
  // The end of the sweep may be waiting for this decision.
  if (--entry->storing > 0) return;
  Want();
}

// Waits for promotions under way: a refused one is tried again.
void SearchDriver::EndIfDecided(const Job& job) {
  Entry* const entry = job.entry.get();
  {
    MutexLock lock(&mutex_);
    if (entry->storing > 0 || !entry->refused.empty()) {
      entry->is_busy = false;
      return;
    }
  }
  // A decision may have been stored since the job was planned; then a trial waits again.
  const std::vector<SearchDemand> demands = host_.demands();
  const auto present = std::find_if(demands.begin(), demands.end(), [&](const SearchDemand& one) {
    return one.sweep_id == job.demand.sweep_id;
  });
  if (present == demands.end() || !present->only_on_hold) return Release(entry);
  std::vector<StopDecision> last;
  if (entry->rule != nullptr) last = entry->rule->OnOnlyHeld();
  if (last.empty()) return StopHeldTrials(job);
  for (StopDecision& decision : last) Note(entry, std::move(decision), 0);
  IssueDecisions(job);
  Release(entry);
}

void SearchDriver::StopHeldTrials(const Job& job) {
  auto rows = std::make_shared<std::vector<TrialRow>>();  // shared by the write and its completion
  // Without a rule no event changes the decision.
  const std::optional<std::int64_t> seen =
      job.entry->rule == nullptr ? std::nullopt : std::optional(job.entry->seen);
  host_.write(
      [rows, seen, job](WriteTransaction& transaction) {
        if (absl::Status same = transaction.CheckRevision(job.demand.sweep_id, job.demand.revision);
            !same.ok()) {
          return same;
        }
        absl::StatusOr<std::vector<TrialRow>> stopped = transaction.StopHeldTrials(
            job.demand.sweep_id, *job.demand.spec, seen, kMaxStopsPerWrite);
        if (stopped.ok()) *rows = *std::move(stopped);
        return stopped.status();
      },
      [this, rows, job](const absl::Status& status) {
        if (status.ok()) {
          for (const TrialRow& row : *rows) host_.trial_decided(row);
        } else if (!absl::IsAborted(status)) {
          spdlog::warn("trials on hold not stopped sweep={} reason={:?}", job.demand.spec->name,
                       std::string(status.message()));
        }
        MutexLock lock(&mutex_);
        if (!status.ok()) job.entry->not_before = options_.clock->Monotonic() + kRetryAfter;
        job.entry->is_busy = false;
        Want();
      });
}

// ---- Further seeds

bool SearchDriver::IsRacing(const Entry& entry, const SearchDemand& demand) {
  return entry.racer != nullptr && (demand.configurations >= demand.planned || entry.has_made_all);
}

void SearchDriver::Race(const Job& job) {
  Entry* const entry = job.entry.get();
  const SearchDemand& demand = job.demand;
  const bool is_known = entry->race_waits && entry->racer->version() == entry->raced_version;
  if (!demand.is_open || is_known) return Release(entry);
  entry->raced_version = entry->racer->version();
  ReplicateRacer::Step step = entry->racer->Next(demand.planned, kMaxBatch);
  if (step.is_over) return EndRace(job, step.has_held);
  if (step.seeds.empty()) {
    MutexLock lock(&mutex_);
    entry->race_waits = true;
    entry->is_busy = false;
    if (entry->has_news) Want();
    return;
  }
  const auto seeds = std::make_shared<const std::vector<ReplicateRacer::Seed>>(
      std::move(step.seeds));                           // shared by the write and its completion
  auto result = std::make_shared<StoredSuggestions>();  // shared by the write and its completion
  WriteOfRace(
      job,
      [seeds, result, demand](WriteTransaction& transaction) {
        *result = {.sweep_id = demand.sweep_id};
        for (const ReplicateRacer::Seed& seed : *seeds) {
          absl::StatusOr<TrialRow> row = transaction.AddReplicate(
              demand.sweep_id, *demand.spec, seed.configuration, seed.replicate);
          if (!row.ok()) return row.status();
          result->trials.push_back(*std::move(row));
        }
        return absl::OkStatus();
      },
      [this, seeds, result, entry] {
        for (const ReplicateRacer::Seed& seed : *seeds) entry->racer->Give(seed);
        host_.suggestions_stored(*result);
      });
}

// What rests on hold is promoted or stopped first: it may still be the best.
void SearchDriver::EndRace(const Job& job, bool has_held) {
  Entry* const entry = job.entry.get();
  if (has_held && entry->rule != nullptr) {
    {
      MutexLock lock(&mutex_);
      if (entry->storing > 0 || !entry->refused.empty()) {
        entry->has_news = true;  // looks again when they are stored
        entry->is_busy = false;
        return;
      }
    }
    std::vector<StopDecision> last = entry->rule->OnOnlyHeld();
    if (!last.empty()) {
      for (StopDecision& decision : last) Note(entry, std::move(decision), 0);
      IssueDecisions(job);
      return Release(entry);
    }
  }
  auto result = std::make_shared<StoredSuggestions>();  // shared by the write and its completion
  WriteOfRace(
      job,
      [result, demand = job.demand, seen = entry->seen,
       reason = entry->end_reason](WriteTransaction& transaction) {
        *result = {.sweep_id = demand.sweep_id};
        const absl::StatusOr<bool> ended = transaction.EndRace(demand.sweep_id, reason, seen);
        result->exhausted = ended.value_or(false);
        return ended.status();
      },
      [this, result] { host_.suggestions_stored(*result); });
}

// `stored` is called after the commit, before the next plan of the sweep.
void SearchDriver::WriteOfRace(const Job& job, Store::WriteFunction function,
                               std::function<void()> stored) {
  host_.write(
      [function = std::move(function), demand = job.demand](WriteTransaction& transaction) {
        if (absl::Status same = transaction.CheckRevision(demand.sweep_id, demand.revision);
            !same.ok()) {
          return same;
        }
        return function(transaction);
      },
      [this, job, stored = std::move(stored)](const absl::Status& status) {
        if (status.ok()) {
          stored();
        } else if (!absl::IsAborted(status)) {  // else the file was edited
          spdlog::warn("race not stored sweep={} reason={:?}", job.demand.spec->name,
                       std::string(status.message()));
        }
        MutexLock lock(&mutex_);
        job.entry->is_busy = false;
        job.entry->race_waits = false;
        if (!status.ok()) {
          job.entry->not_before = options_.clock->Monotonic() + kRetryAfter;
          job.entry->has_news = true;
        }
        Want();
      });
}

// An error ends a search that draws points; a failed model is replaced by a random point.
std::optional<Suggestion> SearchDriver::SuggestOne(const Job& job, std::int64_t number) {
  Entry* const entry = job.entry.get();
  // Its number may change before a model is told of it.
  absl::StatusOr<std::optional<Suggestion>> next =
      AskOrDraw(*entry->spec, &Search::Peek, number, entry->search.get());
  if (!next.ok()) {
    entry->end_reason = std::string(next.status().message());
    spdlog::error("search ended sweep={} reason={:?}", job.demand.spec->name, entry->end_reason);
    return std::nullopt;
  }
  if (!next->has_value()) {
    const Search::None none = entry->search->WhyNone();
    if (!none.is_for_now) {
      entry->end_reason = WhyNone(*entry->search, number, entry->leaves_out);
    } else {
      MutexLock lock(&mutex_);
      entry->waits_for = none.reason;
    }
  }
  return *std::move(next);
}

void SearchDriver::Tell(Entry* entry, const Configuration& configuration, const Segment* segment) {
  if (!entry->spec->method->learns) return;
  if (entry->is_finite) entry->known.insert(PointIdentity(configuration.parameters));
  ObserveOrWarn(*entry->spec,
                {.configuration = configuration.number,
                 .state = TrialState::kPending,
                 .parameters = &configuration.parameters,
                 .segment = segment},
                entry->search.get());
}

void SearchDriver::Number(Entry* entry, std::int64_t first) {
  std::set<std::string> taken;
  {
    MutexLock lock(&mutex_);
    taken = std::exchange(entry->stood_in, {});
  }
  std::erase_if(entry->suggested, [&](const Entry::Suggested& one) {
    if (one.is_told) return one.configuration->number < first;  // stored
    return taken.contains(PointIdentity(one.configuration->parameters));
  });
  std::int64_t number = first;
  for (Entry::Suggested& one : entry->suggested) {
    if (one.configuration->number != number) {
      auto renumbered = std::make_shared<Configuration>(*one.configuration);
      one.facts.asked_number = renumbered->number;
      one.facts.target_epoch = entry->rule == nullptr ? 0 : entry->rule->FirstTarget(number);
      renumbered->number = number;
      one.configuration = std::move(renumbered);
    }
    if (!std::exchange(one.is_told, true)) Tell(entry, *one.configuration, nullptr);
    ++number;
  }
}

void SearchDriver::BeginThought(Entry* entry) {
  MutexLock lock(&mutex_);
  entry->thinks_since = options_.clock->Monotonic();
}

bool SearchDriver::EndThought(Entry* entry) {
  MutexLock lock(&mutex_);
  entry->thinks_since.reset();
  return entry->stands_in || !entry->stood_in.empty();
}

bool SearchDriver::Suggest(const Job& job, std::int64_t count) {
  Entry* const entry = job.entry.get();
  const std::int64_t first = job.demand.configurations + 1;
  Number(entry, first);
  const auto number = [&] { return first + std::ssize(entry->suggested); };
  const absl::Duration start = options_.clock->Monotonic();
  while (std::ssize(entry->suggested) < count && entry->end_reason.empty()) {
    if (!entry->suggested.empty() && options_.clock->Monotonic() - start > kLongestBatch) break;
    // Only the next number can be given away: later ones are known to the search already.
    const bool is_next = entry->suggested.empty() && entry->stand_ins != nullptr;
    if (is_next) BeginThought(entry);
    std::optional<Suggestion> next = SuggestOne(job, number());
    const bool is_overtaken = is_next && EndThought(entry);
    if (next) {
      const int target = entry->rule == nullptr ? 0 : entry->rule->FirstTarget(number());
      entry->suggested.push_back(
          {.configuration = std::make_shared<const Configuration>(std::move(next->configuration)),
           .facts = {.seen_sequence = entry->seen,
                     .target_epoch = target,
                     .origin = std::move(next->origin),
                     .asked_number = 0,
                     .segment = next->segment}});
    }
    if (is_overtaken) {
      entry->end_reason.clear();  // it is asked again, with those points known
      return false;
    }
    if (!next) break;
    Entry::Suggested& last = entry->suggested.back();
    last.is_told = true;
    Tell(entry, *last.configuration, last.facts.segment ? &*last.facts.segment : nullptr);
  }
  return true;
}

// ---- Slots that wait for a model

bool SearchDriver::StandIn() {
  std::vector<SearchDemand> demands = host_.demands();
  std::vector<Job> jobs;
  {
    MutexLock lock(&mutex_);
    const absl::Duration now = options_.clock->Monotonic();
    for (SearchDemand& demand : demands) {
      const auto found = entries_.find(demand.sweep_id);
      if (found == entries_.end()) continue;
      Entry& entry = *found->second;
      // An edit comes between: the points would be those of the other file.
      if (entry.revision != demand.revision) continue;
      if (!entry.thinks_since || now - *entry.thinks_since < kPatience) continue;
      if (entry.stands_in || entry.no_stand_in_before > now) continue;
      if (demand.configurations < entry.stored || !demand.is_open) continue;
      // The points of the user come first.
      if (demand.configurations < std::ssize(entry.spec->try_first)) continue;
      if (demand.free_slots <= demand.pending || demand.configurations >= demand.planned) continue;
      entry.stands_in = true;
      jobs.push_back({.entry = found->second, .demand = std::move(demand)});
    }
  }
  for (const Job& job : jobs) MakeStandIns(job);
  return !jobs.empty();
}

void SearchDriver::MakeStandIns(const Job& job) {
  Entry* const entry = job.entry.get();
  const SearchDemand& demand = job.demand;
  const std::int64_t replicates = demand.spec->FirstReplicates();
  const std::int64_t missing = (demand.free_slots - demand.pending + replicates - 1) / replicates;
  const std::int64_t count = std::min({missing, demand.planned - demand.configurations, kMaxBatch});
  auto batch = std::make_shared<Batch>();  // shared by the write and its completion
  batch->job = job;
  batch->stands_in = true;
  batch->goes_on = entry->racer != nullptr;
  while (std::ssize(batch->suggestions) < count) {
    const std::int64_t number = demand.configurations + std::ssize(batch->suggestions) + 1;
    std::optional<Configuration> point = entry->stand_ins->Point(number, entry->known);
    if (!point) break;
    if (entry->is_finite) entry->known.insert(PointIdentity(point->parameters));
    const int target = entry->rule == nullptr ? 0 : entry->rule->FirstTarget(number);
    batch->suggestions.push_back(
        {.configuration = std::make_shared<const Configuration>(*std::move(point)),
         .facts = {.seen_sequence = entry->seen,
                   .target_epoch = target,
                   .origin = SuggestionOrigin{.source = SuggestionSource::kStandIn,
                                              .method = std::string(entry->spec->method->word)},
                   .asked_number = 0}});
  }
  if (batch->suggestions.empty()) {
    MutexLock lock(&mutex_);
    entry->stands_in = false;
    entry->has_news = true;  // a plan may have passed over the sweep meanwhile
    entry->no_stand_in_before = options_.clock->Monotonic() + kRetryAfter;
    return Want();
  }
  spdlog::info("start-up points while the model thinks sweep={} configurations={}",
               entry->spec->name, batch->suggestions.size());
  Write(batch);
}

void SearchDriver::OnStandInsStored(const std::shared_ptr<Batch>& batch,
                                    const absl::Status& status) {
  Entry* const entry = batch->job.entry.get();
  if (status.ok()) {
    host_.suggestions_stored(batch->result);
  } else if (!absl::IsAborted(status)) {
    spdlog::warn("start-up points not stored sweep={} reason={:?}", batch->job.demand.spec->name,
                 std::string(status.message()));
  }
  const auto made = static_cast<std::size_t>(status.ok() ? batch->result.made : 0);
  if (entry->is_finite && made < batch->suggestions.size()) {
    for (std::size_t i = made; i < batch->suggestions.size(); ++i) {
      entry->known.erase(PointIdentity(batch->suggestions[i].configuration->parameters));
    }
    // The old one has passed these points.
    BeginStandIns(entry);
  }
  MutexLock lock(&mutex_);
  entry->stands_in = false;
  for (std::size_t i = 0; i < made; ++i) {
    entry->stood_in.insert(PointIdentity(batch->suggestions[i].configuration->parameters));
  }
  entry->has_news = true;
  if (status.ok()) entry->stored = batch->job.demand.configurations + batch->result.made;
  if (!status.ok()) entry->no_stand_in_before = options_.clock->Monotonic() + kRetryAfter;
  Want();
}

std::optional<absl::Duration> SearchDriver::LongThought(std::int64_t sweep_id) const {
  MutexLock lock(&mutex_);
  const auto found = entries_.find(sweep_id);
  if (found == entries_.end() || !found->second->thinks_since) return std::nullopt;
  const absl::Duration thought = options_.clock->Monotonic() - *found->second->thinks_since;
  return thought < kPatience ? std::nullopt : std::optional(thought);
}

std::string SearchDriver::WaitsFor(std::int64_t sweep_id) const {
  MutexLock lock(&mutex_);
  const auto found = entries_.find(sweep_id);
  return found == entries_.end() ? "" : found->second->waits_for;
}

// Looks now and then instead of being woken: a quick model begins a thought every few microseconds.
void SearchDriver::StandInThread(const std::stop_token& stop) {
  pthread_setname_np(pthread_self(), "stand-in");
  while (true) {
    bool is_due = false;
    {
      MutexLock lock(&mutex_);
      absl::Duration pause = kPatience;
      const absl::Duration now = options_.clock->Monotonic();
      for (const auto& [id, entry] : entries_) {
        if (!entry->thinks_since) continue;
        const absl::Duration left = *entry->thinks_since + kPatience - now;
        pause = std::min(pause, std::max(left, kLookInterval));
        if (left <= absl::ZeroDuration()) is_due = true;
      }
      if (!is_due && !stop.stop_requested()) {
        stop_.WaitFor(&mutex_, absl::ToChronoNanoseconds(pause));
      }
      if (stop.stop_requested()) return;
    }
    if (!is_due) continue;
    StandIn();
    MutexLock lock(&mutex_);
    if (!stop.stop_requested()) {
      stop_.WaitFor(&mutex_, absl::ToChronoNanoseconds(kLookInterval));
    }
  }
}

// ---- Storing

void SearchDriver::Store(const Job& job, std::int64_t count) {
  Entry* const entry = job.entry.get();
  auto batch = std::make_shared<Batch>();  // shared by the write and its completion
  batch->job = job;
  const std::int64_t ready = std::min(count, static_cast<std::int64_t>(entry->suggested.size()));
  batch->suggestions.assign(entry->suggested.begin(), entry->suggested.begin() + ready);
  // Otherwise the budget decides, inside the write.
  if (ready < count) batch->end_reason = entry->end_reason;
  // A race comes after the search.
  batch->goes_on =
      entry->racer != nullptr && (entry->rule == nullptr || entry->rule->SweepEnd().empty());
  Write(batch);
}

void SearchDriver::Write(const std::shared_ptr<Batch>& batch) {
  host_.write(
      [batch](WriteTransaction& transaction) {
        const std::string& reason = batch->end_reason;
        const SearchDemand& demand = batch->job.demand;
        StoredSuggestions& result = batch->result;
        result = {.sweep_id = demand.sweep_id};
        if (absl::Status same = transaction.CheckRevision(demand.sweep_id, demand.revision);
            !same.ok()) {
          return same;
        }
        bool is_over = demand.configurations + std::ssize(batch->suggestions) >= demand.planned ||
                       !reason.empty();
        for (const Entry::Suggested& suggestion : batch->suggestions) {
          absl::StatusOr<std::vector<TrialRow>> rows = transaction.AddConfiguration(
              demand.sweep_id, *demand.spec, *suggestion.configuration, suggestion.facts);
          if (absl::IsResourceExhausted(rows.status())) {
            is_over = true;
            break;
          }
          if (!rows.ok()) return rows.status();
          result.trials.insert(result.trials.end(), rows->begin(), rows->end());
          ++result.made;
        }
        if (!is_over || batch->goes_on) return absl::OkStatus();
        const absl::StatusOr<bool> ended = transaction.MarkExhausted(demand.sweep_id, reason);
        result.exhausted = ended.value_or(false);
        return ended.status();
      },
      [this, batch](const absl::Status& status) {
        batch->stands_in ? OnStandInsStored(batch, status) : OnStored(batch, status);
      });
}

void SearchDriver::OnStored(const std::shared_ptr<Batch>& batch, const absl::Status& status) {
  Entry* const entry = batch->job.entry.get();
  if (status.ok()) {
    entry->suggested.erase(entry->suggested.begin(), entry->suggested.begin() + batch->result.made);
    // Must happen before the next plan of the sweep.
    host_.suggestions_stored(batch->result);
  } else if (!absl::IsAborted(status)) {  // else the file was edited
    spdlog::warn("configurations not stored sweep={} reason={:?}", batch->job.demand.spec->name,
                 std::string(status.message()));
  }
  MutexLock lock(&mutex_);
  entry->is_busy = false;
  if (status.ok()) entry->stored = batch->job.demand.configurations + batch->result.made;
  if (status.ok() && batch->goes_on && !batch->end_reason.empty()) entry->has_made_all = true;
  // The race counts the trials just made, whose events may be on their way.
  if (status.ok() && entry->racer != nullptr) entry->has_news = true;
  if (!status.ok()) entry->not_before = options_.clock->Monotonic() + kRetryAfter;
  Want();
}

}  // namespace sweep
