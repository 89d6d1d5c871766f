#pragma once

#include <cstdint>
#include <deque>
#include <iterator>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "coordinator/search/replicate_racer.h"
#include "coordinator/search/search.h"
#include "coordinator/search/start_up_points.h"
#include "coordinator/search/trial_judge.h"
#include "coordinator/store/store.h"

namespace sweep {

struct DriverOptions;
struct SearchDemand;

// The search, the stopping rule and the race of a sweep under one of its files, as the search
// driver keeps them.
//
// The driver's lock discipline: one lock, DriverCore::mutex, guards the table of sweeps and the
// `Shared` of each; DriverCore::Of gives it to who holds the lock. All else of a sweep belongs to
// its turn: to the thread that found `is_busy` false in a plan and set it, and then to the
// completion of the write that ends the turn. A plan reads it, under the lock, of sweeps that
// nobody has. While `thinks_since` is set, because the turn asks the model for a configuration or
// still waits for a thread, another thread may read `suggested` under the lock and set `stands_in`:
// until that is over, `stand_ins` is that thread's, and the turn changes nothing that it reads
// (`seen`, `judge`). The lock is never held during a call of the host, a read of the store, a
// suggestion or an observation.
class DrivenSweep {
 public:
  struct Shared {
    bool is_busy = false;               // a thread has the turn, or what it found is being stored
    std::int64_t plan = 0;              // number of the latest plan that listed the sweep
    bool has_news = false;              // the search or the rule may not have seen all events
    absl::Duration not_before;          // monotonic
    std::uint64_t subscription = 0;     // 0: neither of them observes events
    std::int64_t stored = 0;            // number of the last stored configuration
    std::vector<std::int64_t> refused;  // trials whose decision was not stored
    int storing = 0;                    // decisions being stored
    // Set: the search has no configuration for now, or the race no seed, and is asked again after
    // an event. Why, as far as people are told.
    std::optional<std::string> waits_for;
    // Since when each slot that has no trial waits for one; the oldest first; monotonic.
    std::deque<absl::Duration> waits;
    std::optional<absl::Duration>
        thinks_since;                   // monotonic; of the model, or of its turn in the queue
    bool is_slow = false;               // its latest thought was
    bool was_overtaken = false;         // by points that stood in, when its turn came
    bool stands_in = false;             // start-up points are being made or stored
    absl::Duration no_stand_in_before;  // monotonic
    std::set<std::string> stood_in;     // identities of those since the model was asked
  };
  // A configuration that is not stored yet.
  struct Suggested {
    std::shared_ptr<const Configuration> configuration;  // shared with the write
    WriteTransaction::Suggestion facts;
    bool is_told = false;  // to the search; of a model that learns
  };

  // Of the demand's file.
  DrivenSweep(const SearchDemand& demand, const DriverOptions& options);

  // Makes the search when there is none. False when the store cannot be read.
  bool Prepare(const DriverOptions& options);
  // Passes new events to the search, the rule and the race. False when they cannot be read.
  bool Observe(Store* store);
  // The model knows from now on that the configuration is to be trained.
  void Tell(const Configuration& configuration, const Segment* segment);

  // The search has made its last configuration, of a sweep with a race.
  bool IsRacing(const SearchDemand& demand) const;
  bool observes() const { return spec->method->learns || judge.has_rule() || racer != nullptr; }
  // The number of the last configuration that is a point of `try_first`; 0: there are none.
  std::int64_t LastOfFirst() const {
    return spec->try_first.empty() ? 0 : first_own_ - 1 + std::ssize(spec->try_first);
  }
  // Configurations that the search should make now.
  std::int64_t Wanted(const SearchDemand& demand) const;

  const std::int64_t id;
  const std::shared_ptr<const SweepSpec> spec;  // shared; the search refers to it
  const std::int64_t revision;                  // of the sweep file
  TrialJudge judge;
  const std::unique_ptr<ReplicateRacer> racer;  // null: the sweep has no race
  std::unique_ptr<Search> search;               // null until the first turn
  std::unique_ptr<StartUpPoints> stand_ins;     // null: nothing stands in for its points
  bool leaves_out = false;                      // points that are known from elsewhere
  std::int64_t seen = 0;                        // sequence of the last event observed
  std::deque<Suggested> suggested;              // not stored yet
  std::string end_reason;                       // set when the search makes no more points

 private:
  friend struct DriverCore;

  Shared shared_;
  std::int64_t first_own_ = 1;  // number of the first configuration of this file
  std::int64_t points_ = 0;     // configurations whose points were observed
};

}  // namespace sweep
