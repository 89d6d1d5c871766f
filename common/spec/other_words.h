#pragma once

#include <map>
#include <string>
#include <vector>

namespace sweep {

// Advice for words of other tools. A word that is near one of ours by its letters need not mean the
// same, and advice that is taken must not train something else than was meant.

// By what others call a key of the sweep file, the key that stands for it.
const std::map<std::string, std::string>& MeantKeys();

// What to say of a dataset whose name is near that of the one that is built in; "" for other names.
std::string DatasetHint(const std::string& word);

// "; did you mean 'loss'?" for val_loss, and so on; `names` are those that there are.
std::string MetricHint(const std::string& word, const std::vector<std::string>& names);
std::string GateHint(const std::string& word, const std::vector<std::string>& names);

}  // namespace sweep
