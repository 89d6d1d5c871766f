#pragma once

#include <cstddef>
#include <cstdint>

#include "worker/kernels/operands.h"

namespace sweep::kernels {

// Square windows without padding; windows that do not fit are left out. Global average pooling is
// an average over a window as large as the image. The unit of work is a block of images.

struct PoolShape {
  Shape input;
  int kernel_height = 1;
  int kernel_width = 1;
  int stride = 1;

  Shape output() const {
    return {input.channels, (input.height - kernel_height) / stride + 1,
            (input.width - kernel_width) / stride + 1};
  }
};

// Takes the first of equal values, as PyTorch does.
struct MaxPoolForward {
  PoolShape shape;  // at most 256 pixels per window
  int images = 0;
  Source input;
  float* output = nullptr;
  std::uint8_t* chosen = nullptr;  // like the output: the index in its window; null: not kept
};

struct MaxPoolBackward {
  PoolShape shape;
  int images = 0;
  const float* output_gradient = nullptr;
  const std::uint8_t* chosen = nullptr;
  GradientSink input_gradient;
};

struct AveragePoolForward {
  PoolShape shape;
  int images = 0;
  Source input;
  float* output = nullptr;
};

struct AveragePoolBackward {
  PoolShape shape;
  int images = 0;
  const float* output_gradient = nullptr;
  GradientSink input_gradient;
};

// Floats that a thread's scratch must hold; forward passes need none.
std::size_t PoolBackwardScratch(const PoolShape& shape);

void RunUnit(const MaxPoolForward& work, int block);
void RunUnit(const MaxPoolBackward& work, int block, float* scratch);
void RunUnit(const AveragePoolForward& work, int block);
void RunUnit(const AveragePoolBackward& work, int block, float* scratch);

}  // namespace sweep::kernels
