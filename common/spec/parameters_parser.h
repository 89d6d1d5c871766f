#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "common/spec/sweep_spec.h"
#include "common/yaml/yaml_reader.h"

namespace sweep {

// Facts about the rest of the file. Without a network, most network facts and "model" are ordinary
// names. A program decides for itself which values it accepts.
struct ParameterContext {
  bool has_network = true;
  bool has_program = false;
};

// Reads the mapping `parameters:` of a sweep file and checks every value against the hyperparameter
// of that name. A parameter with an error becomes a constant 0, so that its name can still be
// checked and referred to; with an error in the name, it gets the name that was most likely meant.
std::vector<Parameter> ParseParameters(const YamlEntry& entry, const ParameterContext& context,
                                       YamlReader* reader);

// Checks that need the networks: some network or the trainer uses each parameter, and each
// condition refers to existing names and not to itself.
void CheckParameters(const SweepSpec& spec, YamlReader* reader);

// Checks for an unknown network, which may have any names: reports names that look like a slip of a
// hyperparameter of the trainer.
void CheckLikelySlips(const SweepSpec& spec, YamlReader* reader);

// nullptr when the sweep has no such parameter.
const Parameter* FindParameter(const SweepSpec& spec, std::string_view name);

// All hyperparameter names that `when` and `constraints` may use: the built-in ones, those of the
// sweep and its networks, and "model".
std::vector<std::string> HyperparameterNames(const SweepSpec& spec);

}  // namespace sweep
