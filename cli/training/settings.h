#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/value.h"
#include "common/network/network_file.h"

namespace sweep::cli {

// The values of `--set NAME=VALUE`, read as a sweep file reads scalars (true, 12, 0.05, cosine,
// "yes" in quotes for the text). InvalidArgument naming the text for one without a name or a value,
// for a name given twice and for what a sweep file refuses; what it warns of is added to
// `warnings`.
absl::StatusOr<ParameterMap> ParseSettings(const std::vector<std::string>& settings,
                                           std::vector<std::string>* warnings);

// The hyperparameters that a network file has names for, sorted: its own and those that its layers
// refer to.
std::vector<std::string> NetworkParameterNames(const NetworkFile& file);

// InvalidArgument, with the nearest right one, for a name in `settings` that is not in `allowed`.
// `owner` says whose names those are: "network widths".
absl::Status CheckSettingNames(const ParameterMap& settings,
                               const std::vector<std::string>& allowed, const std::string& owner);

// What holds for a network when nothing else is said: the file's defaults, over them the recipe
// `seed`, else the first one.
ParameterMap RecipeValues(const NetworkFile& file);

}  // namespace sweep::cli
