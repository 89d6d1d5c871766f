#pragma once

#include <optional>
#include <string_view>

#include "common/yaml/yaml_reader.h"

namespace sweep {

// Loads the text of a file of settings: as YamlReader::Load, but a text that says nothing, of blank
// lines and comments, is a valid one and gives nullopt without an error.
std::optional<YAML::Node> LoadSettings(std::string_view text, YamlReader* reader);

}  // namespace sweep
