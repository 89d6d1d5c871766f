#include "common/spec/known_points.h"

#include <optional>
#include <set>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/spec/search_space.h"

namespace sweep {
namespace {

std::string ValueAt(const ParameterMap& values, const std::string& name) {
  const auto value = values.find(name);
  return value == values.end() ? "not set" : FormatValue(value->second);
}

// OK when both would be trained with the same hyperparameters.
absl::Status CheckSame(const ParameterMap& trained, const ParameterMap& here) {
  std::set<std::string> names;
  for (const auto& [name, value] : trained) names.insert(name);
  for (const auto& [name, value] : here) names.insert(name);
  for (const std::string& name : names) {
    const auto one = trained.find(name), other = here.find(name);
    if (one != trained.end() && other != here.end() && SameValue(one->second, other->second)) {
      continue;
    }
    return absl::InvalidArgumentError(
        absl::StrCat(name, " was ", ValueAt(trained, name), " and is ", ValueAt(here, name)));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ParameterMap> PointIn(const SweepSpec& spec, const ParameterMap& chosen,
                                     const ParameterMap& trained) {
  ParameterMap point;
  for (const Parameter& parameter : spec.parameters) {
    if (const auto value = chosen.find(parameter.name); value != chosen.end()) {
      point[parameter.name] = value->second;
    } else if (const auto base = trained.find(parameter.name); base != trained.end()) {
      point[parameter.name] = base->second;
    }
  }
  if (absl::Status whole = CheckWhole(spec, point); !whole.ok()) return whole;
  absl::StatusOr<ResolvedPoint> resolved = ResolvePoint(spec, point);
  if (!resolved.ok()) return resolved.status();
  point = std::move(resolved->parameters);  // without those that do not exist there
  for (const Parameter& parameter : spec.parameters) {
    const auto value = point.find(parameter.name);
    if (value == point.end()) continue;
    const std::optional<Value> own = parameter.OwnValue(value->second);
    if (!own) {
      return absl::InvalidArgumentError(
          absl::StrCat(parameter.name, " = ", FormatValue(value->second), " lies outside"));
    }
    value->second = *own;
  }
  if (absl::Status same = CheckSame(trained, resolved->resolved); !same.ok()) return same;
  return point;
}

}  // namespace sweep
