#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sweep {

// Channels × height × width of one image's activations. A linear layer's output is {out, 1, 1}.
struct Shape {
  int channels = 0;
  int height = 0;
  int width = 0;
  std::int64_t elements() const { return std::int64_t{channels} * height * width; }
  bool operator==(const Shape&) const = default;
};

enum class LayerKind {
  kConv,
  kRelu,
  kBatchNorm,
  kDropout,    // element-wise
  kDropout2d,  // whole channels
  kMaxPool,
  kAvgPool,
  kGlobalAvgPool,
  kLinear,      // flattens its input
  kLogSoftmax,  // over the classes; last
};

// "conv", "relu", "batch_norm", "dropout", "dropout2d", "max_pool", "avg_pool", "global_avg_pool",
// "linear", "log_softmax": the names in network files and in the trainer's protocol.
std::string_view LayerKindName(LayerKind kind);
// False when no layer has that name.
bool ParseLayerKind(std::string_view name, LayerKind* kind);
// Every layer's name, for messages.
std::vector<std::string> LayerKindNames();

// One layer with every number resolved. Plain data, without libtorch.
struct Layer {
  LayerKind kind = LayerKind::kRelu;
  int out = 0;       // conv: filters; linear: outputs
  int kernel = 0;    // conv and pools, square
  int stride = 1;    // conv and pools
  int padding = 0;   // conv
  bool bias = true;  // conv, linear
  double p = 0;      // dropout, dropout2d: probability of dropping, in [0, 1)

  // Filled in by InferShapes.
  Shape input;
  Shape output;
  std::int64_t parameters = 0;     // trainable; BatchNorm's running estimates are not counted
  std::int64_t forward_flops = 0;  // per image; 2 per multiply-add; conv and linear only
  std::int64_t train_flops = 0;  // forward and both gradients; the first layer has no data gradient
  int receptive_field = 1;       // side in input pixels, standard kernel and stride arithmetic
  int jump = 1;                  // distance in input pixels between neighbouring outputs
};

// A network with every number resolved, ready to train.
struct Network {
  std::string name;
  Shape input{1, 28, 28};
  std::vector<Layer> layers;

  // Filled in by InferShapes.
  int classes = 0;
  std::int64_t parameters = 0;
  std::int64_t forward_flops = 0;
  std::int64_t train_flops = 0;
  int receptive_field = 1;
  bool fully_connected = false;  // has a linear layer
};

// Computes shapes, counts, FLOPs and receptive fields in place. Returns "" or, for the first layer
// that does not fit its input, a message that names it, as "layer 7 (conv 3×3): …". `*bad_layer`,
// when not null, gets its index. No exceptions, no allocation of activation size.
std::string InferShapes(Network* network, int* bad_layer = nullptr);

// "", or which of the layer's own numbers is out of range for any input.
std::string CheckLayerNumbers(const Layer& layer);

// "conv 16 3×3", "max_pool 2×2", "dropout 0.1": one layer in words.
std::string DescribeLayer(const Layer& layer);

}  // namespace sweep
