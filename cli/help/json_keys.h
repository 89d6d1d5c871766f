#pragma once

#include <string>
#include <vector>

namespace sweep::cli {

// The promise to scripts: which keys the JSON and CSV of each command have. docs/cli.md and
// `sweep help output` print it, and a test holds the real output of every command against it.

struct CommandKeys {
  std::string command;  // "trials", "worker drain"
  bool array = false;   // an array of such objects
  std::vector<std::string> keys;
};
const std::vector<CommandKeys>& JsonKeys();

// What a key means, the same in every command; "" for a key that says it itself.
std::string KeyMeaning(const std::string& key);

}  // namespace sweep::cli
