// Compares our network, losses and optimiser with libtorch's own modules. The only file that
// includes headers of libtorch's C++ frontend, which take long to compile.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/nn/modules/activation.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/loss.h>
#include <torch/nn/modules/pooling.h>
#include <torch/optim/sgd.h>
#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "worker/data/batch.h"
#include "worker/data/dataset.h"
#include "worker/trainer/dropout_bits.h"
#include "worker/trainer/schedule.h"
#include "worker/trainer/testing/trainer_testing.h"
#include "worker/trainer/torch/loss.h"
#include "worker/trainer/torch/network_module.h"
#include "worker/trainer/torch/sgd.h"
#ifdef SWEEP_HAS_NETWORK_FILES
#include "common/network/testing/network_testing.h"
#endif
#ifdef SWEEP_HAS_LANES
#include "worker/trainer/lanes/lanes_backend.h"
#endif

namespace sweep {
namespace {

namespace nn = torch::nn;

constexpr std::uint64_t kSeed = 3;

// Two threads would add in another order than one, so libtorch gets one.
const auto* const kOneThread = testing::AddGlobalTestEnvironment([] {
  class OneThread : public testing::Environment {
    void SetUp() override { torch::set_num_threads(1); }
  };
  return new OneThread;
}());

// The layers as stock modules in an nn.Sequential called `layers`, one module per layer, so that
// its parameters have the names that ours claim to have. Dropout does nothing here.
class StockNetwork : public nn::Module {
 public:
  explicit StockNetwork(const Network& network) : network_(network) {
    for (const Layer& layer : network.layers) Append(layer);
    register_module("layers", layers_);
  }

  torch::Tensor Forward(torch::Tensor x) {
    std::size_t index = 0;
    for (nn::AnyModule& module : *layers_) {
      if (network_.layers[index++].kind == LayerKind::kLinear) x = x.flatten(1);
      x = module.forward(x);
    }
    return x.flatten(1);
  }

 private:
  void Append(const Layer& layer) {
    const int in = layer.input.channels;
    switch (layer.kind) {
      case LayerKind::kConv:
        layers_->push_back(nn::Conv2d(nn::Conv2dOptions(in, layer.out, layer.kernel)
                                          .stride(layer.stride)
                                          .padding(layer.padding)
                                          .bias(layer.bias)));
        return;
      case LayerKind::kRelu:
        layers_->push_back(nn::ReLU());
        return;
      case LayerKind::kBatchNorm:
        layers_->push_back(nn::BatchNorm2d(in));
        return;
      case LayerKind::kMaxPool:
        layers_->push_back(nn::MaxPool2d(nn::MaxPool2dOptions(layer.kernel).stride(layer.stride)));
        return;
      case LayerKind::kAvgPool:
        layers_->push_back(nn::AvgPool2d(nn::AvgPool2dOptions(layer.kernel).stride(layer.stride)));
        return;
      case LayerKind::kGlobalAvgPool:
        layers_->push_back(nn::AdaptiveAvgPool2d(1));
        return;
      case LayerKind::kLinear:
        layers_->push_back(
            nn::Linear(nn::LinearOptions(layer.input.elements(), layer.out).bias(layer.bias)));
        return;
      case LayerKind::kDropout:
      case LayerKind::kDropout2d:   // without effect
      case LayerKind::kLogSoftmax:  // belongs to the loss
        layers_->push_back(nn::Identity());
        return;
    }
  }

