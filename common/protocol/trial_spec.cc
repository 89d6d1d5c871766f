#include "common/protocol/trial_spec.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "common/base/nearest.h"
#include "common/network/layer_kinds.h"
#include "common/protocol/hyperparameters.h"
#include "common/protocol/json_reader.h"

namespace sweep {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Appends a key that the object does not have yet. Its operator[] would look through all keys.
void Append(ordered_json* object, std::string_view key, ordered_json value) {
  object->get_ref<ordered_json::object_t&>().emplace_back(std::string(key), std::move(value));
}

ordered_json LayerToJson(const Layer& layer) {
  ordered_json object = {{"kind", LayerKindName(layer.kind)}};
  for (const LayerNumber& number : InfoOf(layer.kind).numbers) {
    std::visit([&](auto member) { Append(&object, number.name, layer.*member); }, number.field);
  }
  return object;
}

ordered_json NetworkToJson(const Network& network) {
  ordered_json layers = ordered_json::array();
  for (const Layer& layer : network.layers) layers.push_back(LayerToJson(layer));
  const Shape& input = network.input;
  return {{"name", network.name},
          {"input", {input.channels, input.height, input.width}},
          {"layers", std::move(layers)}};
}

// InferShapes checks the upper limit of an integer.
void ReadNumber(const JsonReader& reader, const LayerNumber& number, Layer* layer) {
  using Default = LayerNumber::Default;
  const std::string name(number.name);
  if (number.otherwise == Default::kKernel) {
    layer->*std::get<int Layer::*>(number.field) = layer->kernel;
  } else if (number.otherwise != Default::kLayers) {
    reader.Require({name.c_str()});
  }
  const auto read = [&](auto member) {
    using T = std::decay_t<decltype(layer->*member)>;
    if constexpr (std::is_same_v<T, bool>) {
      reader.Bool(name.c_str(), &(layer->*member));
    } else if constexpr (std::is_same_v<T, int>) {
      reader.Int(name.c_str(), static_cast<int>(number.min), kMaxInt, &(layer->*member));
    } else {
      reader.Double(name.c_str(),
                    {.min = number.min, .max = number.max, .open_max = number.open_max},
                    &(layer->*member));
    }
  };
  std::visit(read, number.field);
}

Layer LayerFromJson(const json& value, const std::string& path) {
  if (!value.is_object()) throw ProtocolError(path + " is no object");
  const JsonReader reader(value, path + ".");
  reader.Require({"kind"});
  Layer layer;
  std::string kind;
  reader.Choice("kind", LayerKindNames(), &kind);
  ParseLayerKind(kind, &layer.kind);
  for (const LayerNumber& number : InfoOf(layer.kind).numbers) ReadNumber(reader, number, &layer);
  return layer;
}

Shape ShapeFromJson(const json& value) {
  Shape shape;
  int* const sides[] = {&shape.channels, &shape.height, &shape.width};
  const std::string expected = "network.input must be [channels, height, width], each at least 1";
  if (!value.is_array() || value.size() != std::size(sides)) throw ProtocolError(expected);
  for (std::size_t i = 0; i < std::size(sides); ++i) {
    if (!value[i].is_number_unsigned() || value[i] < 1 || value[i] > kMaxInt) {
      throw ProtocolError(expected + ", not " + ShortText(value[i]));
    }
    *sides[i] = value[i].get<int>();
  }
  return shape;
}

Network NetworkFromJson(const json& value) {
  if (!value.is_object()) throw ProtocolError("network is no object");
  const JsonReader reader(value, "network.");
  reader.Require({"input", "layers"});
  Network network;
  reader.String("name", &network.name);
  network.input = ShapeFromJson(*reader.Find("input"));
  const json& layers = *reader.Find("layers");
  if (!layers.is_array()) reader.Fail("layers", layers, "an array");
  for (std::size_t i = 0; i < layers.size(); ++i) {
    network.layers.push_back(LayerFromJson(layers[i], "network.layers[" + std::to_string(i) + "]"));
  }
  const std::string error = InferShapes(&network);
  if (!error.empty()) throw ProtocolError("network " + network.name + ": " + error);
  return network;
}

DatasetSpec DatasetFromJson(const json& value) {
  if (!value.is_object()) throw ProtocolError("dataset is no object");
  const JsonReader reader(value, "dataset.");
  DatasetSpec dataset;
  reader.Choice("name", {"mnist", "synthetic", "idx", "none"}, &dataset.name);
  reader.String("path", &dataset.path);
  reader.Int("train_size", 0, kMaxInt, &dataset.train_size);
  reader.Int("test_size", 0, kMaxInt, &dataset.test_size);
  if (dataset.name == "idx" && dataset.path.empty()) {
    throw ProtocolError("dataset.path is missing; dataset idx needs a folder");
  }
  return dataset;
}

void ReadHyperparameter(const JsonReader& reader, const KnownParameter& known, TrialSpec* spec) {
  if (!known.field) return;
  const std::string name(known.name);
  const auto read = [&](auto member) {
    using T = std::decay_t<decltype(spec->*member)>;
    T* const target = &(spec->*member);
    if constexpr (std::is_same_v<T, bool>) {
      reader.Bool(name.c_str(), target);
    } else if constexpr (std::is_same_v<T, int>) {
      reader.Int(name.c_str(), static_cast<int>(known.min), static_cast<int>(known.max), target);
    } else if constexpr (std::is_same_v<T, double>) {
      reader.Double(name.c_str(), {known.min, known.max, known.open_min, known.open_max}, target);
    } else {
      reader.Choice(name.c_str(), {known.choices.begin(), known.choices.end()}, target);
    }
  };
  std::visit(read, *known.field);
}

void ReadHyperparameters(const JsonReader& reader, TrialSpec* spec) {
  for (const KnownParameter& known : KnownParameters()) ReadHyperparameter(reader, known, spec);
  if (spec->nesterov && spec->momentum == 0) {
    throw ProtocolError("nesterov is true but momentum is 0; Nesterov's method needs a momentum");
  }
}

void ReadData(const JsonReader& reader, TrialSpec* spec) {
  reader.Choice("loss", {"nll", "nll_batch_softmax"}, &spec->loss);
  reader.Choice("evaluate_with", {"class_softmax", "batch_softmax"}, &spec->evaluate_with);
  reader.Double("normalize_mean", {.min = -1e6, .max = 1e6}, &spec->normalize_mean);
  reader.Double("normalize_stddev", {.min = 0, .max = kInfinity, .open_min = true},
                &spec->normalize_stddev);
  if (const json* dataset = reader.Find("dataset")) spec->dataset = DatasetFromJson(*dataset);
  reader.Int("holdout", 0, kMaxInt, &spec->holdout);
  reader.Int("target_epoch", 0, kMaxInt, &spec->target_epoch);
  reader.Int("start_epoch", 0, kMaxInt, &spec->start_epoch);
}

Value ValueFromJson(const std::string& name, const json& value) {
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (value.is_number()) return value.get<double>();
  if (value.is_string()) return value.get<std::string>();
  std::optional<ListValue> list;
  if (value.is_array())
    list = ParseList(value.dump(-1, ' ', false, json::error_handler_t::replace));
  if (list) return *std::move(list);
  throw ProtocolError("parameters." + name + " is " + ShortText(value) +
                      "; it must be a boolean, a number, a string or a list of these");
}

// Nested ones get their dotted names.
void ReadParameters(const json& object, const std::string& prefix, ParameterMap* parameters) {
  for (const auto& [key, one] : object.items()) {
    const std::string name = prefix + key;
    if (one.is_object()) {
      ReadParameters(one, name + ".", parameters);
    } else {
      (*parameters)[name] = ValueFromJson(name, one);
    }
  }
}

// The object in which the last word of a dotted name stands, made if necessary.
json& ObjectAround(const std::string& name, json* object) {
  for (std::size_t begin = 0, dot = name.find('.'); dot != name.npos;
       begin = dot + 1, dot = name.find('.', begin)) {
    json& inner = (*object)[name.substr(begin, dot - begin)];
    // Sweep files have no name inside one that has a value.
    if (!inner.is_null() && !inner.is_object()) {
      throw ProtocolError("parameters." + name + " is nested in a value");
    }
    object = &inner;
  }
  return *object;
}

json ParametersToJson(const ParameterMap& parameters) {
  json object = json::object();
  for (const auto& [name, value] : parameters) {
    json& around = ObjectAround(name, &object);
    const std::string word = name.substr(name.rfind('.') + 1);
    std::visit([&](const auto& one) { around[word] = one; }, value);
  }
  return object;
}

ParameterMap ParametersFromJson(const json& value) {
  if (!value.is_object()) throw ProtocolError("parameters is no object");
  ParameterMap parameters;
  ReadParameters(value, "", &parameters);
  ParametersToJson(parameters);  // throws for a name that is nested in a value
  return parameters;
}

bool IsDevice(const std::string& device) {
  if (device == "auto" || device == "cpu" || device == "cuda") return true;
  constexpr std::string_view kPrefix = "cuda:";
  if (device.compare(0, kPrefix.size(), kPrefix) != 0) return false;
  const std::string number = device.substr(kPrefix.size());
  return !number.empty() && number.size() <= 3 &&
         number.find_first_not_of("0123456789") == std::string::npos;
}

void ReadPlaces(const JsonReader& reader, TrialSpec* spec) {
  reader.String("data_dir", &spec->data_dir);
  reader.String("data_sha256", &spec->data_sha256);
  reader.String("output_dir", &spec->output_dir);
  reader.String("resume_from", &spec->resume_from);
  reader.String("device", &spec->device);
  if (!IsDevice(spec->device)) reader.Fail("device", spec->device, "auto, cpu or cuda:N");
}

bool Assign(const Value& value, bool* field) {
  if (!std::holds_alternative<bool>(value)) return false;
  *field = std::get<bool>(value);
  return true;
}

bool Assign(const Value& value, int* field) {
  const std::int64_t* number = std::get_if<std::int64_t>(&value);
  if (number == nullptr || *number < std::numeric_limits<int>::min() || *number > kMaxInt) {
    return false;
  }
  *field = static_cast<int>(*number);
  return true;
}

bool Assign(const Value& value, double* field) {
  if (!IsNumber(value)) return false;
  *field = AsDouble(value);
  return true;
}

bool Assign(const Value& value, std::string* field) {
  if (!std::holds_alternative<std::string>(value)) return false;
  *field = std::get<std::string>(value);
  return true;
}

Value FieldValue(const TrialSpec& spec, const TrialField& field) {
  return std::visit(
      [&](auto member) -> Value {
        using T = std::decay_t<decltype(spec.*member)>;
        if constexpr (std::is_same_v<T, int>)
          return std::int64_t{spec.*member};
        else
          return spec.*member;
      },
      field);
}

// A program's parameter may have a value that the field of the same name cannot hold; then only
// `parameters` has it.
bool IsTold(const TrialSpec& spec, const std::string& name, const TrialField& field) {
  if (!spec.only_parameters || name == "epochs") return true;
  const auto found = spec.parameters.find(name);
  return found != spec.parameters.end() && SameValue(found->second, FieldValue(spec, field));
}

}  // namespace

