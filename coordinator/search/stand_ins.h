#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/spec/sweep_spec.h"
#include "coordinator/search/new_points.h"
#include "coordinator/search/search.h"
#include "coordinator/search/sobol_search.h"

namespace sweep {

// The points that trials get while the model of their search thinks for long: the start-up point of
// their number, as if the model had not been asked yet. In a finite space, the first point of the
// start-up sequence that no configuration before has. Pure.
class StandIns {
 public:
  // `start`: what the search begins with. `spec` must outlive the object.
  StandIns(const SweepSpec* spec, const SearchStart& start);

  // A configuration has this point, whatever it was chosen by.
  void Know(const ParameterMap& parameters);
  // The configuration with this point, made by this, is not stored: it is new again.
  void Forget(const ParameterMap& parameters);
  // Nullopt when there is none. The next one may be the same as long as it is not known.
  std::optional<Configuration> Point(std::int64_t number);

 private:
  const bool finite_;
  const std::int64_t before_;  // numbers before the first start-up point, as in LearningSearch
  SobolSearch start_up_;
  NewPoints new_points_;         // finite
  std::set<std::string> known_;  // identities of all points, when finite
};

}  // namespace sweep
