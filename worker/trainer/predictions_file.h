#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "common/tensors/safetensors.h"
#include "worker/data/dataset.h"

namespace sweep {

// The tensors of a trial's "predictions" file: enough for a confusion matrix and a look at the
// mistakes, for a reader without the data set. `indices` are the evaluated images of `set` in the
// order of evaluation, and `predictions` has one class for each.
//
//   predictions U8 [n]                            classes as predicted
//   labels      U8 [n]                            as the data set has them
//   mistakes    I64 [m]                           where they differ: positions in the two above,
//                                                 ascending; the first kMostPictures at most
//   images      U8 [m, channels, height, width]   the pixels of those, 0 = background
//
// The pictures take kMostPictureBytes at most; m is smaller, down to 0, when they are large.
inline constexpr std::size_t kMostPictures = 128;
inline constexpr std::size_t kMostPictureBytes = 256 * 1024;

// Requires as many predictions as indices, and indices within `set`.
std::vector<SafeTensor> PredictionTensors(const ImageSet& set,
                                          std::span<const std::int32_t> indices,
                                          const std::string& predictions);

}  // namespace sweep
