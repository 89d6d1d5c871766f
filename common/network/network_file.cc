#include "common/network/network_file.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/base/nearest.h"
#include "common/network/builtin_networks.h"
#include "common/network/layer_kinds.h"
#include "common/network/network_template.h"
#include "common/yaml/shown.h"

namespace sweep {
namespace {

// Fills in one layer from its template and keeps the first error.
class LayerResolver {
 public:
  explicit LayerResolver(const ParameterMap& parameters) : parameters_(parameters) {}

  const std::string& error() const { return error_; }

  // Requires that the kernel, if the layer has one, was taken before.
  void Take(const LayerNumber& number, const std::optional<LayerTerm>& term, Layer* layer) {
    if (!term) return TakeDefault(number, layer);
    const std::optional<Value> value = Find(term);
    if (!value) return;
    if (number.takes_same && SameValue(*value, std::string("same"))) return Same(number, layer);
    if (const auto* whole = std::get_if<int Layer::*>(&number.field)) {
      Int(number, *term, *value, &(layer->**whole));
    } else if (const auto* real = std::get_if<double Layer::*>(&number.field)) {
      if (!IsNumber(*value)) return Refuse(number, *term, *value, "a number");
      layer->** real = AsDouble(*value);
    } else {
      if (!std::holds_alternative<bool>(*value)) {
        return Refuse(number, *term, *value, "true or false");
      }
      layer->*std::get<bool Layer::*>(number.field) = std::get<bool>(*value);
    }
  }

 private:
  static void TakeDefault(const LayerNumber& number, Layer* layer) {
    const auto* const field = std::get_if<int Layer::*>(&number.field);
    if (number.otherwise == LayerNumber::Default::kKernel) layer->** field = layer->kernel;
    if (number.otherwise == LayerNumber::Default::kInFile) layer->** field = number.in_file;
  }

  void Int(const LayerNumber& number, const LayerTerm& term, const Value& value, int* target) {
    // A search over multiples of a number may give 16.0 for 16.
    const double real = IsNumber(value) ? AsDouble(value) : std::nan("");
    if (!(std::abs(real) <= std::numeric_limits<int>::max()) || real != std::floor(real)) {
      return Refuse(number, term, value, "an integer");
    }
    *target = static_cast<int>(real);
  }

  // "same" keeps the image size at stride 1, which needs an odd kernel.
  void Same(const LayerNumber& number, Layer* layer) {
    if (layer->kernel % 2 == 1) {
      layer->*std::get<int Layer::*>(number.field) = layer->kernel / 2;
    } else if (error_.empty()) {
      error_ = absl::StrCat("padding same needs an odd kernel, not ", layer->kernel);
    }
  }

  std::optional<Value> Find(const std::optional<LayerTerm>& term) {
    if (!term || !error_.empty()) return std::nullopt;
    if (term->reference.empty()) return term->value;
    const auto it = parameters_.find(term->reference);
    if (it != parameters_.end()) return it->second;
    error_ = absl::StrCat("${", term->reference,
                          "} has no value; set it in the sweep, in a recipe or in `parameters`");
    return std::nullopt;
  }

  void Refuse(const LayerNumber& number, const LayerTerm& term, const Value& value,
              const char* expected) {
    const std::string reference =
        term.reference.empty() ? "" : absl::StrCat(" (${", term.reference, "})");
    error_ = absl::StrCat(std::string(number.label), reference, " is ", Shown(value),
                          "; it must be ", expected);
  }

  const ParameterMap& parameters_;
  std::string error_;
};

std::string ResolveLayer(const LayerTemplate& from, const ParameterMap& parameters, Layer* layer) {
  LayerResolver resolver(parameters);
  layer->kind = from.kind;
  const std::vector<LayerNumber>& numbers = InfoOf(from.kind).numbers;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    resolver.Take(numbers[i], from.terms[i], layer);
  }
  return resolver.error();
}

// A value that is valid in every layer.
Value Harmless(const LayerNumber& number) {
  if (std::holds_alternative<bool Layer::*>(number.field)) return true;
  if (std::holds_alternative<double Layer::*>(number.field)) return number.min;
  return std::int64_t{1};
}

// Replaces a reference without a value by `value`.
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
    const std::vector<LayerNumber>& numbers = InfoOf(known.kind).numbers;
    for (std::size_t n = 0; n < numbers.size(); ++n) {
      StandIn(parameters, Harmless(numbers[n]), &known.terms[n]);
    }
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
