#pragma once

#include <string>
#include <vector>

#include "cli/session.h"

namespace sweep::cli {

// Texts beyond single commands: `sweep help TOPIC`, and chapters of docs/cli.md.
struct HelpTopic {
  std::string name;   // "exit-codes"
  std::string title;  // "Exit codes"
  std::string text;   // lines of at most 80 columns
};
const std::vector<HelpTopic>& HelpTopics();

// Makes `app` and every command added later print this program's help: an overview on one screen,
// and one page per command.
void UseHelp(CLI::App* app, const Session& session);

// The whole program on one screen, 80 columns wide.
std::string OverviewText(const CLI::App& app, int width);
// The page of one command: description, usage, arguments, options, examples.
std::string CommandText(const CLI::App& command);

// `sweep help [COMMAND...]`
void AddHelpCommand(CLI::App* app, Session* session);

}  // namespace sweep::cli
