#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "common/protocol/trainer_message.h"
#include "common/protocol/trial_spec.h"
#include "worker/trainer/trainer.h"

namespace sweep {

// The lines sent to a trainer, sorted into trials to train and requests to them. One thread hands
// in lines, another trains; all functions are thread-safe. A request counts from the moment that
// its trial's line was taken, even before the training begins; a request for a trial that has
// already ended is ignored.
class Inbox {
 public:
  using ErrorSink = std::function<void(const ErrorMessage&)>;
  // The number of trials that may wait behind the current one. A worker sends one at a time.
  static constexpr std::size_t kMaxWaiting = 16;

  // `errors` hears of lines that cannot be accepted; TakeLine calls it without a lock.
  explicit Inbox(ErrorSink errors) : errors_(std::move(errors)) {}

  // Takes one line without its newline. Never throws.
  void TakeLine(std::string_view line);
  // The process was told to end: stops the running training and begins no other.
  void Terminate();

  // Waits for the next trial, which becomes the current one; nullopt after Terminate.
  std::optional<TrialSpec> NextTrial();
  // Returns a request to the current trial once; a stop takes precedence over a checkpoint.
  TrainingRequest TakeRequest();
  // The current trial has ended.
  void FinishTrial();

 private:
  struct Entry {
    TrialSpec spec;
    TrainingRequest request = TrainingRequest::kNone;
  };

  void TakeTrial(std::string_view line);
  void TakeCommand(std::string_view line);

  const ErrorSink errors_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool terminated_ = false;  // guarded by mutex_, as all below
  bool training_ = false;    // the first entry is the current trial
  std::deque<Entry> entries_;
};

}  // namespace sweep
