#pragma once

#include <vector>

#include "common/spec/sweep_spec.h"
#include "common/yaml/yaml_reader.h"

namespace sweep {

// Lines of the sweep file that complaints about the whole search space point at.
struct SpaceLines {
  int parameters = 0;
  std::vector<int> constraints;  // one per SweepSpec::constraints
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
void CheckPoints(const SpaceLines& lines, YamlReader* reader, SweepSpec* spec);

}  // namespace sweep
