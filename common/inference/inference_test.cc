#include "common/inference/inference.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "common/base/philox.h"

namespace sweep {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::FloatNear;
using ::testing::HasSubstr;
using ::testing::Pointwise;

Network MakeNetwork(const Shape& input, std::vector<Layer> layers) {
  Network network{.name = "n", .input = input, .layers = std::move(layers)};
  if (const std::string error = InferShapes(&network); !error.empty()) {
    throw std::invalid_argument(error);
  }
  return network;
}

SafeTensor Floats(const std::string& name, std::vector<std::int64_t> shape,
                  const std::vector<float>& values) {
  SafeTensor tensor{.name = name, .dtype = "F32", .shape = std::move(shape)};
  tensor.bytes.resize(values.size() * sizeof(float));
  std::memcpy(tensor.bytes.data(), values.data(), tensor.bytes.size());
  return tensor;
}

std::vector<float> Random(std::int64_t count, std::uint64_t stream) {
  PhiloxStream random(DeriveKey(7, "inference-test"), stream);
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) value = static_cast<float>(2 * random.NextUniform() - 1);
  return values;
}

// Log-probabilities determine outputs only up to a constant: differences cancel the softmax.
std::vector<float> Differences(const std::vector<float>& values) {
  std::vector<float> differences;
  for (std::size_t i = 1; i < values.size(); ++i) differences.push_back(values[i] - values[0]);
  return differences;
}

std::vector<float> RunOne(const Network& network, const SafeTensors& tensors,
                          const std::vector<float>& image) {
  const auto inference = InferenceNetwork::Create(network, tensors, "w");
  if (!inference.ok()) throw std::invalid_argument(std::string(inference.status().message()));
  return inference->Run(image);
}

TEST(Inference, TheResultIsTheLogSoftmaxOfTheOutputs) {
  for (const bool with_layer : {false, true}) {
    std::vector<Layer> layers = {{.kind = LayerKind::kRelu}};
    if (with_layer) layers.push_back({.kind = LayerKind::kLogSoftmax});
    const std::vector<float> result = RunOne(MakeNetwork({3, 1, 1}, layers), {}, {-5, 1, 2});
    const double sum = 1 + std::exp(1.0) + std::exp(2.0);
    EXPECT_THAT(result, Pointwise(FloatNear(1e-6f),
                                  {-std::log(sum), 1 - std::log(sum), 2 - std::log(sum)}));
    EXPECT_EQ(ArgMax(result), 2);
  }
}

TEST(Inference, OfEqualValuesTheFirstIsPredicted) {
  EXPECT_EQ(ArgMax(std::vector<float>{1, 3, 3}), 1);
}

TEST(Inference, LargeOutputsDoNotOverflow) {
  const std::vector<float> result =
      RunOne(MakeNetwork({2, 1, 1}, {{.kind = LayerKind::kRelu}}), {}, {1e30f, 0});
  EXPECT_THAT(result, ElementsAre(0, -1e30f));
}

TEST(Inference, DropoutPassesEverything) {
  const Network network = MakeNetwork({3, 1, 1}, {{.kind = LayerKind::kDropout, .p = 0.5},
                                                  {.kind = LayerKind::kDropout2d, .p = 0.5}});
  EXPECT_THAT(Differences(RunOne(network, {}, {1, 2, 4})), Pointwise(FloatNear(1e-6f), {1.0, 3.0}));
}

// y = (x - mean) / sqrt(var + 1e-5) * weight + bias
TEST(Inference, BatchNormUsesItsRunningEstimates) {
  const Network network = MakeNetwork({2, 1, 1}, {{.kind = LayerKind::kBatchNorm}});
  const SafeTensors tensors{
      .tensors = {Floats("layers.0.weight", {2}, {3, 1}),
                  Floats("layers.0.bias", {2}, {0.5f, 0}),
                  Floats("layers.0.running_mean", {2}, {1, 0}),
                  Floats("layers.0.running_var", {2}, {4, 1}),
                  {"layers.0.num_batches_tracked", "I64", {}, std::string(8, 0)}}};
  const double first = (2 - 1) / std::sqrt(4 + 1e-5) * 3 + 0.5;
  const double second = 5 / std::sqrt(1 + 1e-5);
  EXPECT_THAT(Differences(RunOne(network, tensors, {2, 5})),
              Pointwise(FloatNear(1e-5f), {second - first}));
}

