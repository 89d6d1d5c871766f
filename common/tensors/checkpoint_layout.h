#pragma once

#include <string_view>

namespace sweep {

// How a checkpoint of sweep-trainer lies in a safetensors file: each tensor's name has one of these
// prefixes before the name that it has in a file of weights.
inline constexpr std::string_view kCheckpointNetworkPrefix = "network/";    // after the last epoch
inline constexpr std::string_view kCheckpointMomentumPrefix = "momentum/";  // of each parameter
inline constexpr std::string_view kCheckpointBestPrefix = "best/";          // after the best epoch

}  // namespace sweep
