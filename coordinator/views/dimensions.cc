// The search space and the targets of a sweep.

#include "common/spec/dimensions.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "coordinator/views/view_context.h"

namespace sweep {
namespace {

// Sorts numbers, for an axis; keeps words, and what the file calls ordered, in its order.
std::vector<Value> InOrder(const Parameter& parameter) {
  std::vector<Value> values = parameter.values;
  if (parameter.ordered != true && std::all_of(values.begin(), values.end(), IsNumber)) {
    std::stable_sort(values.begin(), values.end(),
                     [](const Value& a, const Value& b) { return AsDouble(a) < AsDouble(b); });
  }
  return values;
}

documents::Dimension::Kind KindOf(Dimension::Scale scale) {
  switch (scale) {
    case Dimension::Scale::kLinear:
      return documents::Dimension::KIND_LINEAR;
    case Dimension::Scale::kLog:
      return documents::Dimension::KIND_LOG;
    case Dimension::Scale::kCategory:
      return documents::Dimension::KIND_CATEGORY;
  }
  return documents::Dimension::KIND_CATEGORY;
}

// The last whole number that a gate permits; nullopt when its bound is not a number.
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
    const Parameter::Range range = parameter.ShownRange();
    dimensions.push_back({.name = parameter.name,
                          .kind = KindOf(dimension.scale),
                          .integer = dimension.whole,
                          .min = range.low,
                          .max = range.high,
                          .categories = InOrder(parameter),
                          .parameter = dimension.parameter});
  }
  return dimensions;
}

Repeated<documents::Dimension> DescribeDimensions(const SweepSpec& spec) {
  Repeated<documents::Dimension> dimensions;
  for (const ViewDimension& dimension : DimensionsOf(spec)) {
    documents::Dimension* const made = dimensions.Add();
    made->set_name(dimension.name);
    made->set_kind(dimension.kind);
    made->set_integer(dimension.integer);
    if (dimension.kind != documents::Dimension::KIND_CATEGORY) {
      made->set_min(dimension.min);
      made->set_max(dimension.max);
    }
    for (const Value& value : dimension.categories) *made->add_categories() = DocumentValue(value);
  }
  return dimensions;
}

namespace {

// The unit of a measure's values.
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

documents::Measure DescribeMeasure(const SweepSpec& spec, std::string_view name) {
  documents::Measure made;
  made.set_name(std::string(CanonicalMeasure(name)));
  made.set_title(std::string(MeasureTitle(name)));
  made.set_unit(UnitOf(spec, made.name()));
  made.set_direction(MeasureDirection(name, spec.Goals()));
  return made;
}

Repeated<documents::Measure> DescribeMeasures(const SweepSpec& spec,
                                              const std::vector<std::string>& others) {
  std::vector<std::string> names = spec.JudgedMeasures();
  for (const std::string& name : others) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  Repeated<documents::Measure> measures;
  for (const std::string& name : names) *measures.Add() = DescribeMeasure(spec, name);
  return measures;
}

Repeated<documents::Measure> KnownMeasures(const SweepSpec& spec) {
  std::vector<std::string> names;
  for (const DeclaredMeasure& declared : spec.measures) names.push_back(declared.name);
  for (const Measure& measure : PredefinedMeasures()) names.emplace_back(measure.name);
  return DescribeMeasures(spec, names);
}

documents::Target TargetOf(const SweepSpec& spec) {
  documents::Target target;
  std::map<std::string, double> bounds;  // by measure, drawn as lines in plots
  for (const Gate& gate : spec.require) {
    const std::optional<double> last = LastPermitted(gate);
    if (IsMeasureGate(gate) && IsNumber(gate.bound)) {
      bounds[std::string(CanonicalMeasure(gate.name))] = AsDouble(gate.bound);
    } else if (gate.name == "epochs" && last) {
      target.set_epoch(static_cast<std::int64_t>(*last));
    } else if (gate.name == "parameters" && last) {
      target.set_parameters(static_cast<std::int64_t>(*last));
    }
  }
  for (const auto& [name, bound] : bounds) {
    documents::NamedNumber* const named = target.add_measures();
    named->set_name(name);
    named->set_number(bound);
  }
  return target;
}

}  // namespace sweep
