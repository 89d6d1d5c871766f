#pragma once

#include <CLI/CLI.hpp>
#include <optional>

namespace sweep {

// Parses the command line of a program without commands (sweep-coordinator, sweep-worker), with the
// environment and the configuration file, which can set every option that is `configurable` (see
// ProgramSettings). Adds --config and --print-config. Returns the exit code, or nothing when the
// program should go on: 0 after --help, --version and --print-config, 2 after a wrong word or
// setting, with the nearest right one and, in the file, the line.
//
// `__complete -- WORD...`, which the scripts of `sweep completion` call, prints the candidates for
// the last word, `__man` the page of the manual, and `__settings` the table of the settings in
// docs/configuration.md.
std::optional<int> ParseProgram(CLI::App* app, int argc, const char* const* argv);

// Parses the words of one of a program's commands (sweep-coordinator init), whose name is argv[0].
// Neither environment nor file have a say. Returns as ParseProgram does.
std::optional<int> ParseCommand(CLI::App* app, int argc, const char* const* argv);

}  // namespace sweep
