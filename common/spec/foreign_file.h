#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "yaml-cpp/yaml.h"

namespace sweep {

// A file for another tool. Without this check each of its keys would give one error, and none would
// say so.
struct ForeignFile {
  std::string message;            // names the tool and its keys, and says what to write
  std::vector<std::string> keys;  // the tool's own keys
  bool shares_keys = false;       // the other keys may be those of a sweep file
};
std::optional<ForeignFile> FindForeignFile(const YAML::Node& document);

// Describes a text that is no YAML mapping: "a Python program", with advice; "" when unknown.
std::string DescribeForeignText(std::string_view text);

}  // namespace sweep
