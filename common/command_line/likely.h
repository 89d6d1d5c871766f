#pragma once

#include <string>
#include <vector>

namespace sweep {

// Suggests what an unknown option probably meant, as the end of a sentence: our flag for the name
// that other programs use, else the nearest of `flags`, the existing ones. "" when nothing is
// likely.
std::string LikelyFlag(const std::string& flag, const std::vector<std::string>& flags);

}  // namespace sweep
