// A network in numbers, layer by layer, and how to train it again.

#include "common/spec/search_space.h"
#include "coordinator/views/view_context.h"
#include "fmt/format.h"

namespace sweep {
namespace {

constexpr double kMegaFlop = 1e6;

Json ShapeJson(const Shape& shape) { return {shape.channels, shape.height, shape.width}; }

}  // namespace

Json NetworkJson(const Network& network) {
  Json layers = Json::array();
  for (const Layer& layer : network.layers) {
    layers.push_back({{"type", LayerKindName(layer.kind)},
                      {"text", DescribeLayer(layer)},
                      {"output", ShapeJson(layer.output)},
                      {"parameters", layer.parameters},
                      {"forward_mflop", static_cast<double>(layer.forward_flops) / kMegaFlop},
                      {"receptive_field", layer.receptive_field}});
  }
  return {{"name", network.name},
          {"input", ShapeJson(network.input)},
          {"parameters", network.parameters},
          {"fully_connected", network.fully_connected},
          {"forward_mflop", static_cast<double>(network.forward_flops) / kMegaFlop},
          {"train_mflop", static_cast<double>(network.train_flops) / kMegaFlop},
          {"receptive_field", network.receptive_field},
          {"layers", layers}};
}

}  // namespace sweep
