#pragma once

#include <string>

namespace sweep {

// Why a text cannot be loaded as one YAML document, and its line.
struct YamlFault {
  int line = 0;         // 1-based; 0 when it concerns the whole text
  std::string message;  // "" when it can be loaded
};

// Reads `text` once without building anything: it must be UTF-8, without control characters unless
// these are allowed (as older versions did), and hold one document of at most `max_nodes` values.
// Loading it then takes little memory, which yaml-cpp alone does not ensure (its LoadAll(",") never
// ends). Throws YAML::Exception for invalid YAML.
YamlFault ScanYaml(const std::string& text, int max_nodes, bool allows_controls = false);

}  // namespace sweep
