// What varies between the trials of a sweep, and what is aimed at.

#include "common/spec/dimensions.h"

#include <algorithm>
#include <cmath>

#include "coordinator/views/view_context.h"

namespace sweep {
namespace {

// Numbers by size, as an axis has them; words as the file has them.
std::vector<Value> InOrder(std::vector<Value> values) {
  if (std::all_of(values.begin(), values.end(), IsNumber)) {
    std::stable_sort(values.begin(), values.end(),
                     [](const Value& a, const Value& b) { return AsDouble(a) < AsDouble(b); });
  }
  return values;
}

const char* KindOf(Dimension::Scale scale) {
  switch (scale) {
    case Dimension::Scale::kLinear:
      return "linear";
    case Dimension::Scale::kLog:
      return "log";
    case Dimension::Scale::kCategory:
      return "category";
  }
  return "";
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
  const SearchSpace space(&spec);
  for (const Dimension& dimension : space.dimensions()) {
    const Parameter& parameter = spec.parameters[dimension.parameter];
    dimensions.push_back({.name = parameter.name,
                          .kind = KindOf(dimension.scale),
                          .integer = dimension.whole,
                          .min = parameter.min,
                          .max = parameter.max,
                          .categories = InOrder(parameter.values),
                          .parameter = dimension.parameter});
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

namespace {

// What numbers of it are, for whoever shows them.
std::string UnitOf(const SweepSpec& spec, const std::string& name) {
  for (const DeclaredMeasure& declared : spec.measures) {
    if (declared.name == name) return declared.unit;
  }
  const Measure* const known = FindMeasure(name);
  switch (known == nullptr ? Measure::Unit::kNumber : known->unit) {
    case Measure::Unit::kNumber:
      return "";
    case Measure::Unit::kShare:
      return "share";
    case Measure::Unit::kSeconds:
      return "s";
    case Measure::Unit::kPerSecond:
      return "/s";
  }
  return "";
}

}  // namespace

Json MeasureJson(const SweepSpec& spec, std::string_view name) {
  const std::string canonical(CanonicalMeasure(name));
  return {{"name", canonical},
          {"title", std::string(MeasureTitle(name))},
          {"unit", UnitOf(spec, canonical)},
          {"direction", MeasureDirection(name, spec.Goals())}};
}

Json MeasuresJson(const SweepSpec& spec, const std::vector<std::string>& others) {
  std::vector<std::string> names = spec.JudgedMeasures();
  for (const std::string& name : others) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  Json measures = Json::array();
  for (const std::string& name : names) measures.push_back(MeasureJson(spec, name));
  return measures;
}

Json KnownMeasuresJson(const SweepSpec& spec) {
  std::vector<std::string> names;
  for (const DeclaredMeasure& declared : spec.measures) names.push_back(declared.name);
  for (const Measure& measure : PredefinedMeasures()) names.emplace_back(measure.name);
  return MeasuresJson(spec, names);
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
