// Compares the backends with each other: the same steps from the same initial values with the same
// dropout, on every built-in network and on random ones.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <random>

#include "common/network/layer_kinds.h"
#include "worker/data/batch.h"
#include "worker/data/dataset.h"
#include "worker/trainer/lanes/lanes_backend.h"
#include "worker/trainer/lanes/plan.h"
#include "worker/trainer/testing/trainer_testing.h"
#include "worker/trainer/torch/torch_backend.h"
#include "worker/trainer/torch/torch_runtime.h"
#ifdef SWEEP_HAS_NETWORK_FILES
#include "common/network/testing/network_testing.h"
#endif

namespace sweep {
namespace {

const auto* const kOneThread = testing::AddGlobalTestEnvironment([] {
  class OneThread : public testing::Environment {
    void SetUp() override { SetUpTorch(1); }
  };
  return new OneThread;
}());

// Noise with random labels, so that every pixel matters.
struct Images {
  Images(int count, const Shape& shape, int classes, unsigned seed)
      : size(static_cast<int>(shape.elements())), pixels(count * size), labels(count) {
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal;
    for (float& pixel : pixels) pixel = normal(generator);
    for (std::uint8_t& label : labels) label = static_cast<std::uint8_t>(generator() % classes);
  }
  Batch First(int count) const { return {count, pixels.data(), labels.data()}; }

