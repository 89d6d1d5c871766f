#pragma once

#include <cstddef>

#include "worker/kernels/operands.h"

namespace sweep::kernels {

// Convolutions of stride 1 with square filters. A linear layer is a 1×1 convolution of images of
// one pixel with channels · height · width channels; the memory is the same.
//
// The unit of work is a part of one block of images: unit = block · parts + part, where a part is a
// share of the block's row strips. Units are independent, write to separate memory and give the
// same result on any thread; SumUnits adds up their sums afterwards in the order of units. Each
// thread has scratch of its own.

struct ConvolutionShape {
  Shape input;
  int out_channels = 0;
  int kernel = 1;
  int padding = 0;

  Shape output() const {
    return {out_channels, input.height + 2 * padding - kernel + 1,
            input.width + 2 * padding - kernel + 1};
  }
  int taps() const { return kernel * kernel; }
  std::size_t weights() const {
    return static_cast<std::size_t>(out_channels) * input.channels * taps();
  }
};

// y = relu(conv(x) + bias), and the sums for BatchNorm's statistics of y.
struct ConvolutionForward {
  ConvolutionShape shape;
  int images = 0;
  int parts = 1;  // per block
  Source input;
  const float* weights = nullptr;  // as PackForwardWeights wrote them
  const float* bias = nullptr;     // [out_channels] or null
  bool relu = false;
  float* output = nullptr;
  // [unit][2][out_channels]: Σ (y - pivot) and Σ (y - pivot)² over the unit's real images. A pivot
  // near the mean, such as the running estimate, avoids cancellation in the variance.
  double* sums = nullptr;
  const float* pivot = nullptr;  // [out_channels], null: 0
};

// Gradients of weights and bias, and of the input unless input_gradient.gradient is null.
struct ConvolutionBackward {
  ConvolutionShape shape;
  int images = 0;
  int parts = 1;
  Source input;  // as in the forward pass
  GradientSource output_gradient;
  const float* weights = nullptr;  // as PackBackwardWeights wrote them
  GradientSink input_gradient;
  float* parameter_gradients = nullptr;  // [unit][weights in [out][in][ky][kx], then out biases]
};

constexpr int Units(int images, int parts) { return Blocks(images) * parts; }

// Floats that a thread's scratch must hold.
std::size_t ForwardScratch(const ConvolutionShape& shape);
std::size_t BackwardScratch(const ConvolutionShape& shape);

// Turns weights in [out][in][ky][kx] order into the form that the kernels read: `packed` holds
// PackedWeights(shape) floats.
std::size_t PackedWeights(const ConvolutionShape& shape);
void PackForwardWeights(const ConvolutionShape& shape, const float* weights, float* packed);
void PackBackwardWeights(const ConvolutionShape& shape, const float* weights, float* packed);

void RunUnit(const ConvolutionForward& work, int unit, float* scratch);
void RunUnit(const ConvolutionBackward& work, int unit, float* scratch);

// Adds up partial sums in the order of units, in double.
void SumUnits(const float* partial, int units, std::size_t count, float* sums);
void SumUnits(const double* partial, int units, std::size_t count, double* sums);

}  // namespace sweep::kernels
