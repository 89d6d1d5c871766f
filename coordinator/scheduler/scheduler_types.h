#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "common/protocol/trainer_message.h"
#include "coordinator/store/rows.h"

namespace sweep {

// The version of the worker contract (proto/sweep/v1/workers.proto) that this coordinator speaks.
inline constexpr int kWorkerProtocolVersion = 1;

// What a worker says about itself.
struct WorkerDescription {
  std::string host;
  std::int64_t pid = 0;
  int slots = 1;
  std::vector<std::string> devices;
  std::string build;
  std::map<std::string, std::string> labels;
  bool allows_programs = false;  // runs the programs that sweeps bring with them
};

// One call of a worker: heartbeat, long poll and the state that it is in.
struct SynchronizeCall {
  std::string session;
  std::string worker;
  WorkerDescription description;
  int protocol = 0;
  std::vector<LeaseToken> held;
  bool draining = false;
  bool no_wait = false;
  std::uint64_t poll_id = 0;  // unique per call; names it in DropPoll
};

// A lease that the worker should hold.
struct LeaseOffer {
  LeaseToken token;
  std::shared_ptr<const std::string> spec_json;  // shared: the same text in every answer
  std::string checkpoint_sha256;
  int checkpoint_epoch = 0;
  std::vector<std::string> program;  // the sweep's own trainer; empty: the worker's
  std::string program_digest;
  bool give_back = false;  // after a checkpoint: the sweep is paused
};

struct SynchronizeAnswer {
  std::vector<LeaseOffer> leases;  // all that the worker should hold
  absl::Duration next_call = absl::ZeroDuration();
  absl::Duration lease_term;
  bool drain = false;  // give back what is held, and end
};

// A worker that gets no trials, or one to try, because its last attempts have all failed.
struct PutAside {
  int failures = 0;    // in a row
  std::string reason;  // of the last one, in one line
  absl::Time until;    // when it is tried again, or was
};

// A worker as seen from here.
struct WorkerInfo {
  std::string name;
  WorkerDescription description;
  bool connected = false;
  bool draining = false;
  std::vector<std::string> trials;  // "sweep/3"
  absl::Time created, last_seen;
  std::int64_t completed = 0;  // attempts since this coordinator started
  std::int64_t failed = 0;
  double images_per_second = 0;
  std::optional<PutAside> put_aside;
};

// Where a running trial stands within an epoch.
struct TrialProgress {
  std::string sweep;
  std::int64_t number = 0;
  ProgressMessage message;
};

}  // namespace sweep