// The 4×4 image 0 … 15, and one that is 100 everywhere.
std::vector<float> TwoPlanes() {
  std::vector<float> image;
  for (int i = 0; i < 16; ++i) image.push_back(static_cast<float>(i));
  image.insert(image.end(), 16, 100.0f);
  return image;
}

TEST(Inference, PoolsTakeTheirWindowsByKernelAndStride) {
  const auto second_minus_first = [](Layer pool, const std::vector<float>& image) {
    // A second pool reduces the result to one value per channel.
    std::vector<Layer> layers = {pool};
    if (pool.kind != LayerKind::kGlobalAvgPool)
      layers.push_back({.kind = LayerKind::kGlobalAvgPool});
    return Differences(RunOne(MakeNetwork({2, 4, 4}, layers), {}, image))[0];
  };
  const std::vector<float> image = TwoPlanes();
  // Each quarter's largest value: 5, 7, 13, 15.
  EXPECT_FLOAT_EQ(
      second_minus_first({.kind = LayerKind::kMaxPool, .kernel = 2, .stride = 2}, image),
      100.0f - 10.0f);
  // 3×3 windows at stride 1; their largest values: 10, 11, 14, 15.
  EXPECT_FLOAT_EQ(
      second_minus_first({.kind = LayerKind::kMaxPool, .kernel = 3, .stride = 1}, image),
      100.0f - 12.5f);
  // A 3×3 window at stride 2 fits once: mean of 0 1 2 4 5 6 8 9 10.
  EXPECT_FLOAT_EQ(
      second_minus_first({.kind = LayerKind::kAvgPool, .kernel = 3, .stride = 2}, image),
      100.0f - 5.0f);
  EXPECT_FLOAT_EQ(second_minus_first({.kind = LayerKind::kGlobalAvgPool}, image), 100.0f - 7.5f);
}

TEST(Inference, LinearFlattensChannelsThenRowsThenColumns) {
  const Network network = MakeNetwork({2, 1, 2}, {{.kind = LayerKind::kLinear, .out = 2}});
  const SafeTensors tensors{
      .tensors = {Floats("layers.0.weight", {2, 4}, {1, 10, 100, 1000, 0, 0, 0, 0}),
                  Floats("layers.0.bias", {2}, {0.25f, 0})}};
  EXPECT_THAT(Differences(RunOne(network, tensors, {1, 2, 3, 4})), ElementsAre(-4321.25f));
}

// A convolution by its definition, in double precision.
std::vector<double> NaiveConv(const Layer& layer, const std::vector<float>& weight,
                              const std::vector<float>& bias, const float* image) {
  std::vector<double> out;
  for (int o = 0; o < layer.out; ++o) {
    for (int y = 0; y < layer.output.height; ++y) {
      for (int x = 0; x < layer.output.width; ++x) {
        double sum = bias.empty() ? 0 : bias[static_cast<std::size_t>(o)];
        for (int c = 0; c < layer.input.channels; ++c) {
          for (int ky = 0; ky < layer.kernel; ++ky) {
            for (int kx = 0; kx < layer.kernel; ++kx) {
              const int row = y * layer.stride + ky - layer.padding;
              const int column = x * layer.stride + kx - layer.padding;
              if (row < 0 || column < 0 || row >= layer.input.height ||
                  column >= layer.input.width) {
                continue;
              }
              const int w =
                  ((o * layer.input.channels + c) * layer.kernel + ky) * layer.kernel + kx;
              const int i = (c * layer.input.height + row) * layer.input.width + column;
              sum += double{weight[static_cast<std::size_t>(w)]} * image[i];
            }
          }
        }
        out.push_back(sum);
      }
    }
  }
  return out;
}

