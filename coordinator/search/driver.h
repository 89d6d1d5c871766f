#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "coordinator/scheduler/event_bus.h"
#include "coordinator/search/search.h"
#include "coordinator/stopping/stopping_rule.h"
#include "coordinator/store/store.h"

namespace sweep {

// An unfinished sweep as the scheduler reports it.
struct SearchDemand {
  std::int64_t sweep_id = 0;
  std::shared_ptr<const SweepSpec> spec;  // shared with the scheduler and with writes under way
  bool is_open = false;                   // accepts configurations
  std::int64_t configurations = 0;        // created so far
  std::int64_t planned = 0;
  std::int64_t revision = 1;  // of the sweep file
  std::int64_t pending = 0;   // waiting trials
  int free_slots = 0;         // of all workers
  // The search has ended, and every trial that has not ended is on hold.
  bool only_on_hold = false;
};

// The result of a committed write of a sweep's suggestions.
struct StoredSuggestions {
  std::int64_t sweep_id = 0;
  std::vector<TrialRow> trials;
  std::int64_t made = 0;
  bool exhausted = false;  // the search is over
};

// Runs the searches and the stopping rules of all sweeps on a small pool of threads, each sweep on
// one thread at a time, so that a slow model delays no report and no other sweep. A search and a
// rule live as long as their sweep is unfinished. After a restart they are created anew and observe
// the sweep's events again from the first; then they follow the event bus; so they do when the
// sweep's file was edited. Suggestions of a search are kept until they are stored, and dropped when
// an edit comes first. A random point replaces the suggestion of a failed search.
//
// A slot that is free while the model thinks for long gets a start-up point (stand_ins.h), which
// another thread stores. The suggestion that the model then finds takes a later number; what it was
// asked for is stored with it, so that the search can be repeated. Thread-safe.
class SearchDriver {
 public:
  // The driver's interface to its scheduler; called without a lock of the driver.
  struct Host {
    std::function<std::vector<SearchDemand>()> demands;
    // Writes in order with the scheduler's own writes; the completion is called as the store does.
    std::function<void(Store::WriteFunction, Store::Completion)> write;
    std::function<void(const StoredSuggestions&)> suggestions_stored;
    // Called after the commit: the trial has stopped or is pending again, or its holder must be
    // told.
    std::function<void(const TrialRow&)> trial_decided;
  };
  struct Options {
    Store* store = nullptr;  // both must outlive the driver
    EventBus* events = nullptr;
    Clock* clock = RealClock();
    std::function<std::unique_ptr<Search>(const SweepSpec*, SearchStart)> make_search =
        [](const SweepSpec* spec, SearchStart start) {
          return Search::Make(spec, std::move(start));
        };
    std::function<std::unique_ptr<StoppingRule>(const SweepSpec&)> make_rule = StoppingRule::Make;
  };

  SearchDriver(const Options& options, Host host);
  // Requires that Stop was called and all writes have completed.
  ~SearchDriver();

  void StartThreads();
  // Reports a change that may concern a search. Never blocks.
  void Wake() ABSL_LOCKS_EXCLUDED(mutex_);
  // Does all pending work at once on this thread. False when there was none.
  bool Turn() ABSL_LOCKS_EXCLUDED(mutex_);
  // Stores start-up points for slots that wait for a model. False when there are none.
  bool StandIn() ABSL_LOCKS_EXCLUDED(mutex_);
  // For how long the model of a sweep has been thinking, once slots no longer wait for it.
  std::optional<absl::Duration> LongThought(std::int64_t sweep_id) const
      ABSL_LOCKS_EXCLUDED(mutex_);
  // Why a search has no configuration for slots that are free, until something happens to one of
  // its trials; "": it has some, or was not asked.
  std::string WaitsFor(std::int64_t sweep_id) const ABSL_LOCKS_EXCLUDED(mutex_);
  // Ends the threads.
  void Stop() ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Entry;
  struct Batch;
  struct Job {
    std::shared_ptr<Entry> entry;  // shared with the table of entries
    SearchDemand demand;
  };

