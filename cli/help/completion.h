#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace sweep::cli {

// What could stand in the place of the last of `words` (those after "sweep"), one per line, with a
// tab and a description where there is one. Lines for the shell: ":files" and ":dirs" ask it to add
// names of files, ":nospace" to leave the cursor at the word. Live names come from the coordinator
// or the database that the words, the environment and the configuration file name; nothing is
// started or changed for that, and what cannot be had within a second is left out. Ends the process
// when it takes longer.
void Complete(const CLI::App& app, std::vector<std::string> words, std::ostream& out);

}  // namespace sweep::cli
