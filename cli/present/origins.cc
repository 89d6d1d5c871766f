#include "cli/present/origins.h"

#include <fmt/format.h>

#include "common/base/counted.h"

namespace sweep::cli {
namespace {

std::string CountText(std::int64_t count, SuggestionSource source, const std::string& method) {
  switch (source) {
    case SuggestionSource::kTryFirst:
      return fmt::format("{} from try_first", count);
    case SuggestionSource::kSequence:
      return fmt::format("{} by {}", count, method);
    case SuggestionSource::kStartUp:
      return fmt::format("{} of {}", Counted(count, "start-up point"), method);
    case SuggestionSource::kModel:
      return fmt::format("{} by the model of {}", count, method);
    case SuggestionSource::kRandom:
      return fmt::format("{} at random because the model of {} had no point", count, method);
    case SuggestionSource::kStandIn:
      return fmt::format("{} because the model of {} had not answered",
                         Counted(count, "start-up point"), method);
    case SuggestionSource::kWentOn:
      return fmt::format("{} going on with their values", count);
    case SuggestionSource::kCopied:
      return fmt::format("{} copied from better members, with changed values", count);
  }
  return "";
}

}  // namespace

std::optional<SuggestionOrigin> OriginOf(const v1::Trial& trial) {
  const absl::StatusOr<SuggestionSource> source = ParseSuggestionSource(trial.chosen_source());
  if (!source.ok()) return std::nullopt;
  SuggestionOrigin origin{
      .source = *source, .method = trial.chosen_by(), .seen_results = trial.seen_results()};
  if (trial.has_expected_improvement()) origin.expected_improvement = trial.expected_improvement();
  return origin;
}

void OriginCounts::Add(const v1::Trial& trial) {
  if (trial.replicate() != 0) return;
  if (const std::optional<SuggestionOrigin> origin = OriginOf(trial)) {
    ++counts_[{origin->source, origin->method}];
  }
}

std::string OriginCounts::Text() const {
  std::string text;
  for (const auto& [key, count] : counts_) {
    text += (text.empty() ? "" : ", ") + CountText(count, key.source, key.method);
  }
  return text;
}

}  // namespace sweep::cli
