#pragma once

#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "proto/channel_security.h"

namespace sweep::cli {

// Settings of all commands, which can be set in four ways, in order of precedence: by a flag, by an
// environment variable, in the configuration file, or left at the default. Functions of the
// process's environment and one small file; no state.

struct SettingInfo {
  std::string key;          // in the file: "coordinator"
  std::string flag;         // "--coordinator"
  std::string environment;  // "SWEEP_COORDINATOR"
  std::string takes;        // "HOST:PORT"; "" when there are choices
  std::vector<std::string> choices;
  std::string fallback;
  std::string description;
};
const std::vector<SettingInfo>& SettingInfos();

struct Setting {
  std::string key;
  std::string value;
  std::string
      source;  // "--format", "SWEEP_FORMAT", "/home/x/.config/sweep/config.yaml:3", "default"
};

// $SWEEP_CONFIG, else $XDG_CONFIG_HOME/sweep/config.yaml, else ~/.config/sweep/config.yaml.
std::string ConfigPath();

// The settings in the order of SettingInfos. `flags` has the values from the command line, by key.
// InvalidArgument names the flag, variable or line of the file, the value, and the nearest right
// one.
absl::StatusOr<std::vector<Setting>> ResolveSettings(
    const std::map<std::string, std::string>& flags);
const std::string& ValueOf(const std::vector<Setting>& settings, const std::string& key);

// The settings of TLS and of the token.
ChannelSecurity SecurityOf(const std::vector<Setting>& settings);

// Change the file, which is replaced atomically; its comments stay. InvalidArgument for an unknown
// key or a bad value; unsetting a key that is not set is harmless.
absl::Status SetInConfig(const std::string& path, const std::string& key, const std::string& value);
absl::Status UnsetInConfig(const std::string& path, const std::string& key);

}  // namespace sweep::cli
