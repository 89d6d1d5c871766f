#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace sweep {

// Where the point of a configuration comes from.
enum class SuggestionSource {
  kTryFirst,  // a point of the file's `try_first`
  kSequence,  // the next one of a method that learns nothing
  kStartUp,   // one of those that a method that learns takes before its model
  kModel,     // what the model of a method that learns found best
  kRandom,    // drawn at random, because the model had none
  kStandIn,   // a start-up point, because the model had not answered yet
  kWentOn,    // of a population: the member goes on with its own values
  kCopied,    // of a population: a better member goes on in its place, with changed values
};

inline constexpr int kSuggestionSources = 8;

// Stored and sent as these words: "try_first".
std::string_view SuggestionSourceName(SuggestionSource source);
absl::StatusOr<SuggestionSource> ParseSuggestionSource(std::string_view name);

// How the point of a configuration was chosen.
struct SuggestionOrigin {
  SuggestionSource source = SuggestionSource::kSequence;
  std::string method;  // its word, such as "tpe"
  // By how much the model expects the point to be better than the best mean so far, in the units of
  // the objective; 0 or more. Nullopt for what no model that knows it has chosen.
  std::optional<double> expected_improvement;
  // Configurations that had ended for the search. 0 for a method that learns nothing.
  std::int64_t seen_results = 0;
};

// "by gp, its model, after 57 results; expected improvement 0.0012"
std::string SuggestionOriginText(const SuggestionOrigin& origin);

}  // namespace sweep
