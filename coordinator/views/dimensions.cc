// What varies between the trials of a sweep, and what is aimed at.

#include <algorithm>
#include <cmath>

#include "coordinator/views/view_context.h"

namespace sweep {
namespace {

bool IsWhole(double value) { return std::nearbyint(value) == value; }

// Numbers by size, as an axis has them; words as the file has them.
std::vector<Value> InOrder(std::vector<Value> values) {
  if (std::all_of(values.begin(), values.end(), IsNumber)) {
    std::stable_sort(values.begin(), values.end(),
                     [](const Value& a, const Value& b) { return AsDouble(a) < AsDouble(b); });
  }
  return values;
}

ViewDimension DimensionOf(const Parameter& parameter, std::size_t index) {
  ViewDimension dimension{.name = parameter.name, .kind = "linear", .parameter = index};
  switch (parameter.distribution) {
    case Distribution::kConstant:
    case Distribution::kCategorical:
      dimension.kind = "category";
      dimension.categories = InOrder(parameter.values);
      return dimension;
    case Distribution::kLogUniform:
    case Distribution::kQLogUniform:
      dimension.kind = "log";
      break;
    default:
      break;
  }
  const bool is_quantised = parameter.distribution == Distribution::kQUniform ||
                            parameter.distribution == Distribution::kQLogUniform;
  dimension.integer =
      parameter.distribution == Distribution::kIntUniform || (is_quantised && IsWhole(parameter.q));
  dimension.min = parameter.min;
  dimension.max = parameter.max;
  return dimension;
}

// The largest or smallest value that a gate permits, of whole numbers; nullopt where it is none.
std::optional<double> LastPermitted(const Gate& gate) {
  if (!IsNumber(gate.bound)) return std::nullopt;
  const double bound = AsDouble(gate.bound);
  if (gate.op == Gate::Op::kLess) return std::ceil(bound) - 1;
  if (gate.op == Gate::Op::kLessEqual) return std::floor(bound);
  if (gate.op == Gate::Op::kEqual) return bound;
  return std::nullopt;
}

}  // namespace

std::vector<ViewDimension> DimensionsOf(const SweepSpec& spec) {
  std::vector<ViewDimension> dimensions;
  for (std::size_t i = 0; i < spec.parameters.size(); ++i) {
    const Parameter& parameter = spec.parameters[i];
    const bool is_fixed =
        parameter.distribution == Distribution::kConstant || parameter.GridSize() == 1;
    if (!is_fixed) dimensions.push_back(DimensionOf(parameter, i));
  }
  return dimensions;
}

Json DimensionsJson(const SweepSpec& spec) {
  Json array = Json::array();
  for (const ViewDimension& dimension : DimensionsOf(spec)) {
    const bool is_number = dimension.kind != "category";
    Json categories = Json::array();
    for (const Value& value : dimension.categories) categories.push_back(ValueJson(value));
    array.push_back({{"name", dimension.name},
                     {"kind", dimension.kind},
                     {"integer", dimension.integer},
                     {"min", is_number ? NumberJson(dimension.min) : Json(nullptr)},
                     {"max", is_number ? NumberJson(dimension.max) : Json(nullptr)},
                     {"categories", categories}});
  }
  return array;
}

Json TargetJson(const SweepSpec& spec) {
  // Bounds by measure: lines in the plots of it.
  Json target = {{"measures", Json::object()}, {"epoch", nullptr}, {"parameters", nullptr}};
  for (const Gate& gate : spec.require) {
    const std::optional<double> last = LastPermitted(gate);
    if (IsMeasureGate(gate) && IsNumber(gate.bound)) {
      target["measures"][std::string(CanonicalMeasure(gate.name))] =
          NumberJson(AsDouble(gate.bound));
    } else if (gate.name == "epochs" && last) {
      target["epoch"] = static_cast<std::int64_t>(*last);
    } else if (gate.name == "parameters" && last) {
      target["parameters"] = static_cast<std::int64_t>(*last);
    }
  }
  return target;
}

}  // namespace sweep
