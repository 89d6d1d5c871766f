#pragma once

#include <string>

namespace CLI {
class App;
}

namespace sweep::cli {

// docs/cli.md, made from the program's own help.
std::string DocsText(const CLI::App& app);

}  // namespace sweep::cli
