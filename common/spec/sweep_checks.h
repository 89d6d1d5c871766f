#pragma once

#include <vector>

#include "common/spec/sweep_spec.h"
#include "common/yaml/yaml_reader.h"

namespace sweep {

// Where to report errors of the whole search space, and when to stop.
struct SpaceContext {
  int parameters = 0;            // line of the sweep file for errors in points
  std::vector<int> constraints;  // the same, one per SweepSpec::constraints
  IsCancelled is_cancelled;      // asked now and then; true ends the checks early
};

// Checks that every name in a constraint exists.
void CheckConstraintNames(const SweepSpec& spec, const std::vector<int>& lines, YamlReader* reader);

// Checks that every network fits its input with the defaults. For files with errors in their
// parameters, where CheckPoints cannot run.
void CheckDefaultsFit(const SweepSpec& spec, YamlReader* reader);

// Tries points of the search space: networks must fit their input at the values that the file
// allows (all combinations of the values that their layers refer to, up to some hundreds; spread
// samples of more), conditions and constraints must evaluate, and some point must satisfy the
// constraints. Counts a finite space into `spec->points`; every allowed point of it must be
// possible.
void CheckPoints(const SpaceContext& context, YamlReader* reader, SweepSpec* spec);

}  // namespace sweep
