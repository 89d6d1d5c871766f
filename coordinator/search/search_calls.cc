#include "coordinator/search/search_calls.h"

#include <exception>

#include "coordinator/search/random_search.h"
#include "fmt/format.h"
#include "spdlog/spdlog.h"

namespace sweep {

void ObserveOrWarn(const SweepSpec& spec, const Observation& observation, Search* search) {
  try {
    search->Observe(observation);
  } catch (const std::exception& error) {
    spdlog::warn(
        "search did not take an observation sweep={} configuration={} sequence={} reason={:?}",
        spec.name, observation.configuration, observation.sequence, error.what());
  }
}

absl::StatusOr<std::optional<Suggestion>> AskOrDraw(const SweepSpec& spec, AskSearch ask,
                                                    std::int64_t number, Search* search) {
  std::string failure;
  const bool may_draw = spec.method->TakesOtherPoints();
  try {
    absl::StatusOr<std::optional<Suggestion>> next = (search->*ask)(number);
    if (next.ok() || !may_draw) return next;
    failure = std::string(next.status().message());
  } catch (const std::exception& error) {
    failure = error.what();
  }
  if (spec.method->only_own_points) return absl::InternalError(failure);
  spdlog::warn("random point instead of a suggestion sweep={} configuration={} reason={:?}",
               spec.name, number, failure);
  return RandomInstead(spec, number);
}

std::string WhyNone(const Search& search, std::int64_t number, bool leaves_out) {
  const Search::None none = search.WhyNone();
  return none.reason.empty() ? NoMorePoints(number, leaves_out) : none.reason;
}

std::string NoMorePoints(std::int64_t number, bool leaves_out) {
  if (leaves_out) {
    return "the search space has no further point that satisfies the constraints, can be built and "
           "that no earlier file or sweep has tried";
  }
  return fmt::format("the search space has only {} and can be built",
                     number == 2
                         ? "1 point that satisfies the constraints"
                         : fmt::format("{} points that satisfy the constraints", number - 1));
}

}  // namespace sweep
