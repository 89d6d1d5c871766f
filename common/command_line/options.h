#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace sweep {

// What the commands, arguments and options of a CLI::App are, for help, docs/cli.md, completion and
// messages: all of them are made from the program itself. Pure; the app outlives the results.

// One of `words`. The message of a wrong one names the nearest.
CLI::Validator OneOf(const std::vector<std::string>& words);

// A number above 0. A number of 0 or more.
CLI::Validator Positive();
CLI::Validator NotNegative();

struct OptionInfo {
  bool positional = false;
  bool required = false;
  bool takes_value = false;
  bool repeatable = false;
  std::vector<std::string> flags;    // "-q", "--quiet"
  std::string takes;                 // what it takes: "FILE", "NAME/N", "N"; "" for a flag
  std::vector<std::string> choices;  // the only values, if they are few
  std::string description;
  std::string fallback;     // the default
  std::string environment;  // a variable that stands for it
  // "--run-cap N", "-q, --quiet", "FILE"
  std::string Syntax() const;
};

// Arguments and options in the order in which they were added, without --help and hidden ones.
std::vector<OptionInfo> OptionsOf(const CLI::App& command);

// Visible subcommands in order.
std::vector<const CLI::App*> CommandsOf(const CLI::App& app);
std::vector<const CLI::App*> CommandsInGroup(const CLI::App& app, const std::string& group);
// nullptr when there is none of that name; finds hidden ones too.
const CLI::App* FindCommand(const CLI::App& app, const std::string& name);

// The first line of the description, and the others.
std::string Summary(const CLI::App& command);
std::string Details(const CLI::App& command);
// "sweep worker drain"
std::string CommandPath(const CLI::App& command);
// "sweep pause NAME [OPTIONS]"
std::string Usage(const CLI::App& command);

}  // namespace sweep
