#include "cli/user_settings.h"

#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <optional>
#include <sstream>

#include "common/base/diagnostic.h"
#include "common/base/file_replacement.h"
#include "common/base/input_file.h"
#include "common/base/nearest.h"
#include "common/yaml/settings_file.h"
#include "common/yaml/yaml_reader.h"
#include "proto/address.h"

namespace sweep::cli {
namespace {

namespace fs = std::filesystem;

// A value in the file, with its line.
struct FileValue {
  std::string value;
  int line = 0;
};
using FileValues = std::map<std::string, FileValue>;

std::string Environment(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? "" : value;
}

const SettingInfo* FindSetting(const std::string& key) {
  for (const SettingInfo& info : SettingInfos()) {
    if (info.key == key) return &info;
  }
  return nullptr;
}

std::vector<std::string> Keys() {
  std::vector<std::string> keys;
  for (const SettingInfo& info : SettingInfos()) keys.push_back(info.key);
  return keys;
}

absl::Status CheckKey(const std::string& key) {
  if (FindSetting(key) != nullptr) return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format("'{}' is no setting{}; there are {}", key,
                                                DidYouMean(key, Keys()), fmt::join(Keys(), ", ")));
}

// Why the setting cannot have `value`; "" when it can.
std::string Complaint(const SettingInfo& info, const std::string& value) {
  if (value.find_first_of("\n\r") != std::string::npos) return "a value is one line";
  if (info.key == "coordinator") {
    return std::string(ParseAddress(value).status().message());
  }
  if (info.choices.empty()) return value.empty() ? "it is empty" : "";
  if (std::find(info.choices.begin(), info.choices.end(), value) != info.choices.end()) return "";
  return fmt::format("'{}' is not one of {}{}", value, fmt::join(info.choices, ", "),
                     DidYouMean(value, info.choices));
}

// The file's text; "" when it does not exist.
absl::StatusOr<std::string> ReadIfThere(const std::string& path) {
  std::error_code error;
  if (path.empty() || !fs::exists(path, error)) return std::string();
  InputFile file(path);
  std::string text;
  if (!file.ok() || !file.Read(YamlReader::kMaxSizeBytes, &text)) {
    return absl::InvalidArgumentError(fmt::format("{}: {}", path, file.error()));
  }
  return text;
}

absl::StatusOr<FileValues> ParseConfig(const std::string& path, const std::string& text) {
  FileValues values;
  Diagnostics diagnostics;
  YamlReader reader(path, &diagnostics);
  const std::optional<YAML::Node> document = LoadSettings(text, &reader);
  if (document.has_value()) {
    for (auto& [key, entry] : reader.Keys(*document, 1, "the configuration file", Keys())) {
      const std::optional<std::string> value = reader.Text(entry);
      if (!value.has_value()) continue;
      const std::string complaint = Complaint(*FindSetting(key), *value);
      if (complaint.empty()) {
        values[key] = {*value, entry.line};
      } else {
        reader.Error(entry.line, fmt::format("{}: {}", key, complaint));
      }
    }
  }
  if (!diagnostics.empty()) return absl::InvalidArgumentError(FormatDiagnostics(diagnostics));
  return values;
}

// The environment's value for a setting; sets `source` to the variable.
std::string FromEnvironment(const SettingInfo& info, std::string* source) {
  if (info.key != "color") {
    *source = info.environment;
    return Environment(info.environment.c_str());
  }
  // The conventions of no-color.org and bixense.com/clicolors.
  *source = "NO_COLOR";
  if (!Environment("NO_COLOR").empty()) return "never";
  *source = "CLICOLOR_FORCE";
  const std::string force = Environment("CLICOLOR_FORCE");
  return force.empty() || force == "0" ? "" : "always";
}

absl::Status SystemError(const std::string& what, const std::string& path) {
  return absl::InternalError(fmt::format("{} {}: {}", what, path, std::strerror(errno)));
}

// Replaces a file atomically through a temporary file beside it.
absl::Status WriteAtomically(const std::string& path, const std::string& text) {
  std::error_code error;
  // A link, as in collections of dot files, stays a link.
  const fs::path target = fs::is_symlink(path, error) ? fs::canonical(path, error) : fs::path(path);
  if (target.empty()) return absl::InternalError(fmt::format("{}: {}", path, error.message()));
  error.clear();
  if (!target.parent_path().empty()) fs::create_directories(target.parent_path(), error);
  if (error) {
    return absl::InternalError(
        fmt::format("cannot make {}: {}", target.parent_path().string(), error.message()));
  }
  const bool replaced =
      ReplaceFile(target.string(), text, [](int fd) { return fchmod(fd, 0644) == 0; });
  return replaced ? absl::OkStatus() : SystemError("cannot write", target.string());
}

std::string Quoted(const std::string& value) {
  std::string quoted = "'";
  for (const char c : value) quoted += c == '\'' ? std::string("''") : std::string(1, c);
  return quoted + "'";
}

// The file's text with a line replaced, added (line 0) or, for an empty new line, removed.
std::string EditedText(const std::string& text, int line, const std::string& new_line) {
  std::string edited;
  std::istringstream lines(text);
  int number = 0;
  for (std::string old; std::getline(lines, old);) {
    ++number;
    if (number != line) {
      edited += old + "\n";
    } else if (!new_line.empty()) {
      edited += new_line + "\n";
    }
  }
  if (line == 0 && !new_line.empty()) edited += new_line + "\n";
  return edited;
}

std::string WholeText(const FileValues& values) {
  std::string text;
  for (const auto& [key, value] : values) text += key + ": " + Quoted(value.value) + "\n";
  return text;
}

bool SameValues(const FileValues& a, const FileValues& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.first == y.first && x.second.value == y.second.value;
  });
}

