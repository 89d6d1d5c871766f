#include "cli/session.h"

#include <iostream>

namespace sweep::cli {

int Fail(const absl::Status& status) {
  std::cerr << "error: " << status.message() << '\n';
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kAlreadyExists:
      return kExitBadInput;
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kDeadlineExceeded:
      return kExitUnreachable;
    default:
      return kExitFailed;
  }
}

void Say(const Session& session, const std::string& text) {
  if (session.format == Format::kTable && !session.quiet) std::cout << text << std::endl;
}

std::string Styled(const Session& session, Style style, const std::string& text) {
  if (!session.color) return text;
  static constexpr const char* kCodes[] = {"1", "2", "32", "31", "33"};
  return std::string("\x1b[") + kCodes[static_cast<int>(style)] + "m" + text + "\x1b[0m";
}

std::string SameCoordinator(const Session& session) {
  for (const Setting& setting : session.settings) {
    const bool given = setting.source == "--" + setting.key && !setting.value.empty();
    if (given && (setting.key == "db" || setting.key == "coordinator")) {
      return " --" + setting.key + " " + setting.value;
    }
  }
  return "";
}

}  // namespace sweep::cli
