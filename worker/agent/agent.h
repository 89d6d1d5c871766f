#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/channel_security.h"
#include "worker/agent/upload_cache.h"
#include "worker/data/dataset.h"

namespace sweep {

struct AgentOptions {
  std::string coordinator;  // HOST:PORT
  ChannelSecurity security;
  std::string name;  // "" makes one from host name and a random part
  int slots = 0;     // 0: one per core, or per `threads` of them
  std::string device = "auto";
  std::map<std::string, std::string> labels;
  std::vector<std::string> trainer_command;  // program and arguments; {} finds sweep-trainer
  // Passed on to the trainer as --threads and --backend; 0 and "" leave the choice to the trainer.
  int threads = 0;
  std::string backend;
  std::vector<std::string> only_sweeps;  // names of the sweeps to train; {} trains all
  bool allow_programs = false;           // run the programs that sweeps bring with them
  // Start even without a trainer; then only sweeps with a program of their own can be trained.
  bool trainer_optional = false;
  // End, after a checkpoint, when the coordinator refuses this machine's copy of a sweep's data.
  bool end_on_other_data = false;
  // Begin one trial only; the caller then drains or stops the agent.
  bool one_trial = false;
  // The worker makes its own folder for trials' files and programs in here, and removes it at the
  // end; "": in the folder for temporary files.
  std::string work_dir;
  DataOptions data;
  UploadCache::Options uploads;                  // where uploaded data sets are kept
  absl::Duration stop_grace = absl::Seconds(1);  // from `stop` to SIGTERM, from there to SIGKILL
  // From `stop` to SIGTERM for a trial that goes on later: time for its checkpoint.
  absl::Duration drain_grace = absl::Seconds(10);
  // A trainer that ends as if asked to counts as failed unless a drain comes within this time.
  absl::Duration end_doubt = absl::Seconds(1);
  absl::Duration at_once_patience = absl::Seconds(3);  // see Agent::DrainAtOnce
  absl::Duration ready_timeout = absl::Seconds(60);    // for a trainer to say `ready`
  absl::Duration connect_timeout = absl::Seconds(4);   // for the first answer of the coordinator
  // A sweep's own program that prints nothing for this long is ended; zero: never.
  absl::Duration silence_timeout = absl::Minutes(10);
  // A sweep's own program that has had no trial for this long is ended.
  absl::Duration program_idle = absl::Seconds(30);
};

// A name for a worker on this machine: the host name, made valid, and a random part.
std::string MakeWorkerName();

// True for auto, cpu and cuda:N.
bool IsDevice(const std::string& device);

// One worker: a session with the coordinator, N slots, one warm trainer process per slot.
// Thread-safe. Trainers die with the agent, however it ends.
class Agent {
 public:
  // InvalidArgument for options that make no sense; NotFound, naming the places searched, when a
  // trainer is needed and there is none; Unavailable, naming the address, when the coordinator does
  // not answer; otherwise the coordinator's refusal (AlreadyExists: another worker has that name).
  static absl::StatusOr<std::unique_ptr<Agent>> Start(const AgentOptions& options);
  // Stops at once, like Stop.
  virtual ~Agent() = default;

  // Begins no new trial: running trials write a checkpoint and are given back, then Wait returns.
  virtual void Drain() = 0;
  // Likewise, but kills the trainers: leases are given back with the checkpoints that were stored,
  // and Wait returns after `at_once_patience` at the latest.
  virtual void DrainAtOnce() = 0;
  // Ends the trainers at once and reports nothing; the coordinator notices by the lease term.
  virtual void Stop() = 0;
  // Returns OK when drained or stopped, otherwise the reason why the worker cannot go on (another
  // worker has that name, the coordinator refuses the protocol, no trainer could be used).
  virtual absl::Status Wait() = 0;
  virtual const std::string& name() const = 0;
};

}  // namespace sweep
