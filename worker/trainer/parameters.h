#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "common/network/network.h"
#include "common/tensors/safetensors.h"

namespace sweep {

// The trainable numbers of a network and its BatchNorm estimates: names, shapes and initial values.
// They are the same for every backend, so that a trial can change backends at a checkpoint.

// One trainable tensor and its place in a flat buffer. Its name is the one in PyTorch when the
// layers are an nn.Sequential called `layers`: "layers.3.weight".
struct Parameter {
  std::string name;
  std::size_t layer = 0;  // index in Network::layers
  std::vector<std::int64_t> shape;
  bool is_weight = false;  // of a conv or linear layer; else a bias, or BatchNorm's γ or β
  std::size_t offset = 0;
  std::size_t count = 0;
};

struct ParameterLayout {
  std::vector<Parameter> parameters;  // in the order of layers, weight before bias
  std::size_t count = 0;              // of all elements
  // Weights come first: weight decay applies to [0, weights) when decay_norm_and_bias is false.
  std::size_t weights = 0;
};

// `network` has passed InferShapes.
ParameterLayout LayOutParameters(const Network& network);

// The initial values of all parameters in their places, each row-major: weights and biases
// U(±1/√fan_in) as in PyTorch, γ = 1, β = 0. Drawn from Philox: key DeriveKey(seed, "init"), stream
// = index of the layer, first the weight's elements in row-major order, then the bias's.
std::vector<float> InitialParameters(const Network& network, const ParameterLayout& layout,
                                     std::uint64_t seed);

// A backend's state between epochs, in the form in which it is stored.
struct TrainingState {
  // Parameters, then for each BatchNorm running_mean, running_var and num_batches_tracked (int64,
  // no dimension).
  std::vector<SafeTensor> network;
  std::vector<SafeTensor> momentum;  // of each parameter, by its name
};

SafeTensor ToSafeTensor(std::string name, std::vector<std::int64_t> shape, const float* values);
SafeTensor ToSafeTensor(std::string name, std::int64_t value);

// Copies the tensor of that name out. `file` is for messages. Throws SafeTensorsError when it is
// missing, or of another type or shape.
void FromSafeTensors(const std::vector<SafeTensor>& tensors, const std::string& name,
                     const std::vector<std::int64_t>& shape, const std::string& file,
                     float* values);
void FromSafeTensors(const std::vector<SafeTensor>& tensors, const std::string& name,
                     const std::string& file, std::int64_t* value);

}  // namespace sweep
