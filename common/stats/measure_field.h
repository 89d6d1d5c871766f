#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/trial/measures.h"

namespace sweep {

// A number of a trial that filters and orders refer to: one part of a measure's summary.
struct MeasureField {
  enum class Part { kLast, kLow, kHigh };
  std::string measure;  // canonical
  Part part = Part::kLast;

  // nullopt when the trial has not reported the measure.
  std::optional<double> Of(const MeasureSummaries& summaries) const;
};

// The better direction of a measure: 1 up, -1 down, 0 neither or unknown. `goals` gives it for
// measures that are not predefined.
int MeasureDirection(std::string_view measure, const std::vector<Objective>& goals);

// Parses "last.val/f1", "low.val/f1", "high.val/f1" and, for a measure with a better direction,
// "best.val/f1"; for predefined measures and aliases also "best_accuracy" and "last_loss". nullopt
// for every other name.
std::optional<MeasureField> ParseMeasureField(std::string_view name,
                                              const std::vector<Objective>& goals);

// The names such as "best_accuracy" and "last_accuracy", for listings.
std::vector<std::string> PredefinedMeasureFields();

}  // namespace sweep
