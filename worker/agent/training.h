#pragma once

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/protocol/trainer_message.h"
#include "common/protocol/trial_spec.h"
#include "worker/agent/trainer_process.h"

namespace sweep {

// Receives a training's messages and may end it. All functions run on the caller's thread.
struct TrainingListener {
  std::function<void(const ReadyMessage&)> ready = [](const ReadyMessage&) {};
  std::function<void(const ProgressMessage&)> progress;
  std::function<void(const EpochMetrics&)> epoch;
  std::function<void(const CheckpointMessage&)> checkpoint;
  std::function<void(const std::string& line)> log;  // a line that is no message
  // 0: go on; 1: stop with a checkpoint; 2 and more: end at once.
  std::function<int()> stop;
};

// Trains `spec` with the program `command` (its first word a path) to the end and returns the
// trainer's last message. A program of a sweep's own gets its trial at once, and need not say that
// it is done. Cancelled when `stop` ended it at once or the trainer did not stop within
// its grace; otherwise the trainer's own message, or how it died, in one line. Leaves no process
// behind, even when this one is killed. Blocks; the calling thread must outlive it.
absl::StatusOr<DoneMessage> RunTraining(const std::vector<std::string>& command,
                                        const TrialSpec& spec, const TrainingListener& listener);
absl::StatusOr<DoneMessage> RunTraining(const TrainerProgram& program, const TrialSpec& spec,
                                        const TrainingListener& listener);

}  // namespace sweep
