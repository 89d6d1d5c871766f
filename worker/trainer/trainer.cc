#include "worker/trainer/trainer.h"

#include <exception>
#include <iostream>
#include <new>
#include <optional>
#include <utility>

#include "common/tensors/safetensors.h"
#include "worker/data/dataset.h"
#include "worker/trainer/torch/torch_backend.h"
#include "worker/trainer/torch/torch_runtime.h"
#include "worker/trainer/training_run.h"
#ifdef SWEEP_LANES
#include "worker/kernels/targets.h"
#include "worker/trainer/lanes/lanes_backend.h"
#endif

namespace sweep {
namespace {

#ifdef SWEEP_LANES
constexpr bool kHasLanes = true;
#else
constexpr bool kHasLanes = false;
#endif

// The reason why `lanes` cannot be used for any network, or "". Backend "lanes" accepts slow ones.
std::string ExplainNoLanes(const std::string& backend, const std::string& device) {
  if (!kHasLanes) return "this trainer was built without it";
  if (device != "cpu") return "it computes on the processor only, not on " + device;
#ifdef SWEEP_LANES
  if (backend == "auto" && !LanesAreFast()) {
    return "it knows no vector instructions of this processor";
  }
#else
  (void)backend;
#endif
  return "";
}

// Like ExplainNoLanes for one network; sets `*backend` when there is no reason.
std::string TryLanes(const TrialSpec& spec, const std::string& device,
                     const TrainerOptions& options, std::unique_ptr<Backend>* backend) {
  const std::string reason = ExplainNoLanes(options.backend, device);
#ifdef SWEEP_LANES
  if (reason.empty()) return MakeLanesBackend(spec, options.threads, backend);
#else
  (void)spec, (void)backend;
#endif
  return reason;
}

std::unique_ptr<Backend> MakeBackend(const TrialSpec& spec, const std::string& device,
                                     const TrainerOptions& options) {
  if (options.backend != "torch") {
    std::unique_ptr<Backend> backend;
    const std::string reason = TryLanes(spec, device, options, &backend);
    if (reason.empty()) return backend;
    if (options.backend == "lanes") {
      throw TrainingError("backend lanes cannot train this trial: " + reason, false);
    }
    // The message appears in the trial's log. On a GPU libtorch is what everybody expects.
    if (kHasLanes && device == "cpu") {
      std::cerr << "backend torch: lanes do not train network " << spec.network.name << ": "
                << reason << std::endl;
    }
  }
  return MakeTorchBackend(spec, device);
}

}  // namespace

struct Trainer::Impl {
  TrainerOptions options;
  bool usable = true;
  // The data set of the last trial, kept because trials of one sweep share theirs.
  DatasetSpec loaded;
  std::string loaded_from;
  std::optional<Dataset> dataset;

  const Dataset& Load(const TrialSpec& spec) {
    const bool is_loaded =
        dataset.has_value() && loaded == spec.dataset && loaded_from == spec.data_dir;
    if (is_loaded && HasExpectedDigest(spec)) return *dataset;
    dataset.reset();
    std::string folder = spec.data_dir;
    if (folder.empty()) folder = EnsureDataset(spec.dataset, {});
    dataset = LoadDataset(spec.dataset, folder);
    loaded = spec.dataset;
    loaded_from = spec.data_dir;
    if (!HasExpectedDigest(spec)) {
      throw DataError("the data in '" + folder + "' was replaced: the trial is to be trained on " +
                      spec.data_sha256 + ", and there is " + dataset->digest);
    }
    return *dataset;
  }

  bool HasExpectedDigest(const TrialSpec& spec) const {
    return spec.data_sha256.empty() || spec.data_sha256 == dataset->digest;
  }
};

Trainer::Trainer(const TrainerOptions& options) : impl_(std::make_unique<Impl>()) {
  impl_->options = options;
  SetUpTorch(options.threads);
  DescribeBackend(options);
}

Trainer::~Trainer() = default;

TrainingResult Trainer::Train(const TrialSpec& spec, TrainingListener* listener) {
  bool loaded = false;
  try {
    const TrainerOptions& options = impl_->options;
    const std::string device = FindDevice(spec.device == "auto" ? options.device : spec.device);
    const Dataset& dataset = impl_->Load(spec);
    loaded = true;
    TrialSpec on_data = spec;  // so that checkpoints name the data they were trained on
    on_data.data_sha256 = dataset.digest;
    return TrainingRun(on_data, dataset, MakeBackend(spec, device, options),
                       options.checkpoint_seconds, listener)
        .Run();
  } catch (const TrainingError&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw TrainingError("out of memory", true);
  } catch (const DataError& error) {
    // Once the data is loaded, the error is in the spec, which asks for something impossible.
    throw TrainingError(error.what(), !loaded);
  } catch (const std::exception& error) {
    TorchFailure failure{.reason = error.what()};  // SafeTensorsError, or one of libtorch's
    ExplainTorchError(error, &failure);
    if (failure.device_lost) impl_->usable = false;
    throw TrainingError(failure.reason, true);
  }
}

bool Trainer::usable() const { return impl_->usable; }

bool IsBackendName(const std::string& name) {
  return name == "auto" || name == "lanes" || name == "torch";
}

std::string DescribeBackend(const TrainerOptions& options) {
  const std::string reason = ExplainNoLanes(options.backend, FindDevice(options.device));
  if (options.backend == "lanes" && !reason.empty()) {
    throw TrainingError("backend lanes cannot be used: " + reason, false);
  }
  return options.backend == "torch" || !reason.empty() ? "torch" : "lanes";
}

std::string DescribeInstructions(const std::string& backend) {
#ifdef SWEEP_LANES
  if (backend == "lanes") return kernels::InstructionSets().front();
#else
  (void)backend;
#endif
  return TorchInstructions();
}

}  // namespace sweep
