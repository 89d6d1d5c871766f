#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sweep {

// One word for `method` in a sweep file. The search of that word in coordinator/search makes the
// points.
struct SearchMethod {
  std::string_view word;
  bool finite;         // tries every point, so each parameter needs a finite list of values
  bool needs_run_cap;  // would never end without one
  bool learns;         // its points depend on the results of earlier trials
  // Needs an order of each parameter's values, and every parameter at each point.
  bool numbers_only = false;
  // Its configurations begin with the checkpoints of earlier ones.
  bool has_population = false;
  // Its points go on from one another, so that no other point can take the place of one that it is
  // slow to find, or fails to.
  bool only_own_points = false;
  // After it had no more points it may have some again, when a trial is tried again.
  bool may_resume = false;
  std::string_view help;

  // A start-up point or a random one may take the place of one of its own.
  bool TakesOtherPoints() const { return learns && !only_own_points; }
};

// All methods, in the order of docs/sweep-file.md.
std::span<const SearchMethod> SearchMethods();
std::vector<std::string> SearchMethodWords();
// nullptr when there is no such method.
const SearchMethod* FindSearchMethod(std::string_view word);

}  // namespace sweep
