#include "coordinator/search/driver.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "coordinator/search/observations.h"
#include "coordinator/search/random_search.h"
#include "coordinator/stopping/stopping_rule.h"
#include "fmt/format.h"
#include "spdlog/spdlog.h"

namespace sweep {
namespace {

constexpr int kThreads = 3;
// Configurations of one sweep per write: others get theirs in between.
constexpr std::int64_t kMaxBatch = 64;
constexpr int kEventsPerRead = 256;
// After a write that was refused, or a read that failed.
constexpr absl::Duration kRetryAfter = absl::Seconds(1);

}  // namespace

// A sweep's search and rule. What is not guarded by the driver's lock belongs to the thread that
// has set `is_busy`.
struct SearchDriver::Entry {
  // Guarded by the driver's lock.
  bool is_busy = false;
  std::int64_t plan = 0;           // the last one that knew its sweep
  bool has_news = false;           // events that the search or the rule may not have seen
  absl::Duration not_before;       // monotonic
  std::uint64_t subscription = 0;  // 0: neither of them observes anything
  std::int64_t stored = 0;         // configurations up to this number are
  std::vector<std::int64_t> refused_stops;

  std::shared_ptr<const SweepSpec> spec;  // shared; the search refers to it
  std::unique_ptr<Search> search;
  std::unique_ptr<StoppingRule> rule;  // null: no trial is stopped
  std::int64_t seen = 0;               // sequence of the last event observed
  struct Suggestion {
    Configuration configuration;
    std::int64_t seen = 0;
  };
  std::deque<Suggestion> suggested;  // not stored yet
  std::string end_reason;            // of a search that makes no more
  // Trials that the rule has ended, by id, until they have ended.
  struct Stop {
    int epoch = 0;
    std::string reason;
    bool is_issued = false;
  };
  std::map<std::int64_t, Stop> stops;
};

struct SearchDriver::Batch {
  Job job;
  std::vector<Entry::Suggestion> suggestions;
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
}

void SearchDriver::Wake() {
  MutexLock lock(&mutex_);
  if (std::exchange(wanted_, true)) return;
  wake_.NotifyOne();
}

void SearchDriver::Stop() {
  for (std::jthread& thread : threads_) thread.request_stop();
  {
    MutexLock lock(&mutex_);
    wake_.NotifyAll();
  }
  threads_.clear();  // joins
}

bool SearchDriver::Turn() {
  const std::vector<Job> jobs = Plan();
  for (const Job& job : jobs) Run(job);
  return !jobs.empty();
}

void SearchDriver::Thread(const std::stop_token& stop) {
  while (true) {
    std::optional<Job> job;
    {
      MutexLock lock(&mutex_);
      while (!wanted_ && queue_.empty() && !stop.stop_requested()) wake_.Wait(&mutex_);
      if (stop.stop_requested()) return;
      if (!queue_.empty()) {
        job = std::move(queue_.front());
        queue_.pop_front();
      }
      if (!job) wanted_ = false;
    }
    if (job) {
      Run(*job);
      continue;
    }
    std::vector<Job> jobs = Plan();
    MutexLock lock(&mutex_);
    for (Job& planned : jobs) queue_.push_back(std::move(planned));
    wake_.NotifyAll();
  }
}

std::shared_ptr<SearchDriver::Entry> SearchDriver::FindOrMake(const SearchDemand& demand) {
  std::shared_ptr<Entry>& entry = entries_[demand.sweep_id];
  if (entry != nullptr) return entry;
  entry = std::make_shared<Entry>();
  entry->spec = demand.spec;
  entry->search = options_.make_search(entry->spec.get());
  entry->rule = StoppingRule::Make(*entry->spec);
  if (!entry->spec->method->learns && entry->rule == nullptr) return entry;
  entry->has_news = true;
  // The bus may call it once more after the driver has unsubscribed, but not after Stop.
  entry->subscription = options_.events->Subscribe(
      demand.sweep_id, [this, weak = std::weak_ptr<Entry>(entry)](EventBus::Signal signal) {
        const std::shared_ptr<Entry> known = weak.lock();
        if (signal != EventBus::Signal::kEvents || known == nullptr) return;
        MutexLock lock(&mutex_);
        known->has_news = true;
        wanted_ = true;
        wake_.NotifyOne();
      });
  return entry;
}

std::int64_t SearchDriver::Wanted(const Entry& entry, const SearchDemand& demand) {
  const std::int64_t missing = entry.search->Ahead(demand.free_slots) - demand.pending;
  const std::int64_t replicates = demand.spec->replicates;
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
    entry->plan = plans_;
    // What the scheduler said may be older than what has been stored meanwhile.
    const bool is_stale = demand.configurations < entry->stored;
    if (entry->is_busy || is_stale || entry->not_before > now) continue;
    const bool is_used_up = demand.configurations >= demand.planned;
    const bool wants = demand.is_open && (is_used_up || Wanted(*entry, demand) > 0);
    if (!wants && !entry->has_news) continue;
    entry->is_busy = true;
    jobs.push_back({.entry = entry, .demand = std::move(demand)});
  }
  std::erase_if(entries_, [&](const auto& item) {  // of sweeps that have ended
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
  if (!Observe(job)) {
    MutexLock lock(&mutex_);
    entry->not_before = options_.clock->Monotonic() + kRetryAfter;
    entry->has_news = true;
    entry->is_busy = false;
    return;
  }
  IssueStops(job);
  const std::int64_t count = Wanted(*entry, job.demand);
  const bool is_used_up = job.demand.configurations >= job.demand.planned;
  if (!job.demand.is_open || (count == 0 && !is_used_up)) return Release(entry);
  Suggest(job, count);
  Store(job, count);
}

void SearchDriver::Release(Entry* entry) {
  MutexLock lock(&mutex_);
  entry->is_busy = false;
}

bool SearchDriver::Observe(const Job& job) {
  Entry* const entry = job.entry.get();
  {
    MutexLock lock(&mutex_);
    for (const std::int64_t trial_id : std::exchange(entry->refused_stops, {})) {
      const auto stop = entry->stops.find(trial_id);
      if (stop != entry->stops.end()) stop->second.is_issued = false;
    }
    if (!std::exchange(entry->has_news, false)) return true;
  }
  while (true) {
    const absl::StatusOr<ObservationPage> page = ReadObservations(
        options_.store, job.demand.sweep_id, *entry->spec, entry->seen, kEventsPerRead);
    if (!page.ok()) {
      spdlog::warn("observations not read sweep={} reason={:?}", job.demand.spec->name,
                   std::string(page.status().message()));
      return false;
    }
    for (const StoredObservation& stored : page->observations) {
      try {
        entry->search->Observe(stored.observation);
      } catch (const std::exception& error) {  // of a numerical library
        spdlog::warn("search did not take an observation sweep={} sequence={} reason={:?}",
                     job.demand.spec->name, stored.observation.sequence, error.what());
      }
      Judge(entry, stored.trial_id, stored.observation);
    }
    entry->seen = page->last;
    if (page->is_last) return true;
  }
}

void SearchDriver::Judge(Entry* entry, std::int64_t trial_id, const Observation& observation) {
  if (observation.epoch == 0) {
    // Also one that a person tries again has ended before.
    if (IsTerminal(observation.state)) entry->stops.erase(trial_id);
    return;
  }
  if (entry->rule == nullptr) return;
  StopDecision decision = entry->rule->OnEpoch(observation);
  if (decision.action != StopDecision::Action::kStop) return;
  entry->stops.try_emplace(
      trial_id, Entry::Stop{.epoch = observation.epoch, .reason = std::move(decision.reason)});
}

// Only once everything is observed: after a restart, most of what the rule decides again has been
// carried out before.
void SearchDriver::IssueStops(const Job& job) {
  for (auto& [trial_id, stop] : job.entry->stops) {
    if (std::exchange(stop.is_issued, true)) continue;
    auto row = std::make_shared<TrialRow>();  // shared by the write and its completion
    host_.write(
        [row, id = trial_id, spec = job.demand.spec, epoch = stop.epoch,
         reason = stop.reason](WriteTransaction& transaction) {
          absl::StatusOr<TrialRow> stopped = transaction.StopTrial(id, *spec, epoch, reason);
          if (stopped.ok()) *row = *std::move(stopped);
          return stopped.status();
        },
        [this, row, id = trial_id, entry = job.entry](const absl::Status& status) {
          if (status.ok()) return host_.trial_stopped(*row);
          spdlog::warn("trial not stopped trial_id={} reason={:?}", id,
                       std::string(status.message()));
          MutexLock lock(&mutex_);
          entry->refused_stops.push_back(id);
          entry->not_before = options_.clock->Monotonic() + kRetryAfter;
          entry->has_news = true;
        });
  }
}

// An error ends a search that draws points; a model that fails is helped out.
std::optional<Configuration> SearchDriver::SuggestOne(const Job& job, std::int64_t number) {
  Entry* const entry = job.entry.get();
  std::string failure;
  try {
    absl::StatusOr<std::optional<Configuration>> next = entry->search->Suggest(number);
    if (next.ok() && next->has_value()) return **std::move(next);
    if (next.ok()) {
      entry->end_reason = fmt::format(
          "the search space has only {} points that satisfy the constraints and can be built",
          number - 1);
      return std::nullopt;
    }
    failure = std::string(next.status().message());
    if (!entry->spec->method->learns) {
      entry->end_reason = failure;
      spdlog::error("search ended sweep={} reason={:?}", job.demand.spec->name, failure);
      return std::nullopt;
    }
  } catch (const std::exception& error) {  // a numerical library's; the sweep goes on
    failure = error.what();
  }
  spdlog::warn("random point instead of a suggestion sweep={} configuration={} reason={:?}",
               job.demand.spec->name, number, failure);
  absl::StatusOr<std::optional<Configuration>> drawn =
      RandomSearch(entry->spec.get(), /*finite=*/false).Suggest(number);
  if (drawn.ok()) return *std::move(drawn);
  entry->end_reason = std::string(drawn.status().message());
  return std::nullopt;
}

void SearchDriver::Suggest(const Job& job, std::int64_t count) {
  Entry* const entry = job.entry.get();
  const std::int64_t first = job.demand.configurations + 1;
  while (!entry->suggested.empty() && entry->suggested.front().configuration.number < first) {
    entry->suggested.pop_front();
  }
  const auto number = [&] { return first + std::ssize(entry->suggested); };
  while (std::ssize(entry->suggested) < count && entry->end_reason.empty()) {
    std::optional<Configuration> next = SuggestOne(job, number());
    if (next) entry->suggested.push_back({*std::move(next), entry->seen});
  }
}

void SearchDriver::Store(const Job& job, std::int64_t count) {
  Entry* const entry = job.entry.get();
  auto batch = std::make_shared<Batch>();  // shared by the write and its completion
  batch->job = job;
  const std::int64_t ready = std::min(count, static_cast<std::int64_t>(entry->suggested.size()));
  batch->suggestions.assign(entry->suggested.begin(), entry->suggested.begin() + ready);
  batch->result.sweep_id = job.demand.sweep_id;
  // Otherwise the budget decides, in the write.
  const std::string reason = ready < count ? entry->end_reason : "";
  host_.write(
      [batch, reason](WriteTransaction& transaction) {
        const SearchDemand& demand = batch->job.demand;
        StoredSuggestions& result = batch->result;
        bool is_over = demand.configurations + std::ssize(batch->suggestions) >= demand.planned ||
                       !reason.empty();
        for (const Entry::Suggestion& suggestion : batch->suggestions) {
          absl::StatusOr<std::vector<TrialRow>> rows = transaction.AddConfiguration(
              demand.sweep_id, *demand.spec, suggestion.configuration, suggestion.seen);
          if (absl::IsResourceExhausted(rows.status())) {
            is_over = true;
            break;
          }
          if (!rows.ok()) return rows.status();
          result.trials.insert(result.trials.end(), rows->begin(), rows->end());
          ++result.made;
        }
        if (!is_over) return absl::OkStatus();
        const absl::StatusOr<bool> ended = transaction.MarkExhausted(demand.sweep_id, reason);
        result.exhausted = ended.value_or(false);
        return ended.status();
      },
      [this, batch](const absl::Status& status) { OnStored(batch, status); });
}

void SearchDriver::OnStored(const std::shared_ptr<Batch>& batch, const absl::Status& status) {
  Entry* const entry = batch->job.entry.get();
  if (status.ok()) {
    entry->suggested.erase(entry->suggested.begin(), entry->suggested.begin() + batch->result.made);
    // Before the sweep is looked at again.
    host_.suggestions_stored(batch->result);
  } else {
    spdlog::warn("configurations not stored sweep={} reason={:?}", batch->job.demand.spec->name,
                 std::string(status.message()));
  }
  MutexLock lock(&mutex_);
  entry->is_busy = false;
  if (status.ok()) entry->stored = batch->job.demand.configurations + batch->result.made;
  if (!status.ok()) entry->not_before = options_.clock->Monotonic() + kRetryAfter;
  wanted_ = true;
  wake_.NotifyOne();
}

}  // namespace sweep
