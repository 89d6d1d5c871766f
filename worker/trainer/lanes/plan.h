#pragma once

#include <string>
#include <vector>

#include "common/network/network.h"
#include "worker/kernels/convolution.h"
#include "worker/kernels/pooling.h"

namespace sweep::lanes {

// A network as a list of kernels. Plain data.

// What one operator writes and the next one reads. BatchNorm and dropout between the two are not
// operators: the reader applies them while it loads.
struct Activation {
  Shape shape;
  bool relu = false;  // what is stored went through a ReLU
  int norm = -1;      // index of the BatchNorm layer that its reader applies
  int dropout = -1;   // index of the dropout layer that its reader applies, after the BatchNorm
};

struct Operator {
  enum class Kind {
    kConvolution,  // with the ReLU after it, and the sums for a BatchNorm after that; also linear
    kMaxPool,
    kAveragePool,
    kStore,       // applies what the reader would, perhaps a ReLU, and stores
    kStatistics,  // only the sums for the BatchNorm of its input
  };
  Kind kind = Kind::kStore;
  int layer = -1;   // index in Network::layers of the layer that it was made for
  int input = 0;    // activation
  int output = -1;  // activation; kStatistics has none
  kernels::ConvolutionShape convolution;
  kernels::PoolShape pool;
};

// Activation 0 is the images; each operator reads what the one before it wrote.
struct Plan {
  std::vector<Activation> activations;
  std::vector<Operator> operators;
};

// Returns "" or why the kernels cannot compute the network, naming the layer: "layer 3 (conv 16
// 3×3): stride 2". `network` has passed InferShapes.
std::string MakePlan(const Network& network, Plan* plan);

}  // namespace sweep::lanes
