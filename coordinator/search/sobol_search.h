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

// The points of a scrambled Sobol sequence in the unit cube of the search space, in order, leaving
// out those that the constraints exclude or that cannot be built: number k is the k-th that is
// left. The dimensions are those of the parameters' names in alphabetical order, each scrambled by
// a key of the sweep's seed and its name. A space that is finite repeats no point; when the
// sequence brings nothing new for long, what is left of a space that can be listed comes in random
// order.
class SobolSearch final : public Search {
 public:
  // Points in a row that are excluded or known, before the constraints are taken to exclude
  // everything.
  static constexpr int kMaxTried = 1000;

  // `finite`: the values of every parameter can be listed. `spec` must outlive the object.
  SobolSearch(const SweepSpec* spec, bool finite);

  absl::StatusOr<std::optional<Configuration>> Suggest(std::int64_t number) override;

 private:
  // The point after the last one.
  absl::StatusOr<std::optional<Configuration>> Next();
  std::optional<Configuration> NextOfSequence();
  absl::StatusOr<std::optional<Configuration>> NextOfRest();
  std::vector<ParameterMap> PointsAhead(std::size_t count) const;
  bool IsNew(const Configuration& configuration);
  void Restart();

  const SweepSpec* const spec_;
  const bool finite_;
  const SearchSpace space_;
  std::vector<std::size_t> places_;  // of each dimension of the space in the sequence
  SobolSequence sequence_;
  PointCompleter completer_;
  std::int64_t made_ = 0;       // numbers up to this one
  std::uint32_t index_ = 0;     // of the next point of the sequence
  std::set<std::string> seen_;  // finite: what was made
  // Once the sequence brings nothing new, and the space can be listed.
  std::optional<FiniteSearch> rest_;
  std::int64_t rest_number_ = 0;
};

}  // namespace sweep
