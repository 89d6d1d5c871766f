#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/protocol/trainer_message.h"
#include "common/protocol/trial_spec.h"

namespace sweep::cli {

// Who hears what a training says, and may end it. All are called on the caller's thread.
struct TrainingListener {
  std::function<void(const ProgressMessage&)> progress;
  std::function<void(const EpochMetrics&)> epoch;
  std::function<void(const CheckpointMessage&)> checkpoint;
  std::function<void(const std::string& line)> log;  // a line that is no message
  // 0: go on; 1: stop with a checkpoint; 2 and more: end at once.
  std::function<int()> stop;
};

// Trains `spec` with the program `command` (its first word a path) to the end and returns what the
// trainer said then. Cancelled when `stop` ended it at once or the trainer did not stop within its
// grace; otherwise the trainer's own words, or how it died, in one line. No process is left, also
// when this one is killed. Blocks; to be called by a thread that outlives it.
absl::StatusOr<DoneMessage> RunTraining(const std::vector<std::string>& command,
                                        const TrialSpec& spec, const TrainingListener& listener);

}  // namespace sweep::cli
