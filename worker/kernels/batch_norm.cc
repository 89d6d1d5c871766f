#include "worker/kernels/batch_norm.h"

#include <algorithm>
#include <cmath>

namespace sweep::kernels {
namespace {

float Updated(float running, double value) {
  return static_cast<float>((1 - kBatchNormMomentum) * running + kBatchNormMomentum * value);
}

}  // namespace

void Compute(const BatchNormForward& work) {
  for (int c = 0; c < work.channels; ++c) {
    const double offset = work.sums[c] / work.count;  // of the mean from the pivot
    const double square = work.sums[work.channels + c] / work.count;
    const double variance = std::max(0.0, square - offset * offset);
    const double mean = offset + (work.pivot == nullptr ? 0.0 : work.pivot[c]);
    const double inverse = 1 / std::sqrt(variance + kBatchNormEpsilon);
    work.running_mean[c] = Updated(work.running_mean[c], mean);
    work.running_variance[c] =
        Updated(work.running_variance[c], variance * work.count / (work.count - 1));
    work.mean[c] = static_cast<float>(mean);
    work.inverse_stddev[c] = static_cast<float>(inverse);
    const double scale = work.gamma[c] * inverse;
    work.scale[c] = static_cast<float>(scale * work.keep_factor);
    work.shift[c] = static_cast<float>((work.beta[c] - mean * scale) * work.keep_factor);
  }
}

void Compute(const BatchNormInference& work) {
  for (int c = 0; c < work.channels; ++c) {
    const double inverse = 1 / std::sqrt(work.running_variance[c] + kBatchNormEpsilon);
    const double scale = work.gamma[c] * inverse;
    work.scale[c] = static_cast<float>(scale);
    work.shift[c] = static_cast<float>(work.beta[c] - work.running_mean[c] * scale);
  }
}

// With g the gradient after BatchNorm, x its input and n values per channel,
//   dx = γ/σ · (g - Σg/n - (x - μ)/σ² · Σ g(x - μ)/n)
// (Ioffe and Szegedy, "Batch normalization", 2015), sorted by g, x and the constant terms.
void Compute(const BatchNormBackward& work) {
  for (int c = 0; c < work.channels; ++c) {
    const double inverse = work.inverse_stddev[c];
    const double sum = work.sums[c];
    const double product = work.sums[work.channels + c];
    const double scale = work.gamma[c] * inverse;
    const double slope = -scale * inverse * inverse * product / work.count;
    work.beta_gradient[c] = static_cast<float>(sum);
    work.gamma_gradient[c] = static_cast<float>(product * inverse);
    work.scale[c] = static_cast<float>(scale);
    work.slope[c] = static_cast<float>(slope);
    work.offset[c] = static_cast<float>(-scale * sum / work.count - slope * work.mean[c]);
  }
}

}  // namespace sweep::kernels
