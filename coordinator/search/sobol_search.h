#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/spec/dimensions.h"
#include "common/spec/point_completer.h"
#include "coordinator/search/finite_search.h"
#include "coordinator/search/search.h"
#include "coordinator/search/sobol_sequence.h"

namespace sweep {

// The points of a scrambled Sobol sequence in the unit cube of the search space, in order, without
// those that the constraints exclude or that cannot be built: number k is the k-th remaining point.
// The dimensions belong to the parameters' names in alphabetical order, each scrambled by a key of
// the sweep's seed and the name. A finite space repeats no point, unless the file asks for that;
// when the sequence brings nothing new for long, the remaining points of a space that can be
// enumerated come in random order.
class SobolSearch final : public Search {
 public:
  // Excluded or known points in a row before the constraints count as excluding everything.
  static constexpr int kMaxTried = 1000;

  // `distinct`: as TriesNoPointTwice (search_space.h). `spec` must outlive the object.
  SobolSearch(const SweepSpec* spec, bool distinct);

  absl::StatusOr<std::optional<Suggestion>> Suggest(std::int64_t number) override {
    return WithOrigin(Point(number), {.source = SuggestionSource::kSequence,
                                      .method = std::string(spec_->method->word)});
  }
  // As Suggest.
  absl::StatusOr<std::optional<Configuration>> Point(std::int64_t number);

 private:
  // The point after the last one.
  absl::StatusOr<std::optional<Configuration>> Next();
  std::optional<Configuration> NextOfSequence();
  absl::StatusOr<std::optional<Configuration>> NextOfRest();
  std::vector<ParameterMap> PointsAhead(std::size_t count) const;
  bool IsNew(const Configuration& configuration);
  void Restart();

  const SweepSpec* const spec_;
  const bool distinct_;
  const SearchSpace space_;
  std::vector<std::size_t> places_;  // index in the sequence of each dimension of the space
  SobolSequence sequence_;
  PointCompleter completer_;
  std::int64_t made_ = 0;       // last number made
  std::uint32_t index_ = 0;     // index of the next point of the sequence
  std::set<std::string> seen_;  // distinct: identities of the points made
  // Set once the sequence brings nothing new, if the space can be enumerated.
  std::optional<FiniteSearch> rest_;
  std::int64_t rest_number_ = 0;
};

}  // namespace sweep
