#pragma once

#include <string>
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

// Likewise, "running" while it does.
inline std::string OutcomeWord(const AttemptRow& attempt) {
  const std::string_view outcome = ShownOutcome(attempt);
  return outcome.empty() ? "running" : std::string(outcome);
}

}  // namespace sweep
