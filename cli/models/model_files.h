#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "cli/models/trained_model.h"

namespace sweep::cli {

// The texts that `sweep model` writes with the weights. Pure.

// A PyTorch file that needs only torch: the layers one per line, and code that reads the weights,
// predicts, and reads PNG and IDX files.
std::string NetPy(const TrialModel& model);

// A network file (docs/network-file.md) with all numbers resolved and the trial's hyperparameters
// as its recipe.
std::string NetworkYaml(const TrialModel& model);

// The template of NetPy: Python with @NAME@ as placeholders for the trial's values.
std::string_view NetPyTemplate();

}  // namespace sweep::cli
