#include "worker/kernels/convolution.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <vector>

#include "worker/kernels/testing/kernels_testing.h"
#include "worker/kernels/testing/reference.h"
#include "worker/kernels/winograd.h"

namespace sweep::kernels {
namespace {

using reference::Tensor;
using reference::Vector;

constexpr double kExact = 1e-6;       // forward and data gradient
constexpr double kWeightSums = 5e-6;  // sums over the whole batch

struct Case {
  ConvolutionShape shape;
  int images = 1;
  int parts = 1;
  bool affine = false;       // BatchNorm before
  bool masked = false;       // dropout before
  bool per_channel = false;  // dropout2d
  bool bias = false;
  bool relu = false;
  bool normalized = false;  // BatchNorm after
};

void PrintTo(const Case& c, std::ostream* out) {
  const Shape& input = c.shape.input;
  *out << c.images << " images of " << input.channels << "x" << input.height << "x" << input.width
       << " to " << c.shape.out_channels << ", kernel " << c.shape.kernel << ", padding "
       << c.shape.padding << ", parts " << c.parts << ", affine " << c.affine << ", masked "
       << c.masked << c.per_channel << ", bias " << c.bias << ", relu " << c.relu << ", normalized "
       << c.normalized;
}

// Bounds the reference's arithmetic per case, so that the test stays quick.
constexpr std::int64_t kMostMultiplications = 3'000'000;

Case RandomCase(Random* random, const std::function<bool(const ConvolutionShape&)>& wanted) {
  Case result;
  do {
    const int kernels[] = {1, 3, 5};
    result.shape = {.input = {random->Int(1, 40), random->Int(3, 30), random->Int(3, 30)},
                    .out_channels = random->Int(1, 40),
                    .kernel = kernels[random->Int(0, 2)],
                    .padding = random->Int(0, 2)};
    result.images = random->Int(1, 130);
  } while (result.shape.output().height < 1 || result.shape.output().width < 1 ||
           static_cast<std::int64_t>(result.shape.weights()) * result.shape.output().height *
                   result.shape.output().width * result.images >
               kMostMultiplications ||
           !wanted(result.shape));
  result.parts = random->Int(1, 3);
  result.affine = random->Coin();
  result.masked = random->Coin();
  result.per_channel = random->Coin();
  result.bias = random->Coin();
  result.relu = random->Coin();
  result.normalized = random->Coin();
  return result;
}

// The operands, with the same numbers for kernel and reference.
struct Operands {
  Operands(const Case& c, Random* random)
      : stored(random->Normal(c.images, c.shape.input)),
        mask(random->Mask(c.images,
                          c.per_channel ? Shape{c.shape.input.channels, 1, 1} : c.shape.input)),
        scale(random->Normal(c.shape.input.channels, 1, 0.2)),
        shift(random->Normal(c.shape.input.channels)),
        weights(random->Normal(c.shape.weights())),
        bias(random->Normal(c.shape.out_channels)),
        pivot(random->Normal(c.shape.out_channels)),
        mean(random->Normal(c.shape.input.channels)),
        activation(random->Normal(c.images, c.shape.output())),
        gradient(random->Normal(c.images, c.shape.output())),
        gradient_scale(random->Normal(c.shape.out_channels)),
        slope(random->Normal(c.shape.out_channels)),
        offset(random->Normal(c.shape.out_channels)) {}

