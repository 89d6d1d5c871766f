#include "worker/trainer/trainer.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/util/Exception.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <torch/version.h>

#include <charconv>
#include <exception>
#include <new>
#include <optional>
#include <string_view>

#include "common/tensors/safetensors.h"
#include "worker/data/dataset.h"
#include "worker/trainer/training_run.h"

namespace sweep {
namespace {

// The N of "cuda:N", 0 of "auto" and "cuda"; nullopt for what is no CUDA device.
std::optional<int> CudaIndex(std::string_view name) {
  if (name == "auto" || name == "cuda") return 0;
  constexpr std::string_view kPrefix = "cuda:";
  if (!name.starts_with(kPrefix)) return std::nullopt;
  name.remove_prefix(kPrefix.size());
  int index = -1;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), index);
  if (error != std::errc() || end != name.data() + name.size() || index < 0) return std::nullopt;
  return index;
}

at::Device FindDevice(const std::string& name) {
  if (name == "cpu" || (name == "auto" && !at::hasCUDA())) return at::Device(at::kCPU);
  const std::optional<int> index = CudaIndex(name);
  if (!index.has_value()) {
    throw TrainingError("device '" + name + "' is not auto, cpu or cuda:N", false);
  }
  const int devices = at::hasCUDA() ? at::detail::getCUDAHooks().getNumGPUs() : 0;
  if (*index >= devices) {
    throw TrainingError("device '" + name + "' was asked for, but libtorch finds " +
                            std::to_string(devices) + " CUDA devices",
                        true);
  }
  return at::Device(at::kCUDA, static_cast<at::DeviceIndex>(*index));
}

// The GPU's name, from the driver that libtorch uses: neither ATen's interface nor a build without
// CUDA's headers has it. "" when the driver does not say.
std::string CudaName(int index) {
  void* const driver = dlopen("libcuda.so.1", RTLD_NOW);
  if (driver == nullptr) return "";
  const auto init = reinterpret_cast<int (*)(unsigned)>(dlsym(driver, "cuInit"));
  const auto get = reinterpret_cast<int (*)(int*, int)>(dlsym(driver, "cuDeviceGet"));
  const auto get_name =
      reinterpret_cast<int (*)(char*, int, int)>(dlsym(driver, "cuDeviceGetName"));
  if (init == nullptr || get == nullptr || get_name == nullptr) return "";
  int device = 0;
  char name[256] = "";
  if (init(0) != 0 || get(&device, index) != 0 || get_name(name, sizeof(name), device) != 0) {
    return "";
  }
  return name;
}

// Whether libtorch's state on the device is lost, so that only a new process can use it again.
bool BreaksDevice(const c10::Error& error) {
  return dynamic_cast<const c10::AcceleratorError*>(&error) != nullptr;
}

}  // namespace

struct Trainer::Impl {
  TrainerOptions options;
  bool usable = true;
  // The data set of the last trial; trials of one sweep share theirs.
  DatasetSpec loaded;
  std::string loaded_from;
  std::optional<Dataset> dataset;

  const Dataset& Load(const TrialSpec& spec) {
    if (dataset.has_value() && loaded == spec.dataset && loaded_from == spec.data_dir)
      return *dataset;
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
  // Read by cuBLAS when it starts; without it its sums differ from run to run.
  setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);
  at::set_num_threads(options.threads);
  at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/true);
  // Not the debugging aid that comes with it, which fills every fresh tensor with NaN.
  at::globalContext().setDeterministicFillUninitializedMemory(false);
  at::globalContext().setDeterministicCuDNN(true);
  at::globalContext().setBenchmarkCuDNN(false);
  // Denormals appear in gradients late in training and cost hundreds of cycles each.
  at::globalContext().setFlushDenormal(true);
}

Trainer::~Trainer() = default;

TrainingResult Trainer::Train(const TrialSpec& spec, TrainingListener* listener) {
  bool loaded = false;
  try {
    const at::Device device =
        FindDevice(spec.device == "auto" ? impl_->options.device : spec.device);
    const Dataset& dataset = impl_->Load(spec);
    loaded = true;
    return TrainingRun(spec, dataset, device, impl_->options.checkpoint_seconds, listener).Run();
  } catch (const TrainingError&) {
    throw;
  } catch (const std::bad_alloc&) {
    throw TrainingError("out of memory", true);
  } catch (const c10::Error& error) {
    if (BreaksDevice(error)) impl_->usable = false;
    throw TrainingError(error.what_without_backtrace(), true);
  } catch (const DataError& error) {
    // Once the data is there, it is the spec that asks for what cannot be.
    throw TrainingError(error.what(), !loaded);
  } catch (const std::exception& error) {  // SafeTensorsError
    throw TrainingError(error.what(), true);
  }
}

bool Trainer::usable() const { return impl_->usable; }

std::string TorchVersion() { return std::string("libtorch ") + TORCH_VERSION; }

std::string DescribeDevice(const std::string& device) {
  const at::Device found = FindDevice(device);
  const std::string name = found.is_cuda() ? CudaName(found.index()) : "";
  return name.empty() ? found.str() : found.str() + " " + name;
}

}  // namespace sweep
