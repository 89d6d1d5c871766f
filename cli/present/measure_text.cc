#include "cli/present/measure_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "absl/strings/ascii.h"
#include "cli/present/cells.h"
#include "cli/present/text.h"
#include "proto/epochs.h"

namespace sweep::cli {
namespace {

using Unit = Measure::Unit;

// How tables of epochs and single lines show the predefined measures.
struct Shown {
  std::string_view measure;
  std::string_view label;
  int drop = 0;  // as Listing::Column
  bool in_line = true;
};
constexpr Shown kShown[] = {{kTrainLoss, "train loss"},
                            {kTrainAccuracy, "train acc"},
                            {kValidationLoss, "val loss"},
                            {kValidationAccuracy, "val acc"},
                            {kLearningRate, "lr", 1, false},
                            {kTrainSeconds, "seconds", 2, false},
                            {kEvaluateSeconds, "eval seconds", 4, false},
                            {kImagesPerSecond, "images/s"}};

Shown ShownAs(std::string_view measure) {
  for (const Shown& shown : kShown) {
    if (shown.measure == measure) return shown;
  }
  return {measure, MeasureTitle(measure)};
}

Unit UnitOf(std::string_view measure) {
  const Measure* const known = FindMeasure(measure);
  return known == nullptr ? Unit::kNumber : known->unit;
}

std::string Title(std::string_view measure, std::string_view label) {
  return FindMeasure(measure) == nullptr ? std::string(measure)
                                         : absl::AsciiStrToUpper(std::string(label));
}

Json NumberJson(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

}  // namespace

std::vector<Objective> ObjectivesOf(const v1::Sweep& sweep) {
  std::vector<Objective> objectives;
  for (const v1::Objective& objective : sweep.objectives()) {
    objectives.push_back({.name = objective.name(), .maximize = objective.maximize()});
  }
  if (objectives.empty()) {
    objectives.push_back({.name = sweep.metric(), .maximize = sweep.maximize()});
  }
  return objectives;
}

std::optional<double> LastOf(const v1::Trial& trial, std::string_view measure) {
  const auto found = trial.measures().find(std::string(CanonicalMeasure(measure)));
  if (found == trial.measures().end()) return std::nullopt;
  return found->second.last();
}

std::optional<double> BestOf(const v1::Trial& trial, const Objective& objective) {
  const auto found = trial.measures().find(std::string(CanonicalMeasure(objective.name)));
  if (found == trial.measures().end()) return std::nullopt;
  return objective.maximize ? found->second.high() : found->second.low();
}

Measurements ValuesOf(const v1::RankedConfiguration& row) {
  Measurements values;
  for (const auto& [name, value] : row.values()) values.Set(name, value);
  return values;
}

std::vector<std::string> ReportedMeasures(const std::vector<EpochMetrics>& epochs) {
  std::set<std::string> reported;
  for (const EpochMetrics& epoch : epochs) {
    for (const auto& [name, value] : epoch.values) reported.insert(name);
  }
  std::vector<std::string> names;
  for (const Measure& measure : PredefinedMeasures()) {
    if (reported.erase(std::string(measure.name)) > 0) names.emplace_back(measure.name);
  }
  names.insert(names.end(), reported.begin(), reported.end());
  return names;
}

std::string MeasureText(std::string_view measure, std::optional<double> value) {
  if (!value) return cells::Missing().text;
  if (std::isnan(*value)) return "NaN";
  if (!std::isfinite(*value)) return *value > 0 ? "inf" : "-inf";
  switch (UnitOf(measure)) {
    case Unit::kShare:
      return Percent(*value);
    case Unit::kSeconds:
      return fmt::format("{:.1f}", *value);
    case Unit::kPerSecond:
      return ShortNumber(std::round(*value));
    case Unit::kNumber:
      break;
  }
  return ShortNumber(*value);
}

std::string NamedMeasureText(std::string_view measure, std::optional<double> value) {
  const std::string text = MeasureText(measure, value);
  if (CanonicalMeasure(measure) == kValidationAccuracy) return text;
  return fmt::format("{} {}", MeasureTitle(measure), text);
}

std::string IntervalText(std::string_view measure, double low, double high) {
  if (UnitOf(measure) == Unit::kShare) return fmt::format("{:.2f}–{:.2f}", low * 100, high * 100);
  return fmt::format("{}–{}", MeasureText(measure, low), MeasureText(measure, high));
}

std::string DistanceText(std::string_view measure, double distance) {
  if (UnitOf(measure) == Unit::kShare) return fmt::format("{:.2f} pt", distance * 100);
  return ShortNumber(distance);
}

std::string EpochText(const EpochMetrics& epoch) {
  std::string text;
  for (const std::string& name : ReportedMeasures({epoch})) {
    const Shown shown = ShownAs(name);
    if (!shown.in_line) continue;
    const std::string value = MeasureText(name, epoch.values.Get(name));
    const bool is_rate = UnitOf(name) == Unit::kPerSecond;
    text += fmt::format("{}{} {}", text.empty() ? "" : "  ", is_rate ? value : shown.label,
                        is_rate ? shown.label : value);
  }
  return text;
}

Cell MeasureCell(std::string_view measure, std::optional<double> value) {
  return {MeasureText(measure, value), value ? NumberJson(*value) : Json(nullptr)};
}

std::string MeasureColumn(std::string_view measure) {
  return Title(measure, MeasureTitle(measure));
}

void AddMeasureColumns(const std::vector<EpochMetrics>& epochs, Listing* listing) {
  for (const std::string& name : ReportedMeasures(epochs)) {
    const Shown shown = ShownAs(name);
    listing->columns.push_back({Title(name, shown.label), "", true, true, false, shown.drop});
    for (std::size_t i = 0; i < epochs.size(); ++i) {
      listing->rows[i].push_back(MeasureCell(name, epochs[i].values.Get(name)));
    }
  }
}

Json ValuesJson(const Measurements& values) {
  Json object = Json::object();
  for (const auto& [name, value] : values) object[name] = NumberJson(value);
  return object;
}

}  // namespace sweep::cli
