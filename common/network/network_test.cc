#include "common/network/network.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>
#include <string>
#include <utility>

#include "common/network/layer_kinds.h"

namespace sweep {
namespace {

Layer Conv(int out, int kernel, int padding = 0, bool bias = true) {
  return {.kind = LayerKind::kConv, .out = out, .kernel = kernel, .padding = padding, .bias = bias};
}
Layer MaxPool(int kernel) {
  return {.kind = LayerKind::kMaxPool, .kernel = kernel, .stride = kernel};
}
Layer Linear(int out) { return {.kind = LayerKind::kLinear, .out = out}; }
Layer OfKind(LayerKind kind) { return {.kind = kind}; }

Network Make(std::vector<Layer> layers, Shape input = {1, 28, 28}) {
  Network network;
  network.name = "test";
  network.input = input;
  network.layers = std::move(layers);
  return network;
}

// Two convolutions, small enough to count everything by hand.
Network Small() {
  return Make({Conv(4, 3, 1), OfKind(LayerKind::kRelu), OfKind(LayerKind::kBatchNorm), MaxPool(2),
               Conv(6, 3, 0, false), OfKind(LayerKind::kGlobalAvgPool), Linear(10),
               OfKind(LayerKind::kLogSoftmax)});
}

TEST(LayerKinds, AreCompleteAndInTheOrderOfTheEnumeration) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < LayerKinds().size(); ++i) {
    const LayerKindInfo& info = LayerKinds()[i];
    SCOPED_TRACE(info.name);
    EXPECT_EQ(static_cast<std::size_t>(info.kind), i);
    EXPECT_TRUE(names.insert(info.name).second);
    EXPECT_NE(info.torch, "");
    EXPECT_NE(info.help, "");
    ASSERT_NE(info.python, nullptr);
    EXPECT_NE(info.python({.kind = info.kind}), "");
    EXPECT_EQ(info.text == nullptr, info.numbers.empty());
    bool has_short_form = info.short_form.empty();
    for (const LayerNumber& number : info.numbers) {
      EXPECT_NE(number.help, "") << number.name;
      has_short_form = has_short_form || number.name == info.short_form;
    }
    EXPECT_TRUE(has_short_form);
  }
}

TEST(LayerKinds, EveryNumberIsHeldToItsRange) {
  for (const LayerKindInfo& info : LayerKinds()) {
    for (const LayerNumber& number : info.numbers) {
      SCOPED_TRACE(std::string(info.name) + "." + std::string(number.name));
      for (const auto& [value, good] :
           {std::pair{number.min - 1, false}, {number.min, true}, {number.max + 1, false}}) {
        Layer layer{.kind = info.kind, .out = 1, .kernel = 1};
        if (const auto* whole = std::get_if<int Layer::*>(&number.field)) {
          layer.** whole = static_cast<int>(value);
        } else if (const auto* real = std::get_if<double Layer::*>(&number.field)) {
          layer.** real = value;
        } else {
          continue;
        }
        EXPECT_EQ(CheckLayerNumbers(layer).empty(), good) << value << CheckLayerNumbers(layer);
      }
    }
  }
}

TEST(InferShapes, CountsParametersAndFlops) {
  Network network = Small();
  ASSERT_EQ(InferShapes(&network), "");
  EXPECT_EQ(network.layers[0].output, (Shape{4, 28, 28}));
  EXPECT_EQ(network.layers[0].parameters, 4 * (9 + 1));
  EXPECT_EQ(network.layers[0].forward_flops, 2 * 28 * 28 * 4 * 9);
  EXPECT_EQ(network.layers[0].train_flops, 2 * network.layers[0].forward_flops);
  EXPECT_EQ(network.layers[2].parameters, 8);
  EXPECT_EQ(network.layers[3].output, (Shape{4, 14, 14}));
  EXPECT_EQ(network.layers[4].output, (Shape{6, 12, 12}));
  EXPECT_EQ(network.layers[4].parameters, 6 * 4 * 9);
  EXPECT_EQ(network.layers[4].train_flops, 3 * 2 * 12 * 12 * 6 * 4 * 9);
  EXPECT_EQ(network.layers[6].parameters, 6 * 10 + 10);
  EXPECT_EQ(network.parameters, 40 + 8 + 216 + 70);
  EXPECT_EQ(network.classes, 10);
  EXPECT_TRUE(network.fully_connected);
}

TEST(InferShapes, ReceptiveFieldFollowsKernelAndStride) {
  Network network = Small();
  ASSERT_EQ(InferShapes(&network), "");
  EXPECT_EQ(network.layers[0].receptive_field, 3);
  EXPECT_EQ(network.layers[3].receptive_field, 4);
  EXPECT_EQ(network.layers[3].jump, 2);
  EXPECT_EQ(network.layers[4].receptive_field, 8);  // 4 + 2 · 2
  EXPECT_EQ(network.receptive_field, 8 + 11 * 2);   // the pool sees all 12 positions
}

TEST(InferShapes, LinearFlattensItsInput) {
  Network network = Make({Linear(5)}, {3, 4, 6});
  ASSERT_EQ(InferShapes(&network), "");
  EXPECT_EQ(network.parameters, 5 * (3 * 4 * 6 + 1));
  EXPECT_EQ(network.receptive_field, 6);
}

TEST(InferShapes, DataGradientIsNeededOnceSomethingBeforeLearns) {
  Network network = Make({OfKind(LayerKind::kBatchNorm), Linear(5)}, {3, 4, 4});
  ASSERT_EQ(InferShapes(&network), "");
  EXPECT_EQ(network.train_flops, 3 * network.forward_flops);
}

