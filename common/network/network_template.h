#pragma once

// Internal to common/network: a layer list before its references have values.

#include <optional>
#include <string>
#include <vector>

#include "common/base/value.h"
#include "common/network/network.h"

namespace sweep {

// A number, a boolean or a word of a layer: a value, or a reference such as ${width}.
struct LayerTerm {
  std::string reference;  // "" when `value` holds
  Value value;
};

// One layer as written in the file. An unset term takes the layer's default.
struct LayerTemplate {
  LayerKind kind = LayerKind::kRelu;
  int line = 0;
  std::vector<std::optional<LayerTerm>> terms;  // in the order of LayerKindInfo::numbers
};

// An error in a network, with its line.
struct NetworkFault {
  int line = 0;
  std::string message;  // "" when there is no error
};

// Replaces the references in `layers` by `parameters` and infers the shapes of `network`, whose
// name and input are set.
NetworkFault ResolveLayers(const std::vector<LayerTemplate>& layers, const ParameterMap& parameters,
                           Network* network);

// Checks the numbers of single layers as far as `parameters` give them. Shapes are not checked,
// since they need every number.
NetworkFault CheckKnownNumbers(const std::vector<LayerTemplate>& layers,
                               const ParameterMap& parameters);

}  // namespace sweep