  int size;
  std::vector<float> pixels;
  std::vector<std::uint8_t> labels;
};

std::vector<double> Numbers(const SafeTensor& tensor) {
  if (tensor.dtype == "I64") {
    std::int64_t value = 0;
    std::memcpy(&value, tensor.bytes.data(), sizeof(value));
    return {static_cast<double>(value)};
  }
  std::vector<float> values(tensor.bytes.size() / sizeof(float));
  std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
  return {values.begin(), values.end()};
}

double Norm(const std::vector<double>& values) {
  return std::sqrt(std::inner_product(values.begin(), values.end(), values.begin(), 0.0));
}

// ‖a - b‖₂ over all tensors, relative to ‖a - before‖₂.
double RelativeDifference(const std::vector<SafeTensor>& before, const std::vector<SafeTensor>& a,
                          const std::vector<SafeTensor>& b) {
  EXPECT_EQ(a.size(), b.size());
  double difference = 0;
  double size = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    EXPECT_EQ(a[i].name, b[i].name);
    EXPECT_EQ(a[i].shape, b[i].shape);
    std::vector<double> x = Numbers(a[i]);
    const std::vector<double> y = Numbers(b[i]);
    const std::vector<double> start = Numbers(before[i]);
    std::vector<double> delta(x.size());
    for (std::size_t j = 0; j < x.size(); ++j) {
      delta[j] = x[j] - y[j];
      x[j] -= start[j];
    }
    difference += std::pow(Norm(delta), 2);
    size += std::pow(Norm(x), 2);
  }
  return std::sqrt(difference / std::max(size, 1e-30));
}

struct Pair {
  explicit Pair(const TrialSpec& spec) : torch(MakeTorchBackend(spec, "cpu")) {
    EXPECT_EQ(MakeLanesBackend(spec, 1, &lanes), "");
  }
  void Step(const Batch& batch, std::int64_t step, double lr) const {
    torch->TrainStep(batch, step, lr);
    lanes->TrainStep(batch, step, lr);
  }
  std::unique_ptr<Backend> torch, lanes;
};

bool HasKinks(const Network& network) {
  return std::any_of(network.layers.begin(), network.layers.end(), [](const Layer& layer) {
    return layer.kind == LayerKind::kRelu || layer.kind == LayerKind::kMaxPool;
  });
}

// The same network with average pools in place of max pools, and without ReLUs.
Network Smooth(Network network) {
  std::erase_if(network.layers, [](const Layer& layer) { return layer.kind == LayerKind::kRelu; });
  for (Layer& layer : network.layers) {
    if (layer.kind == LayerKind::kMaxPool) layer.kind = LayerKind::kAvgPool;
  }
  EXPECT_EQ(InferShapes(&network), "");
  return network;
}

// Some steps, each from the same state, then an evaluation. libtorch sums BatchNorm's statistics in
// float, so activations agree to about 1e-5. A few of them fall on the other side of a ReLU's kink,
// or choose another pixel in a max pool, which changes the gradient by some per cent. Networks
// without kinks must agree closely.
void ExpectSameSteps(const TrialSpec& spec, int steps, double lr) {
  const Images images(spec.batch_size, spec.network.input, spec.network.classes, 7);
  const Pair backends(spec);
  const double tolerance = HasKinks(spec.network) ? 0.1 : 1e-4;
  TrainingState before = backends.torch->Save();
  EXPECT_EQ(backends.lanes->Save().network, before.network);
  EXPECT_EQ(backends.lanes->Save().momentum, before.momentum);
  for (int step = 0; step < steps; ++step) {
    const int count = std::max(2, spec.batch_size - 3 * step);
    backends.Step(images.First(count), step, lr);
    const double loss = backends.torch->LastLoss();
    EXPECT_NEAR(backends.lanes->LastLoss(), loss, 1e-5 * (1 + std::abs(loss)));
    const TrainingState torch = backends.torch->Save();
    const TrainingState lanes = backends.lanes->Save();
    EXPECT_LE(RelativeDifference(before.network, torch.network, lanes.network), tolerance);
    EXPECT_LE(RelativeDifference(before.momentum, torch.momentum, lanes.momentum), tolerance);
    backends.lanes->Load(torch, "torch");
    before = torch;
  }
  std::vector<std::uint8_t> predictions(spec.batch_size), same(spec.batch_size);
  const Batch all = images.First(spec.batch_size);
  const double loss = backends.torch->Evaluate(all, predictions.data()).loss;
  EXPECT_NEAR(backends.lanes->Evaluate(all, same.data()).loss, loss, 1e-5 * std::abs(loss));
  int different = 0;
  for (int i = 0; i < spec.batch_size; ++i) different += predictions[i] != same[i] ? 1 : 0;
  EXPECT_LE(different, 1);  // two outputs may be nearly equal
}

TrialSpec SpecOf(const Network& network, int batch_size) {
  TrialSpec spec;
  spec.network = network;
  spec.batch_size = batch_size;
  spec.momentum = 0.9;
  return spec;
}

#ifdef SWEEP_HAS_NETWORK_FILES
class BuiltinBackends : public testing::TestWithParam<std::string> {};

TEST_P(BuiltinBackends, TrainTheSame) {
  const Network network = ResolveBuiltin(GetParam(), 0.1);
  ExpectSameSteps(SpecOf(network, 37), 3, 0.01);
  ExpectSameSteps(SpecOf(Smooth(network), 37), 3, 0.01);
}

INSTANTIATE_TEST_SUITE_P(AllFive, BuiltinBackends, testing::ValuesIn(BuiltinNetworkNames()),
                         [](const auto& info) { return "Cnn" + info.param.substr(4); });
#endif

TEST(Backends, TakeEveryOptionOfTheOptimiserAndTheLoss) {
  TrialSpec spec = SpecOf(Smooth(SmallNetwork()), 40);
  spec.nesterov = true;
  spec.weight_decay = 0.01;
  spec.decay_norm_and_bias = false;
  spec.label_smoothing = 0.1;
  ExpectSameSteps(spec, 4, 0.02);
  spec.loss = "nll_batch_softmax";
  spec.evaluate_with = "batch_softmax";
  ExpectSameSteps(spec, 4, 0.02);
}

TEST(Backends, ExchangeStatesInTheMiddleOfATraining) {
  const TrialSpec spec = SpecOf(Smooth(SmallNetwork()), 32);
  const Images images(32, spec.network.input, 10, 3);
  const Pair straight(spec);
  const Pair crossed(spec);
  for (int step = 0; step < 2; ++step) {
    straight.Step(images.First(32), step, 0.02);
    crossed.Step(images.First(32), step, 0.02);
  }
  const TrainingState torch = crossed.torch->Save();
  crossed.torch->Load(crossed.lanes->Save(), "lanes");
  crossed.lanes->Load(torch, "torch");
  EXPECT_EQ(crossed.lanes->Save().network, torch.network);
  EXPECT_EQ(crossed.lanes->Save().momentum, torch.momentum);
  const TrainingState before = MakeTorchBackend(spec, "cpu")->Save();
  straight.Step(images.First(32), 2, 0.02);
  crossed.Step(images.First(32), 2, 0.02);
  EXPECT_LE(RelativeDifference(before.network, straight.torch->Save().network,
                               crossed.lanes->Save().network),
            2e-4);
}

// What layers in the middle of a network may be.
std::vector<LayerKind> InnerKinds() {
  std::vector<LayerKind> kinds;
  for (const LayerKindInfo& info : LayerKinds()) {
    if (info.kind != LayerKind::kLogSoftmax) kinds.push_back(info.kind);
  }
  return kinds;
}

// Layers in any order, which lanes can compute; most of these networks are not sensible.
Network RandomNetwork(unsigned seed) {
  const std::vector<LayerKind> kinds = InnerKinds();
  std::mt19937 generator(seed);
  const auto draw = [&](int first, int last) {
    return std::uniform_int_distribution<int>(first, last)(generator);
  };
  while (true) {
    Network network{.name = "random", .input = {1, draw(9, 15), draw(9, 15)}};
    const int layers = draw(2, 9);
    for (int i = 0; i < layers; ++i) {
      Layer layer{
          .kind = kinds.at(static_cast<std::size_t>(draw(0, static_cast<int>(kinds.size()) - 1)))};
      if (layer.kind == LayerKind::kConv) {
        layer.out = draw(1, 9);
        layer.kernel = 2 * draw(0, 1) + 1;
        layer.padding = draw(0, 1);
      } else if (layer.kind == LayerKind::kMaxPool || layer.kind == LayerKind::kAvgPool) {
        layer.kernel = draw(2, 3);
        layer.stride = draw(1, 3);
      } else if (layer.kind == LayerKind::kDropout || layer.kind == LayerKind::kDropout2d) {
        layer.p = 0.1 * draw(1, 5);
      } else if (layer.kind == LayerKind::kLinear) {
        layer.out = draw(2, 12);
      }
      layer.bias = draw(0, 1) == 1;
      network.layers.push_back(layer);
    }
    network.layers.push_back({.kind = LayerKind::kLinear, .out = 5});
    if (draw(0, 3) == 0) network.layers.push_back({.kind = LayerKind::kBatchNorm});
    lanes::Plan plan;
    if (InferShapes(&network).empty() && lanes::MakePlan(network, &plan).empty()) return network;
  }
}

TEST(Backends, TrainRandomNetworksTheSame) {
  for (unsigned seed = 1; seed <= 60; ++seed) {
    const Network network = RandomNetwork(seed);
    std::string words = "seed " + std::to_string(seed) + ":";
    for (const Layer& layer : network.layers) words += " " + DescribeLayer(layer) + ",";
    SCOPED_TRACE(words);
    const int batch_size = 5 + static_cast<int>(seed) % 40;
    ExpectSameSteps(SpecOf(network, batch_size), 2, 0.01);
    ExpectSameSteps(SpecOf(Smooth(network), batch_size), 2, 0.01);
  }
}

}  // namespace
}  // namespace sweep
