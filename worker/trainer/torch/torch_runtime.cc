#include "worker/trainer/torch/torch_runtime.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <c10/util/Exception.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <torch/version.h>

#include <charconv>
#include <optional>
#include <string_view>

#include "worker/trainer/trainer.h"

namespace sweep {
namespace {

// The N of "cuda:N", 0 for "auto" and "cuda"; nullopt for any other name.
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

}  // namespace

void SetUpTorch(int threads) {
  // cuBLAS reads this when it starts; without it, its sums differ from run to run.
  setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);
  at::set_num_threads(threads);
  at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/true);
  // Switches off the debugging aid of deterministic mode that fills every fresh tensor with NaN.
  at::globalContext().setDeterministicFillUninitializedMemory(false);
  at::globalContext().setDeterministicCuDNN(true);
  at::globalContext().setBenchmarkCuDNN(false);
  // Denormals appear in gradients late in training and cost hundreds of cycles each.
  at::globalContext().setFlushDenormal(true);
}

std::string TorchVersion() { return std::string("libtorch ") + TORCH_VERSION; }

std::string TorchInstructions() { return at::get_cpu_capability(); }

std::string FindDevice(const std::string& name) {
  if (name == "cpu" || (name == "auto" && !at::hasCUDA())) return "cpu";
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
  return "cuda:" + std::to_string(*index);
}

std::string DescribeDevice(const std::string& device) {
  const std::string found = FindDevice(device);
  const std::string name = found == "cpu" ? "" : CudaName(*CudaIndex(found));
  return name.empty() ? found : found + " " + name;
}

bool ExplainTorchError(const std::exception& error, TorchFailure* failure) {
  const auto* const torch_error = dynamic_cast<const c10::Error*>(&error);
  if (torch_error == nullptr) return false;
  failure->reason = torch_error->what_without_backtrace();
  failure->device_lost = dynamic_cast<const c10::AcceleratorError*>(&error) != nullptr;
  return true;
}

}  // namespace sweep
