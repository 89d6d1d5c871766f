#pragma once

#include <memory>
#include <string>

#include "common/protocol/trial_spec.h"
#include "worker/trainer/backend.h"

namespace sweep {

// Backend `lanes`: the kernels of worker/kernels, on the processor. Returns "" and sets `*backend`,
// or returns the reason why it cannot train that network: "layer 3 (conv 16 3×3): stride 2". `spec`
// must outlive the backend. `threads` processor threads work on this one training; the results are
// the same for every number.
std::string MakeLanesBackend(const TrialSpec& spec, int threads, std::unique_ptr<Backend>* backend);

// False where the kernels have no vector instructions for this processor: they work, but libtorch's
// operators are faster.
bool LanesAreFast();

}  // namespace sweep
