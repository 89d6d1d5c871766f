#pragma once

#include <memory>
#include <string>

#include "common/protocol/trial_spec.h"
#include "worker/trainer/backend.h"

namespace sweep {

// Backend `lanes`: the kernels of worker/kernels, on the processor. Returns "" and sets `*backend`,
// or why it cannot train that network: "layer 3 (conv 16 3×3): stride 2". `spec` must outlive the
// backend. `threads`: of the processor, for this one training; its results are the same for every
// number.
std::string MakeLanesBackend(const TrialSpec& spec, int threads, std::unique_ptr<Backend>* backend);

// False where the kernels know no vector instructions of this processor: they work, but libtorch's
// operators are faster.
bool LanesAreFast();

}  // namespace sweep
