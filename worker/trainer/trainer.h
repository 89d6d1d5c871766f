#pragma once

#include <map>
#include <memory>
#include <stdexcept>
#include <string>

#include "common/protocol/trainer_message.h"
#include "common/protocol/trial_spec.h"

namespace sweep {

// A training that cannot begin or go on. `retryable`: another attempt, perhaps elsewhere, may
// succeed (data missing, disk full, out of memory); otherwise the same spec would fail again.
class TrainingError : public std::runtime_error {
 public:
  TrainingError(const std::string& reason, bool retryable)
      : std::runtime_error(reason), retryable_(retryable) {}
  bool retryable() const { return retryable_; }

 private:
  bool retryable_;
};

// A request to a running training; kStop takes precedence over kCheckpoint.
enum class TrainingRequest { kNone, kCheckpoint, kStop };

// Observes a training. Called on the training thread only.
class TrainingListener {
 public:
  virtual ~TrainingListener() = default;
  // Called at most four times a second.
  virtual void OnProgress(const ProgressMessage& progress) = 0;
  virtual void OnEpoch(const EpochMetrics& metrics) = 0;
  // A checkpoint of `epoch` whole epochs has been written to `path`, durably.
  virtual void OnCheckpoint(int epoch, const std::string& path) = 0;
  // Called before every step and every evaluation batch. Returns each request once.
  virtual TrainingRequest TakeRequest() = 0;
};

struct TrainerOptions {
  int threads = 1;                 // of the processor, for one trial
  std::string device = "auto";     // for trials whose spec says auto
  std::string backend = "auto";    // auto | lanes | torch
  double checkpoint_seconds = 10;  // least time between unrequested checkpoints
};

struct TrainingResult {
  int epochs = 0;  // whole epochs trained, those of an earlier attempt included
  bool stopped = false;
  std::map<std::string, std::string> files;  // as in DoneMessage
};

// Trains one trial at a time, on the calling thread. Keeps the last data set in memory for the next
// trial. Backend `auto` is `lanes` on the processor, for networks that it can compute, and `torch`
// for all else. The same spec and seed give bit-identical metrics (timings aside) on one
// instruction set and build; with `torch` only for the same number of threads. Not thread-safe.
class Trainer {
 public:
  // Sets libtorch's number of threads, its determinism and its handling of denormals for the
  // process. Throws TrainingError for a device that does not exist or a backend that cannot use it.
  explicit Trainer(const TrainerOptions& options);
  ~Trainer();
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;

  // Trains to the end or to a stop. Throws only TrainingError.
  TrainingResult Train(const TrialSpec& spec, TrainingListener* listener);

  // False after an error of the GPU that leaves this process unable to use it; the process must
  // end.
  bool usable() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// True if `name` is a value for TrainerOptions::backend.
bool IsBackendName(const std::string& name);

// "libtorch 2.13.0".
std::string TorchVersion();

// The device that `device` ("auto", "cpu", "cuda:N") stands for here, for people: "cpu", "cuda:0
// NVIDIA H200". Throws TrainingError when there is no such device.
std::string DescribeDevice(const std::string& device);

// The backend of such a trainer's trials, unless their network needs another: "lanes" or "torch".
// Throws TrainingError like the constructor.
std::string DescribeBackend(const TrainerOptions& options);

// The instruction set that this backend uses on this processor, as it calls it: "AVX3", "AVX512".
std::string DescribeInstructions(const std::string& backend);

}  // namespace sweep
