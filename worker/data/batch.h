#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "worker/data/dataset.h"

namespace sweep {

// From images in memory to batches: order, hold-out, augmentation, normalisation. Every draw comes
// from Philox and depends only on the seed and the place (epoch, position), so a resumed trial sees
// the same batches as an undisturbed one. All functions may be called from any thread. No libtorch
// here.

// The training images' order in an epoch (1-based): a Fisher–Yates permutation of 0 … count - 1
// keyed by (seed, "shuffle"), stream `epoch`. Requires count >= 0.
std::vector<std::int32_t> EpochOrder(int count, std::uint64_t seed, int epoch);

struct Split {
  std::vector<std::int32_t> train;    // ascending
  std::vector<std::int32_t> holdout;  // ascending
};

// Sets `holdout` of the `count` images apart, chosen uniformly by (seed, "holdout"). Throws
// DataError unless 0 <= holdout < count.
Split HoldoutSplit(int count, int holdout, std::uint64_t seed);

// Random displacement of training images. With both parts an image is rotated about its centre,
// then shifted, in one resampling. Pixels from outside the image are background.
struct Augmentation {
  int shift_pixels = 0;         // whole pixels, uniform in [-n, n] in each direction; 0: no shift
  double rotation_degrees = 0;  // uniform in [-d, d], bilinear; 0: no rotation

  bool none() const { return shift_pixels == 0 && rotation_degrees == 0; }
};

// `kind` is TrialSpec::augmentation: none | shift | rotation | shift_rotation. Parts that it does
// not name are off. Throws DataError for another kind and for a size that is negative or not
// finite.
Augmentation MakeAugmentation(std::string_view kind, int shift_pixels, double rotation_degrees);

// How FillBatch turns pixels into inputs.
struct BatchOptions {
  Augmentation augmentation;  // leave empty for evaluation
  std::uint64_t seed = 1;     // seed, epoch and position fix the augmentation of an image
  int epoch = 1;
  int first_position = 0;  // place within the epoch's order of indices[0]
  double mean = 0.1307;    // of pixel / 255
  double stddev = 0.3081;  // must not be 0
};

// Writes the images `indices` of `set` as (pixel / 255 - mean) / stddev into `out`, row-major
// [indices.size()][height][width]. Splitting an epoch into other batches gives the same floats.
// Requires 0 <= index < set.count for every index.
void FillBatch(const ImageSet& set, std::span<const std::int32_t> indices,
               const BatchOptions& options, float* out);

}  // namespace sweep
