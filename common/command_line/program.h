#pragma once

#include <CLI/CLI.hpp>
#include <optional>

namespace sweep {

// Reads the command line of a program without commands (sweep-coordinator, sweep-worker). Nothing
// when the program should go on, else its exit code: 0 after --help and --version, 2 after a word
// that is wrong, with the nearest right one. Also answers the shell: `__complete -- WORD...` prints
// what could stand in the place of the last word, as the scripts of `sweep completion` ask for it.
std::optional<int> ParseProgram(CLI::App* app, int argc, const char* const* argv);

}  // namespace sweep
