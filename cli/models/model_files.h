#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "cli/models/trained_model.h"

namespace sweep::cli {

// The texts that `sweep model` writes beside the weights. Pure.

// A PyTorch file that needs nothing else but torch: the layers one per line, reading of the
// weights, prediction, reading of PNG and IDX files.
std::string NetPy(const TrialModel& model);

// A network file (docs/network-file.md) with every number in place, and the trial's hyperparameters
// as its recipe.
std::string NetworkYaml(const TrialModel& model);

// What NetPy fills in: Python with @NAME@ where something of the trial goes.
std::string_view NetPyTemplate();

}  // namespace sweep::cli
