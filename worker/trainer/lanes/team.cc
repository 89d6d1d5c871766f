#include "worker/trainer/lanes/team.h"

#include <chrono>

namespace sweep::lanes {
namespace {

// An operator of a small network takes some ten to some hundred microseconds, and waking a thread
// that sleeps about as long as that; spinning longer would take the processor from others.
constexpr std::chrono::microseconds kLongestSpin(50);
// Between two looks at the clock.
constexpr int kLooks = 500;

// Waits until `value` differs from `old`.
void AwaitChange(const std::atomic<std::uint32_t>& value, std::uint32_t old) {
  const auto end = std::chrono::steady_clock::now() + kLongestSpin;
  do {
    for (int i = 0; i < kLooks; ++i) {
      if (value.load(std::memory_order_acquire) != old) return;
    }
  } while (std::chrono::steady_clock::now() < end);
  value.wait(old, std::memory_order_acquire);
}

}  // namespace

Team::Team(int threads) : size_(threads) {
  std::fegetenv(&environment_);
  for (int thread = 1; thread < size_; ++thread) {
    helpers_.emplace_back([this, thread] { Help(thread); });
  }
}

Team::~Team() {
  stopping_ = true;
  begun_.fetch_add(1);
  begun_.notify_all();
}

void Team::Run(int units, const Body& body) {
  if (size_ == 1 || units <= 1) {
    for (int unit = 0; unit < units; ++unit) body(unit, 0);
    return;
  }
  body_ = &body;
  units_ = units;
  next_unit_ = 0;
  const std::uint32_t all = begun_.fetch_add(1) + 1;
  begun_.notify_all();
  Work(0);
  const auto helpers = static_cast<std::uint32_t>(size_ - 1);
  while (true) {
    const std::uint32_t finished = finished_.load(std::memory_order_acquire);
    if (finished == all * helpers) return;
    AwaitChange(finished_, finished);
  }
}

void Team::Help(int thread) {
  std::fesetenv(&environment_);
  std::uint32_t round = 0;
  while (true) {
    AwaitChange(begun_, round);
    ++round;  // the caller begins no other round before all have finished
    if (stopping_) return;
    Work(thread);
    finished_.fetch_add(1, std::memory_order_release);
    finished_.notify_one();
  }
}

void Team::Work(int thread) {
  for (int unit = next_unit_.fetch_add(1); unit < units_; unit = next_unit_.fetch_add(1)) {
    (*body_)(unit, thread);
  }
}

}  // namespace sweep::lanes
