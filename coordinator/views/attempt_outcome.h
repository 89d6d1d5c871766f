#pragma once

#include <string_view>

#include "absl/strings/match.h"
#include "coordinator/store/rows.h"

namespace sweep {

// Of why a trial or an attempt failed, in a list.
constexpr std::size_t kMaxReasonBytes = 300;

// How an attempt ended, as people are told it. The database keeps a divergence as a failure whose
// reason says so (schema.cc), but it is none of the worker's: it would come again anywhere.
inline std::string_view ShownOutcome(const AttemptRow& attempt) {
  const bool diverged =
      attempt.outcome == "failed" && absl::StartsWith(attempt.reason, "diverged:");
  return diverged ? "diverged" : std::string_view(attempt.outcome);
}

}  // namespace sweep
