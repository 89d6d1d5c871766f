#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/trial/measures.h"

namespace sweep {

// A number of a trial that filters and orders name: one part of the summary of a measure.
struct MeasureField {
  enum class Part { kLast, kLow, kHigh };
  std::string measure;  // canonical
  Part part = Part::kLast;

  // Nullopt for a trial that has not reported it.
  std::optional<double> Of(const MeasureSummaries& summaries) const;
};

// Which way a measure is better: 1 up, -1 down, 0 neither or not said. `goals` tells it of those
// that are not predefined.
int MeasureDirection(std::string_view measure, const std::vector<Objective>& goals);

// "last.val/f1", "low.val/f1", "high.val/f1" and, of a measure with a better direction,
// "best.val/f1"; of predefined measures and aliases also "best_accuracy" and "last_loss". Nullopt
// for every other name.
std::optional<MeasureField> ParseMeasureField(std::string_view name,
                                              const std::vector<Objective>& goals);

// The names of the second kind, for listings: "best_accuracy", "last_accuracy", …
std::vector<std::string> PredefinedMeasureFields();

}  // namespace sweep
