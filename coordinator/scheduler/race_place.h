#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/mutex.h"
#include "common/spec/sweep_spec.h"
#include "common/stats/race.h"
#include "coordinator/store/store.h"

namespace sweep {

// Where the configuration of a trial stands in the race of its sweep.
struct RacePlace {
  RaceStanding standing = RaceStanding::kWaits;
  Contender own;
  Contender leader;
  int max = 0;            // runs of a configuration
  std::int64_t most = 0;  // further runs of the sweep
  std::int64_t left = 0;  // of them, those that may still be handed out
  int racing = 0;         // rivals of the leader that could be the best
  double within = 0;
  double behind = 0;            // the leader's mean
  std::optional<double> reach;  // a larger distance rules it out; nullopt while that is not known
  bool is_share = false;        // the metric is one
  bool has_begun = false;       // further runs may be handed out
};

// The races of the sweeps whose trials are looked at. All who look at one before something else
// happens in its sweep share one reading of its runs. Thread-safe.
class RaceBoard {
 public:
  using SharedSpec = std::shared_ptr<const SweepSpec>;

  // The store must outlive it.
  explicit RaceBoard(Store* store) : store_(store) {}

  // Nullopt of a sweep without a race.
  absl::StatusOr<std::optional<RacePlace>> Find(const TrialRow& trial, const SharedSpec& spec)
      ABSL_LOCKS_EXCLUDED(mutex_);

 private:
  struct Race {
    SharedSpec spec;            // shared with the requests that compare it
    std::int64_t sequence = 0;  // of the sweep's last event
    std::int64_t planned = 0;   // configurations
    std::vector<Contender> contenders = {};
    RaceRules rules = {};
    RaceVerdict verdict = {};

    // Nullopt when the configuration is younger than the race.
    std::optional<RacePlace> PlaceOf(std::int64_t configuration) const;
  };
  using SharedRace = std::shared_ptr<const Race>;  // shared by requests under way

  absl::StatusOr<SharedRace> FindRace(std::int64_t sweep_id, const SharedSpec& spec)
      ABSL_LOCKS_EXCLUDED(mutex_);
  absl::Status Judge(std::int64_t sweep_id, Race* race);

  Store* const store_;
  Mutex mutex_;
  std::map<std::int64_t, SharedRace> races_ ABSL_GUARDED_BY(mutex_);  // by sweep
};

// In sentences without a full stop.
std::vector<std::string> ExplainRace(const TrialRow& trial, int first_replicates,
                                     const RacePlace& place);

}  // namespace sweep