TEST(Inference, ConvolutionsAreWhatTheDefinitionSays) {
  struct Case {
    int channels, height, width, out, kernel, stride, padding;
    bool bias;
  };
  int number = 0;
  for (const Case& c : {Case{1, 3, 3, 2, 3, 1, 0, true}, Case{3, 7, 5, 6, 3, 1, 1, true},
                        Case{2, 8, 9, 5, 3, 2, 0, false}, Case{2, 8, 9, 4, 5, 3, 2, true},
                        Case{5, 4, 4, 9, 1, 1, 0, true}, Case{1, 2, 2, 3, 3, 1, 2, true},
                        Case{2, 3, 3, 4, 1, 2, 4, true}, Case{1, 6, 6, 4, 2, 4, 1, false}}) {
    SCOPED_TRACE(++number);
    // A linear identity layer follows the convolution, so that the test sees all its outputs.
    Layer conv{.kind = LayerKind::kConv,
               .out = c.out,
               .kernel = c.kernel,
               .stride = c.stride,
               .padding = c.padding,
               .bias = c.bias};
    Network probe = MakeNetwork({c.channels, c.height, c.width},
                                {conv, {.kind = LayerKind::kLinear, .out = 2}});
    const int values = static_cast<int>(probe.layers[0].output.elements());
    const Network network =
        MakeNetwork({c.channels, c.height, c.width},
                    {conv, {.kind = LayerKind::kLinear, .out = values, .bias = false}});
    std::vector<float> identity(static_cast<std::size_t>(values) * values);
    for (int i = 0; i < values; ++i) identity[static_cast<std::size_t>(i) * values + i] = 1;
    const std::vector<float> weight =
        Random(std::int64_t{c.out} * c.channels * c.kernel * c.kernel, 1);
    const std::vector<float> bias = c.bias ? Random(c.out, 2) : std::vector<float>();
    SafeTensors tensors{
        .tensors = {Floats("layers.0.weight", {c.out, c.channels, c.kernel, c.kernel}, weight),
                    Floats("layers.1.weight", {values, values}, identity)}};
    if (c.bias) tensors.tensors.push_back(Floats("layers.0.bias", {c.out}, bias));
    const auto inference = InferenceNetwork::Create(network, tensors, "w");
    ASSERT_TRUE(inference.ok()) << inference.status();
    // Enough images for a full set of lanes and a part of one.
    const int images = 11;
    const int pixels = static_cast<int>(network.input.elements());
    const std::vector<float> input = Random(std::int64_t{images} * pixels, 3);
    const std::vector<float> result = inference->Run(input);
    ASSERT_EQ(result.size(), static_cast<std::size_t>(images * values));
    for (int i = 0; i < images; ++i) {
      const std::vector<double> expected =
          NaiveConv(network.layers[0], weight, bias, input.data() + std::ptrdiff_t{i} * pixels);
      for (int v = 1; v < values; ++v) {
        const auto at = static_cast<std::size_t>(i * values);
        EXPECT_NEAR(result[at + v] - result[at], expected[v] - expected[0], 2e-5) << i << " " << v;
      }
    }
  }
}

