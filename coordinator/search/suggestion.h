#pragma once

#include <optional>
#include <utility>

#include "absl/status/statusor.h"
#include "common/spec/pbt_settings.h"
#include "common/spec/suggestion_origin.h"
#include "common/spec/sweep_spec.h"

namespace sweep {

// A point that a search has chosen, and how.
struct Suggestion {
  Configuration configuration;
  SuggestionOrigin origin;
  std::optional<Segment> segment = {};  // of a population
};

// The suggestion of that point, if there is one.
inline absl::StatusOr<std::optional<Suggestion>> WithOrigin(
    absl::StatusOr<std::optional<Configuration>> point, SuggestionOrigin origin) {
  if (!point.ok()) return point.status();
  if (!point->has_value()) return std::optional<Suggestion>();
  return Suggestion{.configuration = **std::move(point), .origin = std::move(origin)};
}

}  // namespace sweep
