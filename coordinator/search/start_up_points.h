#pragma once

#include <cstdint>
#include <optional>

#include "absl/container/flat_hash_set.h"
#include "absl/numeric/int128.h"
#include "absl/status/statusor.h"
#include "common/spec/sweep_spec.h"
#include "coordinator/search/search.h"
#include "coordinator/search/sobol_search.h"

namespace sweep {

// The points of configurations for which no model is asked, at the start of a search or because it
// thinks for long: those of a scrambled Sobol sequence, by the number of the configuration. In a
// finite space, the first of the sequence that no configuration has, unless the file asks for
// repeated points. Pure.
class StartUpPoints {
 public:
  // `distinct`: as TriesNoPointTwice (search_space.h). `spec` must outlive the object.
  StartUpPoints(const SweepSpec* spec, bool distinct);
  // Of a search that begins with `start`.
  StartUpPoints(const SweepSpec* spec, const SearchStart& start);

  // As Search's.
  void BeginAt(std::int64_t /*number*/) { before_ = 0; }
  // A configuration has this point, whatever it was chosen by.
  void Know(const ParameterMap& parameters);
  // The configuration of this point is not stored: the point is new again.
  void Forget(const ParameterMap& parameters);
  // Always true where the file asks for repeated points.
  bool IsNew(const ParameterMap& parameters) const;

  // The same point again as long as it is not known. Nullopt when there is none.
  absl::StatusOr<std::optional<Configuration>> Point(std::int64_t number);
  SobolSearch& sequence() { return sequence_; }

 private:
  absl::StatusOr<std::optional<Configuration>> FirstNew();

  const bool distinct_;
  const bool repeats_;  // the file asks for repeated points
  SobolSearch sequence_;
  std::int64_t before_;                       // numbers before the first point of the sequence
  absl::flat_hash_set<absl::uint128> known_;  // fingerprints of the known points
  std::int64_t passed_ = 0;                   // distinct: points of the sequence that were not new
  std::optional<Configuration> ahead_;  // distinct: the one after them; it may be known by now
};

}  // namespace sweep
