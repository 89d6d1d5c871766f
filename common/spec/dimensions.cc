#include "common/spec/dimensions.h"

#include <algorithm>
#include <cmath>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/spec/search_space.h"

namespace sweep {

bool IsMonotonic(const std::vector<Value>& values) {
  std::vector<double> numbers;
  for (const Value& value : values) {
    if (!IsNumber(value)) return false;
    numbers.push_back(AsDouble(value));
  }
  return std::is_sorted(numbers.begin(), numbers.end()) ||
         std::is_sorted(numbers.rbegin(), numbers.rend());
}

Dimension DimensionOf(const Parameter& parameter) {
  const bool steps_are_whole = parameter.q == std::round(parameter.q);
  switch (parameter.distribution) {
    case Distribution::kConstant:
    case Distribution::kCategorical:
      return {.scale = Dimension::Scale::kCategory,
              .ordered = parameter.probabilities.empty() &&
                         parameter.ordered.value_or(IsMonotonic(parameter.values))};
    case Distribution::kIntUniform:
      return {.scale = Dimension::Scale::kLinear, .whole = true};
    case Distribution::kUniform:
    case Distribution::kNormal:
      return {.scale = Dimension::Scale::kLinear};
    case Distribution::kQUniform:
    case Distribution::kQNormal:
      return {.scale = Dimension::Scale::kLinear, .whole = steps_are_whole};
    case Distribution::kLogUniform:
    case Distribution::kLogNormal:
      return {.scale = Dimension::Scale::kLog};
    case Distribution::kQLogUniform:
      return {.scale = Dimension::Scale::kLog, .whole = steps_are_whole};
    case Distribution::kQLogNormal: {
      const bool has_zero = AsDouble(parameter.Quantile(0)) == 0;
      return {.scale = has_zero ? Dimension::Scale::kLinear : Dimension::Scale::kLog,
              .whole = steps_are_whole};
    }
  }
  return {};
}

SearchSpace::SearchSpace(const SweepSpec* spec) : spec_(spec) {
  for (std::size_t i = 0; i < spec->parameters.size(); ++i) {
    if (spec->parameters[i].GridSize() == 1) continue;
    dimensions_.push_back(DimensionOf(spec->parameters[i]));
    dimensions_.back().parameter = i;
  }
}

absl::StatusOr<SearchSpace::Place> SearchSpace::Encode(const ParameterMap& point) const {
  const absl::StatusOr<ResolvedPoint> resolved = ResolvePoint(*spec_, point);
  if (!resolved.ok()) return resolved.status();
  if (absl::Status whole = CheckWhole(*spec_, resolved->parameters); !whole.ok()) return whole;
  for (const Parameter& parameter : spec_->parameters) {
    if (parameter.GridSize() != 1) continue;
    // A point of an earlier file may have another value.
    const auto value = resolved->parameters.find(parameter.name);
    if (value == resolved->parameters.end() || SameValue(value->second, parameter.GridValue(0))) {
      continue;
    }
    return absl::InvalidArgumentError(
        absl::StrCat("'", parameter.name, "' has no value ", FormatValue(value->second)));
  }
  Place place(dimensions_.size());
  for (std::size_t i = 0; i < dimensions_.size(); ++i) {
    const Parameter& parameter = axis(i);
    const auto value = resolved->parameters.find(parameter.name);
    if (value == resolved->parameters.end()) continue;  // it does not exist there
    place[i] = parameter.PlaceOf(value->second);
    if (!place[i]) {
      return absl::InvalidArgumentError(
          absl::StrCat("'", parameter.name, "' has no value ", FormatValue(value->second)));
    }
  }
  return place;
}

ParameterMap SearchSpace::Decode(std::span<const double> place) const {
  ParameterMap point;
  for (const Parameter& parameter : spec_->parameters) {
    if (parameter.GridSize() == 1) point[parameter.name] = parameter.GridValue(0);
  }
  for (std::size_t i = 0; i < dimensions_.size(); ++i) {
    point[axis(i).name] = axis(i).Quantile(place[i]);
  }
  return point;
}

}  // namespace sweep
