#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sweep {

// The candidate closest to `word` by edit distance (Damerau-Levenshtein, restricted), or "" when
// none is close enough to be a likely slip (distance above a third of the longer word, at least 1).
std::string NearestMatch(std::string_view word, const std::vector<std::string>& candidates);

// "; did you mean 'x'?" or "" when nothing is near. Appended to messages.
std::string DidYouMean(std::string_view word, const std::vector<std::string>& candidates);

// True when `words` has `word`.
bool Contains(const std::vector<std::string>& words, std::string_view word);

}  // namespace sweep
