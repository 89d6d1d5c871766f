#pragma once

#include <string>
#include <vector>

#include "common/network/network.h"
#include "worker/kernels/convolution.h"
#include "worker/kernels/pooling.h"

namespace sweep::lanes {

// A network as a list of kernels. Plain data.

// The data between two operators. BatchNorm and dropout are not operators: the reader applies them
// while it loads.
struct Activation {
  Shape shape;
  bool relu = false;  // the stored values went through a ReLU
  int norm = -1;      // index of the BatchNorm layer that its reader applies
  int dropout = -1;   // index of the dropout layer that its reader applies, after the BatchNorm
};

struct Operator {
  enum class Kind {
    kConvolution,  // with the ReLU after it, and the sums for a BatchNorm after that; also linear
    kMaxPool,
    kAveragePool,
    kStore,       // stores the activation as its reader would see it, perhaps after a ReLU
    kStatistics,  // only the sums for the BatchNorm of its input
  };
  Kind kind = Kind::kStore;
  int layer = -1;   // index in Network::layers of its layer
  int input = 0;    // activation
  int output = -1;  // activation; kStatistics has none
  kernels::ConvolutionShape convolution;
  kernels::PoolShape pool;
};

// Activation 0 is the images; each operator reads the output of the one before it.
struct Plan {
  std::vector<Activation> activations;
  std::vector<Operator> operators;
};

// Returns "", or the reason why the kernels cannot compute the network, naming the layer: "layer 3
// (conv 16 3×3): stride 2". `network` has passed InferShapes.
std::string MakePlan(const Network& network, Plan* plan);

}  // namespace sweep::lanes
