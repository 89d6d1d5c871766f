#pragma once

#include <string>
#include <string_view>

namespace sweep {

// A schema of docs/schema/ with what the tables of layers and of hyperparameters say. `kind` is
// "sweep" or "network". Throws nlohmann::json::exception for a text that is no such schema.
std::string FillSchema(std::string_view kind, std::string_view text);

}  // namespace sweep
