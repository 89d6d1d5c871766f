#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "common/spec/sweep_spec.h"
#include "coordinator/search/search.h"

namespace sweep {

// How a search is called by those who have to go on when a model or a numerical library fails.

// Passes it to the search. An exception ends in the log.
void ObserveOrWarn(const SweepSpec& spec, const Observation& observation, Search* search);

// What `ask`, Suggest or Peek, answers for that number; a random point, and a line in the log, when
// a model fails or an exception comes. The other methods' errors are passed on.
using AskSearch = absl::StatusOr<std::optional<Suggestion>> (Search::*)(std::int64_t number);
absl::StatusOr<std::optional<Suggestion>> AskOrDraw(const SweepSpec& spec, AskSearch ask,
                                                    std::int64_t number, Search* search);

// Why there is no configuration of that number, which the search was just asked for. `leaves_out`:
// as SearchStart's.
std::string WhyNone(const Search& search, std::int64_t number, bool leaves_out);
std::string NoMorePoints(std::int64_t number, bool leaves_out);

}  // namespace sweep
