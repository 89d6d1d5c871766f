#pragma once

#include <string>

namespace sweep {

// Exit codes of sweep-coordinator beside 0.
constexpr int kFailed = 1;
constexpr int kBadArguments = 2;

// What sweep-coordinator does to a database instead of serving it. Each prints what it did and
// returns the program's exit code.

// Errors and progress on standard error. An end by SIGINT, SIGTERM or SIGHUP leaves nothing behind.
int RunBackup(const std::string& database, const std::string& file);
// What was checked on standard output, then each fault on a line.
int RunCheck(const std::string& database);

}  // namespace sweep
