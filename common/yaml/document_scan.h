#pragma once

#include <string>

namespace sweep {

// What stands against loading a text as one YAML document, and where.
struct YamlFault {
  int line = 0;         // 1-based; 0 when it concerns the whole text
  std::string message;  // "" when nothing does
};

// Reads `text` once without building anything: it must be UTF-8, without control characters unless
// these are allowed (as older versions did), and hold one document of at most `max_nodes` values.
// Loading it then takes little memory, which yaml-cpp alone does not promise (its LoadAll(",")
// never ends). Throws YAML::Exception for what is no YAML.
YamlFault ScanYaml(const std::string& text, int max_nodes, bool allows_controls = false);

}  // namespace sweep