TEST(InferShapes, StrideAndPaddingRoundDown) {
  Layer conv = Conv(2, 3, 1);
  conv.stride = 2;
  Network network = Make({conv, OfKind(LayerKind::kGlobalAvgPool)}, {1, 28, 27});
  ASSERT_EQ(InferShapes(&network), "");
  EXPECT_EQ(network.layers[0].output, (Shape{2, 14, 14}));
}

TEST(InferShapes, NamesTheLayerThatDoesNotFit) {
  Network network = Make({MaxPool(9), Conv(24, 5)});
  int bad = 7;
  EXPECT_EQ(InferShapes(&network, &bad),
            "layer 2 (conv 24 5×5): kernel 5 is larger than its input 3×3");
  EXPECT_EQ(bad, 1);
  network = Make({MaxPool(29), OfKind(LayerKind::kGlobalAvgPool)});
  EXPECT_EQ(InferShapes(&network),
            "layer 1 (max_pool 29×29): kernel 29 is larger than its input 28×28");
  network = Make({OfKind(LayerKind::kLogSoftmax)});
  EXPECT_NE(InferShapes(&network).find("one value per class"), std::string::npos);
  network = Make({OfKind(LayerKind::kLogSoftmax), Linear(10)}, {10, 1, 1});
  EXPECT_NE(InferShapes(&network).find("last layer"), std::string::npos);
}

TEST(InferShapes, RefusesAnEndThatIsNoClassification) {
  int bad = -1;
  Network network = Make({Conv(10, 3)});
  EXPECT_NE(InferShapes(&network, &bad).find("ends in 10×26×26"), std::string::npos);
  EXPECT_EQ(bad, 0);
  network = Make({Linear(1)});
  EXPECT_NE(InferShapes(&network).find("at least 2 classes"), std::string::npos);
  network = Make({});
  EXPECT_EQ(InferShapes(&network, &bad), "the network has no layers");
  EXPECT_EQ(bad, -1);
}

TEST(InferShapes, RefusesValuesOutOfRange) {
  const auto refuse = [](Layer layer, const std::string& part) {
    Network network = Make({layer, OfKind(LayerKind::kGlobalAvgPool)});
    EXPECT_NE(InferShapes(&network).find(part), std::string::npos) << InferShapes(&network);
  };
  refuse(Conv(0, 3), "out is 0");
  refuse(Conv(65537, 3), "out is 65537");
  refuse(Conv(8, 0), "kernel is 0");
  refuse(Conv(8, 3, -1), "padding is -1");
  Layer conv = Conv(8, 3);
  conv.stride = 0;
  refuse(conv, "stride is 0");
  refuse({.kind = LayerKind::kDropout, .p = 1}, "probability is 1");
  refuse({.kind = LayerKind::kDropout, .p = std::numeric_limits<double>::quiet_NaN()},
         "probability is NaN");
  refuse(Linear(-3), "out is -3");
}

TEST(InferShapes, HostileSizesAreRefusedNotOverflown) {
  Network network = Make({Conv(65536, 1), OfKind(LayerKind::kGlobalAvgPool)}, {1, 65536, 65536});
  EXPECT_NE(InferShapes(&network).find("2^31"), std::string::npos);
  network = Make({Conv(65536, 255, 127), OfKind(LayerKind::kGlobalAvgPool)}, {65536, 128, 128});
  EXPECT_NE(InferShapes(&network), "");
  network = Make({Linear(65536)}, {65536, 128, 128});
  EXPECT_NE(InferShapes(&network), "");
  network = Make(std::vector<Layer>(1001, OfKind(LayerKind::kRelu)));
  EXPECT_NE(InferShapes(&network).find("1001 layers"), std::string::npos);

  // Strides whose product exceeds int.
  Layer conv = Conv(2, 1);
  conv.stride = 255;
  std::vector<Layer> layers(1000, conv);
  for (Layer& layer : layers) layer.padding = 1;
  layers.back() = OfKind(LayerKind::kGlobalAvgPool);
  network = Make(layers);
  EXPECT_EQ(InferShapes(&network), "");
  EXPECT_EQ(network.layers.back().jump, std::numeric_limits<int>::max());
}

TEST(InferShapes, CanBeRepeated) {
  Network network = Small();
  ASSERT_EQ(InferShapes(&network), "");
  const std::int64_t parameters = network.parameters;
  ASSERT_EQ(InferShapes(&network), "");
  EXPECT_EQ(network.parameters, parameters);
}

TEST(LayerKinds, NamesRoundTrip) {
  const std::vector<std::string> names = LayerKindNames();
  for (const std::string& name : names) {
    LayerKind kind;
    ASSERT_TRUE(ParseLayerKind(name, &kind)) << name;
    EXPECT_EQ(LayerKindName(kind), name);
  }
  LayerKind kind = LayerKind::kRelu;
  EXPECT_FALSE(ParseLayerKind("softmax", &kind));
}

TEST(DescribeLayer, SaysKindAndSize) {
  EXPECT_EQ(DescribeLayer(Conv(16, 3)), "conv 16 3×3");
  EXPECT_EQ(DescribeLayer(MaxPool(2)), "max_pool 2×2");
  EXPECT_EQ(DescribeLayer({.kind = LayerKind::kDropout, .p = 0.1}), "dropout 0.1");
  EXPECT_EQ(DescribeLayer(Linear(10)), "linear 10");
  EXPECT_EQ(DescribeLayer(OfKind(LayerKind::kBatchNorm)), "batch_norm");
}

}  // namespace
}  // namespace sweep
