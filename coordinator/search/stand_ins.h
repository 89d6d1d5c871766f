#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "common/spec/sweep_spec.h"
#include "coordinator/search/new_points.h"
#include "coordinator/search/sobol_search.h"

namespace sweep {

// The points that trials get while the model of their search thinks for long: the start-up point of
// their number, as if the model had not been asked yet. In a finite space, the first point of the
// start-up sequence that no configuration before has. Pure.
class StandIns {
 public:
  // `finite`: every parameter has a list of values. `first_own`: the number of the first
  // configuration that the file makes. `spec` must outlive the object.
  StandIns(const SweepSpec* spec, bool finite, std::int64_t first_own);

  // `known`: identities of the points of the configurations before, of a finite space; it only
  // grows from call to call. Nullopt when there is none.
  std::optional<Configuration> Point(std::int64_t number, const std::set<std::string>& known);

 private:
  const bool finite_;
  const std::int64_t before_;  // numbers before the first start-up point, as in LearningSearch
  SobolSearch start_up_;
  NewPoints new_points_;  // finite
};

}  // namespace sweep
