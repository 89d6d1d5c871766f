#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "common/base/diagnostic.h"
#include "common/command_line/setting.h"

namespace sweep {

// What the environment and a configuration file set. Both check all that they hold, also what does
// not count since a setting has a value already. CLI11 must not read variables meanwhile.

// Gives the settings that have no value those of their variables; an empty variable counts as none.
// Reports wrong values, variables of options that are only for the command line, and names that are
// nearly those of a setting. Other names with the program's prefix are none of its business:
// Kubernetes sets SWEEP_COORDINATOR_PORT wherever a service is named sweep-coordinator.
void TakeVariables(CLI::App* app, std::vector<Setting>* settings, Diagnostics* faults);

// Likewise from the YAML file at `path`: a mapping of keys to single values, or lists for options
// that may be given several times. Reports whatever is wrong with it, with its line.
void TakeFile(const std::string& path, CLI::App* app, std::vector<Setting>* settings,
              Diagnostics* faults);

}  // namespace sweep
