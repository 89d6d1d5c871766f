#pragma once

#include <CLI/CLI.hpp>
#include <optional>

namespace sweep {

// Parses the command line of a program without commands (sweep-coordinator, sweep-worker). Returns
// the exit code, or nothing when the program should go on: 0 after --help and --version, 2 after a
// wrong word, with the nearest right one. `__complete -- WORD...`, which the scripts of `sweep
// completion` call, prints the candidates for the last word, and `__man` the page of the manual.
std::optional<int> ParseProgram(CLI::App* app, int argc, const char* const* argv);

}  // namespace sweep
