#pragma once

#include <string>

namespace sweep {

// Exit codes of sweep-coordinator besides 0.
constexpr int kFailed = 1;
constexpr int kBadArguments = 2;

// Maintenance of a database by sweep-coordinator, instead of serving it. Each function prints its
// result and returns the program's exit code.

// Prints errors and progress to standard error. SIGINT, SIGTERM and SIGHUP leave no file behind.
int RunBackup(const std::string& database, const std::string& file);
// Prints a summary of the check to standard output, then each fault on a line.
int RunCheck(const std::string& database);

}  // namespace sweep
