#pragma once

#include <memory>
#include <string>

namespace spdlog {
class formatter;
}

namespace sweep {

// The log line of every program of this project: time with zone, level, message. Messages contain
// foreign text (names, reasons, a trainer's last words), so the formatter makes them Printable.
std::unique_ptr<spdlog::formatter> LogFormatter(const std::string& pattern);
inline constexpr char kLogPattern[] = "%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %*";

// Makes standard error the program's log. `level`: debug, info, warn, error or off.
void LogToStandardError(const std::string& program, const std::string& level);

}  // namespace sweep
