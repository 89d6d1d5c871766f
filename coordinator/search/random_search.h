#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "common/spec/point_completer.h"
#include "coordinator/search/finite_search.h"
#include "coordinator/search/search.h"

namespace sweep {

// Independent draws from the distributions of the parameters. Each parameter has its own stream,
// keyed by the sweep's seed and its name and indexed by the configuration's number, so neither the
// order of keys nor another parameter changes its draws. In a finite space that is too large to
// enumerate, repeated points are drawn again; to know them, the numbers before the requested one
// are replayed. With repeats, the points of a space that can be listed are drawn from that list
// when the constraints exclude nearly all.
class RandomSearch final : public Search {
 public:
  // Draws per configuration before the constraints count as excluding everything.
  static constexpr int kMaxDraws = 1000;

  // `distinct`: as TriesNoPointTwice (search_space.h). `spec` must outlive the object.
  RandomSearch(const SweepSpec* spec, bool distinct)
      : spec_(spec), distinct_(distinct), completer_(spec) {}

  absl::StatusOr<std::optional<Suggestion>> Suggest(std::int64_t number) override {
    return WithOrigin(Point(number), {.source = SuggestionSource::kSequence,
                                      .method = std::string(spec_->method->word)});
  }
  // As Suggest.
  absl::StatusOr<std::optional<Configuration>> Point(std::int64_t number);

 private:
  absl::StatusOr<Configuration> Draw(std::int64_t number);

  const SweepSpec* const spec_;
  const bool distinct_;
  std::int64_t drawn_ = 0;      // distinct: seen_ has the points up to this number
  std::set<std::string> seen_;  // distinct: identities of the points drawn
  PointCompleter completer_;
  std::optional<FiniteSearch> list_;  // with repeats: once draws have found no point
};

// The random point that replaces a suggestion of a model that failed.
absl::StatusOr<std::optional<Suggestion>> RandomInstead(const SweepSpec& spec, std::int64_t number);

}  // namespace sweep
