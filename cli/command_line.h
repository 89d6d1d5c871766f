#pragma once

#include "cli/session.h"

namespace sweep::cli {

// Adds the options of every command. After parsing, `session` has their values, or those of the
// environment and the configuration file; a wrong value is thrown as a CLI::ParseError.
void AddGlobalOptions(CLI::App* app, Session* session);

// Parses the command line, which runs the command. Reports errors on standard error with the
// nearest right word. Returns the exit code.
int RunCommandLine(CLI::App* app, int argc, const char* const* argv, Session* session);

}  // namespace sweep::cli
