#include "worker/kernels/layout.h"

#include <algorithm>

namespace sweep::kernels {

void PackImages(const float* images, int count, const Shape& shape, float* blocks) {
  const auto elements = static_cast<std::size_t>(shape.elements());
  for (int block = 0; block < Blocks(count); ++block) {
    const int lanes = LanesIn(count, block);
    for (std::size_t e = 0; e < elements; ++e) {
      float* pixel = blocks + e * kLanes;
      for (int lane = 0; lane < lanes; ++lane) pixel[lane] = images[lane * elements + e];
      std::fill(pixel + lanes, pixel + kLanes, 0.0f);
    }
    images += kLanes * elements;
    blocks += kLanes * elements;
  }
}

void UnpackImages(const float* blocks, int count, const Shape& shape, float* images) {
  const auto elements = static_cast<std::size_t>(shape.elements());
  for (int image = 0; image < count; ++image) {
    const float* block = blocks + BlockElements(shape) * static_cast<std::size_t>(image / kLanes);
    for (std::size_t e = 0; e < elements; ++e) {
      images[image * elements + e] = block[e * kLanes + image % kLanes];
    }
  }
}

}  // namespace sweep::kernels
