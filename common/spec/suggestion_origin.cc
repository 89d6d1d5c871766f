#include "common/spec/suggestion_origin.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <iterator>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/base/counted.h"

namespace sweep {
namespace {

constexpr std::array<std::string_view, kSuggestionSources> kSourceNames = {
    "try_first", "sequence", "start_up", "model", "random", "stand_in", "went_on", "copied"};
static_assert(kSourceNames.size() == static_cast<std::size_t>(SuggestionSource::kCopied) + 1);

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

std::string SuggestionOriginText(const SuggestionOrigin& origin) {
  std::string text = absl::StrCat("by ", origin.method);
  switch (origin.source) {
    case SuggestionSource::kTryFirst:
      return "by the file's try_first";
    case SuggestionSource::kSequence:
      return text;
    case SuggestionSource::kStartUp:
      text += ", a start-up point";
      break;
    case SuggestionSource::kModel:
      text += ", its model";
      break;
    case SuggestionSource::kRandom:
      text += ", at random because its model had no point";
      break;
    case SuggestionSource::kStandIn:
      text += ", a start-up point because its model had not answered";
      break;
    case SuggestionSource::kWentOn:
      text += ", going on with its values";
      break;
    case SuggestionSource::kCopied:
      text += ", a copy of a better member with changed values";
      break;
  }
  if (origin.seen_results > 0) {
    absl::StrAppend(&text, ", after ", Counted(origin.seen_results, "result"));
  }
  if (origin.expected_improvement) {
    char number[32];
    std::snprintf(number, sizeof(number), "%.3g", *origin.expected_improvement);
    absl::StrAppend(&text, "; expected improvement ", number);
  }
  return text;
}

}  // namespace sweep
