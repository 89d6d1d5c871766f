#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string_view>
#include <thread>

#include "absl/time/time.h"
#include "common/base/mutex.h"
#include "sweep/v1/workers.pb.h"
#include "worker/agent/coordinator_client.h"
#include "worker/agent/lease_table.h"

namespace sweep {

// Sends the lines that trainers print to the coordinator, once per second and at the end of a
// lease, from a thread of its own, so that no epoch and no heartbeat waits for them. A failure to
// send them does not fail the trial.
//
// The queue of each lease is bounded by kMostLines and kMostBytes: a line that finds no room is
// dropped and leaves a gap in the numbers. A turn sends what was queued when it began, so a trainer
// that floods gets through about kMostLines per second, however fast they are sent. A coordinator
// that does not know AppendLogs turns all of this off. Thread-safe.
class LogReporter {
 public:
  static constexpr std::size_t kMostLines = 1000;
  static constexpr std::size_t kMostBytes = std::size_t{256} << 10;
  static constexpr std::size_t kMostLineBytes = 4096;  // the contract's limit
  static constexpr int kLinesPerCall = 200;            // the contract's limit

  explicit LogReporter(CoordinatorClient* client);
  // The client must be shut down before; otherwise this waits for its call.
  ~LogReporter();

  // Accepts lines of this lease from now on, numbered from 1.
  void Begin(const v1::LeaseToken& token);
  // Adds a line that was just read. Returns at once. Ignored for a lease that has not begun.
  void Add(const LeaseKey& lease, std::string_view line);
  // Waits until the lines of the lease are stored or given up, for `patience` at most.
  void Flush(const LeaseKey& lease, absl::Duration patience);
  // Forgets the lease and its unsent lines.
  void End(const LeaseKey& lease);
  // Ends the thread and every wait in Flush.
  void Shutdown();

 private:
  using TimePoint = std::chrono::steady_clock::time_point;

  // The lines of one lease.
  struct Source {
    v1::LeaseToken token;
    std::int64_t lines = 0;     // so far
    std::int64_t dropped = 0;   // of them
    std::int64_t turn_end = 0;  // the last line that the turn under way sends
    std::deque<v1::LogLine> queue;
    std::size_t bytes = 0;  // in the queue
    bool over = false;      // the coordinator accepts no more of them
  };

  void Run();
  // Waits until a turn begins, which sends the lines that are queued then. False after Shutdown.
  bool WaitForTurn();
  bool Pending() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Sends the lines of this turn. False when the coordinator is away.
  bool SendTurn();
  // The oldest lines of one lease; empty when this turn has sent all of its lines.
  v1::AppendLogsRequest NextBatch();
  void OnAnswer(const v1::AppendLogsRequest& batch, const absl::Status& status);

  CoordinatorClient* const client_;
  Mutex mutex_;
  CondVar changed_;
  std::map<LeaseKey, Source> sources_ ABSL_GUARDED_BY(mutex_);
  bool hurry_ ABSL_GUARDED_BY(mutex_) = false;  // somebody waits in Flush
  bool off_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  TimePoint next_send_ ABSL_GUARDED_BY(mutex_);
  std::jthread thread_;  // last: it uses all of the above
};

}  // namespace sweep
