#pragma once

#include <string>
#include <vector>

namespace sweep {

// What a person probably meant by an option that there is not, as the end of a sentence: what other
// programs call it, else the nearest of `flags`, those that there are. Empty when nothing is
// likely.
std::string LikelyFlag(const std::string& flag, const std::vector<std::string>& flags);

}  // namespace sweep
