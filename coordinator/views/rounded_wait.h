#pragma once

#include <chrono>

#include "absl/time/time.h"

namespace sweep {

// As CondVar takes it; a little longer, so that the time is over when the wait is.
inline std::chrono::milliseconds RoundedWait(absl::Duration wait) {
  return absl::ToChronoMilliseconds(wait) + std::chrono::milliseconds(1);
}

}  // namespace sweep
