#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace sweep::cli {

// Prints the candidates for the last of `words` (those after "sweep"), one per line, each with a
// tab and its description if it has one. The lines ":files" and ":dirs" ask the shell to add file
// names, ":nospace" to add no space. Names come from the coordinator or the database that the
// words, the environment and the configuration file select; nothing is started or changed for them,
// and names that take over a second are left out. Ends the process when it takes longer.
void Complete(const CLI::App& app, std::vector<std::string> words, std::ostream& out);

}  // namespace sweep::cli
