#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace sweep {

// Lists the commands, arguments and options of a CLI::App for help, docs/cli.md, completion and
// messages. Pure; the app must outlive the results.

// Accepts one of `words`; the message for a wrong word names the nearest.
CLI::Validator OneOf(const std::vector<std::string>& words);

// Accept a number above 0, and a number of at least 0.
CLI::Validator Positive();
CLI::Validator NotNegative();

struct OptionInfo {
  bool positional = false;
  bool required = false;
  bool takes_value = false;
  bool repeatable = false;
  std::vector<std::string> flags;    // "-q", "--quiet"
  std::string takes;                 // placeholder of its value: "FILE", "N"; "" for a flag
  std::vector<std::string> choices;  // the only values, if they are few
  std::string description;
  std::string fallback;     // the default
  std::string environment;  // the environment variable that also sets it
  // "--run-cap N", "-q, --quiet", "FILE"
  std::string Syntax() const;
};

// Arguments and options in the order of their definition, without --help and hidden ones.
std::vector<OptionInfo> OptionsOf(const CLI::App& command);

// Visible subcommands in order.
std::vector<const CLI::App*> CommandsOf(const CLI::App& app);
std::vector<const CLI::App*> CommandsInGroup(const CLI::App& app, const std::string& group);
// nullptr when there is no such command; also finds hidden ones.
const CLI::App* FindCommand(const CLI::App& app, const std::string& name);

// The first line of the description, and the remaining lines.
std::string Summary(const CLI::App& command);
std::string Details(const CLI::App& command);
// "sweep worker drain"
std::string CommandPath(const CLI::App& command);
// "sweep pause NAME [OPTIONS]"
std::string Usage(const CLI::App& command);

}  // namespace sweep
