// Compares the operators other than convolutions with the reference.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "worker/kernels/batch_norm.h"
#include "worker/kernels/convolution.h"
#include "worker/kernels/elementwise.h"
#include "worker/kernels/loss.h"
#include "worker/kernels/pooling.h"
#include "worker/kernels/sgd.h"
#include "worker/kernels/testing/kernels_testing.h"
#include "worker/kernels/testing/reference.h"

namespace sweep::kernels {
namespace {

using reference::Tensor;
using reference::Vector;

constexpr double kSameSums = 1e-6;

Shape RandomShape(Random* random) {
  return {random->Int(1, 40), random->Int(3, 30), random->Int(3, 30)};
}

// At most about 100,000 elements, so that the test stays quick.
int RandomImages(const Shape& shape, Random* random) {
  return std::min(random->Int(1, 130), 1 + static_cast<int>(100'000 / shape.elements()));
}

Tensor Scaled(Tensor tensor, double factor) {
  for (double& value : tensor.values) value *= factor;
  return tensor;
}

struct BatchNormBuffers {
  explicit BatchNormBuffers(int channels)
      : running_mean(channels),
        running_variance(channels),
        mean(channels),
        inverse_stddev(channels),
        scale(channels),
        shift(channels),
        slope(channels),
        offset(channels),
        gamma_gradient(channels),
        beta_gradient(channels) {
    std::fill_n(running_variance.data(), channels, 1.0f);
  }
  AlignedBuffer<float> running_mean, running_variance, mean, inverse_stddev, scale, shift, slope,
      offset, gamma_gradient, beta_gradient;
};

struct BatchNormCase {
  Tensor x, mask, output_gradient;
  Vector gamma, beta;
};

// Checks BatchNorm with an element-wise dropout after it, kernels against reference.
void CheckBatchNorm(const BatchNormCase& c, double keep_factor) {
  const Shape& shape = c.x.shape;
  const int images = c.x.images;
  const int channels = shape.channels;
  const double count = static_cast<double>(images) * shape.height * shape.width;
  AlignedBuffer<float> x = ToBlocks(c.x);
  AlignedBuffer<float> gradient = ToBlocks(c.output_gradient, 0);
  AlignedBuffer<std::uint16_t> keep = ToKeepBits(c.mask);
  AlignedBuffer<float> gamma = ToFloats(c.gamma), beta = ToFloats(c.beta);
  AlignedBuffer<float> y(x.size()), masked(x.size()), input_gradient(x.size());
  AlignedBuffer<float> scratch(ElementwiseScratch(shape));
  AlignedBuffer<double> partial(std::size_t{2} * channels * Blocks(images));
  Vector sums(std::size_t{2} * channels);
  BatchNormBuffers b(channels);

  const auto run = [&](const auto& work) {
    for (int block = 0; block < Blocks(images); ++block) RunUnit(work, block, scratch.data());
    SumUnits(partial.data(), Blocks(images), sums.size(), sums.data());
  };
  run(ElementwiseForward{
      .shape = shape, .images = images, .input = {.values = x.data()}, .sums = partial.data()});
  Compute(BatchNormForward{.channels = channels,
                           .count = count,
                           .sums = sums.data(),
                           .gamma = gamma.data(),
                           .beta = beta.data(),
                           .keep_factor = static_cast<float>(keep_factor),
                           .running_mean = b.running_mean.data(),
                           .running_variance = b.running_variance.data(),
                           .mean = b.mean.data(),
                           .inverse_stddev = b.inverse_stddev.data(),
                           .scale = b.scale.data(),
                           .shift = b.shift.data()});
  run(ElementwiseForward{.shape = shape,
                         .images = images,
                         .input = {x.data(), b.scale.data(), b.shift.data(), {.bits = keep.data()}},
                         .output = y.data()});
  run(ElementwiseBackward{.shape = shape,
                          .images = images,
                          .output_gradient = {.gradient = gradient.data()},
                          .input_gradient = {.gradient = masked.data(),
                                             .keep = {.bits = keep.data()},
                                             .keep_factor = static_cast<float>(keep_factor),
                                             .activation = x.data(),
                                             .mean = b.mean.data(),
                                             .sums = partial.data()}});
  Compute(BatchNormBackward{.channels = channels,
                            .count = count,
                            .sums = sums.data(),
                            .gamma = gamma.data(),
                            .mean = b.mean.data(),
                            .inverse_stddev = b.inverse_stddev.data(),
                            .gamma_gradient = b.gamma_gradient.data(),
                            .beta_gradient = b.beta_gradient.data(),
                            .scale = b.scale.data(),
                            .slope = b.slope.data(),
                            .offset = b.offset.data()});
  run(ElementwiseBackward{.shape = shape,
                          .images = images,
                          .output_gradient = {.gradient = masked.data(),
                                              .activation = x.data(),
                                              .scale = b.scale.data(),
                                              .slope = b.slope.data(),
                                              .offset = b.offset.data()},
                          .input_gradient = {.gradient = input_gradient.data()}});

  const Tensor mask = Scaled(c.mask, keep_factor);
  const reference::Statistics statistics = reference::ChannelStatistics(c.x);
  const Tensor expected = reference::Multiply(
      reference::Normalize(c.x, statistics, c.gamma, c.beta, kBatchNormEpsilon), mask);
  const reference::BatchNormGradients gradients = reference::BatchNormGradient(
      c.x, c.gamma, reference::Multiply(c.output_gradient, mask), kBatchNormEpsilon);
  EXPECT_TRUE(Close(FromBlocks(y, images, shape).values, expected.values, kSameSums));
  EXPECT_TRUE(
      Close(FromBlocks(input_gradient, images, shape).values, gradients.input.values, kSameSums));
  EXPECT_TRUE(UnusedLanesAreZero(input_gradient, images, shape));
  EXPECT_TRUE(Close(ToDoubles(b.gamma_gradient.data(), channels), gradients.gamma, kSameSums));
  EXPECT_TRUE(Close(ToDoubles(b.beta_gradient.data(), channels), gradients.beta, kSameSums));
  for (int i = 0; i < channels; ++i) {
    EXPECT_NEAR(b.running_mean[i], 0.1 * statistics.mean[i], 1e-6);
    EXPECT_NEAR(b.running_variance[i], 0.9 + 0.1 * statistics.variance[i] * count / (count - 1),
                1e-6);
  }
}

TEST(BatchNorm, TrainingMatchesTheReference) {
  Random random(1);
  for (int i = 0; i < 12; ++i) {
    const Shape shape = RandomShape(&random);
    const int images = RandomImages(shape, &random);
    const BatchNormCase c{.x = random.Normal(images, shape, 0.5, 1.5),
                          .mask = random.Mask(images, shape),
                          .output_gradient = random.Normal(images, shape, 0.2),
                          .gamma = random.Normal(shape.channels, 1, 0.3),
                          .beta = random.Normal(shape.channels)};
    SCOPED_TRACE(testing::Message() << images << " images of " << shape.channels << "x"
                                    << shape.height << "x" << shape.width);
    ForEachInstructionSet([&] { CheckBatchNorm(c, 1.25); });
  }
}

TEST(BatchNorm, APivotNearTheMeanKeepsTheVarianceOfValuesFarFromZero) {
  Random random(2);
  const Shape shape{2, 9, 9};
  const Tensor x = random.Normal(20, shape, 300, 0.1);
  const AlignedBuffer<float> blocks = ToBlocks(x);
  const AlignedBuffer<float> pivot = ToFloats({300, 300.05});
  AlignedBuffer<double> partial(8);
  AlignedBuffer<float> scratch(ElementwiseScratch(shape));
  const ElementwiseForward work{.shape = shape,
                                .images = 20,
                                .input = {.values = blocks.data()},
                                .sums = partial.data(),
                                .pivot = pivot.data()};
  for (int block = 0; block < 2; ++block) RunUnit(work, block, scratch.data());
  Vector sums(4);
  SumUnits(partial.data(), 2, 4, sums.data());
  const AlignedBuffer<float> gamma = ToFloats({1, 1}), beta = ToFloats({0, 0});
  BatchNormBuffers b(2);
  Compute(BatchNormForward{.channels = 2,
                           .count = 20 * 81,
                           .sums = sums.data(),
                           .pivot = pivot.data(),
                           .gamma = gamma.data(),
                           .beta = beta.data(),
                           .running_mean = b.running_mean.data(),
                           .running_variance = b.running_variance.data(),
                           .mean = b.mean.data(),
                           .inverse_stddev = b.inverse_stddev.data(),
                           .scale = b.scale.data(),
                           .shift = b.shift.data()});
  const reference::Statistics expected = reference::ChannelStatistics(x);
  for (int i = 0; i < 2; ++i) {
    EXPECT_NEAR(b.inverse_stddev[i] * std::sqrt(expected.variance[i] + kBatchNormEpsilon), 1, 1e-6);
  }
}

TEST(BatchNorm, InferenceUsesTheRunningEstimates) {
  Random random(3);
  const Vector gamma = random.Normal(5), beta = random.Normal(5), mean = random.Normal(5);
  const Vector variance = {0.5, 1, 2, 0, 9};
  const Tensor x = random.Normal(3, {5, 4, 4});
  const AlignedBuffer<float> g = ToFloats(gamma), b = ToFloats(beta), m = ToFloats(mean),
                             v = ToFloats(variance), blocks = ToBlocks(x);
  AlignedBuffer<float> scale(5), shift(5), y(blocks.size());
  AlignedBuffer<float> scratch(ElementwiseScratch(x.shape));
  Compute(
      BatchNormInference{5, g.data(), b.data(), m.data(), v.data(), scale.data(), shift.data()});
  const ElementwiseForward work{.shape = x.shape,
                                .images = 3,
                                .input = {blocks.data(), scale.data(), shift.data()},
                                .output = y.data()};
  RunUnit(work, 0, scratch.data());
  const Tensor expected = reference::Normalize(x, {mean, variance}, gamma, beta, kBatchNormEpsilon);
  EXPECT_TRUE(Close(FromBlocks(y, 3, x.shape).values, expected.values, kSameSums));
}

TEST(Elementwise, ReluAndItsGradientMatchTheReference) {
  Random random(4);
  const Tensor x = random.Normal(18, {3, 5, 7});
  const Tensor gradient = random.Normal(18, x.shape);
  ForEachInstructionSet([&] {
    const AlignedBuffer<float> blocks = ToBlocks(x);
    AlignedBuffer<float> y(blocks.size());
    AlignedBuffer<float> in_place = ToBlocks(gradient, 0);
    AlignedBuffer<float> scratch(ElementwiseScratch(x.shape));
    for (int block = 0; block < 2; ++block) {
      RunUnit(ElementwiseForward{.shape = x.shape,
                                 .images = 18,
                                 .input = {.values = blocks.data()},
                                 .relu = true,
                                 .output = y.data()},
              block, scratch.data());
      RunUnit(ElementwiseBackward{.shape = x.shape,
                                  .images = 18,
                                  .output_gradient = {.gradient = in_place.data(),
                                                      .activation = y.data(),
                                                      .relu = true},
                                  .input_gradient = {.gradient = in_place.data()}},
              block, scratch.data());
    }
    const Tensor expected = reference::Relu(x);
    EXPECT_EQ(FromBlocks(y, 18, x.shape).values, expected.values);
    EXPECT_EQ(FromBlocks(in_place, 18, x.shape).values,
              reference::ReluGradient(expected, gradient).values);
  });
}

TEST(Elementwise, NotANumberPassesThroughReluAndMaxPool) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const float value : {nan, -nan}) {
    for (int place = 0; place < 4; ++place) {
      ForEachInstructionSet([&] {
        AlignedBuffer<float> x(4 * kLanes), y(4 * kLanes), pooled(kLanes);
        x[place * kLanes + 5] = value;
        AlignedBuffer<float> scratch(ElementwiseScratch({1, 2, 2}));
        RunUnit(ElementwiseForward{.shape = {1, 2, 2},
                                   .images = 16,
                                   .input = {.values = x.data()},
                                   .relu = true,
                                   .output = y.data()},
                0, scratch.data());
        EXPECT_TRUE(std::isnan(y[place * kLanes + 5]));
        RunUnit(MaxPoolForward{.shape = {{1, 2, 2}, 2, 2, 2},
                               .images = 16,
                               .input = {.values = x.data()},
                               .output = pooled.data()},
                0);
        EXPECT_TRUE(std::isnan(pooled[5]));
        EXPECT_EQ(pooled[4], 0);
      });
    }
  }
}

struct PoolCase {
  PoolShape shape;
  int images = 1;
  Tensor stored, input, mask, output_gradient;
  Vector scale, shift, mean;
};

PoolCase RandomPoolCase(Random* random) {
  PoolCase c;
  c.shape.input = RandomShape(random);
  c.shape.kernel_height = random->Int(1, 3);
  c.shape.kernel_width = c.shape.kernel_height;
  c.shape.stride = random->Int(1, 3);
  c.images = RandomImages(c.shape.input, random);
  const int channels = c.shape.input.channels;
  c.stored = random->Normal(c.images, c.shape.input);
  // Few different values, so that some are equal.
  for (double& value : c.stored.values) value = std::round(value * 2) / 2;
  c.mask = random->Mask(c.images, c.shape.input);
  c.output_gradient = random->Normal(c.images, c.shape.output());
  c.scale = random->Normal(channels);
  c.shift = random->Normal(channels);
  c.mean = random->Normal(channels);
  c.input = c.stored;
  const std::size_t plane = static_cast<std::size_t>(c.shape.input.height) * c.shape.input.width;
  for (std::size_t i = 0; i < c.input.values.size(); ++i) {
    const std::size_t channel = i / plane % channels;
    // Computed as in float, so that equal values stay equal.
    c.input.values[i] =
        std::fma(static_cast<float>(c.stored.values[i]), static_cast<float>(c.scale[channel]),
                 static_cast<float>(c.shift[channel]));
    if (c.mask.values[i] == 0) c.input.values[i] = 0;
  }
  return c;
}

template <typename Forward, typename Backward>
void CheckPool(const PoolCase& c, Forward forward, Backward backward, const Tensor& expected,
               Tensor expected_gradient) {
  const int channels = c.shape.input.channels;
  const int blocks = Blocks(c.images);
  AlignedBuffer<float> stored = ToBlocks(c.stored), gradient = ToBlocks(c.output_gradient, 0),
                       scale = ToFloats(c.scale), shift = ToFloats(c.shift),
                       mean = ToFloats(c.mean);
  AlignedBuffer<std::uint16_t> keep = ToKeepBits(c.mask);
  AlignedBuffer<float> output(gradient.size()), input_gradient(stored.size());
  AlignedBuffer<std::uint8_t> chosen(gradient.size());
  AlignedBuffer<double> partial(std::size_t{2} * channels * blocks);
  AlignedBuffer<float> scratch(PoolBackwardScratch(c.shape));
  const Source source{stored.data(), scale.data(), shift.data(), {.bits = keep.data()}};
  const GradientSink sink{.gradient = input_gradient.data(),
                          .keep = source.keep,
                          .keep_factor = 2,
                          .activation = stored.data(),
                          .mean = mean.data(),
                          .sums = partial.data()};
  for (int block = 0; block < blocks; ++block) {
    forward(source, output.data(), chosen.data(), block);
    backward(gradient.data(), chosen.data(), sink, block, scratch.data());
  }
  EXPECT_TRUE(
      Close(FromBlocks(output, c.images, c.shape.output()).values, expected.values, kSameSums));
  expected_gradient = reference::Multiply(Scaled(expected_gradient, 2), c.mask);
  EXPECT_TRUE(Close(FromBlocks(input_gradient, c.images, c.shape.input).values,
                    expected_gradient.values, kSameSums));
  EXPECT_TRUE(UnusedLanesAreZero(input_gradient, c.images, c.shape.input));
  Vector sums(std::size_t{2} * channels);
  SumUnits(partial.data(), blocks, sums.size(), sums.data());
  Tensor centred = c.stored;
  const std::size_t plane = centred.values.size() / c.images / channels;
  for (std::size_t i = 0; i < centred.values.size(); ++i) {
    centred.values[i] -= c.mean[i / plane % channels];
  }
  Vector expected_sums = reference::ChannelSums(expected_gradient);
  const Vector products = reference::ChannelSums(reference::Multiply(expected_gradient, centred));
  expected_sums.insert(expected_sums.end(), products.begin(), products.end());
  EXPECT_TRUE(Close(sums, expected_sums, 5e-6));
}

void CheckMaxPool(const PoolCase& c) {
  const int kernel = c.shape.kernel_height;
  const Tensor pooled = reference::MaxPool(c.input, kernel, c.shape.stride);
  const Tensor gradient =
      reference::MaxPoolGradient(c.input, c.output_gradient, kernel, c.shape.stride);
  ForEachInstructionSet([&] {
    CheckPool(
        c,
        [&](const Source& source, float* output, std::uint8_t* chosen, int block) {
          RunUnit(MaxPoolForward{c.shape, c.images, source, output, chosen}, block);
        },
        [&](const float* output_gradient, const std::uint8_t* chosen, const GradientSink& sink,
            int block, float* scratch) {
          RunUnit(MaxPoolBackward{c.shape, c.images, output_gradient, chosen, sink}, block,
                  scratch);
        },
        pooled, gradient);
  });
}

void CheckAveragePool(const PoolCase& c) {
  const int kernel = c.shape.kernel_height;
  const Tensor pooled = reference::AveragePool(c.input, kernel, c.shape.stride);
  const Tensor gradient =
      reference::AveragePoolGradient(c.output_gradient, c.shape.input, kernel, c.shape.stride);
  ForEachInstructionSet([&] {
    CheckPool(
        c,
        [&](const Source& source, float* output, std::uint8_t*, int block) {
          RunUnit(AveragePoolForward{c.shape, c.images, source, output}, block);
        },
        [&](const float* output_gradient, const std::uint8_t*, const GradientSink& sink, int block,
            float* scratch) {
          RunUnit(AveragePoolBackward{c.shape, c.images, output_gradient, sink}, block, scratch);
        },
        pooled, gradient);
  });
}

TEST(Pooling, MatchesTheReferenceForRandomShapes) {
  Random random(5);
  for (int i = 0; i < 8; ++i) {
    const PoolCase c = RandomPoolCase(&random);
    SCOPED_TRACE(testing::Message()
                 << c.images << " images of " << c.shape.input.channels << "x"
                 << c.shape.input.height << "x" << c.shape.input.width << ", window "
                 << c.shape.kernel_height << ", stride " << c.shape.stride);
    CheckMaxPool(c);
    CheckAveragePool(c);
  }
}

TEST(Loss, MatchesTheReference) {
  Random random(6);
  for (const int images : {1, 16, 37, 128}) {
    const Tensor outputs = random.Normal(images, {10, 1, 1}, 0, 4);
    std::vector<std::uint8_t> labels;
    for (int i = 0; i < images; ++i) labels.push_back(static_cast<std::uint8_t>(random.Int(0, 9)));
    for (const bool over_batch : {false, true}) {
      for (const double smoothing : {0.0, 0.1}) {
        const AlignedBuffer<float> blocks = ToBlocks(outputs);
        AlignedBuffer<float> gradient(blocks.size());
        const double loss = ComputeLoss(Loss{.images = images,
                                             .classes = 10,
                                             .outputs = blocks.data(),
                                             .labels = labels.data(),
                                             .label_smoothing = smoothing,
                                             .over_batch = over_batch,
                                             .gradient = gradient.data()});
        const auto expected = reference::Loss(outputs, labels, smoothing, over_batch);
        EXPECT_NEAR(loss, expected.loss, 1e-9);
        if (images > 1) {  // over a batch of one the gradient is zero
          EXPECT_TRUE(Close(FromBlocks(gradient, images, outputs.shape).values,
                            expected.gradient.values, kSameSums));
        }
        EXPECT_TRUE(UnusedLanesAreZero(gradient, images, outputs.shape));
      }
    }
  }
}

// Each image stands out in one class. Compared within an image, the last class always wins.
TEST(Loss, PredictsOverClassesOrOverTheBatch) {
  Tensor outputs(3, {3, 1, 1});
  outputs.values = {2, 1, 50, 1, 2, 50, 1, 1, 51};
  const AlignedBuffer<float> blocks = ToBlocks(outputs);
  Loss work{.images = 3, .classes = 3, .outputs = blocks.data()};
  Vector log_sums(3);
  std::vector<std::uint8_t> predictions(3);
  Predict(work, predictions.data(), log_sums.data());
  EXPECT_EQ(predictions, (std::vector<std::uint8_t>{2, 2, 2}));
  work.over_batch = true;
  Predict(work, predictions.data(), log_sums.data());
  EXPECT_EQ(predictions, (std::vector<std::uint8_t>{0, 1, 2}));
}

TEST(Loss, LargeOutputsDoNotOverflow) {
  Tensor outputs(2, {2, 1, 1});
  outputs.values = {1e4, -1e4, 3e4, 3e4};
  const AlignedBuffer<float> blocks = ToBlocks(outputs);
  const std::vector<std::uint8_t> labels = {0, 1};
  const double loss = ComputeLoss(
      Loss{.images = 2, .classes = 2, .outputs = blocks.data(), .labels = labels.data()});
  EXPECT_NEAR(loss, std::log(2.0) / 2, 1e-9);
}

TEST(Sgd, FollowsItsFormulaOverSeveralSteps) {
  for (const bool nesterov : {false, true}) {
    Random random(7);
    const std::size_t count = 103;
    const std::size_t decayed = 61;
    Vector parameters = random.Normal(count);
    Vector velocity(count);
    AlignedBuffer<float> p = ToFloats(parameters), v(count);
    for (int step = 0; step < 4; ++step) {
      const Vector gradients = random.Normal(count);
      const AlignedBuffer<float> g = ToFloats(gradients);
      Update(Sgd{.count = count,
                 .decayed = decayed,
                 .lr = 0.1,
                 .momentum = 0.9,
                 .weight_decay = 0.01,
                 .nesterov = nesterov,
                 .parameters = p.data(),
                 .gradients = g.data(),
                 .momentum_buffer = v.data()});
      for (std::size_t i = 0; i < count; ++i) {
        const double update = gradients[i] + (i < decayed ? 0.01 * parameters[i] : 0);
        velocity[i] = 0.9 * velocity[i] + update;
        parameters[i] -= 0.1 * (nesterov ? update + 0.9 * velocity[i] : velocity[i]);
      }
    }
    EXPECT_TRUE(Close(ToDoubles(p.data(), count), parameters, kSameSums));
    EXPECT_TRUE(Close(ToDoubles(v.data(), count), velocity, kSameSums));
  }
}

}  // namespace
}  // namespace sweep::kernels
