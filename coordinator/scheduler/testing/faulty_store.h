#pragma once

#include <atomic>
#include <utility>

#include "coordinator/store/testing/forwarding_store.h"

namespace sweep {

// A store for tests whose writes can be made to fail; all else goes to another store. Thread-safe.
class FaultyStore final : public ForwardingStore {
 public:
  using ForwardingStore::ForwardingStore;

  // Every write is refused with this from now on; with OK none is any more.
  void Refuse(absl::StatusCode code) {
    kill_ = false;
    code_ = code;
  }
  // The next write is committed and its answer is lost, as when the process is killed between the
  // two. What comes after it is refused, as by a process that is not there.
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