TEST(Inference, AnImageGivesTheSameAloneAndAmongOthers) {
  const Network network =
      MakeNetwork({1, 6, 6}, {{.kind = LayerKind::kConv, .out = 6, .kernel = 3, .padding = 1},
                              {.kind = LayerKind::kRelu},
                              {.kind = LayerKind::kMaxPool, .kernel = 2, .stride = 2},
                              {.kind = LayerKind::kGlobalAvgPool}});
  const SafeTensors tensors{.tensors = {Floats("layers.0.weight", {6, 1, 3, 3}, Random(54, 1)),
                                        Floats("layers.0.bias", {6}, Random(6, 2))}};
  const auto inference = InferenceNetwork::Create(network, tensors, "w");
  ASSERT_TRUE(inference.ok());
  const std::vector<float> images = Random(20 * 36, 3);
  const std::vector<float> all = inference->Run(images);
  for (std::size_t i = 0; i < 20; ++i) {
    const std::vector<float> one = inference->Run(std::span(images).subspan(i * 36, 36));
    EXPECT_TRUE(
        std::equal(one.begin(), one.end(), all.begin() + static_cast<std::ptrdiff_t>(i * 6)));
  }
  EXPECT_TRUE(inference->Run({}).empty());
}

class InferenceErrors : public ::testing::Test {
 protected:
  std::string Error() const {
    const auto inference = InferenceNetwork::Create(network_, tensors_, "w.safetensors");
    EXPECT_EQ(inference.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(inference.status().message());
  }
  Network network_ = MakeNetwork({1, 3, 3}, {{.kind = LayerKind::kConv, .out = 2, .kernel = 3},
                                             {.kind = LayerKind::kBatchNorm}});
  SafeTensors tensors_{.tensors = {Floats("layers.0.weight", {2, 1, 3, 3}, Random(18, 1)),
                                   Floats("layers.0.bias", {2}, {0, 0}),
                                   Floats("layers.1.weight", {2}, {1, 1}),
                                   Floats("layers.1.bias", {2}, {0, 0}),
                                   Floats("layers.1.running_mean", {2}, {0, 0}),
                                   Floats("layers.1.running_var", {2}, {1, 1})}};
};

TEST_F(InferenceErrors, AMissingTensorIsNamedWithItsShape) {
  tensors_.tensors.erase(tensors_.tensors.begin());
  EXPECT_EQ(Error(), "w.safetensors: has no tensor 'layers.0.weight'; expected F32 [2, 1, 3, 3]");
}

TEST_F(InferenceErrors, AWrongShapeOrTypeIsNamedWithWhatWasExpected) {
  tensors_.tensors[0].shape = {2, 9};
  EXPECT_EQ(Error(),
            "w.safetensors: tensor 'layers.0.weight' is F32 [2, 9]; expected F32 [2, 1, 3, 3]");
  tensors_.tensors[0] = {"layers.0.weight", "F64", {2, 1, 3, 3}, std::string(144, 0)};
  EXPECT_THAT(Error(), AllOf(HasSubstr("is F64"), HasSubstr("expected F32 [2, 1, 3, 3]")));
}

TEST_F(InferenceErrors, ATensorOfNoLayerIsNamed) {
  tensors_.tensors.push_back(Floats("layers.7.weight", {1}, {1}));
  EXPECT_THAT(Error(), HasSubstr("'layers.7.weight' belongs to no layer"));
}

TEST_F(InferenceErrors, ValuesThatAreNoWeightsAreNamed) {
  tensors_.tensors[1] = Floats("layers.0.bias", {2}, {0, std::numeric_limits<float>::quiet_NaN()});
  EXPECT_THAT(Error(), HasSubstr("'layers.0.bias' holds a value that is not finite"));
  tensors_.tensors[1] = Floats("layers.0.bias", {2}, {0, 0});
  tensors_.tensors[5] = Floats("layers.1.running_var", {2}, {1, -1});
  EXPECT_THAT(Error(), HasSubstr("running_var' holds -1"));
}

TEST_F(InferenceErrors, ANetworkWhoseActivationsAreHugeIsRefused) {
  network_ = MakeNetwork({1, 30000, 30000}, {{.kind = LayerKind::kGlobalAvgPool},
                                             {.kind = LayerKind::kConv, .out = 2, .kernel = 1}});
  EXPECT_THAT(Error(), HasSubstr("900000000 values per image"));
}

}  // namespace
}  // namespace sweep