  Tensor stored, mask;
  Vector scale, shift, weights, bias, pivot, mean;
  Tensor activation, gradient;
  Vector gradient_scale, slope, offset;
};

double KeepFactor(const Case& c, const Operands& operands, int image, int channel, int y, int x) {
  if (!c.masked) return 1;
  return c.per_channel ? operands.mask.at(image, channel, 0, 0)
                       : operands.mask.at(image, channel, y, x);
}

// `body` gets (image, channel, y, x, value) and returns the new value.
template <typename Body>
Tensor Map(const Tensor& tensor, Body body) {
  Tensor result = tensor;
  for (int n = 0; n < tensor.images; ++n) {
    for (int c = 0; c < tensor.shape.channels; ++c) {
      for (int y = 0; y < tensor.shape.height; ++y) {
        for (int x = 0; x < tensor.shape.width; ++x) {
          result.at(n, c, y, x) = body(n, c, y, x, tensor.at(n, c, y, x));
        }
      }
    }
  }
  return result;
}

Tensor ReferenceInput(const Case& c, const Operands& o) {
  return Map(o.stored, [&](int n, int channel, int y, int x, double value) {
    if (c.affine) value = value * o.scale[channel] + o.shift[channel];
    return value * KeepFactor(c, o, n, channel, y, x);
  });
}

Tensor ReferenceOutputGradient(const Case& c, const Operands& o) {
  return Map(o.gradient, [&](int n, int channel, int y, int x, double value) {
    const double activation = o.activation.at(n, channel, y, x);
    if (c.normalized) {
      value = value * o.gradient_scale[channel] + activation * o.slope[channel] + o.offset[channel];
    }
    return c.relu && activation <= 0 ? 0 : value;
  });
}

// The operands as the kernels take them, and memory for the results.
struct Buffers {
  Buffers(const Case& c, const Operands& o)
      : stored(ToBlocks(o.stored)),
        keep(ToKeepBits(o.mask)),
        scale(ToFloats(o.scale)),
        shift(ToFloats(o.shift)),
        weights(ToFloats(o.weights)),
        packed(PackedWeights(c.shape)),
        bias(ToFloats(o.bias)),
        pivot(ToFloats(o.pivot)),
        mean(ToFloats(o.mean)),
        activation(ToBlocks(o.activation)),
        gradient(ToBlocks(o.gradient, 0)),
        gradient_scale(ToFloats(o.gradient_scale)),
        slope(ToFloats(o.slope)),
        offset(ToFloats(o.offset)),
        output(BatchElements(c.shape.output(), c.images)),
        input_gradient(BatchElements(c.shape.input, c.images)),
        units(Units(c.images, c.parts)),
        sums(std::size_t{2} * c.shape.out_channels * units),
        input_sums(std::size_t{2} * c.shape.input.channels * units),
        parameter_gradients((c.shape.weights() + c.shape.out_channels) * units) {}

  Source Input(const Case& c) {
    Source source{.values = stored.data()};
    if (c.affine) source.scale = scale.data(), source.shift = shift.data();
    if (c.masked) source.keep = {keep.data(), c.per_channel};
    return source;
  }

  AlignedBuffer<float> stored;
  AlignedBuffer<std::uint16_t> keep;
  AlignedBuffer<float> scale, shift, weights, packed, bias, pivot, mean, activation, gradient,
      gradient_scale, slope, offset, output, input_gradient;
  int units;
  AlignedBuffer<double> sums, input_sums;
  AlignedBuffer<float> parameter_gradients;
};

void RunForward(const Case& c, const Operands& o, const Tensor& expected) {
  Buffers b(c, o);
  PackForwardWeights(c.shape, b.weights.data(), b.packed.data());
  const ConvolutionForward work{.shape = c.shape,
                                .images = c.images,
                                .parts = c.parts,
                                .input = b.Input(c),
                                .weights = b.packed.data(),
                                .bias = c.bias ? b.bias.data() : nullptr,
                                .relu = c.relu,
                                .output = b.output.data(),
                                .sums = c.normalized ? b.sums.data() : nullptr,
                                .pivot = b.pivot.data()};
  AlignedBuffer<float> scratch(ForwardScratch(c.shape));
  for (int unit = 0; unit < b.units; ++unit) RunUnit(work, unit, scratch.data());

  EXPECT_TRUE(
      Close(FromBlocks(b.output, c.images, expected.shape).values, expected.values, kExact));
  if (!c.normalized) return;
  const Tensor centred = Map(
      expected, [&](int, int channel, int, int, double value) { return value - o.pivot[channel]; });
  Vector sums(b.sums.size() / b.units);
  SumUnits(b.sums.data(), b.units, sums.size(), sums.data());
  const Vector squares = reference::ChannelSums(reference::Multiply(centred, centred));
  EXPECT_TRUE(Close(ToDoubles(&sums[squares.size()], squares.size()), squares, kExact));
  // The first sums cancel, so they are only as exact as their terms' absolute values allow.
  const Vector plain = reference::ChannelSums(centred);
  for (std::size_t i = 0; i < plain.size(); ++i) {
    const double count = static_cast<double>(expected.values.size()) / plain.size();
    EXPECT_NEAR(sums[i], plain[i], kExact * std::sqrt(squares[i] * count));
  }
}

void CheckForward(const Case& c, const Operands& o) {
  Tensor expected =
      reference::Convolution(ReferenceInput(c, o), o.weights, c.bias ? o.bias : Vector(),
                             c.shape.out_channels, c.shape.kernel, c.shape.padding);
  if (c.relu) expected = reference::Relu(expected);
  ForEachInstructionSet([&] { RunForward(c, o, expected); });
}

double DropoutFactor(const Case& c) { return c.masked ? 1.25 : 1; }

struct ExpectedGradients {
  ExpectedGradients(const Case& c, const Operands& o) {
    const Tensor z = ReferenceOutputGradient(c, o);
    input = Map(reference::ConvolutionInputGradient(z, o.weights, c.shape.input, c.shape.kernel,
                                                    c.shape.padding),
                [&](int n, int channel, int y, int x, double value) {
                  return value * DropoutFactor(c) * KeepFactor(c, o, n, channel, y, x);
                });
    weights = reference::ConvolutionWeightGradient(ReferenceInput(c, o), z, c.shape.kernel,
                                                   c.shape.padding);
    bias = reference::ChannelSums(z);
    const Tensor products = Map(input, [&](int n, int channel, int y, int x, double value) {
      return value * (o.stored.at(n, channel, y, x) - o.mean[channel]);
    });
    input_sums = reference::ChannelSums(input);
    const Vector product_sums = reference::ChannelSums(products);
    input_sums.insert(input_sums.end(), product_sums.begin(), product_sums.end());
  }

