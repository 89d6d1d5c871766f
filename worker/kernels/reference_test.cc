#include "worker/kernels/testing/reference.h"

#include <gtest/gtest.h>

#include <functional>

#include "worker/kernels/testing/kernels_testing.h"

namespace sweep::kernels::reference {
namespace {

constexpr double kStep = 1e-5;
constexpr double kTolerance = 1e-7;
constexpr double kEpsilon = 1e-5;

double Dot(const Vector& a, const Vector& b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

// Compares `gradient` with finite differences of `f` over each of `values`.
void ExpectGradient(Vector* values, const Vector& gradient, const std::function<double()>& f) {
  ASSERT_EQ(values->size(), gradient.size());
  for (std::size_t i = 0; i < values->size(); ++i) {
    const double value = (*values)[i];
    (*values)[i] = value + kStep;
    const double above = f();
    (*values)[i] = value - kStep;
    const double below = f();
    (*values)[i] = value;
    ASSERT_NEAR((above - below) / (2 * kStep), gradient[i], kTolerance) << "element " << i;
  }
}

TEST(Reference, ConvolutionGradientsAreItsDerivatives) {
  Random random(1);
  for (const int kernel : {1, 3, 5}) {
    for (const int padding : {0, 1, 2}) {
      Tensor x = random.Normal(2, {3, 6, 5});
      Vector weights = random.Normal(std::size_t{2} * 3 * kernel * kernel);
      Vector bias = random.Normal(2);
      const auto forward = [&] { return Convolution(x, weights, bias, 2, kernel, padding); };
      const Tensor r = random.Normal(2, forward().shape);
      const auto f = [&] { return Dot(forward().values, r.values); };
      ExpectGradient(&x.values,
                     ConvolutionInputGradient(r, weights, x.shape, kernel, padding).values, f);
      ExpectGradient(&weights, ConvolutionWeightGradient(x, r, kernel, padding), f);
      ExpectGradient(&bias, ChannelSums(r), f);
    }
  }
}

TEST(Reference, BatchNormAndReluGradientsAreTheirDerivatives) {
  Random random(2);
  Tensor x = random.Normal(3, {2, 3, 4}, 1, 2);
  Vector gamma = random.Normal(2);
  Vector beta = random.Normal(2);
  const Tensor r = random.Normal(3, x.shape);
  const auto forward = [&] {
    return Relu(Normalize(x, ChannelStatistics(x), gamma, beta, kEpsilon));
  };
  const auto f = [&] { return Dot(forward().values, r.values); };
  const BatchNormGradients gradients =
      BatchNormGradient(x, gamma, ReluGradient(forward(), r), kEpsilon);
  ExpectGradient(&x.values, gradients.input.values, f);
  ExpectGradient(&gamma, gradients.gamma, f);
  ExpectGradient(&beta, gradients.beta, f);
}

TEST(Reference, PoolGradientsAreTheirDerivatives) {
  Random random(3);
  Tensor x = random.Normal(2, {2, 7, 6});
  for (const auto& [kernel, stride] : {std::pair{2, 2}, std::pair{3, 2}, std::pair{2, 3}}) {
    const Tensor r = random.Normal(2, MaxPool(x, kernel, stride).shape);
    ExpectGradient(&x.values, MaxPoolGradient(x, r, kernel, stride).values,
                   [&] { return Dot(MaxPool(x, kernel, stride).values, r.values); });
    ExpectGradient(&x.values, AveragePoolGradient(r, x.shape, kernel, stride).values,
                   [&] { return Dot(AveragePool(x, kernel, stride).values, r.values); });
  }
}

TEST(Reference, LossGradientIsItsDerivative) {
  Random random(4);
  Tensor outputs = random.Normal(5, {4, 1, 1}, 0, 3);
  const std::vector<std::uint8_t> labels = {0, 3, 3, 1, 2};
  for (const bool over_batch : {false, true}) {
    for (const double smoothing : {0.0, 0.1}) {
      ExpectGradient(&outputs.values, Loss(outputs, labels, smoothing, over_batch).gradient.values,
                     [&] { return Loss(outputs, labels, smoothing, over_batch).loss; });
    }
  }
}

}  // namespace
}  // namespace sweep::kernels::reference
