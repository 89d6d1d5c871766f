#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
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

// Nullopt of a sweep without a race.
absl::StatusOr<std::optional<RacePlace>> FindRacePlace(Store* store, const TrialRow& trial,
                                                       const SweepSpec& spec);

// In sentences without a full stop.
std::vector<std::string> ExplainRace(const TrialRow& trial, int first_replicates,
                                     const RacePlace& place);

}  // namespace sweep
