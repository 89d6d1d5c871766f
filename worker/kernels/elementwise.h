#pragma once

#include <cstddef>

#include "worker/kernels/operands.h"

namespace sweep::kernels {

// BatchNorm, ReLU and dropout on their own, for networks in which no neighbouring convolution or
// pool can apply them. The unit of work is a block of images.

// output = relu(x) of a Source, and the sums over the output for the statistics of a BatchNorm.
struct ElementwiseForward {
  Shape shape;
  int images = 0;
  Source input;
  bool relu = false;
  float* output = nullptr;  // null: only the sums
  // [block][2][channels], as in ConvolutionForward; null: none.
  double* sums = nullptr;
  const float* pivot = nullptr;
};

// Turns the gradient after the operators into the gradient before them. The sink's gradient may be
// the source's memory: each element is read before it is written.
struct ElementwiseBackward {
  Shape shape;
  int images = 0;
  GradientSource output_gradient;
  GradientSink input_gradient;
};

// Floats that a thread's scratch must hold.
std::size_t ElementwiseScratch(const Shape& shape);

void RunUnit(const ElementwiseForward& work, int block, float* scratch);
void RunUnit(const ElementwiseBackward& work, int block, float* scratch);

}  // namespace sweep::kernels