  void Want() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // One job for each sweep that has work and is not busy.
  std::vector<Job> Plan() ABSL_LOCKS_EXCLUDED(mutex_);
  // Null when an edit has overtaken the demand.
  std::shared_ptr<Entry> FindOrMake(const SearchDemand& demand)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Makes the search when there is none. False when the store cannot be read.
  bool Prepare(const Job& job);
  static void BeginStandIns(Entry* entry);
  static std::int64_t Wanted(const Entry& entry, const SearchDemand& demand);
  void Run(const Job& job) ABSL_LOCKS_EXCLUDED(mutex_);
  // Passes new events to the search and the rule. False when they cannot be read.
  bool Observe(const Job& job);
  void Judge(Entry* entry, std::int64_t trial_id, const Observation& observation);
  // `epoch`: the one just observed; 0: none.
  static void Note(Entry* entry, StopDecision decision, int epoch);
  void IssueDecisions(const Job& job);
  void OnDecisionStored(Entry* entry, std::int64_t trial_id, bool ok);
  void EndIfDecided(const Job& job);
  // Stops the trials of a sweep with nothing left but trials on hold, which nobody promotes.
  void StopHeldTrials(const Job& job);
  // Stores the end of the search when the rule says so. False when it does not.
  bool EndSearchByRule(const Job& job);
  // True when the search has made its last configuration, of a sweep with a race.
  static bool IsRacing(const Entry& entry, const SearchDemand& demand);
  // Hands out further seeds, whatever slots are free, or ends the sweep's search when the race is
  // over.
  void Race(const Job& job);
  // `has_held`: some trials are on hold.
  void EndRace(const Job& job, bool has_held);
  void WriteOfRace(const Job& job, Store::WriteFunction function, std::function<void()> stored);
  // Makes up to `count` suggestions from the next number on. False when start-up points have taken
  // their numbers.
  bool Suggest(const Job& job, std::int64_t count);
  // Gives what was suggested the numbers from `first` on.
  void Number(Entry* entry, std::int64_t first);
  static void Tell(Entry* entry, const Configuration& configuration, const Segment* segment);
  void BeginThought(Entry* entry) ABSL_LOCKS_EXCLUDED(mutex_);
  // True when start-up points were stored meanwhile, or are being stored.
  bool EndThought(Entry* entry) ABSL_LOCKS_EXCLUDED(mutex_);
  void MakeStandIns(const Job& job);
  std::optional<Suggestion> SuggestOne(const Job& job, std::int64_t number);
  void Store(const Job& job, std::int64_t count);
  void Write(const std::shared_ptr<Batch>& batch);
  void OnStored(const std::shared_ptr<Batch>& batch, const absl::Status& status)
      ABSL_LOCKS_EXCLUDED(mutex_);
  void OnStandInsStored(const std::shared_ptr<Batch>& batch, const absl::Status& status)
      ABSL_LOCKS_EXCLUDED(mutex_);
  void Release(Entry* entry) ABSL_LOCKS_EXCLUDED(mutex_);
  void Thread(const std::stop_token& stop);
  void StandInThread(const std::stop_token& stop);

  const Options options_;
  const Host host_;

  mutable Mutex mutex_;
  CondVar wake_;
  CondVar stop_;  // the end of StandInThread
  bool wanted_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Duration next_plan_ ABSL_GUARDED_BY(mutex_);  // monotonic; not earlier
  std::int64_t plans_ ABSL_GUARDED_BY(mutex_) = 0;
  std::deque<Job> queue_ ABSL_GUARDED_BY(mutex_);
  std::map<std::int64_t, std::shared_ptr<Entry>> entries_ ABSL_GUARDED_BY(mutex_);

  std::vector<std::jthread> threads_;
};

}  // namespace sweep