// Sets or removes the value of `key` in the file at `path`.
absl::Status Edit(const std::string& path, const std::string& key,
                  const std::optional<std::string>& value) {
  const absl::StatusOr<std::string> text = ReadIfThere(path);
  if (!text.ok()) return text.status();
  const absl::StatusOr<FileValues> before = ParseConfig(path, *text);
  if (!before.ok()) return before.status();
  const auto old = before->find(key);
  if (old == before->end() && !value.has_value()) return absl::OkStatus();
  FileValues after = *before;
  if (value.has_value()) {
    after[key].value = *value;
  } else {
    after.erase(key);
  }
  const std::string edited = EditedText(*text, old == before->end() ? 0 : old->second.line,
                                        value.has_value() ? key + ": " + Quoted(*value) : "");
  // Editing a line fails for other layouts, such as {format: json} on one line.
  const absl::StatusOr<FileValues> check = ParseConfig(path, edited);
  const bool good = check.ok() && SameValues(*check, after);
  return WriteAtomically(path, good ? edited : WholeText(after));
}

}  // namespace

const std::vector<SettingInfo>& SettingInfos() {
  static const auto* const infos = new std::vector<SettingInfo>{
      {"coordinator",
       "--coordinator",
       "SWEEP_COORDINATOR",
       "HOST:PORT",
       {},
       "",
       "whom to ask (sweep help coordinator)"},
      {"db",
       "--db",
       "SWEEP_DB",
       "FILE",
       {},
       "sweep.db",
       "database of `sweep run`; the way to its coordinator"},
      {"format",
       "--format",
       "SWEEP_FORMAT",
       "",
       {"table", "json", "csv"},
       "table",
       "how results are printed"},
      {"color",
       "--color",
       "NO_COLOR, CLICOLOR_FORCE",
       "",
       {"auto", "always", "never"},
       "auto",
       "colours; auto: only on a terminal"},
      {"tls_ca",
       "--tls-ca",
       "SWEEP_TLS_CA",
       "FILE",
       {},
       "",
       "certificate of its authority; then TLS is used"},
      {"tls_cert",
       "--tls-cert",
       "SWEEP_TLS_CERT",
       "FILE",
       {},
       "",
       "own certificate, if it wants one"},
      {"tls_key", "--tls-key", "SWEEP_TLS_KEY", "FILE", {}, "", "key of the own certificate"},
      {"token_file",
       "--token-file",
       "SWEEP_TOKEN_FILE",
       "FILE",
       {},
       "",
       "own token, if it wants one"},
  };
  return *infos;
}

std::string ConfigPath() {
  if (const std::string path = Environment("SWEEP_CONFIG"); !path.empty()) return path;
  if (const std::string base = Environment("XDG_CONFIG_HOME"); !base.empty()) {
    return base + "/sweep/config.yaml";
  }
  std::string home = Environment("HOME");
  if (home.empty()) {
    const passwd* const user = getpwuid(getuid());
    if (user != nullptr && user->pw_dir != nullptr) home = user->pw_dir;
  }
  return home + "/.config/sweep/config.yaml";
}

absl::StatusOr<std::vector<Setting>> ResolveSettings(
    const std::map<std::string, std::string>& flags) {
  const std::string path = ConfigPath();
  const absl::StatusOr<std::string> text = ReadIfThere(path);
  if (!text.ok()) return text.status();
  const absl::StatusOr<FileValues> file = ParseConfig(path, *text);
  if (!file.ok()) return file.status();
  std::vector<Setting> settings;
  for (const SettingInfo& info : SettingInfos()) {
    Setting setting{info.key, info.fallback, "default"};
    std::string variable;
    const std::string from_environment = FromEnvironment(info, &variable);
    if (const auto flag = flags.find(info.key); flag != flags.end() && !flag->second.empty()) {
      setting = {info.key, flag->second, info.flag};
    } else if (!from_environment.empty()) {
      setting = {info.key, from_environment, variable};
    } else if (const auto value = file->find(info.key); value != file->end()) {
      setting = {info.key, value->second.value, fmt::format("{}:{}", path, value->second.line)};
    }
    if (setting.source != "default") {
      const std::string complaint = Complaint(info, setting.value);
      if (!complaint.empty()) {
        return absl::InvalidArgumentError(fmt::format("{}: {}", setting.source, complaint));
      }
    }
    // A HOST without a port gets the default port.
    if (info.key == "coordinator" && !setting.value.empty()) {
      setting.value = *ParseAddress(setting.value);
    }
    settings.push_back(std::move(setting));
  }
  return settings;
}

const std::string& ValueOf(const std::vector<Setting>& settings, const std::string& key) {
  const auto found = std::find_if(settings.begin(), settings.end(),
                                  [&](const Setting& setting) { return setting.key == key; });
  return found->value;
}

ChannelSecurity SecurityOf(const std::vector<Setting>& settings) {
  return {.tls_ca = ValueOf(settings, "tls_ca"),
          .tls_cert = ValueOf(settings, "tls_cert"),
          .tls_key = ValueOf(settings, "tls_key"),
          .token_file = ValueOf(settings, "token_file")};
}

absl::Status SetInConfig(const std::string& path, const std::string& key,
                         const std::string& value) {
  if (absl::Status status = CheckKey(key); !status.ok()) return status;
  const std::string complaint = Complaint(*FindSetting(key), value);
  if (!complaint.empty()) return absl::InvalidArgumentError(fmt::format("{}: {}", key, complaint));
  return Edit(path, key, value);
}

absl::Status UnsetInConfig(const std::string& path, const std::string& key) {
  if (absl::Status status = CheckKey(key); !status.ok()) return status;
  return Edit(path, key, std::nullopt);
}

}  // namespace sweep::cli
