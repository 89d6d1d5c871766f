#include "common/stats/measure_field.h"

#include <utility>

namespace sweep {
namespace {

using Part = MeasureField::Part;

}  // namespace

int MeasureDirection(std::string_view measure, const std::vector<Objective>& goals) {
  if (const Measure* const known = FindMeasure(measure)) return known->direction;
  for (const Objective& goal : goals) {
    if (goal.name == measure) return goal.maximize ? 1 : -1;
  }
  return 0;
}

std::optional<double> MeasureField::Of(const MeasureSummaries& summaries) const {
  const MeasureSummary* const summary = summaries.Find(measure);
  if (summary == nullptr) return std::nullopt;
  return part == Part::kLast ? summary->last : part == Part::kLow ? summary->low : summary->high;
}

std::optional<MeasureField> ParseMeasureField(std::string_view name,
                                              const std::vector<Objective>& goals) {
  static constexpr std::pair<std::string_view, Part> kParts[] = {
      {"last", Part::kLast}, {"low", Part::kLow}, {"high", Part::kHigh}, {"best", Part::kHigh}};
  for (const auto& [word, part] : kParts) {
    if (!name.starts_with(word) || name.size() < word.size() + 2) continue;
    const char separator = name[word.size()];
    const std::string_view measure = name.substr(word.size() + 1);
    const bool is_short = separator == '_' && FindMeasure(measure) != nullptr;
    if (!is_short && (separator != '.' || !IsMeasureName(measure))) continue;
    MeasureField field{.measure = std::string(CanonicalMeasure(measure)), .part = part};
    if (word == "best") {
      const int direction = MeasureDirection(measure, goals);
      if (direction == 0) return std::nullopt;
      field.part = direction > 0 ? Part::kHigh : Part::kLow;
    }
    return field;
  }
  return std::nullopt;
}

std::vector<std::string> PredefinedMeasureFields() {
  std::vector<std::string> names;
  for (const Measure& measure : PredefinedMeasures()) {
    const std::string name(measure.alias.empty() ? measure.name : measure.alias);
    if (measure.direction != 0) names.push_back("best_" + name);
    names.push_back("last_" + name);
  }
  return names;
}

}  // namespace sweep
