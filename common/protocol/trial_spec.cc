#include "common/protocol/trial_spec.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "common/base/nearest.h"
#include "common/network/layer_kinds.h"
#include "common/protocol/json_reader.h"

namespace sweep {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

constexpr int kMaxInt = std::numeric_limits<int>::max();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

ordered_json LayerToJson(const Layer& layer) {
  ordered_json object = {{"kind", LayerKindName(layer.kind)}};
  for (const LayerNumber& number : InfoOf(layer.kind).numbers) {
    std::visit([&](auto member) { object[std::string(number.name)] = layer.*member; },
               number.field);
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

// The upper end of an integer is InferShapes' to check.
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

void ReadOptimizer(const JsonReader& reader, TrialSpec* spec) {
  const Range share = {.min = 0, .max = 1, .open_max = true};
  reader.Int("epochs", 1, 100'000, &spec->epochs);
  reader.Int("batch_size", 1, 1'000'000, &spec->batch_size);
  reader.Double("lr", {.min = 0, .max = kInfinity, .open_min = true}, &spec->lr);
  reader.Double("momentum", share, &spec->momentum);
  reader.Bool("nesterov", &spec->nesterov);
  reader.Double("weight_decay", {.min = 0, .max = kInfinity}, &spec->weight_decay);
  reader.Bool("decay_norm_and_bias", &spec->decay_norm_and_bias);
  reader.Double("label_smoothing", share, &spec->label_smoothing);
  if (spec->nesterov && spec->momentum == 0) {
    throw ProtocolError("nesterov is true but momentum is 0; Nesterov's method needs a momentum");
  }
}

void ReadSchedule(const JsonReader& reader, TrialSpec* spec) {
  const Range divisor = {.min = 1, .max = kInfinity};
  reader.Choice("schedule", {"constant", "step", "cosine", "one_cycle"}, &spec->schedule);
  reader.Int("step_epochs", 1, 100'000, &spec->step_epochs);
  reader.Double("step_gamma", {.min = 0, .max = kInfinity, .open_min = true}, &spec->step_gamma);
  reader.Double("final_lr_fraction", {.min = 0, .max = 1}, &spec->final_lr_fraction);
  reader.Double("warmup_epochs", {.min = 0, .max = 100'000}, &spec->warmup_epochs);
  reader.Double("one_cycle_warmup", {.min = 0, .max = 1}, &spec->one_cycle_warmup);
  reader.Double("one_cycle_start_divisor", divisor, &spec->one_cycle_start_divisor);
  reader.Double("one_cycle_final_divisor", divisor, &spec->one_cycle_final_divisor);
}

void ReadData(const JsonReader& reader, TrialSpec* spec) {
  reader.Choice("augmentation", {"none", "shift", "rotation", "shift_rotation"},
                &spec->augmentation);
  reader.Int("shift_pixels", 0, 1000, &spec->shift_pixels);
  reader.Double("rotation_degrees", {.min = 0, .max = 180}, &spec->rotation_degrees);
  reader.Choice("loss", {"nll", "nll_batch_softmax"}, &spec->loss);
  reader.Choice("evaluate_with", {"class_softmax", "batch_softmax"}, &spec->evaluate_with);
  reader.Double("normalize_mean", {.min = -1e6, .max = 1e6}, &spec->normalize_mean);
  reader.Double("normalize_stddev", {.min = 0, .max = kInfinity, .open_min = true},
                &spec->normalize_stddev);
  if (const json* dataset = reader.Find("dataset")) spec->dataset = DatasetFromJson(*dataset);
  reader.Int("holdout", 0, kMaxInt, &spec->holdout);
}

Value ValueFromJson(const std::string& name, const json& value) {
  if (value.is_boolean()) return value.get<bool>();
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (value.is_number()) return value.get<double>();
  if (value.is_string()) return value.get<std::string>();
  throw ProtocolError("parameters." + name + " is " + ShortText(value) +
                      "; it must be a boolean, a number or a string");
}

ParameterMap ParametersFromJson(const json& value) {
  if (!value.is_object()) throw ProtocolError("parameters is no object");
  ParameterMap parameters;
  for (const auto& [name, one] : value.items()) parameters[name] = ValueFromJson(name, one);
  return parameters;
}

json ParametersToJson(const ParameterMap& parameters) {
  json object = json::object();
  for (const auto& [name, value] : parameters) {
    std::visit([&, key = name](const auto& one) { object[key] = one; }, value);
  }
  return object;
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

using Field = std::variant<bool TrialSpec::*, int TrialSpec::*, double TrialSpec::*,
                           std::string TrialSpec::*>;

// The fields that a search may choose.
const std::vector<std::pair<std::string_view, Field>>& SearchableFields() {
  static const auto* const fields = new std::vector<std::pair<std::string_view, Field>>{
      {"epochs", &TrialSpec::epochs},
      {"batch_size", &TrialSpec::batch_size},
      {"lr", &TrialSpec::lr},
      {"momentum", &TrialSpec::momentum},
      {"nesterov", &TrialSpec::nesterov},
      {"weight_decay", &TrialSpec::weight_decay},
      {"decay_norm_and_bias", &TrialSpec::decay_norm_and_bias},
      {"label_smoothing", &TrialSpec::label_smoothing},
      {"schedule", &TrialSpec::schedule},
      {"step_epochs", &TrialSpec::step_epochs},
      {"step_gamma", &TrialSpec::step_gamma},
      {"final_lr_fraction", &TrialSpec::final_lr_fraction},
      {"warmup_epochs", &TrialSpec::warmup_epochs},
      {"one_cycle_warmup", &TrialSpec::one_cycle_warmup},
      {"one_cycle_start_divisor", &TrialSpec::one_cycle_start_divisor},
      {"one_cycle_final_divisor", &TrialSpec::one_cycle_final_divisor},
      {"augmentation", &TrialSpec::augmentation},
      {"shift_pixels", &TrialSpec::shift_pixels},
      {"rotation_degrees", &TrialSpec::rotation_degrees},
  };
  return *fields;
}

Value FieldValue(const TrialSpec& spec, const Field& field) {
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

// A program's parameter of that name may have a value that the field cannot have, and stands among
// `parameters` alone then.
bool IsTold(const TrialSpec& spec, const std::string& name, const Field& field) {
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
  for (const auto& [name, field] : SearchableFields()) {
    if (!IsTold(spec, std::string(name), field)) continue;
    std::visit([&, key = std::string(name)](auto member) { object[key] = spec.*member; }, field);
  }
  // Of a program that looks after its data and its network itself they say nothing.
  if (!spec.only_parameters || !spec.network.layers.empty() || spec.dataset.name != "none") {
    object["loss"] = spec.loss;
    object["evaluate_with"] = spec.evaluate_with;
    object["normalize_mean"] = spec.normalize_mean;
    object["normalize_stddev"] = spec.normalize_stddev;
  }
  if (!spec.network.layers.empty()) object["network"] = NetworkToJson(spec.network);
  object["dataset"] = {{"name", spec.dataset.name},
                       {"path", spec.dataset.path},
                       {"train_size", spec.dataset.train_size},
                       {"test_size", spec.dataset.test_size}};
  object["holdout"] = spec.holdout;
  if (!spec.parameters.empty()) object["parameters"] = ParametersToJson(spec.parameters);
  object["data_dir"] = spec.data_dir;
  if (!spec.data_sha256.empty()) object["data_sha256"] = spec.data_sha256;
  object["output_dir"] = spec.output_dir;
  object["resume_from"] = spec.resume_from;
  object["device"] = spec.device;
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
  ReadOptimizer(reader, &spec);
  ReadSchedule(reader, &spec);
  ReadData(reader, &spec);
  ReadPlaces(reader, &spec);
  if (const json* object_of_network = reader.Find("network")) {
    spec.network = NetworkFromJson(*object_of_network);
  }
  if (const json* parameters = reader.Find("parameters")) {
    spec.parameters = ParametersFromJson(*parameters);
    const auto& fields = SearchableFields();
    spec.only_parameters = !std::all_of(fields.begin(), fields.end(), [&](const auto& field) {
      return reader.Has(std::string(field.first).c_str());
    });
  }
  return spec;
}

bool SetTrialParameter(std::string_view name, const Value& value, TrialSpec* spec) {
  for (const auto& [candidate, field] : SearchableFields()) {
    if (candidate != name) continue;
    return std::visit([&](auto member) { return Assign(value, &(spec->*member)); }, field);
  }
  return false;
}

std::vector<std::string> TrialParameterNames() {
  std::vector<std::string> names;
  for (const auto& entry : SearchableFields()) names.emplace_back(entry.first);
  return names;
}

std::string CheckTrialParameter(std::string_view name, const Value& value) {
  const std::vector<std::string> names = TrialParameterNames();
  if (std::find(names.begin(), names.end(), name) == names.end()) {
    return "unknown hyperparameter '" + std::string(name) + "'" + DidYouMean(name, names);
  }
  json object;
  std::visit([&](const auto& one) { object[std::string(name)] = one; }, value);
  const JsonReader reader(object, "");
  TrialSpec spec;
  try {
    ReadOptimizer(reader, &spec);
    ReadSchedule(reader, &spec);
    ReadData(reader, &spec);
  } catch (const ProtocolError& error) {
    return error.what();
  }
  return "";
}

}  // namespace sweep
