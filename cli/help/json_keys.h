#pragma once

#include <string>
#include <vector>

namespace sweep::cli {

// The stable interface for scripts: the keys of each command's JSON and CSV. docs/cli.md and `sweep
// help output` print it, and a test compares it with the real output of every command.

struct CommandKeys {
  std::string command;  // "trials", "worker drain"
  bool array = false;   // an array of objects with these keys
  std::vector<std::string> keys;
};
const std::vector<CommandKeys>& JsonKeys();

// The meaning of a key, the same in every command; "" for a self-explanatory key.
std::string KeyMeaning(const std::string& key);

}  // namespace sweep::cli
