#pragma once

#include <cstdint>

namespace sweep {

// The approximate size of a row of each kind, including its index entries and its event. The
// migration to schema version 5 has the same numbers.
inline constexpr std::int64_t kConfigurationBytes = 800;
inline constexpr std::int64_t kTrialBytes = 500;
inline constexpr std::int64_t kAttemptBytes = 120;
inline constexpr std::int64_t kEpochBytes = 160;

}  // namespace sweep
