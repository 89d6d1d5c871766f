#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "worker/trainer/parameters.h"

namespace sweep {

// Images and labels of one batch, in the caller's memory.
struct Batch {
  int count = 0;
  const float* images = nullptr;         // [count][height][width], one channel, normalised
  const std::uint8_t* labels = nullptr;  // [count]
};

// Sums over images.
struct BatchTotals {
  double loss = 0;
  std::int64_t right = 0;
};

// Computes the steps of one training: network, loss and optimiser on some device. Numerics are
// PyTorch's in every backend, initial values and dropout are the same, and the state can be handed
// from one to another between two steps. Used by one thread at a time.
class Backend {
 public:
  virtual ~Backend() = default;

  // One step of the optimiser. `step` counts from 0 over all epochs and determines the dropout.
  virtual void TrainStep(const Batch& batch, std::int64_t step, double lr) = 0;
  // Mean loss of the last step. Waits until that is computed.
  virtual double LastLoss() = 0;
  // The number of steps that may be in flight before the caller waits for a loss.
  virtual int steps_between_looks() const { return 1; }
  // Totals over the steps since the last call: losses with smoothing, and how often the largest
  // output was that of the label.
  virtual BatchTotals TakeTotals() = 0;

  // Uses the running estimates and no dropout. Writes the predicted class of each image.
  virtual BatchTotals Evaluate(const Batch& batch, std::uint8_t* predictions) = 0;

  virtual TrainingState Save() const = 0;
  // `file` is for messages. Throws SafeTensorsError for a state of another network.
  virtual void Load(const TrainingState& state, const std::string& file) = 0;
};

}  // namespace sweep
