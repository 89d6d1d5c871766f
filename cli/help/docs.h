#pragma once

#include <string>

namespace CLI {
class App;
}

namespace sweep::cli {

// The text of docs/cli.md, generated from the program's help.
std::string DocsText(const CLI::App& app);

}  // namespace sweep::cli
