#pragma once

#include "worker/kernels/layout.h"

namespace sweep::kernels {

// BatchNorm between its passes over the activations: turns the sums that the operators before it
// formed into factors that the operators after it apply on load. Arithmetic per channel, in double;
// numerics as PyTorch's: the biased variance normalises, the unbiased one updates the running
// estimate.

inline constexpr double kBatchNormEpsilon = 1e-5;
inline constexpr double kBatchNormMomentum = 0.1;

// All arrays are [channels].
struct BatchNormForward {
  int channels = 0;
  double count = 0;              // values per channel: images · height · width, above 1
  const double* sums = nullptr;  // [2][channels]: Σ (y - pivot) and Σ (y - pivot)²
  const float* pivot = nullptr;  // null: 0
  const float* gamma = nullptr;
  const float* beta = nullptr;
  float keep_factor = 1;          // 1 / (1 - p) of a dropout that follows
  float* running_mean = nullptr;  // may be the pivot
  float* running_variance = nullptr;
  float* mean = nullptr;  // for the backward pass, with inverse_stddev
  float* inverse_stddev = nullptr;
  float* scale = nullptr;  // of the Source that applies it, with shift
  float* shift = nullptr;
};
void Compute(const BatchNormForward& work);

// Scale and shift from the running estimates.
struct BatchNormInference {
  int channels = 0;
  const float* gamma = nullptr;
  const float* beta = nullptr;
  const float* running_mean = nullptr;
  const float* running_variance = nullptr;
  float* scale = nullptr;
  float* shift = nullptr;
};
void Compute(const BatchNormInference& work);

struct BatchNormBackward {
  int channels = 0;
  double count = 0;
  const double* sums = nullptr;  // [2][channels] of the GradientSink after it
  const float* gamma = nullptr;
  const float* mean = nullptr;
  const float* inverse_stddev = nullptr;
  float* gamma_gradient = nullptr;
  float* beta_gradient = nullptr;
  float* scale = nullptr;  // of the GradientSource before it, with slope and offset
  float* slope = nullptr;
  float* offset = nullptr;
};
void Compute(const BatchNormBackward& work);

}  // namespace sweep::kernels
