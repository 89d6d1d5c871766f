#include "common/network/network_file.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/base/nearest.h"
#include "common/network/builtin_networks.h"
#include "common/network/network_template.h"
#include "common/yaml/shown.h"

namespace sweep {
namespace {

// Fills in one layer from its template; remembers the first thing that is wrong.
class LayerResolver {
 public:
  explicit LayerResolver(const ParameterMap& parameters) : parameters_(parameters) {}

  const std::string& error() const { return error_; }

  void Int(const char* name, const std::optional<LayerTerm>& term, int* target) {
    const std::optional<Value> value = Find(term);
    if (!value) return;
    // A search over multiples of a number may hand over 16.0 for 16.
    const double number = IsNumber(*value) ? AsDouble(*value) : std::nan("");
    if (!(std::abs(number) <= std::numeric_limits<int>::max()) || number != std::floor(number)) {
      Refuse(name, *term, *value, "an integer");
      return;
    }
    *target = static_cast<int>(number);
  }

  void Number(const char* name, const std::optional<LayerTerm>& term, double* target) {
    const std::optional<Value> value = Find(term);
    if (!value) return;
    if (IsNumber(*value)) {
      *target = AsDouble(*value);
    } else {
      Refuse(name, *term, *value, "a number");
    }
  }

  void Bool(const char* name, const std::optional<LayerTerm>& term, bool* target) {
    const std::optional<Value> value = Find(term);
    if (!value) return;
    if (std::holds_alternative<bool>(*value)) {
      *target = std::get<bool>(*value);
    } else {
      Refuse(name, *term, *value, "true or false");
    }
  }

  // "same" keeps the size of the image at stride 1, which needs a kernel with a middle.
  void Padding(const std::optional<LayerTerm>& term, Layer* layer) {
    const std::optional<Value> value = Find(term);
    if (!value) return;
    if (!SameValue(*value, std::string("same"))) {
      Int("padding", term, &layer->padding);
    } else if (layer->kernel % 2 == 1) {
      layer->padding = layer->kernel / 2;
    } else if (error_.empty()) {
      error_ = absl::StrCat("padding same needs an odd kernel, not ", layer->kernel);
    }
  }

 private:
  std::optional<Value> Find(const std::optional<LayerTerm>& term) {
    if (!term || !error_.empty()) return std::nullopt;
    if (term->reference.empty()) return term->value;
    const auto it = parameters_.find(term->reference);
    if (it != parameters_.end()) return it->second;
    error_ = absl::StrCat("${", term->reference,
                          "} has no value; set it in the sweep, in a recipe or in `parameters`");
    return std::nullopt;
  }

  void Refuse(const char* name, const LayerTerm& term, const Value& value, const char* expected) {
    const std::string reference =
        term.reference.empty() ? "" : absl::StrCat(" (${", term.reference, "})");
    error_ = absl::StrCat(name, reference, " is ", Shown(value), "; it must be ", expected);
  }

  const ParameterMap& parameters_;
  std::string error_;
};

std::string ResolveLayer(const LayerTemplate& from, const ParameterMap& parameters, Layer* layer) {
  LayerResolver resolver(parameters);
  layer->kind = from.kind;
  if (layer->kind == LayerKind::kConv) layer->kernel = 3;
  resolver.Int("out", from.out, &layer->out);
  resolver.Int("kernel", from.kernel, &layer->kernel);
  const bool pool = layer->kind == LayerKind::kMaxPool || layer->kind == LayerKind::kAvgPool;
  layer->stride = pool ? layer->kernel : 1;
  resolver.Int("stride", from.stride, &layer->stride);
  resolver.Padding(from.padding, layer);
  resolver.Bool("bias", from.bias, &layer->bias);
  resolver.Number("probability", from.p, &layer->p);
  return resolver.error();
}

// Puts `value` in place of a reference that has none.
void StandIn(const ParameterMap& parameters, const Value& value, std::optional<LayerTerm>* term) {
  if (*term && !(*term)->reference.empty() && !parameters.contains((*term)->reference)) {
    *term = LayerTerm{.value = value};
  }
}

NetworkFault FaultOf(std::size_t index, int line, const std::string& layer,
                     const std::string& error) {
  return {line, absl::StrCat("layer ", index + 1, " (", layer, "): ", error)};
}

}  // namespace

NetworkFault CheckKnownNumbers(const std::vector<LayerTemplate>& layers,
                               const ParameterMap& parameters) {
  for (std::size_t i = 0; i < layers.size(); ++i) {
    LayerTemplate known = layers[i];
    for (auto* term : {&known.out, &known.kernel, &known.stride, &known.padding}) {
      StandIn(parameters, std::int64_t{1}, term);
    }
    StandIn(parameters, true, &known.bias);
    StandIn(parameters, 0.0, &known.p);
    Layer layer;
    std::string error = ResolveLayer(known, parameters, &layer);
    if (!error.empty()) {
      return FaultOf(i, known.line, std::string(LayerKindName(known.kind)), error);
    }
    error = CheckLayerNumbers(layer);
    if (!error.empty()) return FaultOf(i, known.line, DescribeLayer(layer), error);
  }
  return {};
}

NetworkFault ResolveLayers(const std::vector<LayerTemplate>& layers, const ParameterMap& parameters,
                           Network* network) {
  network->layers.clear();
  for (std::size_t i = 0; i < layers.size(); ++i) {
    Layer& layer = network->layers.emplace_back();
    const std::string error = ResolveLayer(layers[i], parameters, &layer);
    if (error.empty()) continue;
    return FaultOf(i, layers[i].line, std::string(LayerKindName(layer.kind)), error);
  }
  int bad = -1;
  const std::string error = InferShapes(network, &bad);
  return {error.empty() || bad < 0 ? 0 : layers[static_cast<std::size_t>(bad)].line, error};
}

ParameterMap Recipe::Merged() const {
  ParameterMap merged = values;
  merged.insert(ours.begin(), ours.end());
  return merged;
}

const Recipe* NetworkFile::FindRecipe(std::string_view name) const {
  const auto it = std::find_if(recipes_.begin(), recipes_.end(),
                               [&](const Recipe& recipe) { return recipe.name == name; });
  return it == recipes_.end() ? nullptr : &*it;
}

absl::StatusOr<Network> NetworkFile::Resolve(const ParameterMap& parameters) const {
  ParameterMap values = parameters;
  values.insert(defaults_.begin(), defaults_.end());
  Network network;
  network.name = name_;
  network.input = input_;
  const NetworkFault fault = ResolveLayers(*layers_, values, &network);
  if (!fault.message.empty()) {
    return absl::InvalidArgumentError(FormatDiagnostic({file_, fault.line, fault.message}));
  }
  return network;
}

std::vector<std::string> BuiltinNetworkNames() {
  std::vector<std::string> names;
  for (const BuiltinNetwork& network : BuiltinNetworks()) names.emplace_back(network.name);
  return names;
}

absl::StatusOr<std::string> BuiltinNetworkText(std::string_view name) {
  for (const BuiltinNetwork& network : BuiltinNetworks()) {
    if (network.name == name) return std::string(network.text);
  }
  return absl::NotFoundError(absl::StrCat("no built-in network is named ", Shown(std::string(name)),
                                          DidYouMean(name, BuiltinNetworkNames())));
}

}  // namespace sweep
