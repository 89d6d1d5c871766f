#include "worker/data/batch.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <numeric>
#include <string>

#include "common/base/philox.h"

namespace sweep {
namespace {

// (pixel / 255 - mean) / stddev as pixel * scale + offset. Both paths of FillBatch use this
// formula, so that a rotation by 0 degrees gives exactly the floats of no rotation.
struct Normalizer {
  double scale;
  double offset;
  Normalizer(double mean, double stddev) : scale(1 / (255 * stddev)), offset(-mean / stddev) {}
  float operator()(double pixel) const { return static_cast<float>(pixel * scale + offset); }
};

struct Displacement {
  int dx = 0;  // to the right
  int dy = 0;  // downwards
  double radians = 0;
};

// Always three draws in a fixed order, so that "shift" and "shift_rotation" shift alike under one
// seed.
Displacement Draw(const BatchOptions& options, std::uint64_t key, std::size_t offset) {
  const std::uint64_t position = static_cast<std::uint32_t>(options.first_position + offset);
  PhiloxStream random(key,
                      (std::uint64_t{static_cast<std::uint32_t>(options.epoch)} << 32) | position);
  const Augmentation& augmentation = options.augmentation;
  const auto shift = [&] {
    const auto range = static_cast<std::uint32_t>(2 * augmentation.shift_pixels + 1);
    return static_cast<int>(random.NextBelow(range)) - augmentation.shift_pixels;
  };
  Displacement drawn;
  drawn.dx = shift();
  drawn.dy = shift();
  drawn.radians =
      (2 * random.NextUniform() - 1) * augmentation.rotation_degrees * (std::numbers::pi / 180);
  return drawn;
}

void FillShifted(const std::uint8_t* image, int height, int width, const Displacement& move,
                 const std::array<float, 256>& table, float* out) {
  for (int y = 0; y < height; ++y) {
    const int source_y = y - move.dy;
    for (int x = 0; x < width; ++x) {
      const int source_x = x - move.dx;
      const bool inside = source_y >= 0 && source_y < height && source_x >= 0 && source_x < width;
      *out++ = table[inside ? image[source_y * width + source_x] : 0];
    }
  }
}

// Copies the image with one pixel of background around it, so that a bilinear read anywhere in [-1,
// width] × [-1, height] needs no test of bounds.
void CopyWithBorder(const std::uint8_t* image, int height, int width, std::vector<float>* padded) {
  padded->assign(static_cast<std::size_t>(height + 3) * (width + 3), 0.0f);
  for (int y = 0; y < height; ++y) {
    std::copy_n(image + y * width, width, padded->data() + (y + 1) * (width + 3) + 1);
  }
}

void FillRotated(const std::vector<float>& padded, int height, int width, const Displacement& move,
                 const Normalizer& normalize, float* out) {
  const double center_x = (width - 1) / 2.0;
  const double center_y = (height - 1) / 2.0;
  const double cosine = std::cos(move.radians);
  const double sine = std::sin(move.radians);
  const int stride = width + 3;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      // The source of this pixel: the inverse displacement of its place.
      const double from_x = x - move.dx - center_x;
      const double from_y = y - move.dy - center_y;
      const double source_x =
          std::clamp(cosine * from_x + sine * from_y + center_x, -1.0, double(width));
      const double source_y =
          std::clamp(cosine * from_y - sine * from_x + center_y, -1.0, double(height));
      // Both are at least -1, so truncation after adding 1 is the floor.
      const int left = static_cast<int>(source_x + 1);
      const int top = static_cast<int>(source_y + 1);
      const double right_share = source_x + 1 - left;
      const double bottom_share = source_y + 1 - top;
      const float* p = padded.data() + top * stride + left;
      const double upper = p[0] + right_share * (p[1] - p[0]);
      const double lower = p[stride] + right_share * (p[stride + 1] - p[stride]);
      *out++ = normalize(upper + bottom_share * (lower - upper));
    }
  }
}

}  // namespace

std::vector<std::int32_t> EpochOrder(int count, std::uint64_t seed, int epoch) {
  std::vector<std::int32_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  PhiloxStream random(DeriveKey(seed, "shuffle"), static_cast<std::uint32_t>(epoch));
  for (int i = count - 1; i > 0; --i) {
    std::swap(order[i], order[random.NextBelow(static_cast<std::uint32_t>(i) + 1)]);
  }
  return order;
}

Split HoldoutSplit(int count, int holdout, std::uint64_t seed) {
  if (holdout < 0 || holdout >= count) {
    throw DataError("holdout is " + std::to_string(holdout) + "; with " + std::to_string(count) +
                    " training images it must be at least 0 and below that");
  }
  std::vector<std::int32_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  PhiloxStream random(DeriveKey(seed, "holdout"), 0);
  for (int i = 0; i < holdout; ++i) {
    const auto remaining = static_cast<std::uint32_t>(count - i);
    std::swap(order[i], order[i + static_cast<int>(random.NextBelow(remaining))]);
  }
  const auto boundary = order.begin() + holdout;
  std::sort(order.begin(), boundary);
  std::sort(boundary, order.end());
  return {.train = {boundary, order.end()}, .holdout = {order.begin(), boundary}};
}

Augmentation MakeAugmentation(std::string_view kind, int shift_pixels, double rotation_degrees) {
  const bool shift = kind == "shift" || kind == "shift_rotation";
  const bool rotation = kind == "rotation" || kind == "shift_rotation";
  if (!shift && !rotation && kind != "none") {
    throw DataError("augmentation '" + std::string(kind) +
                    "' is unknown; it is none, shift, rotation or shift_rotation");
  }
  // The bound keeps 2 n + 1 far from overflow; no image is larger.
  constexpr int kMaxShift = 1 << 20;
  if (shift && (shift_pixels < 0 || shift_pixels > kMaxShift)) {
    throw DataError("shift_pixels is " + std::to_string(shift_pixels) +
                    "; it must be between 0 and " + std::to_string(kMaxShift));
  }
  if (rotation && !(rotation_degrees >= 0 && rotation_degrees <= 360)) {
    throw DataError("rotation_degrees is " + std::to_string(rotation_degrees) +
                    "; it must be between 0 and 360");
  }
  return {.shift_pixels = shift ? shift_pixels : 0,
          .rotation_degrees = rotation ? rotation_degrees : 0};
}

void FillBatch(const ImageSet& set, std::span<const std::int32_t> indices,
               const BatchOptions& options, float* out) {
  const Normalizer normalize(options.mean, options.stddev);
  std::array<float, 256> table;
  for (int value = 0; value < 256; ++value) table[value] = normalize(value);

  const std::size_t image_size = static_cast<std::size_t>(set.height) * set.width;
  const std::uint64_t key = DeriveKey(options.seed, "augment");
  std::vector<float> padded;
  for (std::size_t i = 0; i < indices.size(); ++i, out += image_size) {
    const std::uint8_t* image = set.pixels.data() + indices[i] * image_size;
    if (options.augmentation.none()) {
      std::transform(image, image + image_size, out, [&](std::uint8_t p) { return table[p]; });
      continue;
    }
    const Displacement move = Draw(options, key, i);
    if (options.augmentation.rotation_degrees == 0) {
      FillShifted(image, set.height, set.width, move, table, out);
    } else {
      CopyWithBorder(image, set.height, set.width, &padded);
      FillRotated(padded, set.height, set.width, move, normalize, out);
    }
  }
}

}  // namespace sweep
