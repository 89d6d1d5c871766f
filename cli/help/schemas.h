#pragma once

#include <string_view>

namespace sweep::cli {

// docs/schema/*.schema.json, compiled in; see FillSchema.
extern const std::string_view kSweepSchema;
extern const std::string_view kNetworkSchema;

}  // namespace sweep::cli
