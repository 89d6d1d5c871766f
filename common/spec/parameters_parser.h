#pragma once

#include <string>
#include <vector>

#include "common/spec/sweep_spec.h"
#include "common/yaml/yaml_reader.h"

namespace sweep {

// What else the file has, for ParseParameters. Without a network most facts of networks, and
// "model", are names like others. A program decides itself which values it takes.
struct ParameterContext {
  bool has_network = true;
  bool has_program = false;
};

// Reads the mapping `parameters:` of a sweep file and holds every value against what the
// hyperparameter of that name takes. One that is in error stands as a constant 0, so that its name
// can still be checked and referred to; so does one whose name is in error, under the name that was
// most likely meant.
std::vector<Parameter> ParseParameters(const YamlEntry& entry, const ParameterContext& context,
                                       YamlReader* reader);

// What can be said only when the networks are known: that each parameter is used by some network,
// and that each condition refers to something, but not to itself.
void CheckParameters(const SweepSpec& spec, YamlReader* reader);

// What can be said when some network is unknown, so that a name may be its own: complains about
// names that look like a slip of a hyperparameter of the trainer.
void CheckLikelySlips(const SweepSpec& spec, YamlReader* reader);

// Every name that stands for a hyperparameter in `when` and `constraints`: the built-in ones, the
// sweep's, those of its networks, and "model".
std::vector<std::string> HyperparameterNames(const SweepSpec& spec);

}  // namespace sweep
