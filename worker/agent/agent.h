#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "worker/data/dataset.h"

namespace sweep {

struct AgentOptions {
  std::string coordinator;  // HOST:PORT
  std::string name;         // "" makes one from host name and a random part
  int slots = 0;            // 0: one per core, or per `threads` of them
  std::string device = "auto";
  std::map<std::string, std::string> labels;
  std::vector<std::string> trainer_command;  // program and arguments; {} finds sweep-trainer
  // Handed on to the trainer as --threads and --backend; 0 and "" leave it to the trainer.
  int threads = 0;
  std::string backend;
  std::vector<std::string> only_sweeps;  // names of the sweeps to train; {} trains all
  bool allow_programs = false;           // run the programs that sweeps bring with them
  // Start also where there is no trainer; then only sweeps with a program can be trained.
  bool trainer_optional = false;
  // Ends, after a checkpoint, when the coordinator refuses what is here as a sweep's data.
  bool end_on_other_data = false;
  // Begin nothing after the first trial that is granted. The agent is to be stopped then.
  bool one_trial = false;
  // In which the worker makes a folder of its own for trials' files and programs, which it removes
  // at the end; "": the one for temporary files.
  std::string work_dir;
  DataOptions data;
  absl::Duration stop_grace = absl::Seconds(1);  // from `stop` to SIGTERM, from there to SIGKILL
  // Instead, from a `stop` to SIGTERM where the trial goes on later: for its checkpoint.
  absl::Duration drain_grace = absl::Seconds(10);
  // How long a trainer's end that looks asked for waits for a drain before it counts as a failure.
  absl::Duration end_doubt = absl::Seconds(1);
  absl::Duration at_once_patience = absl::Seconds(3);  // see Agent::DrainAtOnce
  absl::Duration ready_timeout = absl::Seconds(60);    // for a trainer to say `ready`
  absl::Duration connect_timeout = absl::Seconds(4);   // for the first answer of the coordinator
  // A sweep's own program that prints nothing for so long is ended; zero: never.
  absl::Duration silence_timeout = absl::Minutes(10);
  // A sweep's own program that has no trial for so long is ended.
  absl::Duration program_idle = absl::Seconds(30);
};

// A name for a worker on this machine: the host's, as far as it may stand there, and a random part.
std::string MakeWorkerName();

// One worker: a session with the coordinator, N slots, one warm trainer process per slot.
// Thread-safe. Trainers die with the agent, however it ends.
class Agent {
 public:
  // InvalidArgument for options that make no sense; NotFound, saying where it was looked for, when
  // there is no trainer and one is needed; Unavailable, naming the address, when the coordinator
  // does not answer; else why the coordinator refuses this worker (AlreadyExists: another one of
  // that name).
  static absl::StatusOr<std::unique_ptr<Agent>> Start(const AgentOptions& options);
  // Stops at once, as Stop.
  virtual ~Agent() = default;

  // Finishes nothing new: running trials write a checkpoint and are given back, then Wait returns.
  virtual void Drain() = 0;
  // Likewise without waiting for anybody: trainers are killed, the leases are given back with the
  // checkpoints that were stored, and Wait returns after `at_once_patience` at the latest.
  virtual void DrainAtOnce() = 0;
  // Ends the trainers now and says nothing; the coordinator will notice by the lease term.
  virtual void Stop() = 0;
  // Returns when drained or stopped; the reason when the session cannot go on (another worker of
  // that name, a protocol that the coordinator refuses).
  virtual absl::Status Wait() = 0;
  virtual const std::string& name() const = 0;
};

}  // namespace sweep
