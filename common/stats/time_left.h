#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace sweep {

// The pace of an active sweep. Seconds are those of a trial's attempts, without the pauses between
// them.
struct Pace {
  struct Running {
    double share = 0;    // of the trial done, from 0 to 1
    double seconds = 0;  // spent on it so far
  };
  std::int64_t planned_trials = 0;  // including those that do not exist yet
  std::int64_t ended_trials = 0;
  std::vector<double> completed_seconds;  // of the latest completed trials
  std::vector<Running> running;           // one per slot that serves the sweep
};

// The seconds to the end of the sweep, if its trials take as long as those that completed, on as
// many slots as serve it now. Before the first completes, the running trials give the pace. nullopt
// when nothing runs or too little is done. Pure.
std::optional<double> SecondsLeft(const Pace& pace);

}  // namespace sweep
