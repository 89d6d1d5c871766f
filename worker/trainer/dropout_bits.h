#pragma once

#include <cstddef>
#include <cstdint>

#include "common/base/philox.h"

namespace sweep {

// Random draws for dropout that depend only on (seed, step, layer, element), so that every backend
// drops the same elements whatever its memory layout, and a resumed trial continues as if
// undisturbed. Philox4x32-10 with key DeriveKey(seed, "dropout") and counter {block low, block
// high, step, layer} gives the 16-bit draws of elements 8·block … 8·block + 7, the low half of word
// 0 first. An element is dropped when its draw is below p · 65536 rounded. Elements are numbered
// over the batch, channels last: ((image·H + y)·W + x)·C + c, for dropout2d image·C + c.

// The draws of one layer in one training step.
struct DropoutStream {
  std::uint64_t key = 0;    // DropoutKey(seed)
  std::uint32_t step = 0;   // training steps before this one, over all epochs
  std::uint32_t layer = 0;  // index in Network::layers
};

constexpr std::uint64_t DropoutKey(std::uint64_t seed) { return DeriveKey(seed, "dropout"); }

// p · 65536, rounded. Requires p in [0, 1).
constexpr std::uint32_t DropoutThreshold(double p) {
  return static_cast<std::uint32_t>(p * 65536.0 + 0.5);
}

// One element's draw, in [0, 65536): this is the definition, and slow.
inline std::uint32_t DropoutDraw(const DropoutStream& stream, std::uint64_t element) {
  const std::uint64_t block = element / 8;
  const PhiloxBlock words = Philox4x32(
      {static_cast<std::uint32_t>(block), static_cast<std::uint32_t>(block >> 32), stream.step,
       stream.layer},
      static_cast<std::uint32_t>(stream.key), static_cast<std::uint32_t>(stream.key >> 32));
  return (words[element % 8 / 2] >> (element % 2 * 16)) & 0xFFFFu;
}

// Writes the factors of elements [0, count): 0 where dropped, 1 / (1 - p) where kept. Requires p in
// [0, 1). Costs a fraction of a nanosecond per element.
void FillDropoutMask(const DropoutStream& stream, double p, std::size_t count, float* mask);

}  // namespace sweep
