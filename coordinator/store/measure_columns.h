#pragma once

#include <algorithm>
#include <array>
#include <string_view>

#include "common/trial/measures.h"

namespace sweep {

// The measures that have a column of the same name in epoch_reports. MeasureNames says where the
// others are stored.
inline constexpr std::array kMeasureColumns = {
    kTrainLoss,    kTrainAccuracy, kValidationLoss,  kValidationAccuracy,
    kLearningRate, kTrainSeconds,  kEvaluateSeconds, kImagesPerSecond};

inline bool HasColumn(std::string_view measure) {
  return std::find(kMeasureColumns.begin(), kMeasureColumns.end(), measure) !=
         kMeasureColumns.end();
}

}  // namespace sweep
