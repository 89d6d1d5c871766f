#include "coordinator/scheduler/worker_health.h"

#include <algorithm>
#include <cstddef>
#include <set>

namespace sweep {
namespace {

// Bounds the list of a lone worker that fails everything.
constexpr std::size_t kMostKept = 100;

}  // namespace

void WorkerHealth::AddFailure(const TrialKey& trial, std::string reason) {
  if (failed_.size() == kMostKept) failed_.erase(failed_.begin());
  failed_.push_back(trial);
  reason_ = std::move(reason);
}

void WorkerHealth::Withdraw(const TrialKey& trial) {
  if (std::erase(failed_, trial) > 0 && !fails()) {
    until_.reset();
    next_ = kShortest;
  }
}

void WorkerHealth::AddSuccess() {
  failed_.clear();
  reason_.clear();
  has_succeeded_ = true;
  until_.reset();
  next_ = kShortest;
}

bool WorkerHealth::fails() const {
  return failures() >= kFailuresInARow &&
         std::set<TrialKey>(failed_.begin(), failed_.end()).size() >= kOnTrials;
}

void WorkerHealth::PutAside(absl::Duration now) {
  until_ = now + next_;
  next_ = std::min(2 * next_, kLongest);
}

void WorkerHealth::TryNow(absl::Duration now) {
  if (until_) until_ = std::min(*until_, now);
}

WorkerHealth::State WorkerHealth::At(absl::Duration now) const {
  if (!until_) return State::kGood;
  return now < *until_ ? State::kAside : State::kOnTrial;
}

}  // namespace sweep
