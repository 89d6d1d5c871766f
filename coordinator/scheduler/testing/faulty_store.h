#pragma once

#include <atomic>
#include <functional>
#include <utility>

#include "common/base/mutex.h"
#include "coordinator/store/testing/forwarding_store.h"

namespace sweep {

// A store whose writes a test can make fail. Everything else goes to another store. Thread-safe.
class FaultyStore final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;

  // From now on every write is refused with this code; OK ends that.
  void Refuse(absl::StatusCode code) {
    kill_ = false;
    code_ = code;
  }
  // The next write is committed and its answer is lost, as when the process is killed between the
  // two. Later writes are refused, since that process is gone.
  void KillAfterNextCommit() {
    code_ = absl::StatusCode::kOk;
    kill_ = true;
  }

  // From now on each function runs twice, as when another one of its transaction fails, unless it
  // is written while others are.
  void RunTwice() { twice_ = true; }

  // Called once, before the next write: after it was decided on and before anything is stored.
  void BeforeNextWrite(std::function<void()> action) {
    MutexLock lock(&mutex_);
    before_ = std::move(action);
  }

  void Write(WriteFunction function, Completion done) override {
    if (const std::function<void()> before = TakeBefore()) before();
    const absl::StatusCode code = code_;
    if (code != absl::StatusCode::kOk) return done(absl::Status(code, "the test refuses it"));
    const bool is_alone = writes_in_flight_.fetch_add(1) == 0;
    if (twice_ && is_alone) function = Twice(std::move(function));
    done = [this, done = std::move(done)](absl::Status status) {
      --writes_in_flight_;
      done(std::move(status));
    };
    if (!kill_.exchange(false)) return ForwardingStore::Write(std::move(function), std::move(done));
    code_ = absl::StatusCode::kUnavailable;
    ForwardingStore::Write(std::move(function), [done = std::move(done)](const absl::Status&) {
      done(absl::UnavailableError("killed after the commit"));
    });
  }

 private:
  std::function<void()> TakeBefore() {
    MutexLock lock(&mutex_);
    return std::exchange(before_, nullptr);
  }
  static WriteFunction Twice(WriteFunction function) {
    return [function = std::move(function),
            is_first = true](WriteTransaction& transaction) mutable -> absl::Status {
      const absl::Status status = function(transaction);
      if (!std::exchange(is_first, false)) return status;
      const absl::Status written = transaction.RememberRequest("of the first run", 0);
      return written.ok() ? absl::AbortedError("the test wants a second run") : written;
    };
  }

  std::atomic<absl::StatusCode> code_ = absl::StatusCode::kOk;
  std::atomic<bool> kill_ = false;
  std::atomic<bool> twice_ = false;
  std::atomic<int> writes_in_flight_ = 0;
  Mutex mutex_;
  std::function<void()> before_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sweep
