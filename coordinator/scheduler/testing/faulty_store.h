#pragma once

#include <atomic>
#include <utility>

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

  void Write(WriteFunction function, Completion done) override {
    const absl::StatusCode code = code_;
    if (code != absl::StatusCode::kOk) return done(absl::Status(code, "the test refuses it"));
    if (!kill_.exchange(false)) return ForwardingStore::Write(std::move(function), std::move(done));
    code_ = absl::StatusCode::kUnavailable;
    ForwardingStore::Write(std::move(function), [done = std::move(done)](const absl::Status&) {
      done(absl::UnavailableError("killed after the commit"));
    });
  }

 private:
  std::atomic<absl::StatusCode> code_ = absl::StatusCode::kOk;
  std::atomic<bool> kill_ = false;
};

}  // namespace sweep