std::string TrialSpecToJson(const TrialSpec& spec) {
  ordered_json object = {
      {"type", "trial"},
      {"protocol", kTrainerProtocolVersion},
      {"trial", spec.trial},
      {"seed", spec.seed},
  };
  for (const KnownParameter& known : KnownParameters()) {
    const std::string name(known.name);
    if (!known.field || !IsTold(spec, name, *known.field)) continue;
    std::visit([&](auto member) { Append(&object, name, spec.*member); }, *known.field);
  }
  // These keys mean nothing to a program that brings its own data and network.
  if (!spec.only_parameters || !spec.network.layers.empty() || spec.dataset.name != "none") {
    Append(&object, "loss", spec.loss);
    Append(&object, "evaluate_with", spec.evaluate_with);
    Append(&object, "normalize_mean", spec.normalize_mean);
    Append(&object, "normalize_stddev", spec.normalize_stddev);
  }
  if (!spec.network.layers.empty()) Append(&object, "network", NetworkToJson(spec.network));
  Append(&object, "dataset",
         {{"name", spec.dataset.name},
          {"path", spec.dataset.path},
          {"train_size", spec.dataset.train_size},
          {"test_size", spec.dataset.test_size}});
  Append(&object, "holdout", spec.holdout);
  if (spec.target_epoch > 0) Append(&object, "target_epoch", spec.target_epoch);
  if (spec.start_epoch > 0) Append(&object, "start_epoch", spec.start_epoch);
  if (!spec.parameters.empty()) Append(&object, "parameters", ParametersToJson(spec.parameters));
  Append(&object, "data_dir", spec.data_dir);
  if (!spec.data_sha256.empty()) Append(&object, "data_sha256", spec.data_sha256);
  Append(&object, "output_dir", spec.output_dir);
  Append(&object, "resume_from", spec.resume_from);
  Append(&object, "device", spec.device);
  return DumpLine(object);
}

