#pragma once

#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace sweep::cli {

// The text of docs/cli.md, generated from the program's help.
std::string DocsText(const CLI::App& app);

// The program's page of the manual, in roff.
std::string ManualText(const CLI::App& app);

// The titles of groups of commands, in order.
std::vector<std::string> GroupsOf(const CLI::App& app);
// Each command, followed by its own commands.
std::vector<const CLI::App*> WithInnerCommands(const std::vector<const CLI::App*>& commands);

}  // namespace sweep::cli
