#pragma once

#include <string>
#include <string_view>

namespace sweep {

// Fills the tables of layers and hyperparameters into a schema of docs/schema/. `kind` is "sweep"
// or "network". Throws nlohmann::json::exception for a text that is no such schema.
std::string FillSchema(std::string_view kind, std::string_view text);

}  // namespace sweep