TrialSpec TrialSpecFromJson(std::string_view line, NetworkField network) {
  const json object = ParseObject(line, "trial line");
  const JsonReader reader(object, "");
  reader.Require({"type", "protocol", "trial"});
  if (network == NetworkField::kRequired && !reader.Has("network")) {
    throw ProtocolError("network is missing: the trial is of a sweep without 'model'");
  }
  std::string type;
  reader.Choice("type", {"trial"}, &type);
  int protocol = 0;
  reader.Int("protocol", 1, kMaxInt, &protocol);
  if (protocol != kTrainerProtocolVersion) {
    throw ProtocolError("protocol is " + std::to_string(protocol) + "; this build speaks version " +
                        std::to_string(kTrainerProtocolVersion));
  }
  TrialSpec spec;
  reader.String("trial", &spec.trial);
  reader.Unsigned("seed", &spec.seed);
  ReadHyperparameters(reader, &spec);
  ReadData(reader, &spec);
  ReadPlaces(reader, &spec);
  if (const json* object_of_network = reader.Find("network")) {
    spec.network = NetworkFromJson(*object_of_network);
  }
  if (const json* parameters = reader.Find("parameters")) {
    spec.parameters = ParametersFromJson(*parameters);
    const std::vector<std::string> names = TrialParameterNames();
    spec.only_parameters = !std::all_of(names.begin(), names.end(), [&](const std::string& name) {
      return reader.Has(name.c_str());
    });
  }
  return spec;
}

bool SetTrialParameter(std::string_view name, const Value& value, TrialSpec* spec) {
  const KnownParameter* const known = FindKnownParameter(name);
  if (known == nullptr || !known->field) return false;
  return std::visit([&](auto member) { return Assign(value, &(spec->*member)); }, *known->field);
}

std::vector<std::string> TrialParameterNames() {
  std::vector<std::string> names;
  for (const KnownParameter& known : KnownParameters()) {
    if (known.field) names.emplace_back(known.name);
  }
  return names;
}

std::string CheckTrialParameter(std::string_view name, const Value& value) {
  const KnownParameter* const known = FindKnownParameter(name);
  if (known == nullptr || !known->field) {
    return "unknown hyperparameter '" + std::string(name) + "'" +
           DidYouMean(name, TrialParameterNames());
  }
  json object;
  std::visit([&](const auto& one) { object[std::string(name)] = one; }, value);
  TrialSpec spec;
  try {
    ReadHyperparameter(JsonReader(object, ""), *known, &spec);
  } catch (const ProtocolError& error) {
    return error.what();
  }
  return "";
}

}  // namespace sweep