  Tensor input;
  Vector weights, bias, input_sums;
};

void RunBackward(const Case& c, const Operands& o, const ExpectedGradients& expected) {
  Buffers b(c, o);
  PackBackwardWeights(c.shape, b.weights.data(), b.packed.data());
  GradientSource output_gradient{
      .gradient = b.gradient.data(), .activation = b.activation.data(), .relu = c.relu};
  if (c.normalized) {
    output_gradient.scale = b.gradient_scale.data();
    output_gradient.slope = b.slope.data();
    output_gradient.offset = b.offset.data();
  }
  const ConvolutionBackward work{
      .shape = c.shape,
      .images = c.images,
      .parts = c.parts,
      .input = b.Input(c),
      .output_gradient = output_gradient,
      .weights = b.packed.data(),
      .input_gradient = {.gradient = b.input_gradient.data(),
                         .keep = b.Input(c).keep,
                         .keep_factor = static_cast<float>(DropoutFactor(c)),
                         .activation = b.stored.data(),
                         .mean = b.mean.data(),
                         .sums = c.affine ? b.input_sums.data() : nullptr},
      .parameter_gradients = b.parameter_gradients.data()};
  AlignedBuffer<float> scratch(BackwardScratch(c.shape));
  for (int unit = 0; unit < b.units; ++unit) RunUnit(work, unit, scratch.data());

  EXPECT_TRUE(Close(FromBlocks(b.input_gradient, c.images, c.shape.input).values,
                    expected.input.values, kExact));
  EXPECT_TRUE(UnusedLanesAreZero(b.input_gradient, c.images, c.shape.input));
  const std::size_t weights = c.shape.weights();
  AlignedBuffer<float> sums(weights + c.shape.out_channels);
  SumUnits(b.parameter_gradients.data(), b.units, sums.size(), sums.data());
  EXPECT_TRUE(Close(ToDoubles(sums.data(), weights), expected.weights, kWeightSums));
  EXPECT_TRUE(
      Close(ToDoubles(sums.data() + weights, sums.size() - weights), expected.bias, kWeightSums));
  if (!c.affine) return;
  Vector input_sums(b.input_sums.size() / b.units);
  SumUnits(b.input_sums.data(), b.units, input_sums.size(), input_sums.data());
  EXPECT_TRUE(Close(input_sums, expected.input_sums, kWeightSums));
}

void CheckBackward(const Case& c, const Operands& o) {
  const ExpectedGradients expected(c, o);
  ForEachInstructionSet([&] { RunBackward(c, o, expected); });
}

void CheckRandomCases(unsigned seed, const std::function<bool(const ConvolutionShape&)>& wanted) {
  Random random(seed);
  for (int i = 0; i < 30 && !testing::Test::HasFailure(); ++i) {
    const Case c = RandomCase(&random, wanted);
    SCOPED_TRACE(testing::PrintToString(c));
    const Operands operands(c, &random);
    CheckForward(c, operands);
    CheckBackward(c, operands);
  }
}

TEST(Convolution, MatchesTheReferenceForRandomShapes) {
  CheckRandomCases(1, [](const ConvolutionShape&) { return true; });
}

TEST(Convolution, MatchesTheReferenceByPlainSums) {
  CheckRandomCases(2, [](const ConvolutionShape& shape) {
    return shape.kernel > 1 && !winograd::SuitsForward(shape);
  });
}

TEST(Convolution, MatchesTheReferenceByWinogradsFilters) {
  CheckRandomCases(3, winograd::SuitsBackward);
}

// The layers of cnn-17216, with their fused operators.
TEST(Convolution, MatchesTheReferenceForTheLayersOfANetwork) {
  const ConvolutionShape layers[] = {{{1, 28, 28}, 16, 3, 0},  {{16, 26, 26}, 20, 3, 0},
                                     {{24, 11, 11}, 10, 1, 0}, {{10, 11, 11}, 16, 3, 0},
                                     {{20, 7, 7}, 24, 3, 0},   {{24, 5, 5}, 16, 1, 0},
                                     {{16, 1, 1}, 10, 1, 0},   {{8, 28, 28}, 16, 3, 1}};
  Random random(2);
  for (const ConvolutionShape& shape : layers) {
    const Case c{.shape = shape,
                 .images = 5,
                 .affine = true,
                 .masked = true,
                 .bias = true,
                 .relu = true,
                 .normalized = true};
    SCOPED_TRACE(testing::PrintToString(c));
    const Operands operands(c, &random);
    CheckForward(c, operands);
    CheckBackward(c, operands);
  }
}

void CheckThatOrderChangesNothing(const ConvolutionShape& shape) {
  const Case c{.shape = shape, .images = 40, .parts = 2, .affine = true, .normalized = true};
  Random random(3);
  const Operands o(c, &random);
  Buffers forwards(c, o);
  Buffers backwards(c, o);
  for (Buffers* b : {&forwards, &backwards}) {
    PackBackwardWeights(c.shape, b->weights.data(), b->packed.data());
    const ConvolutionBackward work{.shape = c.shape,
                                   .images = c.images,
                                   .parts = c.parts,
                                   .input = b->Input(c),
                                   .output_gradient = {.gradient = b->gradient.data()},
                                   .weights = b->packed.data(),
                                   .input_gradient = {.gradient = b->input_gradient.data()},
                                   .parameter_gradients = b->parameter_gradients.data()};
    AlignedBuffer<float> scratch(BackwardScratch(c.shape));
    const float other = b == &forwards ? 0 : std::numeric_limits<float>::quiet_NaN();
    std::fill_n(scratch.data(), scratch.size(), other);
    for (int i = 0; i < b->units; ++i) {
      RunUnit(work, b == &forwards ? i : b->units - 1 - i, scratch.data());
    }
  }
  const auto equal = [](const AlignedBuffer<float>& a, const AlignedBuffer<float>& b) {
    return std::equal(a.data(), a.data() + a.size(), b.data());
  };
  EXPECT_TRUE(equal(forwards.input_gradient, backwards.input_gradient));
  EXPECT_TRUE(equal(forwards.parameter_gradients, backwards.parameter_gradients));
}

TEST(Convolution, TheOrderOfUnitsAndOtherWorkInTheScratchChangeNothing) {
  const ConvolutionShape plain{{6, 12, 9}, 7, 5, 1};
  const ConvolutionShape filtered{{6, 12, 9}, 7, 3, 1};
  ASSERT_FALSE(winograd::SuitsBackward(plain));
  ASSERT_TRUE(winograd::SuitsBackward(filtered));
  CheckThatOrderChangesNothing(plain);
  CheckThatOrderChangesNothing(filtered);
}

}  // namespace
}  // namespace sweep::kernels
