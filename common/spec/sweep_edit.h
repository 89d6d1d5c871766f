#pragma once

#include <string>
#include <vector>

#include "common/spec/sweep_spec.h"

namespace sweep {

// Why the file of a sweep cannot be replaced by another one: a line for each key, "epochs: 19
// cannot become 30; ...". Empty when the trials of both files can be compared: then they differ
// only in what is searched, how, how long, and in what is for people.
std::vector<std::string> EditRefusals(const SweepSpec& before, const SweepSpec& after);

// Why the results of an earlier sweep say nothing about another one: a line for each key, "metric:
// the highest accuracy there, the lowest validation_loss here". Empty when they do; then each
// configuration is still looked at by itself (known_points.h).
std::vector<std::string> Incomparable(const SweepSpec& earlier, const SweepSpec& here);

}  // namespace sweep
