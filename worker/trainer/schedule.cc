#include "worker/trainer/schedule.h"

#include <cmath>
#include <numbers>
#include <stdexcept>

namespace sweep {
namespace {

// Half a cosine from `from` (at 0) to `to` (at 1).
double Anneal(double from, double to, double fraction) {
  return to + (from - to) / 2.0 * (1.0 + std::cos(std::numbers::pi * fraction));
}

}  // namespace

Schedule::Schedule(const TrialSpec& spec, int steps_per_epoch)
    : lr_(spec.lr),
      start_lr_(spec.lr),
      final_lr_(spec.lr * spec.final_lr_fraction),
      gamma_(spec.step_gamma),
      peak_step_(0),
      step_epochs_(spec.step_epochs),
      steps_per_epoch_(steps_per_epoch),
      steps_(std::int64_t{spec.epochs} * steps_per_epoch),
      warmup_steps_(std::llround(spec.warmup_epochs * steps_per_epoch)) {
  if (spec.schedule == "step") {
    kind_ = Kind::kStep;
  } else if (spec.schedule == "cosine") {
    kind_ = Kind::kCosine;
  } else if (spec.schedule == "one_cycle") {
    kind_ = Kind::kOneCycle;
    start_lr_ = lr_ / spec.one_cycle_start_divisor;
    final_lr_ = start_lr_ / spec.one_cycle_final_divisor;
    peak_step_ = spec.one_cycle_warmup * static_cast<double>(steps_) - 1.0;
    warmup_steps_ = 0;
  } else if (spec.schedule != "constant") {
    throw std::invalid_argument("schedule is '" + spec.schedule + "'");
  }
}

double Schedule::LearningRate(std::int64_t step) const {
  double lr = lr_;
  if (kind_ == Kind::kOneCycle) return OneCycle(step);
  if (kind_ == Kind::kCosine) lr = Cosine(step);
  if (kind_ == Kind::kStep) {
    lr *= std::pow(gamma_, static_cast<double>(step / steps_per_epoch_ / step_epochs_));
  }
  if (step < warmup_steps_)
    lr *= static_cast<double>(step + 1) / static_cast<double>(warmup_steps_);
  return lr;
}

double Schedule::Cosine(std::int64_t step) const {
  const std::int64_t span = steps_ - 1 - warmup_steps_;
  if (step < warmup_steps_) return lr_;
  if (span <= 0) return final_lr_;
  return Anneal(lr_, final_lr_,
                static_cast<double>(step - warmup_steps_) / static_cast<double>(span));
}

double Schedule::OneCycle(std::int64_t step) const {
  const double position = static_cast<double>(step);
  if (position <= peak_step_) {
    return peak_step_ > 0 ? Anneal(start_lr_, lr_, position / peak_step_) : lr_;
  }
  const double span = static_cast<double>(steps_ - 1) - peak_step_;
  return Anneal(lr_, final_lr_, (position - peak_step_) / span);
}

}  // namespace sweep