  const Network network_;
  nn::Sequential layers_;
};

// A copy with channels-last strides even for one channel, unlike contiguous().
torch::Tensor ChannelsLast(const torch::Tensor& tensor) {
  return torch::empty(tensor.sizes(), tensor.options(), at::MemoryFormat::ChannelsLast)
      .copy_(tensor);
}

// Copies our initial values into the stock network, by name; false when a name is missing there.
// Filters become channels last as ours are: libtorch's kernels for the other layout round
// differently.
bool CopyParameters(const NetworkModule& from, StockNetwork* to) {
  const torch::NoGradGuard no_grad;
  for (torch::Tensor& parameter : to->parameters()) {
    if (parameter.dim() != 4) continue;
    parameter.set_data(ChannelsLast(parameter.detach()));
  }
  const auto theirs = to->named_parameters();
  if (theirs.size() != from.parameters().size()) return false;
  for (const NamedTensor& ours : from.parameters()) {
    const torch::Tensor* target = theirs.find(ours.name);
    if (target == nullptr || target->sizes() != ours.tensor.sizes()) return false;
    target->detach().copy_(ours.tensor);
  }
  return true;
}

// Compares root mean squares: in a deep network a rounding error flips a few choices of ReLUs and
// pools, which changes single gradients a lot but hardly all of them together.
testing::AssertionResult Close(const torch::Tensor& ours, const torch::Tensor& theirs,
                               double tolerance) {
  if (ours.sizes() != theirs.sizes()) return testing::AssertionFailure() << "other shapes";
  const auto rms = [](const torch::Tensor& tensor) {
    return tensor.to(torch::kDouble).square().mean().sqrt().item<double>();
  };
  const double scale = std::max(1.0, rms(theirs));
  const double difference = rms(ours - theirs);
  if (difference <= tolerance * scale) return testing::AssertionSuccess();
  return testing::AssertionFailure() << "differ by " << difference << " at scale " << scale;
}

Network WithoutDropout(Network network) {
  for (Layer& layer : network.layers) layer.p = 0;
  return network;
}

torch::Tensor RandomImages(const Shape& shape, int count) {
  return ChannelsLast(torch::randn({count, shape.channels, shape.height, shape.width}));
}

// Rounding errors of float, for one layer and for many.
constexpr double kOneLayer = 2e-6;
constexpr double kWholeNetwork = 1e-4;

// Compares outputs, input gradient, parameter gradients, running estimates and evaluation.
void ExpectSameAsStock(const Network& network, int images, double tolerance) {
  torch::manual_seed(kSeed);
  NetworkModule ours(network, kSeed, torch::kCPU);
  StockNetwork stock(network);
  ASSERT_TRUE(CopyParameters(ours, &stock)) << "names or shapes of the parameters differ";
  for (int step = 0; step < 3; ++step) {
    torch::Tensor our_input = RandomImages(network.input, images);
    torch::Tensor their_input = our_input.clone();
    our_input.requires_grad_(true);
    their_input.requires_grad_(true);
    ours.ZeroGradients();
    stock.zero_grad();
    const torch::Tensor our_output =
        ours.ForwardTraining(our_input, static_cast<std::uint32_t>(step));
    const torch::Tensor their_output = stock.Forward(their_input);
    ASSERT_TRUE(Close(our_output, their_output, tolerance));
    const torch::Tensor weights = torch::randn_like(their_output);
    (our_output * weights).sum().backward();
    (their_output * weights).sum().backward();
    EXPECT_TRUE(Close(our_input.grad(), their_input.grad(), tolerance));
    const auto theirs = stock.named_parameters();
    for (const NamedTensor& parameter : ours.parameters()) {
      EXPECT_TRUE(Close(parameter.tensor.grad(), theirs[parameter.name].grad(), tolerance))
          << parameter.name;
    }
  }
  const auto buffers = stock.named_buffers();
  EXPECT_EQ(ours.buffers().size(), buffers.size());
  for (const NamedTensor& buffer : ours.buffers()) {
    EXPECT_TRUE(Close(buffer.tensor, buffers[buffer.name], tolerance)) << buffer.name;
  }
  stock.eval();
  const torch::Tensor input = RandomImages(network.input, images);
  EXPECT_TRUE(Close(ours.ForwardEvaluation(input), stock.Forward(input), tolerance));
}

// Puts the layers under test between an input of [4, 9, 9] and a linear layer.
Network Around(std::vector<Layer> layers) {
  layers.push_back({.kind = LayerKind::kLinear, .out = 7});
  Network network{.name = "test", .input = {4, 9, 9}, .layers = std::move(layers)};
  EXPECT_EQ(InferShapes(&network), "");
  return network;
}

struct LayerCase {
  std::string name;
  std::vector<Layer> layers;
};

void PrintTo(const LayerCase& layer_case, std::ostream* out) { *out << layer_case.name; }

class LayerAgainstStock : public testing::TestWithParam<LayerCase> {};

TEST_P(LayerAgainstStock, ForwardGradientAndEvaluation) {
  ExpectSameAsStock(Around(GetParam().layers), 6, kOneLayer);
}

const Layer kConvSame{.kind = LayerKind::kConv, .out = 5, .kernel = 3, .padding = 1};

INSTANTIATE_TEST_SUITE_P(
    EveryKind, LayerAgainstStock,
    testing::Values(
        LayerCase{"Conv", {{.kind = LayerKind::kConv, .out = 5, .kernel = 3}}},
        LayerCase{"ConvSame", {kConvSame}},
        LayerCase{"ConvOne", {{.kind = LayerKind::kConv, .out = 3, .kernel = 1}}},
        LayerCase{"ConvStrideNoBias",
                  {{.kind = LayerKind::kConv,
                    .out = 6,
                    .kernel = 5,
                    .stride = 2,
                    .padding = 2,
                    .bias = false}}},
        LayerCase{"Relu", {{.kind = LayerKind::kRelu}}},
        LayerCase{"BatchNorm", {{.kind = LayerKind::kBatchNorm}}},
        LayerCase{"MaxPool", {{.kind = LayerKind::kMaxPool, .kernel = 2, .stride = 2}}},
        LayerCase{"MaxPoolOverlapping", {{.kind = LayerKind::kMaxPool, .kernel = 3, .stride = 2}}},
        LayerCase{"AvgPool", {{.kind = LayerKind::kAvgPool, .kernel = 3, .stride = 3}}},
        LayerCase{"AvgPoolOverlapping", {{.kind = LayerKind::kAvgPool, .kernel = 4, .stride = 1}}},
        LayerCase{"GlobalAvgPool", {{.kind = LayerKind::kGlobalAvgPool}}},
        LayerCase{"Linear", {{.kind = LayerKind::kLinear, .out = 9}}},
        LayerCase{"LinearNoBias", {{.kind = LayerKind::kLinear, .out = 9, .bias = false}}},
        LayerCase{"Block",
                  {kConvSame,
                   {.kind = LayerKind::kRelu},
                   {.kind = LayerKind::kBatchNorm},
                   {.kind = LayerKind::kMaxPool, .kernel = 2, .stride = 2},
                   kConvSame,
                   {.kind = LayerKind::kBatchNorm},
                   {.kind = LayerKind::kRelu}}}),
    [](const auto& info) { return info.param.name; });

// The factors as dropout_bits.h defines them, element by element.
torch::Tensor DefinedMask(const torch::Tensor& like, LayerKind kind, double p,
                          const DropoutStream& stream) {
  torch::Tensor mask = torch::empty(like.sizes());
  const std::int64_t channels = like.size(1), height = like.size(2), width = like.size(3);
  for (std::int64_t i = 0; i < mask.numel(); ++i) {
    const std::int64_t x = i % width, y = i / width % height;
    const std::int64_t channel = i / (width * height) % channels;
    const std::int64_t image = i / (width * height * channels);
    const std::int64_t element = kind == LayerKind::kDropout2d
                                     ? image * channels + channel
                                     : ((image * height + y) * width + x) * channels + channel;
    const bool drop =
        DropoutDraw(stream, static_cast<std::uint64_t>(element)) < DropoutThreshold(p);
    mask[image][channel][y][x] = drop ? 0.0 : 1 / (1 - p);
  }
  return mask;
}

class DropoutLayer : public testing::TestWithParam<LayerKind> {};

TEST_P(DropoutLayer, DropsWhatThePhiloxStreamSays) {
  torch::manual_seed(kSeed);
  constexpr double kP = 0.3;
  constexpr std::uint32_t kStep = 12345;
  const Network network = Around({{.kind = LayerKind::kRelu}, {.kind = GetParam(), .p = kP}});
  NetworkModule ours(network, kSeed, torch::kCPU);
  StockNetwork stock(network);
  ASSERT_TRUE(CopyParameters(ours, &stock));
  torch::Tensor input = RandomImages(network.input, 5).abs();  // so that a ReLU does nothing
  torch::Tensor masked_input = input.clone();
  const torch::Tensor mask =
      DefinedMask(input, GetParam(), kP, {.key = DropoutKey(kSeed), .step = kStep, .layer = 1});
  input.requires_grad_(true);
  masked_input.requires_grad_(true);
  const torch::Tensor our_output = ours.ForwardTraining(input, kStep);
  const torch::Tensor expected = stock.Forward(masked_input * mask);
  EXPECT_TRUE(Close(our_output, expected, kOneLayer));
  our_output.sum().backward();
  expected.sum().backward();
  EXPECT_TRUE(Close(input.grad(), masked_input.grad(), kOneLayer));
  EXPECT_FALSE(Close(ours.ForwardTraining(input, kStep + 1), expected, kOneLayer));
  EXPECT_TRUE(Close(ours.ForwardEvaluation(input), stock.Forward(input), kOneLayer));
}

INSTANTIATE_TEST_SUITE_P(BothKinds, DropoutLayer,
                         testing::Values(LayerKind::kDropout, LayerKind::kDropout2d),
                         [](const auto& info) {
                           return info.param == LayerKind::kDropout ? "Elements" : "Channels";
                         });

TEST(AgainstStock, ASmallNetwork) {
  ExpectSameAsStock(WithoutDropout(SmallNetwork()), 8, kWholeNetwork);
}

#ifdef SWEEP_HAS_NETWORK_FILES
class BuiltinAgainstStock : public testing::TestWithParam<std::string> {};

TEST_P(BuiltinAgainstStock, ParameterCountForwardAndGradient) {
  const Network network = ResolveBuiltin(GetParam(), 0);
  StockNetwork stock(network);
  std::int64_t elements = 0;
  for (const torch::Tensor& parameter : stock.parameters()) elements += parameter.numel();
  EXPECT_EQ("cnn-" + std::to_string(elements), GetParam());
  EXPECT_EQ(network.parameters, elements);
  EXPECT_EQ(NetworkModule(network, kSeed, torch::kCPU).flat_parameters().numel(), elements);
  ExpectSameAsStock(network, 16, kWholeNetwork);
}

#ifdef SWEEP_HAS_LANES
// The largest ‖Δ‖₂ / ‖expected‖₂ of a parameter's gradient after one step of backend `lanes` on
// random images, against libtorch in double.
double GradientError(const Network& network, int images) {
  TrialSpec spec;
  spec.network = network;
  spec.batch_size = images;
  spec.seed = kSeed;
  std::unique_ptr<Backend> lanes;
  EXPECT_EQ(MakeLanesBackend(spec, 1, &lanes), "");
  const torch::Tensor pixels = torch::randn({images, 1, 28, 28});
  const torch::Tensor labels = torch::randint(10, {images}, torch::kByte);
  lanes->TrainStep({images, pixels.data_ptr<float>(), labels.data_ptr<std::uint8_t>()}, 0, 0.1);

  StockNetwork stock(spec.network);
  EXPECT_TRUE(CopyParameters(NetworkModule(spec.network, kSeed, torch::kCPU), &stock));
  stock.to(torch::kDouble);
  const torch::Tensor outputs = stock.Forward(pixels.to(torch::kDouble));
  const torch::Tensor loss =
      torch::nll_loss(torch::log_softmax(outputs, 1), labels.to(torch::kLong));
  loss.backward();
  EXPECT_NEAR(lanes->LastLoss(), loss.item<double>(), 1e-6);
  const auto parameters = stock.named_parameters();
  double largest = 0;
  for (const SafeTensor& gradient : lanes->Save().momentum) {  // after one step
    const torch::Tensor expected = parameters[gradient.name].grad().contiguous().flatten();
    const torch::Tensor actual =
        torch::from_blob(const_cast<char*>(gradient.bytes.data()), expected.sizes())
            .to(torch::kDouble);
    // The bias before a BatchNorm has no gradient.
    const double size = std::max(expected.norm().item<double>(), 1e-3);
    largest = std::max(largest, (actual - expected).norm().item<double>() / size);
  }
  return largest;
}

// Rounding takes about one of some hundred thousand values across the kink of a ReLU, which changes
// gradients by about a hundredth. Among several sets of images, one has no such value.
TEST_P(BuiltinAgainstStock, GradientOfBackendLanesInDouble) {
  torch::manual_seed(kSeed);
  double smallest = 1;
  for (int set = 0; set < 6; ++set) {
    const double error = GradientError(ResolveBuiltin(GetParam(), 0), 18);
    EXPECT_LE(error, 0.1);
    smallest = std::min(smallest, error);
  }
  EXPECT_LE(smallest, 5e-5);
}
#endif

INSTANTIATE_TEST_SUITE_P(AllFive, BuiltinAgainstStock, testing::ValuesIn(BuiltinNetworkNames()),
                         [](const auto& info) { return "Cnn" + info.param.substr(4); });
#endif

TEST(InitialValues, AreUniformBelowOneOverTheRootOfTheFanIn) {
  const NetworkModule module(SmallNetwork(), kSeed, torch::kCPU);
  for (const NamedTensor& parameter : module.parameters()) {
    const bool is_norm =
        parameter.name.starts_with("layers.2.") || parameter.name.starts_with("layers.7.");
    if (is_norm) {
      const double expected = parameter.name.ends_with("weight") ? 1 : 0;
      EXPECT_TRUE(parameter.tensor.eq(expected).all().item<bool>()) << parameter.name;
      continue;
    }
    const double fan_in = parameter.name.starts_with("layers.0.")   ? 9
                          : parameter.name.starts_with("layers.5.") ? 72
                                                                    : 144;
    const double bound = 1 / std::sqrt(fan_in);
    EXPECT_LE(parameter.tensor.abs().max().item<double>(), bound) << parameter.name;
    if (parameter.tensor.numel() < 500) continue;
    EXPECT_GT(parameter.tensor.abs().max().item<double>(), 0.97 * bound) << parameter.name;
    EXPECT_NEAR(parameter.tensor.std().item<double>(), bound / std::sqrt(3.0), 0.05 * bound);
    EXPECT_NEAR(parameter.tensor.mean().item<double>(), 0, 0.1 * bound);
  }
}

TEST(InitialValues, DependOnTheSeedAlone) {
  const NetworkModule first(SmallNetwork(), 1, torch::kCPU);
  const NetworkModule same(SmallNetwork(), 1, torch::kCPU);
  const NetworkModule other(SmallNetwork(), 2, torch::kCPU);
  EXPECT_TRUE(first.flat_parameters().equal(same.flat_parameters()));
  EXPECT_FALSE(first.flat_parameters().equal(other.flat_parameters()));
}

TEST(Loss, IsCrossEntropyWithLabelSmoothing) {
  torch::manual_seed(kSeed);
  const torch::Tensor outputs = torch::randn({12, 10}) * 3;
  const torch::Tensor labels = torch::randint(10, {12}, torch::kLong);
  for (const double smoothing : {0.0, 0.1, 0.5}) {
    nn::CrossEntropyLoss stock(nn::CrossEntropyLossOptions().label_smoothing(smoothing));
    EXPECT_TRUE(Close(Loss("nll", outputs, labels, smoothing), stock(outputs, labels), kOneLayer))
        << smoothing;
  }
}

// 120 images of ten classes give ln(12) here; the write-up had 128, hence ln(12.8).
TEST(Loss, OverTheBatchIsLnOfImagesPerClassWhereLabelsAreSure) {
  const torch::Tensor labels = torch::arange(120).remainder(10);
  const torch::Tensor outputs = torch::one_hot(labels, 10).to(torch::kFloat) * 50;
  EXPECT_NEAR(Loss("nll_batch_softmax", outputs, labels, 0).item<double>(), std::log(12.0), 1e-5);
  EXPECT_NEAR(Loss("nll", outputs, labels, 0).item<double>(), 0, 1e-5);
}

TEST(Predictions, AreTheLargestRawOutputOrTheLargestAfterTheBatchSoftmax) {
  // The second class has the largest output everywhere, but most of the first class's probability
  // over the batch belongs to the first image.
  const torch::Tensor outputs = torch::tensor({{3.0f, 4.0f}, {0.0f, 5.0f}, {0.0f, 6.0f}});
  const torch::Tensor by_class = torch::tensor({1, 1, 1}, torch::kLong);
  const torch::Tensor by_batch = torch::tensor({0, 1, 1}, torch::kLong);
  EXPECT_TRUE(Predictions("class_softmax", outputs).equal(by_class));
  EXPECT_TRUE(Predictions("batch_softmax", outputs).equal(by_batch));
}

struct SgdCase {
  std::string name;
  double momentum = 0;
  bool nesterov = false;
  double weight_decay = 0;
  bool decay_norm_and_bias = true;
};

void PrintTo(const SgdCase& sgd_case, std::ostream* out) { *out << sgd_case.name; }

class SgdAgainstStock : public testing::TestWithParam<SgdCase> {};

TEST_P(SgdAgainstStock, SixStepsWithAChangingRate) {
  torch::manual_seed(kSeed);
  const SgdCase& param = GetParam();
  const Network network = WithoutDropout(SmallNetwork());
  TrialSpec spec;
  spec.momentum = param.momentum;
  spec.nesterov = param.nesterov;
  spec.weight_decay = param.weight_decay;
  spec.decay_norm_and_bias = param.decay_norm_and_bias;
  NetworkModule ours(network, kSeed, torch::kCPU);
  Sgd sgd(spec, &ours);
  StockNetwork stock(network);
  ASSERT_TRUE(CopyParameters(ours, &stock));
  std::vector<torch::Tensor> weights, others;
  for (const torch::Tensor& parameter : stock.parameters()) {
    (parameter.dim() > 1 ? weights : others).push_back(parameter);
  }
  const auto options = [&](double weight_decay) {
    return std::make_unique<torch::optim::SGDOptions>(torch::optim::SGDOptions(0.1)
                                                          .momentum(param.momentum)
                                                          .nesterov(param.nesterov)
                                                          .weight_decay(weight_decay));
  };
  std::vector<torch::optim::OptimizerParamGroup> groups;
  groups.emplace_back(weights, options(param.weight_decay));
  groups.emplace_back(others, options(param.decay_norm_and_bias ? param.weight_decay : 0));
  torch::optim::SGD optimizer(groups, torch::optim::SGDOptions(0.1));
  for (int step = 0; step < 6; ++step) {
    const double lr = 0.02 * (step + 1);
    // Both get the same gradients, so that only the optimisers can differ.
    const auto theirs = stock.named_parameters();
    for (const NamedTensor& parameter : ours.parameters()) {
      parameter.tensor.grad().copy_(torch::randn(parameter.tensor.sizes()));
      theirs[parameter.name].mutable_grad() = parameter.tensor.grad().clone();
    }
    for (auto& group : optimizer.param_groups()) group.options().set_lr(lr);
    sgd.Step(lr);
    optimizer.step();
  }
  const auto theirs = stock.named_parameters();
  for (const NamedTensor& parameter : ours.parameters()) {
    EXPECT_TRUE(Close(parameter.tensor, theirs[parameter.name], 1e-6)) << parameter.name;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Sgd, SgdAgainstStock,
    testing::Values(
        SgdCase{.name = "Plain"}, SgdCase{.name = "Momentum", .momentum = 0.9},
        SgdCase{.name = "Nesterov", .momentum = 0.9, .nesterov = true},
        SgdCase{.name = "WeightDecay", .momentum = 0.9, .weight_decay = 0.05},
        SgdCase{.name = "NesterovDecay", .momentum = 0.8, .nesterov = true, .weight_decay = 0.05},
        SgdCase{.name = "DecayOfWeightsAlone",
                .momentum = 0.9,
                .weight_decay = 0.05,
                .decay_norm_and_bias = false}),
    [](const auto& info) { return info.param.name; });

// PyTorch's usual loop, over batches that are built as worker/data defines them.
std::vector<EpochMetrics> StockTraining(const TrialSpec& spec, const Dataset& data) {
  const NetworkModule initial(spec.network, spec.seed, torch::kCPU);
  StockNetwork stock(spec.network);
  EXPECT_TRUE(CopyParameters(initial, &stock));
  torch::optim::SGD optimizer(stock.parameters(),
                              torch::optim::SGDOptions(spec.lr).momentum(spec.momentum));
  nn::CrossEntropyLoss loss(nn::CrossEntropyLossOptions().label_smoothing(spec.label_smoothing));
  const Split split = HoldoutSplit(data.train.count, spec.holdout, spec.seed);
  const int images = static_cast<int>(split.train.size());
  const int steps = (images + spec.batch_size - 1) / spec.batch_size;
  const Schedule schedule(spec, steps);
  BatchOptions options{
      .seed = spec.seed, .mean = spec.normalize_mean, .stddev = spec.normalize_stddev};
  const auto forward = [&](const std::vector<std::int32_t>& indices) {
    torch::Tensor input = torch::empty({std::ssize(indices), 1, 28, 28}, torch::kFloat,
                                       at::MemoryFormat::ChannelsLast);
    FillBatch(data.train, indices, options, input.data_ptr<float>());
    return stock.Forward(input);
  };
  const auto labels_of = [&](const std::vector<std::int32_t>& indices) {
    torch::Tensor labels = torch::empty({std::ssize(indices)}, torch::kLong);
    for (std::size_t i = 0; i < indices.size(); ++i) {
      labels[static_cast<std::int64_t>(i)] =
          data.train.labels[static_cast<std::size_t>(indices[i])];
    }
    return labels;
  };
  std::vector<EpochMetrics> epochs;
  for (int epoch = 1; epoch <= spec.epochs; ++epoch) {
    EpochMetrics metrics{.epoch = epoch};
    double train_loss = 0, train_accuracy = 0, lr = 0;
    const std::vector<std::int32_t> order = EpochOrder(images, spec.seed, epoch);
    options.augmentation =
        MakeAugmentation(spec.augmentation, spec.shift_pixels, spec.rotation_degrees);
    options.epoch = epoch;
    stock.train();
    for (int step = 0; step < steps; ++step) {
      std::vector<std::int32_t> indices;
      for (int i = step * spec.batch_size; i < std::min(images, (step + 1) * spec.batch_size);
           ++i) {
        indices.push_back(
            split.train[static_cast<std::size_t>(order[static_cast<std::size_t>(i)])]);
      }
      options.first_position = step * spec.batch_size;
      const torch::Tensor outputs = forward(indices);
      const torch::Tensor labels = labels_of(indices);
      const torch::Tensor mean = loss(outputs, labels);
      optimizer.zero_grad();
      mean.backward();
      lr = schedule.LearningRate((epoch - 1) * steps + step);
      for (auto& group : optimizer.param_groups()) group.options().set_lr(lr);
      optimizer.step();
      train_loss += mean.item<double>() * static_cast<double>(indices.size()) / images;
      train_accuracy += outputs.argmax(1).eq(labels).sum().item<double>() / images;
    }
    const torch::NoGradGuard no_grad;
    stock.eval();
    options.augmentation = {};
    const torch::Tensor outputs = forward(split.holdout);
    const torch::Tensor labels = labels_of(split.holdout);
    const double validation_loss =
        torch::nll_loss(torch::log_softmax(outputs, 1), labels).item<double>();
    const double validation_accuracy =
        outputs.argmax(1).eq(labels).to(torch::kDouble).mean().item<double>();
    metrics.values = {{kTrainLoss, train_loss},
                      {kTrainAccuracy, train_accuracy},
                      {kValidationLoss, validation_loss},
                      {kValidationAccuracy, validation_accuracy},
                      {kLearningRate, lr}};
    epochs.push_back(metrics);
  }
  return epochs;
}

class TrainingAgainstStock : public testing::TestWithParam<const char*> {};

TEST_P(TrainingAgainstStock, EveryEpoch) {
  const TemporaryFolder folder;
  TrialSpec spec = SmallTrial(folder.path());
  spec.network = WithoutDropout(SmallNetwork());
  spec.lr = 0.02;
  spec.schedule = "one_cycle";
  spec.augmentation = "shift_rotation";
  spec.label_smoothing = 0.1;
  spec.holdout = 100;  // 8 batches of 50 and one of 20 remain
  const std::vector<EpochMetrics> stock = StockTraining(spec, LoadDataset(spec.dataset, ""));
  Recorder recorder;
  Trainer({.device = "cpu", .backend = GetParam()}).Train(spec, &recorder);
  ASSERT_EQ(recorder.epochs.size(), stock.size());
  for (std::size_t i = 0; i < stock.size(); ++i) {
    const EpochMetrics& ours = recorder.epochs[i];
    SCOPED_TRACE("epoch " + std::to_string(ours.epoch));
    EXPECT_DOUBLE_EQ(ours.Get("lr"), stock[i].Get("lr"));
    // Rounding errors grow with every step; another order of the images differs 30 times as much.
    EXPECT_NEAR(ours.Get("train_loss"), stock[i].Get("train_loss"), 3e-4);
    EXPECT_NEAR(ours.Get("train_accuracy"), stock[i].Get("train_accuracy"), 2.0 / 420);
    EXPECT_NEAR(ours.Get("validation_loss"), stock[i].Get("validation_loss"), 1e-3);
    EXPECT_NEAR(ours.Get("validation_accuracy"), stock[i].Get("validation_accuracy"), 2.0 / 100);
  }
}

#ifdef SWEEP_HAS_LANES
INSTANTIATE_TEST_SUITE_P(Backends, TrainingAgainstStock, testing::Values("torch", "lanes"));
#else
INSTANTIATE_TEST_SUITE_P(Backends, TrainingAgainstStock, testing::Values("torch"));
#endif

}  // namespace
}  // namespace sweep
