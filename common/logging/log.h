#pragma once

#include <memory>
#include <string>

namespace spdlog {
class formatter;
}

namespace sweep {

// How every program of this project writes a line of its log: time with zone, level, message. What
// others wrote (names, reasons, a trainer's last words) stands in messages, so they are made
// Printable here, once for all.
std::unique_ptr<spdlog::formatter> LogFormatter(const std::string& pattern);
inline constexpr char kLogPattern[] = "%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %*";

// Makes standard error the program's log. `level`: debug, info, warn, error or off.
void LogToStandardError(const std::string& program, const std::string& level);

}  // namespace sweep
