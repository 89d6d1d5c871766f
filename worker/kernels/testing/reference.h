#pragma once

#include <cstdint>
#include <vector>

#include "common/network/network.h"

namespace sweep::kernels::reference {

// Every operator as plain loops in double on [image][channel][y][x], as a reference for the tests
// of the kernels. Its gradients are tested by finite differences.

struct Tensor {
  Tensor() = default;
  Tensor(int count, const Shape& of)
      : images(count), shape(of), values(static_cast<std::size_t>(count * of.elements())) {}
  double& at(int image, int channel, int y, int x) { return values[Index(image, channel, y, x)]; }
  double at(int image, int channel, int y, int x) const {
    return values[Index(image, channel, y, x)];
  }
  // Zero beyond the image.
  double padded(int image, int channel, int y, int x) const {
    const bool inside = y >= 0 && y < shape.height && x >= 0 && x < shape.width;
    return inside ? at(image, channel, y, x) : 0;
  }
  std::size_t Index(int image, int channel, int y, int x) const {
    return static_cast<std::size_t>(
        ((std::int64_t{image} * shape.channels + channel) * shape.height + y) * shape.width + x);
  }

  int images = 0;
  Shape shape;
  std::vector<double> values;
};

using Vector = std::vector<double>;

// Filters are {out, in, kernel, kernel} as one vector; `bias` may be empty.
Tensor Convolution(const Tensor& x, const Vector& weights, const Vector& bias, int out_channels,
                   int kernel, int padding);
Tensor ConvolutionInputGradient(const Tensor& output_gradient, const Vector& weights,
                                const Shape& input, int kernel, int padding);
Vector ConvolutionWeightGradient(const Tensor& x, const Tensor& output_gradient, int kernel,
                                 int padding);
Vector ChannelSums(const Tensor& x);

Tensor Relu(const Tensor& x);
// `y` is the output of the ReLU.
Tensor ReluGradient(const Tensor& y, const Tensor& gradient);

struct Statistics {
  Vector mean;
  Vector variance;  // biased
};
Statistics ChannelStatistics(const Tensor& x);
Tensor Normalize(const Tensor& x, const Statistics& statistics, const Vector& gamma,
                 const Vector& beta, double epsilon);

struct BatchNormGradients {
  Tensor input;
  Vector gamma;
  Vector beta;
};
BatchNormGradients BatchNormGradient(const Tensor& x, const Vector& gamma, const Tensor& gradient,
                                     double epsilon);

// Element by element.
Tensor Multiply(const Tensor& a, const Tensor& b);

// No padding; windows that do not fit are left out. The first of equal values is taken.
Tensor MaxPool(const Tensor& x, int kernel, int stride);
Tensor MaxPoolGradient(const Tensor& x, const Tensor& gradient, int kernel, int stride);
Tensor AveragePool(const Tensor& x, int kernel, int stride);
Tensor AveragePoolGradient(const Tensor& gradient, const Shape& input, int kernel, int stride);

// The negative log-likelihood of a softmax over the classes, or over the batch, with label
// smoothing: its mean over the batch and its gradient.
struct LossResult {
  double loss = 0;
  Tensor gradient;
};
LossResult Loss(const Tensor& outputs, const std::vector<std::uint8_t>& labels, double smoothing,
                bool over_batch);

}  // namespace sweep::kernels::reference
