#include "common/base/nearest.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace sweep {
namespace {

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return lower;
}

// Restricted Damerau-Levenshtein distance: insert, delete, replace, swap neighbours.
std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> cost(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) cost[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) cost[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = cost[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      cost[i][j] = std::min({replace, cost[i - 1][j] + 1, cost[i][j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
      }
    }
  }
  return cost[a.size()][b.size()];
}

// Correct words for things that Sweep lacks. They are no slips, so no nearest word is suggested: it
// would mean something else.
constexpr std::array<std::string_view, 21> kRightWords = {
    "elu",        "gelu",          "selu",      "celu",    "prelu",           "relu6",
    "rrelu",      "silu",          "min_pool",  "lp_pool", "global_max_pool", "adaptive_max_pool",
    "layer_norm", "median",        "emnist",    "kmnist",  "qmnist",          "fmnist",
    "rmsprop",    "instance_norm", "group_norm"};

std::string InLowerCase(std::string_view word) {
  std::string lower(word);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

}  // namespace

std::string NearestMatch(std::string_view word, const std::vector<std::string>& candidates) {
  // A longer word is no slip of one of our short names, and the distance costs quadratic time.
  if (word.size() > 64) return "";
  for (const std::string& candidate : candidates) {
    if (InLowerCase(word) == InLowerCase(candidate)) return candidate;
  }
  if (std::find(kRightWords.begin(), kRightWords.end(), InLowerCase(word)) != kRightWords.end()) {
    return "";
  }
  std::string best;
  std::size_t best_distance = 0;
  for (const std::string& candidate : candidates) {
    const std::size_t limit = std::max<std::size_t>(1, std::max(word.size(), candidate.size()) / 3);
    const std::size_t distance = EditDistance(Lower(word), Lower(candidate));
    if (distance <= limit && (best.empty() || distance < best_distance)) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

std::string DidYouMean(std::string_view word, const std::vector<std::string>& candidates) {
  const std::string nearest = NearestMatch(word, candidates);
  return nearest.empty() ? "" : "; did you mean '" + nearest + "'?";
}

bool Contains(const std::vector<std::string>& words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace sweep
