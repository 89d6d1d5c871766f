#pragma once

#include "cli/session.h"

namespace sweep::cli {

// The options that every command takes. After parsing, `session` has what they, the environment and
// the configuration file say; what is wrong there is thrown as a CLI::ParseError.
void AddGlobalOptions(CLI::App* app, Session* session);

// Parses the command line, which runs the command. What is wrong is said on standard error, with
// what is nearest to it. Returns the exit code.
int RunCommandLine(CLI::App* app, int argc, const char* const* argv, Session* session);

}  // namespace sweep::cli
