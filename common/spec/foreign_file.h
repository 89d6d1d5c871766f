#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "yaml-cpp/yaml.h"

namespace sweep {

// A file that was written for another tool, whose keys would give one complaint each, and none of
// them would say so.
struct ForeignFile {
  std::string message;            // which tool, by which keys, and what to write
  std::vector<std::string> keys;  // those that are the tool's own
  bool shares_keys = false;       // the rest may be a sweep file's
};
std::optional<ForeignFile> FindForeignFile(const YAML::Node& document);

// What `text` looks like that is no YAML mapping: "a Python program", with what to do; "" when it
// looks like nothing known.
std::string DescribeForeignText(std::string_view text);

}  // namespace sweep
