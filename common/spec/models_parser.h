#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/spec/sweep_spec.h"
#include "common/yaml/yaml_reader.h"

namespace sweep {

// True for a network file (nets/a.yaml), false for a built-in network.
bool IsNetworkPath(std::string_view model);

// The path of the network file `model`, which is relative to the sweep file `file`.
std::string NetworkPath(std::string_view file, std::string_view model);

// The names in `model:` as written: one, or those of {values: […]}.
std::vector<std::string> ParseModels(const YamlEntry& entry, YamlReader* reader);

// Parses the networks of `spec->models` into `spec->networks`. Reports names that are not built in,
// files that the source lacks (unless they are in `reported`), and every error in the files.
void ParseNetworks(const SweepSource& source, const std::set<std::string>& reported, int line,
                   YamlReader* reader, Diagnostics* diagnostics, SweepSpec* spec);

}  // namespace sweep
