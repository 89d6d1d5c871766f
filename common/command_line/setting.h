#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace sweep {

// An option of a program that its configuration file and the environment can set as well. Made from
// the options themselves (SettingsOf), so that a new option needs no second list.
struct Setting {
  CLI::Option* option = nullptr;
  std::string key;       // in the file: "lease_term"
  std::string flag;      // "--lease-term"
  std::string variable;  // "SWEEP_COORDINATOR_LEASE_TERM", or the name that the option itself has
  std::vector<std::string> values;  // as on the command line; {} while nothing sets it
  std::string origin;               // "--lease-term", the variable, "FILE:3"; "" while unset

  bool IsFlag() const;  // takes no value on the command line, and true or false elsewhere
  bool IsList() const;  // may be given several times
  // The values as words of the command line: {"--label=a=1", "--label=b=2"}.
  std::vector<std::string> Words() const;
};

// "SWEEP_COORDINATOR_" for sweep-coordinator: how the names of its own variables begin.
std::string VariablePrefix(const CLI::App& app);
// The variable of an option that has no other: "--lease-term" gives SWEEP_COORDINATOR_LEASE_TERM.
std::string VariableOf(const CLI::App& app, const std::string& flag);
// "lease_term" for "--lease-term".
std::string KeyOf(const std::string& flag);

// The visible options with a long name, in order of their definition, but those that are marked
// `configurable(false)` since they ask for an action, such as --backup.
std::vector<Setting> SettingsOf(CLI::App* app);
// The flags of the latter, with --help and --version.
std::vector<std::string> CommandLineFlags(CLI::App* app);

// Parses `words` as the whole command line, but accepts it when it lacks what other words may have:
// a required option, or one that another needs. Throws CLI::ParseError otherwise.
void ParseSome(CLI::App* app, const std::vector<std::string>& words);
// Why the option cannot have the setting's values; "" when it can. Parses them alone, so that
// ranges and choices are the option's own.
std::string FaultOf(CLI::App* app, const Setting& setting);

}  // namespace sweep
