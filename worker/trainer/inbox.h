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

// The lines that a trainer is sent, sorted into trials to train and requests to them. One thread
// hands in lines, another trains; all functions are thread-safe. A request counts from the moment
// that its trial's line has been taken, also before the training begins; one for a trial that is
// not there (it has ended meanwhile) is ignored.
class Inbox {
 public:
  using ErrorSink = std::function<void(const ErrorMessage&)>;
  // Trials that may wait behind the one that is trained. A worker sends one at a time.
  static constexpr std::size_t kMaxWaiting = 16;

  // `errors` is told of lines that cannot be taken; called by TakeLine without a lock.
  explicit Inbox(ErrorSink errors) : errors_(std::move(errors)) {}

  // One line without its newline. Never throws.
  void TakeLine(std::string_view line);
  // The process has been told to end: the running training is stopped, nothing is begun.
  void Terminate();

  // Blocks for the next trial, which then is the current one; nullopt after Terminate.
  std::optional<TrialSpec> NextTrial();
  // What the current trial is told, once; a stop counts more than a checkpoint.
  TrainingRequest TakeRequest();
  // There is no current trial any more.
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
