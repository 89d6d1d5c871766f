#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/protocol/trainer_message.h"
#include "coordinator/store/rows.h"

namespace sweep {

// The version of the contract with workers (proto/sweep/v1/workers.proto).
inline constexpr int kWorkerProtocolVersion = 1;

// A worker, as it describes itself.
struct WorkerDescription {
  std::string host;
  std::int64_t pid = 0;
  int slots = 1;
  std::vector<std::string> devices;
  std::string build;
  std::map<std::string, std::string> labels;
  std::int64_t memory_bytes = 0;      // of its machine; 0: not known
  bool allows_programs = false;       // runs the programs that sweeps bring with them
  std::set<std::string> only_sweeps;  // trains no others; empty: all
};

// One call of a worker: heartbeat, long poll and report of its state.
struct SynchronizeCall {
  std::string session;
  std::string worker;
  WorkerDescription description;
  int protocol = 0;
  std::vector<LeaseToken> held;
  bool draining = false;
  bool no_wait = false;
  std::vector<std::string> changed_data;  // refused digests of data that it has replaced
  std::uint64_t poll_id = 0;              // unique per call; for DropPoll
};

// A lease that the worker should hold.
struct LeaseOffer {
  LeaseToken token;
  std::shared_ptr<const std::string> spec_json;  // shared: the same text in every answer
  std::string checkpoint_sha256;
  int checkpoint_epoch = 0;
  std::vector<std::string> program;  // the sweep's own trainer; empty: the worker's
  std::string program_digest;
  std::string data_sha256;  // what the sweep is trained on, as far as is known
  bool give_back = false;   // after a checkpoint: the sweep is paused
  bool stop = false;        // for good, keeping its weights: the stopping rule has decided it
};

struct SynchronizeAnswer {
  std::vector<LeaseOffer> leases;  // all that the worker should hold
  absl::Duration next_call = absl::ZeroDuration();
  absl::Duration lease_term;
  bool drain = false;  // give back what is held, and end
};
using SynchronizeCallback = std::function<void(absl::StatusOr<SynchronizeAnswer>)>;

// A call of a program that asks for a trial of a sweep that callers train.
struct AskCall {
  std::string sweep;
  std::string caller;      // its name
  std::string request_id;  // the same in a repeated call; empty: each call is another request
  absl::Duration wait;     // for a free trial; at most SchedulerOptions::poll_time
  std::uint64_t id = 0;    // unique per call; for DropAsk
};

// A lease that a caller gets.
struct AskedTrial {
  LeaseToken token;
  TrialRow trial;
  std::shared_ptr<const std::string> spec_json;  // shared with the table
};

struct AskAnswer {
  std::optional<AskedTrial> trial;
  bool ended = false;  // the sweep has ended
  std::string reason;  // why there is no trial
  absl::Duration lease_term;
};
using AskCallback = std::function<void(absl::StatusOr<AskAnswer>)>;

// What a caller reports of its trial. Without an outcome the trial goes on.
struct TellCall {
  LeaseToken token;
  std::vector<EpochMetrics> epochs;
  std::optional<LeaseOutcome> outcome;
  std::string reason;
};

struct TellAnswer {
  bool stop = false;  // the lease has ended although no outcome was reported
  TrialState state = TrialState::kPending;
  std::string reason;
};
using TellCallback = std::function<void(absl::StatusOr<TellAnswer>)>;

// A caller stands in the list of workers, and in the rows of its trials, under a name that no
// worker can have.
inline constexpr std::string_view kCallerPrefix = "caller:";

// Why a worker gets no trials, or a single one to try: its last attempts have all failed.
struct PutAside {
  int failures = 0;    // in a row
  std::string reason;  // of the last one, in one line
  absl::Time until;    // when it is tried again, or was
};

// Data of a worker that is not the data of a sweep. The worker gets no trials of the sweep until
// its session ends or it says that the data was replaced.
struct OtherData {
  std::string sweep;  // its name
  std::string sha256;
  std::string place;  // where it lies; empty for data without files
  std::string sweep_sha256;
};

// A worker as the scheduler sees it.
struct WorkerInfo {
  std::string name;
  WorkerDescription description;
  bool connected = false;
  bool draining = false;
  std::vector<std::string> trials;  // "sweep/3"
  absl::Time created, last_seen;
  std::int64_t completed = 0;  // attempts since this coordinator started
  std::int64_t failed = 0;     // attempts that failed or were lost; not those that diverged
  double images_per_second = 0;
  std::optional<PutAside> put_aside;
  std::vector<OtherData> other_data;  // for sweeps that have not ended
  // Its build is older than this one, which workers should have at least; "": it is not.
  std::string expected_build;
};

// Numbers that were reported of one measure.
struct MeasureCounts {
  std::int64_t values = 0;
  std::int64_t not_finite = 0;  // of them: NaN and infinities
};
// At most so many measures are counted by name: a program may report any number of names.
constexpr std::size_t kMaxMeasuresCounted = 100;
// Counts all further measures; no measure can have this name.
constexpr char kOtherMeasures[] = "(others)";

// What goes on, in numbers. Counting takes no look at every trial.
struct SchedulerCounts {
  // At present.
  std::int64_t active_sweeps = 0, paused_sweeps = 0;
  std::int64_t pending = 0, leased = 0, running = 0, on_hold = 0;  // trials of unfinished sweeps
  std::int64_t queued = 0;   // of the pending, those of active sweeps that workers train
  std::int64_t to_make = 0;  // configurations that active sweeps have left
  std::int64_t slots = 0, free_slots = 0;  // of workers that are connected and do not drain
  std::int64_t images_per_second = 0;      // of all running trials
  // Each worker is counted once; `put_aside` are connected.
  std::int64_t workers_connected = 0, workers_draining = 0, workers_put_aside = 0;
  std::int64_t workers_gone = 0;
  // Since this coordinator started.
  std::int64_t epochs = 0;  // that trials have reached; an epoch trained again counts once
  std::map<std::string, MeasureCounts, std::less<>> measures;  // in these epochs
  std::int64_t completed = 0, stopped = 0, failed = 0, diverged = 0, cancelled = 0;  // trials
  std::int64_t attempts_completed = 0, attempts_failed = 0, attempts_given_back = 0;
  std::int64_t attempts_diverged = 0, attempts_lost = 0;
  std::int64_t workers_lost = 0;  // silent for a lease term
  std::int64_t late_ticks = 0;    // after which the leases were extended
};

// The progress of a running trial within an epoch.
struct TrialProgress {
  std::string sweep;
  std::int64_t number = 0;
  ProgressMessage message;
};

}  // namespace sweep
