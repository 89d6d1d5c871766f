#include "worker/trainer/parameters.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "common/base/philox.h"
#include "common/network/layer_kinds.h"

namespace sweep {
namespace {

bool HasWeight(const Layer& layer) {
  const LayerWeights weights = InfoOf(layer.kind).weights;
  return weights == LayerWeights::kFilters || weights == LayerWeights::kMatrix;
}

// The number of inputs of one output unit.
std::int64_t FanIn(const Layer& layer) {
  if (InfoOf(layer.kind).weights == LayerWeights::kMatrix) return layer.input.elements();
  return std::int64_t{layer.input.channels} * layer.kernel * layer.kernel;
}

std::vector<std::int64_t> WeightShape(const Layer& layer) {
  switch (InfoOf(layer.kind).weights) {
    case LayerWeights::kNone:
      break;
    case LayerWeights::kFilters:
      return {layer.out, layer.input.channels, layer.kernel, layer.kernel};
    case LayerWeights::kMatrix:
      return {layer.out, layer.input.elements()};
    case LayerWeights::kNorm:
      return {layer.input.channels};
  }
  return {};
}

std::int64_t Count(const std::vector<std::int64_t>& shape) {
  std::int64_t count = 1;
  for (const std::int64_t size : shape) count *= size;
  return count;
}

const SafeTensor& Find(const std::vector<SafeTensor>& tensors, const std::string& name,
                       const std::string& dtype, const std::vector<std::int64_t>& shape,
                       const std::string& file) {
  const auto found = std::find_if(tensors.begin(), tensors.end(),
                                  [&](const SafeTensor& tensor) { return tensor.name == name; });
  if (found == tensors.end()) throw SafeTensorsError(file + ": has no tensor '" + name + "'");
  if (found->dtype != dtype || found->shape != shape) {
    throw SafeTensorsError(file + ": tensor '" + name +
                           "' has another type or shape than the network's");
  }
  return *found;
}

}  // namespace

ParameterLayout LayOutParameters(const Network& network) {
  ParameterLayout layout;
  for (std::size_t i = 0; i < network.layers.size(); ++i) {
    const Layer& layer = network.layers[i];
    const bool has_weight = HasWeight(layer);
    if (InfoOf(layer.kind).weights == LayerWeights::kNone) continue;
    const std::string prefix = "layers." + std::to_string(i) + ".";
    layout.parameters.push_back({.name = prefix + "weight",
                                 .layer = i,
                                 .shape = WeightShape(layer),
                                 .is_weight = has_weight});
    if (has_weight && !layer.bias) continue;
    layout.parameters.push_back({.name = prefix + "bias",
                                 .layer = i,
                                 .shape = {has_weight ? layer.out : layer.input.channels}});
  }
  for (const bool weights : {true, false}) {
    for (Parameter& parameter : layout.parameters) {
      if (parameter.is_weight != weights) continue;
      parameter.offset = layout.count;
      parameter.count = static_cast<std::size_t>(Count(parameter.shape));
      layout.count += parameter.count;
    }
    if (weights) layout.weights = layout.count;
  }
  return layout;
}

std::vector<float> InitialParameters(const Network& network, const ParameterLayout& layout,
                                     std::uint64_t seed) {
  std::vector<float> values(layout.count);
  const Parameter* last = nullptr;
  PhiloxStream stream(0, 0);
  for (const Parameter& parameter : layout.parameters) {
    float* const out = values.data() + parameter.offset;
    const Layer& layer = network.layers[parameter.layer];
    const bool is_first = last == nullptr || last->layer != parameter.layer;
    last = &parameter;
    if (!HasWeight(layer)) {
      std::fill_n(out, parameter.count, is_first ? 1.0f : 0.0f);
      continue;
    }
    if (is_first) stream = PhiloxStream(DeriveKey(seed, "init"), parameter.layer);
    const double bound = 1.0 / std::sqrt(static_cast<double>(FanIn(layer)));
    for (std::size_t i = 0; i < parameter.count; ++i) {
      out[i] = static_cast<float>((2.0 * stream.NextUniform() - 1.0) * bound);
    }
  }
  return values;
}

SafeTensor ToSafeTensor(std::string name, std::vector<std::int64_t> shape, const float* values) {
  SafeTensor tensor{.name = std::move(name), .dtype = "F32", .shape = std::move(shape)};
  const auto bytes = static_cast<std::size_t>(Count(tensor.shape)) * sizeof(float);
  tensor.bytes.resize(bytes);
  std::memcpy(tensor.bytes.data(), values, bytes);
  return tensor;
}

SafeTensor ToSafeTensor(std::string name, std::int64_t value) {
  SafeTensor tensor{.name = std::move(name), .dtype = "I64"};
  tensor.bytes.resize(sizeof(value));
  std::memcpy(tensor.bytes.data(), &value, sizeof(value));
  return tensor;
}

void FromSafeTensors(const std::vector<SafeTensor>& tensors, const std::string& name,
                     const std::vector<std::int64_t>& shape, const std::string& file,
                     float* values) {
  const SafeTensor& tensor = Find(tensors, name, "F32", shape, file);
  std::memcpy(values, tensor.bytes.data(), tensor.bytes.size());
}

void FromSafeTensors(const std::vector<SafeTensor>& tensors, const std::string& name,
                     const std::string& file, std::int64_t* value) {
  const SafeTensor& tensor = Find(tensors, name, "I64", {}, file);
  std::memcpy(value, tensor.bytes.data(), sizeof(*value));
}

}  // namespace sweep
