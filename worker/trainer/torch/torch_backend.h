#pragma once

#include <memory>
#include <string>

#include "common/protocol/trial_spec.h"
#include "worker/trainer/backend.h"

namespace sweep {

// Backend `torch`: libtorch's operators and autograd, on any device and for every network. This
// header contains no type of libtorch's. `device` is a result of FindDevice; `spec` must outlive
// the backend.
std::unique_ptr<Backend> MakeTorchBackend(const TrialSpec& spec, const std::string& device);

}  // namespace sweep
