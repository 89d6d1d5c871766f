#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace sweep {

// What is known of an active sweep's pace.
struct Pace {
  std::int64_t planned_trials = 0;
  std::int64_t ended_trials = 0;
  std::int64_t running_trials = 0;
  std::vector<double> latest_seconds;  // of the trials that completed last, from start to end
  double begun = 0;                    // trials' worth of epochs that the running ones have done
};

// How many seconds the sweep will take to its end if its latest trials are typical and as many go
// on running as run now; nullopt when that cannot be said (nothing runs, or nothing has completed
// yet). Pure.
std::optional<double> SecondsLeft(const Pace& pace);

}  // namespace sweep
