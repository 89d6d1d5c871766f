#include "cli/session.h"

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <set>
#include <system_error>

#include "common/base/printable.h"
#include "common/base/shell_quote.h"
#include "proto/channel_security.h"
#include "sweep/v1/resources.pb.h"

namespace sweep::cli {

int Fail(const absl::Status& status) {
  std::cerr << "error: " << PrintableLines(std::string(status.message())) << '\n';
  if (IsAccessRefusal(status)) return kExitNotAllowed;
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

void PrintListing(Listing listing, const Session& session, std::ostream& out) {
  listing.color = session.color;
  PrintListing(listing, session.format, session.width, out);
}

std::string Styled(const Session& session, Style style, const std::string& text) {
  return session.color ? WithStyle(style, text) : text;
}

std::string FileWord(const std::string& path) { return path.starts_with("-") ? "./" + path : path; }

std::string RunAgain(const v1::Sweep& sweep, const Session& session) {
  const std::string& file = sweep.source().file();
  std::error_code error;
  if (std::filesystem::is_regular_file(file, error)) {
    return "go on with: " + Command(session, {"run", FileWord(file)});
  }
  return "go on with `sweep run` and its file" + (file.empty() ? "" : ", " + Printable(file));
}

std::string Command(const std::vector<std::string>& words) {
  std::string command = "sweep";
  for (const std::string& word : words) command += " " + ShellQuote(word);
  return command;
}

std::string Command(const Session& session, std::vector<std::string> words) {
  // The setting that selects the database: a named coordinator outranks a database, but `run`
  // serves its database itself.
  const bool runs = !words.empty() && words.front() == "run";
  const std::string key = runs || session.connection.coordinator.empty() ? "db" : "coordinator";
  static const auto* const secrets =
      new std::set<std::string>{"tls_ca", "tls_cert", "tls_key", "token_file"};
  for (const Setting& setting : session.settings) {
    std::string flag = "--" + setting.key;
    std::replace(flag.begin(), flag.end(), '_', '-');
    // A variable may have been set for this command only.
    const bool is_given = setting.source == flag || setting.source.starts_with("SWEEP_");
    const bool counts = setting.key == key || (!runs && secrets->contains(setting.key));
    if (!counts || !is_given || setting.value.empty()) continue;
    if (setting.value.starts_with("-")) {
      words.push_back(flag + "=" + setting.value);
    } else {
      words.insert(words.end(), {flag, setting.value});
    }
  }
  return Command(words);
}

}  // namespace sweep::cli
