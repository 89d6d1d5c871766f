#include "common/spec/suggestion_origin.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace sweep {
namespace {

constexpr std::array<std::string_view, kSuggestionSources> kSourceNames = {
    "try_first", "sequence", "start_up", "model", "random"};
static_assert(kSourceNames.size() == static_cast<std::size_t>(SuggestionSource::kRandom) + 1);

}  // namespace

std::string_view SuggestionSourceName(SuggestionSource source) {
  return kSourceNames[static_cast<std::size_t>(source)];
}

absl::StatusOr<SuggestionSource> ParseSuggestionSource(std::string_view name) {
  const auto found = std::find(kSourceNames.begin(), kSourceNames.end(), name);
  if (found == kSourceNames.end()) {
    return absl::InvalidArgumentError(
        absl::StrCat("unknown source of a suggestion '", std::string(name), "'"));
  }
  return static_cast<SuggestionSource>(std::distance(kSourceNames.begin(), found));
}

}  // namespace sweep
