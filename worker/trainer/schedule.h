#pragma once

#include <cstdint>

#include "common/protocol/trial_spec.h"

namespace sweep {

// The learning rate of every training step of a trial. Immutable.
//   constant   lr
//   step       lr · step_gamma^⌊(epoch - 1) / step_epochs⌋
//   cosine     half a cosine from lr to lr · final_lr_fraction, reached at the last step
//   one_cycle  PyTorch's OneCycleLR with cosine annealing and constant momentum: from
//              lr / start_divisor up to lr at step one_cycle_warmup · steps - 1, then down to
//              lr / start_divisor / final_divisor at the last step (Smith and Topin 2017)
// warmup_epochs > 0 (not one_cycle): the first W steps use (step + 1) / W of the schedule's value;
// the cosine begins after them.
class Schedule {
 public:
  // Requires spec.schedule to be one of the above (see CheckTrialSpec).
  Schedule(const TrialSpec& spec, int steps_per_epoch);

  // `step` counts from 0 over all epochs.
  double LearningRate(std::int64_t step) const;

 private:
  enum class Kind { kConstant, kStep, kCosine, kOneCycle };
  double Cosine(std::int64_t step) const;
  double OneCycle(std::int64_t step) const;

  Kind kind_ = Kind::kConstant;
  double lr_;
  double start_lr_;
  double final_lr_;
  double gamma_;
  double peak_step_;  // one_cycle; may be fractional, as PyTorch's
  int step_epochs_;
  int steps_per_epoch_;
  std::int64_t steps_;
  std::int64_t warmup_steps_;
};

}  // namespace sweep
