#pragma once

#include <string>
#include <vector>

#include "common/protocol/trainer_message.h"
#include "common/protocol/trial_spec.h"
#include "common/tensors/safetensors.h"

namespace sweep {

// The state of a training after a whole epoch: everything that the next epoch depends on, since
// order, augmentation and dropout depend only on (seed, epoch, step). Plain data; no libtorch.
struct Checkpoint {
  std::string spec;                  // TrainingIdentity of the trial
  int epoch = 0;                     // whole epochs done; 0 is the untrained network
  std::vector<SafeTensor> network;   // parameters and BatchNorm's estimates, "layers.0.weight", …
  std::vector<SafeTensor> momentum;  // of each parameter, by the parameter's name
  EpochMetrics last;                 // of that epoch
  EpochMetrics best;                 // of the epoch with the highest validation accuracy so far
  std::vector<SafeTensor> best_network;  // empty before the first epoch
  std::string predictions;               // of the best epoch, one byte per evaluated image
  bool operator==(const Checkpoint&) const = default;
};

SafeTensors CheckpointToSafeTensors(const Checkpoint& checkpoint);
// Throws SafeTensorsError, whose message contains `name`.
Checkpoint CheckpointFromSafeTensors(const SafeTensors& content, const std::string& name);

// The trial line without the parts that differ between attempts of one training: the trial's id,
// folders, checkpoint and device.
std::string TrainingIdentity(const TrialSpec& spec);

// "" when the checkpoint belongs to a training of this spec, else the first difference, such as "it
// has lr 0.1, the trial has 0.05".
std::string ExplainMismatch(const Checkpoint& checkpoint, const TrialSpec& spec);

// "" when a trial of this spec may begin with the checkpoint of another training, which had other
// hyperparameters but the same seed, data and length, else the first difference.
std::string ExplainNoParent(const Checkpoint& checkpoint, const TrialSpec& spec);

}  // namespace sweep
