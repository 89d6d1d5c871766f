#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace sweep {

// What is known of an active sweep's pace. Seconds are those of a trial's attempts: pauses between
// them do not count.
struct Pace {
  struct Running {
    double share = 0;    // of the trial that is done, from 0 to 1
    double seconds = 0;  // that it has taken
  };
  std::int64_t planned_trials = 0;  // with those that are not made yet
  std::int64_t ended_trials = 0;
  std::vector<double> completed_seconds;  // of the trials that completed last
  std::vector<Running> running;           // one per slot that serves the sweep
};

// How many seconds the sweep will take to its end if its trials take as long as those that
// completed, on as many slots as serve it now. Before the first has completed, those that run say
// how long one takes. Nullopt when that cannot be said: nothing runs, or too little is done. Pure.
std::optional<double> SecondsLeft(const Pace& pace);

}  // namespace sweep
