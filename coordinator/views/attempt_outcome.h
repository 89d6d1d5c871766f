#pragma once

#include <string>
#include <string_view>

#include "absl/strings/match.h"
#include "coordinator/store/rows.h"

namespace sweep {

// The longest reason of a failure in a list.
constexpr std::size_t kMaxReasonBytes = 300;

// The outcome of an attempt as users see it. The database stores a divergence as a failure whose
// reason begins with "diverged:". It is shown as such, since no worker is to blame for it.
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
