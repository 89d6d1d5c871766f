#pragma once

#include <string_view>

namespace sweep {

// The names in a checkpoint of sweep-trainer: each tensor has one of these prefixes before its name
// in a file of weights.
inline constexpr std::string_view kCheckpointNetworkPrefix = "network/";    // after the last epoch
inline constexpr std::string_view kCheckpointMomentumPrefix = "momentum/";  // of each parameter
inline constexpr std::string_view kCheckpointBestPrefix = "best/";          // after the best epoch

}  // namespace sweep
