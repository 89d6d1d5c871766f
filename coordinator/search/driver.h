#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "coordinator/search/driver_core.h"
#include "coordinator/search/search_planner.h"
#include "coordinator/search/stand_in_desk.h"

namespace sweep {

// Runs the searches and the stopping rules of all sweeps on a small pool of threads, each sweep on
// one thread at a time, so that a slow model delays no report and no other sweep. A search and a
// rule live as long as their sweep is unfinished. After a restart they are created anew and observe
// the sweep's events again from the first; then they follow the event bus; so they do when the
// sweep's file was edited. Thread-safe.
class SearchDriver {
 public:
  using Host = DriverHost;
  using Options = DriverOptions;

  SearchDriver(const Options& options, Host host);
  // Requires that Stop was called and all writes have completed.
  ~SearchDriver() = default;

  void StartThreads();
  // Reports a change that may concern a search. Never blocks.
  void Wake() ABSL_LOCKS_EXCLUDED(core_.mutex);
  // Does all pending work at once on this thread. False when there was none.
  bool Turn();
  // As StandInDesk's.
  bool StandIn() { return stand_ins_.StandIn(); }
  std::optional<absl::Duration> LongThought(std::int64_t sweep_id) const {
    return stand_ins_.LongThought(sweep_id);
  }
  // Why a search has no configuration for slots that are free, until something happens to one of
  // its trials; "": it has some, or was not asked.
  std::string WaitsFor(std::int64_t sweep_id) const ABSL_LOCKS_EXCLUDED(core_.mutex);
  // Ends the threads.
  void Stop() ABSL_LOCKS_EXCLUDED(core_.mutex);

 private:
  // A job that waits for a thread.
  struct Waiting {
    SearchJob job;
    bool learns = false;   // its method does
    bool is_slow = false;  // its latest thought was
  };

  // One turn of a sweep.
  void Run(const SearchJob& job);
  // Passes new events to the search and the rule. False when they cannot be read.
  bool Observe(const SearchJob& job) ABSL_LOCKS_EXCLUDED(core_.mutex);
  // Waits until there is something to do: that job, or nullopt when a plan is to be made. False
  // when the threads end.
  bool Await(const std::stop_token& stop, std::optional<Waiting>* job)
      ABSL_LOCKS_EXCLUDED(core_.mutex);
  void Loop(const std::stop_token& stop);
  void Enqueue(SearchJob job) ABSL_EXCLUSIVE_LOCKS_REQUIRED(core_.mutex);
  // Takes that job, and a thread for it; nullopt when it has been overtaken and is to be planned
  // again.
  std::optional<Waiting> Dequeue(std::deque<Waiting>::iterator next)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(core_.mutex);
  // The first job for which a thread may be taken.
  std::deque<Waiting>::iterator NextJob() ABSL_EXCLUSIVE_LOCKS_REQUIRED(core_.mutex);

  DriverCore core_;
  StandInDesk stand_ins_{core_};
  SearchPlanner planner_{core_};

  std::deque<Waiting> queue_ ABSL_GUARDED_BY(core_.mutex);
  int learning_ ABSL_GUARDED_BY(core_.mutex) = 0;  // jobs of threads, by method
  int slow_ ABSL_GUARDED_BY(core_.mutex) = 0;
  absl::Duration next_plan_ ABSL_GUARDED_BY(core_.mutex);  // monotonic; not earlier
  std::vector<std::jthread> threads_;
};

}  // namespace sweep
