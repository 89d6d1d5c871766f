#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/value.h"
#include "common/network/network_file.h"

namespace sweep::cli {

// Parses the values of `--set NAME=VALUE` as a sweep file reads scalars (true, 12, 0.05, cosine,
// "yes" in quotes for the text). InvalidArgument, naming the text, for a missing name or value, a
// repeated name, and values that a sweep file refuses. Adds a sweep file's warnings to `warnings`.
absl::StatusOr<ParameterMap> ParseSettings(const std::vector<std::string>& settings,
                                           std::vector<std::string>* warnings);

// The hyperparameter names of a network file, sorted: those that it defines and those that its
// layers refer to.
std::vector<std::string> NetworkParameterNames(const NetworkFile& file);

// InvalidArgument, with the nearest right name, for a name in `settings` that is not in `allowed`.
// `owner` says whose names those are: "network widths".
absl::Status CheckSettingNames(const ParameterMap& settings,
                               const std::vector<std::string>& allowed, const std::string& owner);

// The values that apply by default: the file's defaults, overridden by the recipe `seed`, else the
// first recipe.
ParameterMap RecipeValues(const NetworkFile& file);

}  // namespace sweep::cli
