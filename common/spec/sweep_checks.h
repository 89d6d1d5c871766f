#pragma once

#include <vector>

#include "common/spec/sweep_spec.h"
#include "common/yaml/yaml_reader.h"

namespace sweep {

// What is said of the whole search space, and for how long.
struct SpaceContext {
  int parameters = 0;            // line of the sweep file that complaints point at
  std::vector<int> constraints;  // the same, one per SweepSpec::constraints
  IsCancelled is_cancelled;      // asked now and then; the checks end early when it says so
};

// That every name in a constraint stands for something.
void CheckConstraintNames(const SweepSpec& spec, const std::vector<int>& lines, YamlReader* reader);

// That every network fits its input where the search chooses nothing. For files whose parameters
// are in error, since CheckPoints needs them.
void CheckDefaultsFit(const SweepSpec& spec, YamlReader* reader);

// Tries points of the search space: that networks fit their input at the values that the file
// allows (all combinations of the values that their layers refer to, up to some hundreds; spread
// samples of more), that conditions and constraints can be evaluated, and that some point satisfies
// the constraints. Counts a finite space into `spec->points`, of which every allowed point must be
// possible.
void CheckPoints(const SpaceContext& context, YamlReader* reader, SweepSpec* spec);

}  // namespace sweep
