#pragma once

#include <map>
#include <string>
#include <vector>

namespace sweep {

// Advice for words of other tools. A similar word of ours may mean something else, so the advice
// must never lead to another training than the one meant.

// Maps other tools' names for a key of the sweep file to our key.
const std::map<std::string, std::string>& MeantKeys();

// Advice for a dataset whose name resembles the built-in one; "" for other names.
std::string DatasetHint(const std::string& word);

// "; did you mean 'loss'?" for val_loss, and so on; `names` are the existing measures.
std::string MetricHint(const std::string& word, const std::vector<std::string>& names);
std::string GateHint(const std::string& word, const std::vector<std::string>& names);

}  // namespace sweep
