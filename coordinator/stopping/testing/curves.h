#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>
#include <vector>

#include "coordinator/stopping/stopping_rule.h"

namespace sweep {

// 27 learning curves of 9 epochs, accuracies in hundredths of a per cent. Neighbours tie, every
// fourth trial starts slowly, so that curves cross, and every fifth dips at epochs 3 and 4. Trial
// 13 (0-based) is the best at the end.
inline constexpr int kCurves = 27;
inline constexpr int kCurveEpochs = 9;
inline constexpr int kBestCurve = 13;
inline constexpr std::array<std::array<int, kCurveEpochs>, kCurves> kCurveTable = {{
    {9839, 9872, 9882, 9888, 9891, 9893, 9895, 9896, 9897},
    {9874, 9894, 9871, 9874, 9906, 9907, 9908, 9909, 9910},
    {9884, 9904, 9911, 9914, 9916, 9917, 9918, 9919, 9920},
    {9866, 9886, 9893, 9896, 9898, 9899, 9900, 9901, 9902},
    {9851, 9883, 9894, 9900, 9903, 9905, 9907, 9908, 9909},
    {9860, 9880, 9887, 9890, 9892, 9893, 9894, 9895, 9896},
    {9870, 9890, 9867, 9870, 9902, 9903, 9904, 9905, 9906},
    {9880, 9900, 9907, 9910, 9912, 9913, 9914, 9915, 9916},
    {9837, 9869, 9880, 9886, 9889, 9891, 9893, 9894, 9895},
    {9872, 9892, 9899, 9902, 9904, 9905, 9906, 9907, 9908},
    {9882, 9902, 9909, 9912, 9914, 9915, 9916, 9917, 9918},
    {9866, 9886, 9863, 9866, 9898, 9899, 9900, 9901, 9902},
    {9851, 9883, 9894, 9900, 9903, 9905, 9907, 9908, 9909},
    {9886, 9906, 9913, 9916, 9918, 9919, 9920, 9921, 9922},
    {9868, 9888, 9895, 9898, 9900, 9901, 9902, 9903, 9904},
    {9878, 9898, 9905, 9908, 9910, 9911, 9912, 9913, 9914},
    {9837, 9869, 9850, 9856, 9889, 9891, 9893, 9894, 9895},
    {9872, 9892, 9899, 9902, 9904, 9905, 9906, 9907, 9908},
    {9882, 9902, 9909, 9912, 9914, 9915, 9916, 9917, 9918},
    {9864, 9884, 9891, 9894, 9896, 9897, 9898, 9899, 9900},
    {9849, 9881, 9892, 9898, 9901, 9903, 9905, 9906, 9907},
    {9884, 9904, 9881, 9884, 9916, 9917, 9918, 9919, 9920},
    {9868, 9888, 9895, 9898, 9900, 9901, 9902, 9903, 9904},
    {9878, 9898, 9905, 9908, 9910, 9911, 9912, 9913, 9914},
    {9835, 9867, 9878, 9884, 9887, 9889, 9891, 9892, 9893},
    {9870, 9890, 9897, 9900, 9902, 9903, 9904, 9905, 9906},
    {9880, 9900, 9877, 9880, 9912, 9913, 9914, 9915, 9916},
}};

inline double CurveValue(int trial, int epoch) {
  return kCurveTable[static_cast<std::size_t>(trial)][static_cast<std::size_t>(epoch) - 1] / 1e4;
}

// The orders in which the trials of the table train.
enum class ArrivalOrder { kSequential, kLockstep, kFourWorkers };

inline int SlotsOf(ArrivalOrder order) {
  if (order == ArrivalOrder::kSequential) return 1;
  return order == ArrivalOrder::kLockstep ? kCurves : 4;
}

// Trains the table under a rule as the coordinator does: slots take turns by one epoch each, a free
// one takes the oldest pending trial, else a new one, and trials rest at their targets. Returns the
// last epoch of each trial. Values come after every `interval` epochs and after the last one.
class CurveTraining {
 public:
  CurveTraining(ArrivalOrder order, StoppingRule* rule, int interval = 1)
      : slots_(SlotsOf(order)), interval_(interval), rule_(*rule) {}

  std::vector<int> Run() {
    while (true) {
      Grant();
      if (running_.empty()) {
        std::vector<StopDecision> last = rule_.OnOnlyHeld();
        if (last.empty()) return epochs_;
        Apply(last);
        continue;
      }
      // As a list of now: a trial that a decision ends meanwhile has no turn.
      const std::vector<int> turn(running_.begin(), running_.end());
      for (const int trial : turn) {
        if (IsRunning(trial)) Train(trial);
      }
    }
  }

 private:
  bool IsRunning(int trial) const {
    return std::find(running_.begin(), running_.end(), trial) != running_.end();
  }
  void Grant() {
    while (std::ssize(running_) < slots_) {
      if (!pending_.empty()) {
        running_.push_back(*pending_.begin());
        pending_.erase(pending_.begin());
      } else if (std::ssize(epochs_) < kCurves) {
        const int trial = static_cast<int>(epochs_.size());
        epochs_.push_back(0);
        targets_.push_back(rule_.FirstTarget(trial + 1));
        running_.push_back(trial);
      } else {
        return;
      }
    }
  }
  void Train(int trial) {
    const auto place = static_cast<std::size_t>(trial);
    const int epoch = ++epochs_[place];
    Apply(rule_.OnEpoch({.sequence = ++sequence_,
                         .configuration = trial + 1,
                         .epoch = epoch,
                         .value = CurveValue(trial, epoch),
                         .has_value = epoch % interval_ == 0 || epoch == kCurveEpochs,
                         .state = TrialState::kRunning}));
    if (!IsRunning(trial)) return;
    if (epoch == kCurveEpochs) return End(trial, TrialState::kCompleted);
    if (epoch == targets_[place]) std::erase(running_, trial);
  }
  void End(int trial, TrialState state) {
    std::erase(running_, trial);
    Apply(rule_.OnState({.sequence = ++sequence_, .configuration = trial + 1, .state = state}));
  }
  void Apply(const std::vector<StopDecision>& decisions) {
    for (const StopDecision& decision : decisions) {
      const int trial = static_cast<int>(decision.configuration) - 1;
      if (decision.action == StopDecision::Action::kStop) {
        End(trial, TrialState::kStopped);
        continue;
      }
      targets_[static_cast<std::size_t>(trial)] = decision.target_epoch;
      if (decision.action == StopDecision::Action::kHold) {
        std::erase(running_, trial);
        continue;
      }
      if (!IsRunning(trial)) pending_.insert(trial);
    }
  }

  const int slots_;
  const int interval_;
  StoppingRule& rule_;
  std::vector<int> epochs_, targets_;  // by trial
  std::vector<int> running_;           // in the order of their slots
  std::set<int> pending_;
  std::int64_t sequence_ = 0;
};

}  // namespace sweep
