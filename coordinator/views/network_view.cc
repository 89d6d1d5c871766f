// The table of a network's layers.

#include "coordinator/views/view_context.h"

namespace sweep {
namespace {

constexpr double kMegaFlop = 1e6;

void Describe(const Shape& shape, documents::Shape* made) {
  made->set_channels(shape.channels);
  made->set_height(shape.height);
  made->set_width(shape.width);
}

double MegaFlop(std::int64_t flops) { return static_cast<double>(flops) / kMegaFlop; }

}  // namespace

documents::NetworkTable DescribeNetwork(const Network& network) {
  documents::NetworkTable table;
  table.set_name(network.name);
  Describe(network.input, table.mutable_input());
  table.set_parameters(network.parameters);
  table.set_fully_connected(network.fully_connected);
  table.set_forward_mflop(MegaFlop(network.forward_flops));
  table.set_train_mflop(MegaFlop(network.train_flops));
  table.set_receptive_field(network.receptive_field);
  for (const Layer& layer : network.layers) {
    documents::NetworkTable::NetworkLayer* const made = table.add_layers();
    made->set_type(std::string(LayerKindName(layer.kind)));
    made->set_text(DescribeLayer(layer));
    Describe(layer.output, made->mutable_output());
    made->set_parameters(layer.parameters);
    made->set_forward_mflop(MegaFlop(layer.forward_flops));
    made->set_receptive_field(layer.receptive_field);
  }
  return table;
}

}  // namespace sweep
