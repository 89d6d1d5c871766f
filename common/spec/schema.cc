#include "common/spec/schema.h"

#include <nlohmann/json.hpp>
#include <variant>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/network/layer_kinds.h"
#include "common/spec/method_choice.h"
#include "common/spec/parameter.h"
#include "common/spec/search_methods.h"
#include "common/trial/measures.h"

namespace sweep {
namespace {

using Json = nlohmann::ordered_json;
using Type = KnownParameter::Type;

constexpr char kReference[] = "^\\$\\{[A-Za-z_][A-Za-z0-9_]{0,62}\\}$";

// Writes a limit as people do: 100, not 100.0.
Json Limit(double value) {
  const auto whole = static_cast<std::int64_t>(value);
  return static_cast<double>(whole) == value ? Json(whole) : Json(value);
}

Json ToJson(const Value& value) {
  return std::visit([](const auto& one) { return Json(one); }, value);
}

std::string Sentence(std::string_view help, const std::string& allowed) {
  std::string text = absl::StrCat(std::string(help), "; ", allowed, ".");
  text[0] = absl::ascii_toupper(static_cast<unsigned char>(text[0]));
  return text;
}

// --- hyperparameters ---

// The schema of a hyperparameter's values.
Json Values(const KnownParameter& known) {
  switch (known.type) {
    case Type::kBool:
      return {{"type", "boolean"}};
    case Type::kChoice:
      return {{"enum", known.choices}};
    case Type::kInt:
    case Type::kDouble:
      break;
  }
  return {{"type", known.type == Type::kInt ? "integer" : "number"},
          {known.open_min ? "exclusiveMinimum" : "minimum", Limit(known.min)},
          {known.open_max ? "exclusiveMaximum" : "maximum", Limit(known.max)}};
}

// The schema of a hyperparameter in a sweep file's `parameters`: a value, or how to search it.
Json Search(const KnownParameter& known) {
  const Json ref = {{"$ref", absl::StrCat("#/definitions/", std::string(known.name))}};
  Json entry = {{"description", Sentence(known.help, AllowedValues(known))},
                {"default", ToJson(known.default_value)}};
  if (const Json example = Json::parse(known.example); example.is_object()) {
    entry["defaultSnippets"].push_back({{"label", known.example}, {"body", example}});
  } else {
    entry["examples"] = Json::array({example});
  }
  Json form = {{"properties", {{"value", ref}, {"values", {{"items", ref}}}}}};
  Json& properties = form["properties"];
  if (known.type == Type::kBool || known.type == Type::kChoice) {
    for (const char* key : {"min", "max", "mu", "sigma", "q"}) properties[key] = false;
    properties["distribution"] = {
        {"enum", {"constant", "categorical", "categorical_w_probabilities"}}};
  } else {
    if (known.type == Type::kInt) {
      properties["distribution"] = {
          {"enum",
           {"constant", "categorical", "categorical_w_probabilities", "int_uniform", "q_uniform",
            "q_log_uniform_values", "q_normal", "q_log_normal"}}};
      properties["q"] = {{"type", "integer"}};
    }
    // A search over multiples may have ends outside the range.
    const Json multiples = {
        {"enum", {"q_uniform", "q_log_uniform_values", "q_normal", "q_log_normal"}}};
    form["if"] = {{"not",
                   {{"required", Json::array({"distribution"})},
                    {"properties", {{"distribution", multiples}}}}}};
    form["then"] = {{"properties", {{"min", ref}, {"max", ref}}}};
  }
  entry["allOf"].push_back({{"$ref", "#/definitions/parameter"}});
  entry["if"] = {{"type", "object"}};
  entry["then"] = form;
  entry["else"] = ref;
  return entry;
}

// --- measures ---

// The schema of a gate on a measure in `require`.
Json GateSchema(const Measure& measure) {
  const bool is_share = measure.unit == Measure::Unit::kShare;
  return {{"description", measure.help},
          {"examples", Json::array({measure.gate})},
          {"allOf",
           Json::array({{{"$ref", absl::StrCat("#/definitions/", is_share ? "accuracy" : "measure",
                                               "_gate")}}})}};
}

void FillMeasures(Json* schema) {
  Json names = Json::array();    // with aliases
  Json metrics = Json::array();  // of them those that can rank
  Json gates = Json::object();
  for (const Measure& measure : PredefinedMeasures()) {
    for (const std::string_view name : {measure.alias, measure.name}) {
      if (name.empty()) continue;
      names.push_back(name);
      if (measure.direction != 0) metrics.push_back(name);
      gates[std::string(name)] = GateSchema(measure);
    }
  }
  Json& definitions = schema->at("definitions");
  definitions.at("predefined_measure")["enum"] = names;
  Json& forms = definitions.at("trainer_metric").at("anyOf");
  forms.at(0)["enum"] = metrics;
  forms.at(1).at("properties").at("name")["enum"] = metrics;
  Json& require = schema->at("properties").at("require").at("properties");
  gates.update(require);
  require = gates;
}

void FillMethods(Json* schema) {
  Json& method = schema->at("properties").at("method");
  std::string help;
  for (const SearchMethod& one : SearchMethods()) {
    absl::StrAppend(&help, help.empty() ? "" : "; ", std::string(one.word), ": ",
                    std::string(one.help));
  }
  for (const OpenMethod& one : OpenMethods()) {
    absl::StrAppend(&help, "; ", std::string(one.word), ": ", std::string(one.help));
  }
  method["description"] = help + ".";
  method["enum"] = MethodWords();
  method["default"] = OpenMethods().front().word;
}

void FillSweep(Json* schema) {
  FillMeasures(schema);
  FillMethods(schema);
  Json everywhere = Json::object();
  Json trainers = Json::object();
  Json& definitions = schema->at("definitions");
  for (const KnownParameter& known : KnownParameters()) {
    const std::string name(known.name);
    definitions[name] = Values(known);
    // A sweep with its own program has `epochs` like any other.
    (name == "epochs" ? everywhere : trainers)[name] = Search(known);
  }
  definitions.at("trainer_parameters").at("properties") = trainers;
  schema->at("properties").at("parameters").at("properties") = everywhere;
}

// --- layers ---

Json NumberSchema(const LayerNumber& number) {
  const bool is_bool = std::holds_alternative<bool Layer::*>(number.field);
  const bool is_int = std::holds_alternative<int Layer::*>(number.field);
  const char* const type = is_bool ? "boolean" : is_int ? "integer" : "number";
  Json schema = {{"type", {type, "string"}}, {"pattern", kReference}};
  if (number.takes_same) schema["pattern"] = absl::StrCat("^same$|", kReference);
  if (!is_bool) {
    schema["minimum"] = Limit(number.min);
    schema[number.open_max ? "exclusiveMaximum" : "maximum"] = Limit(number.max);
  }
  return schema;
}

// A number as the value of a key in a layer's settings.
Json Setting(const LayerNumber& number) {
  Json schema = {{"description", absl::StrCat(std::string(number.help), " A value, or ${name}.")}};
  schema.update(NumberSchema(number));
  if (number.otherwise == LayerNumber::Default::kInFile) schema["default"] = number.in_file;
  if (number.otherwise == LayerNumber::Default::kLayers) {
    std::visit([&](auto member) { schema["default"] = Layer().*member; }, number.field);
  }
  return schema;
}

// The value of the key that names the layer.
Json LayerSchema(const LayerKindInfo& info) {
  Json schema = {{"description", info.help}};
  if (info.numbers.empty()) {
    schema["type"] = "null";
    return schema;
  }
  Json types = Json::array();
  for (const LayerNumber& number : info.numbers) {
    if (number.name != info.short_form) continue;
    schema.update(NumberSchema(number));
    types = schema.at("type");
    if (number.otherwise == LayerNumber::Default::kReference) types.push_back("null");
  }
  if (info.short_form.empty() || info.numbers.size() > 1) {
    types.push_back("object");
    schema["additionalProperties"] = false;
    for (const LayerNumber& number : info.numbers) {
      if (number.otherwise == LayerNumber::Default::kNone)
        schema["required"].push_back(number.name);
      schema["properties"][std::string(number.name)] = Setting(number);
    }
  }
  schema["type"] = types;
  return schema;
}

// True when a layer needs no settings: it has none, or its only number defaults to ${dropout}.
bool IsWord(const LayerKindInfo& info) {
  return info.numbers.empty() || info.numbers.front().otherwise == LayerNumber::Default::kReference;
}

void FillNetwork(Json* schema) {
  Json words = Json::array();
  Json layers = Json::object();
  for (const LayerKindInfo& info : LayerKinds()) {
    if (IsWord(info)) words.push_back(info.name);
    layers[std::string(info.name)] = LayerSchema(info);
  }
  Json& definitions = schema->at("definitions");
  Json& forms = definitions.at("layer").at("anyOf");
  forms.at(0)["enum"] = words;
  forms.at(1)["properties"] = layers;
  Json& hyperparameters = definitions.at("hyperparameters").at("properties");
  for (const KnownParameter& known : KnownParameters()) {
    if (!known.field) continue;  // `dropout` may be a reference of the network
    Json entry = {{"description", Sentence(known.help, AllowedValues(known))}};
    entry.update(Values(known));
    hyperparameters[std::string(known.name)] = entry;
  }
}

}  // namespace

std::string FillSchema(std::string_view kind, std::string_view text) {
  Json schema = Json::parse(text);
  kind == "sweep" ? FillSweep(&schema) : FillNetwork(&schema);
  return schema.dump(2) + "\n";
}

}  // namespace sweep
