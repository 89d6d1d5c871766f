#pragma once

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace sweep {

// A sweep file made from another one: those of its keys that are in `kept`, each with its value as
// it is written there, then `added`, whose values are YAML in flow style. `text` must parse.
// FailedPrecondition when a kept key refers to an anchor in one that is not kept.
absl::StatusOr<std::string> WithKeptKeys(
    const std::string& text, const std::set<std::string>& kept,
    const std::vector<std::pair<std::string, std::string>>& added);

}  // namespace sweep
