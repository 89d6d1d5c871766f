#pragma once

#include <exception>
#include <string>

namespace sweep {

// libtorch's state of this process, and the devices that it finds. Contains no type of libtorch's.

// Sets libtorch's number of threads, its determinism and its handling of denormals (the last for
// the calling thread).
void SetUpTorch(int threads);

// "libtorch 2.13.0".
std::string TorchVersion();

// The instruction set that libtorch uses on this processor: "AVX512", "AVX2", "DEFAULT".
std::string TorchInstructions();

// The device that `device` ("auto", "cpu", "cuda:N") stands for here: "cpu" or "cuda:0". Throws
// TrainingError when there is no such device.
std::string FindDevice(const std::string& device);

// The device with its name, for people: "cuda:0 NVIDIA H200".
std::string DescribeDevice(const std::string& device);

// An error of libtorch's.
struct TorchFailure {
  std::string reason;        // without its backtrace
  bool device_lost = false;  // only a new process can use the device again
};
// False for an exception that is not libtorch's.
bool ExplainTorchError(const std::exception& error, TorchFailure* failure);

}  // namespace sweep
