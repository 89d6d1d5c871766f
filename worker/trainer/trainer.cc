#include "worker/trainer/trainer.h"

#include <exception>
#include <new>
#include <optional>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/version.h>

#include "worker/data/dataset.h"
#include "worker/trainer/safetensors.h"
#include "worker/trainer/training_run.h"

namespace sweep {
namespace {

at::Device FindDevice(const std::string& name) {
  if (name == "cpu" || (name == "auto" && !at::hasCUDA())) return at::Device(at::kCPU);
  if (name != "auto" && !name.starts_with("cuda")) {
    throw TrainingError("device '" + name + "' is not auto, cpu or cuda:N", false);
  }
  if (!at::hasCUDA()) {
    throw TrainingError("device '" + name + "' was asked for, but this libtorch finds no CUDA device", true);
  }
  at::Device device(name == "auto" || name == "cuda" ? "cuda:0" : name);
  const auto devices = static_cast<int>(at::detail::getCUDAHooks().deviceCount());
  if (device.index() >= devices) {
    throw TrainingError("device '" + name + "' was asked for, but there are " + std::to_string(devices), true);
  }
  return device;
}

}  // namespace

struct Trainer::Impl {
  TrainerOptions options;
  // The data set of the last trial; trials of one sweep share theirs.
  DatasetSpec loaded;
  std::string loaded_from;
  std::optional<Dataset> dataset;

  const Dataset& Load(const TrialSpec& spec) {
    if (dataset.has_value() && loaded == spec.dataset && loaded_from == spec.data_dir) return *dataset;
    dataset.reset();
    std::string folder = spec.data_dir;
    if (folder.empty()) folder = EnsureDataset(spec.dataset, {});
    dataset = LoadDataset(spec.dataset, folder);
    loaded = spec.dataset;
    loaded_from = spec.data_dir;
    return *dataset;
  }
};

Trainer::Trainer(const TrainerOptions& options) : impl_(std::make_unique<Impl>()) {
  impl_->options = options;
  at::set_num_threads(options.threads);
  at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/true);
  at::globalContext().setDeterministicCuDNN(true);
  at::globalContext().setBenchmarkCuDNN(false);
  // Denormals appear in gradients late in training and cost hundreds of cycles each.
  at::globalContext().setFlushDenormal(true);
}

Trainer::~Trainer() = default;

TrainingResult Trainer::Train(const TrialSpec& spec, TrainingListener* listener) {
  try {
    const at::Device device = FindDevice(spec.device == "auto" ? impl_->options.device : spec.device);
    const Dataset& dataset = impl_->Load(spec);
    return TrainingRun(spec, dataset, device, impl_->options.checkpoint_seconds, listener).Run();
  } catch (const TrainingError&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw TrainingError("out of memory", true);
  } catch (const c10::Error& error) {
    throw TrainingError(error.what_without_backtrace(), true);
  } catch (const std::exception& error) {  // DataError, SafeTensorsError
    throw TrainingError(error.what(), true);
  }
}

std::string TorchVersion() { return std::string("libtorch ") + TORCH_VERSION; }

std::string DescribeDevice(const std::string& device) { return FindDevice(device).str(); }

}  // namespace sweep
