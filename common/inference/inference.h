#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/network/network.h"
#include "common/tensors/safetensors.h"

namespace sweep {

// A trained network in evaluation mode, in plain C++ on 32-bit floats: dropout does nothing,
// BatchNorm uses its running estimates (epsilon 1e-5, as PyTorch), and the result is the softmax
// over the classes whether or not the network ends in a log_softmax layer. Sums run in another
// order than libtorch's, so log-probabilities differ by about 1e-6. Immutable after Create; several
// threads may call Run at once.
class InferenceNetwork {
 public:
  // `network` is one whose shapes InferShapes has filled in. Of `tensors` those are taken that
  // training writes, all F32: "layers.N.weight" and, where the layer has one, "layers.N.bias", for
  // a BatchNorm also "layers.N.running_mean" and ".running_var"; N counts all layers from 0.
  //   conv        weight [out, in, kernel, kernel], bias [out]
  //   linear      weight [out, channels * height * width], bias [out]
  //   batch_norm  all four [channels]
  // InvalidArgument, naming the tensor and the shape that was expected, when one is missing, has
  // another type or shape, holds a value that is not finite, or belongs to no layer. `file` is for
  // messages.
  static absl::StatusOr<InferenceNetwork> Create(const Network& network, const SafeTensors& tensors,
                                                 std::string_view file);

  // Normalised images, row-major [count][channels][height][width] with the network's input shape,
  // to log-probabilities [count][classes]. Requires images.size() to be a multiple of the input's
  // elements.
  std::vector<float> Run(std::span<const float> images) const;

  const Network& network() const { return network_; }

 private:
  // The numbers of one layer; empty where it has none.
  struct Weights {
    std::vector<float> weight;  // batch_norm: factor of each channel
    std::vector<float> bias;    // batch_norm: summand of each channel
  };

  InferenceNetwork() = default;

  Network network_;
  std::vector<Weights> weights_;  // one per layer
};

// The index of the largest value: the predicted class. The first one of equals, as PyTorch.
int ArgMax(std::span<const float> values);

}  // namespace sweep
