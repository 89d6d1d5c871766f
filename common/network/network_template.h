#pragma once

// Internal to common/network: a layer list before its references have values.

#include <optional>
#include <string>
#include <vector>

#include "common/base/value.h"
#include "common/network/network.h"

namespace sweep {

// A number, a boolean or a word of a layer: given in the file, or a reference such as ${width}.
struct LayerTerm {
  std::string reference;  // "" when `value` holds
  Value value;
};

// One layer as the file has it. A term that is not set takes the layer's default.
struct LayerTemplate {
  LayerKind kind = LayerKind::kRelu;
  int line = 0;
  std::vector<std::optional<LayerTerm>> terms;  // as the numbers of its kind, see layer_kinds.h
};

// What is wrong with a network, and where.
struct NetworkFault {
  int line = 0;
  std::string message;  // "" when nothing is
};

// Puts `parameters` in place of the references of `layers` and infers the shapes of `network`,
// whose name and input are set.
NetworkFault ResolveLayers(const std::vector<LayerTemplate>& layers, const ParameterMap& parameters,
                           Network* network);

// As far as `parameters` give the numbers of single layers, what is wrong with those. Shapes do not
// count, since they need every number.
NetworkFault CheckKnownNumbers(const std::vector<LayerTemplate>& layers,
                               const ParameterMap& parameters);

}  // namespace sweep
