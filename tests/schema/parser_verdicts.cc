// Gives schema_test.py the parsers' verdicts on many files: one JSON object per line in, one out.
//
//   {"kind": "sweep", "text": "…", "network_files": {"nets/a.yaml": "…"}, "program_files": {…}}
//   {"kind": "network", "text": "…"}
//      → {"errors": ["…"], "document": …}; the document is the parsed file as JSON, absent when
//        the text is no YAML or a key is no word
//   {"kind": "tables"}
//      → the words and ranges that the parsers know

#include <cstdlib>
#include <exception>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>

#include "common/network/network_file.h"
#include "common/protocol/trial_spec.h"
#include "common/spec/method_choice.h"
#include "common/spec/schema.h"
#include "common/spec/sweep_spec.h"
#include "common/yaml/yaml_reader.h"

namespace sweep {
namespace {

using nlohmann::json;
using Texts = std::map<std::string, std::string>;

json ToJson(const Value& value) {
  return std::visit([](const auto& one) { return json(one); }, value);
}

json ToJson(const YAML::Node& node) {
  switch (node.Type()) {
    case YAML::NodeType::Scalar:
      return ToJson(ScalarValue(node));
    case YAML::NodeType::Sequence: {
      json list = json::array();
      for (const YAML::Node& item : node) list.push_back(ToJson(item));
      return list;
    }
    case YAML::NodeType::Map: {
      json object = json::object();
      for (const auto& item : node) {
        if (!item.first.IsScalar()) throw std::invalid_argument("a key is no word");
        object[item.first.Scalar()] = ToJson(item.second);
      }
      return object;
    }
    default:
      return nullptr;
  }
}

// Unlike YAML, a network file may have ${width} without quotes between braces. As in its parser,
// characters of Unicode's private use area replace the brackets while YAML is read.
std::string WithReferences(std::string text, bool hidden) {
  const std::pair<std::string, std::string> open = {"${", "\uE000"}, close = {"}", "\uE001"};
  if (!hidden) {
    for (const auto& [shown, stand_in] : {open, close}) {
      for (std::size_t at = text.find(stand_in); at != text.npos; at = text.find(stand_in)) {
        text.replace(at, stand_in.size(), shown);
      }
    }
    return text;
  }
  for (std::size_t at = text.find("${"); at != text.npos; at = text.find("${", at + 1)) {
    const std::size_t end = text.find_first_of("{}\n", at + 2);
    if (end == text.npos || text[end] != '}') continue;
    text.replace(end, 1, close.second);
    text.replace(at, 2, open.second);
  }
  return text;
}

std::optional<json> Document(const std::string& text, bool network) {
  Diagnostics ignored;
  const auto node = YamlReader("", &ignored).Load(network ? WithReferences(text, true) : text);
  if (!node) return std::nullopt;
  try {
    return json::parse(WithReferences(ToJson(*node).dump(), false));
  } catch (const std::invalid_argument&) {
    return std::nullopt;
  }
}

json Verdict(const json& request) {
  const std::string text = request.at("text");
  const bool network = request.at("kind") == "network";
  Diagnostics diagnostics;
  if (network) {
    NetworkFile::Parse(text, "file.yaml", &diagnostics).status().IgnoreError();
  } else {
    const SweepSource source{.file = "file.yaml",
                             .text = text,
                             .network_files = request.value("network_files", Texts()),
                             .program_files = request.value("program_files", Texts())};
    SweepSpec::Parse(source, &diagnostics).status().IgnoreError();
  }
  json verdict = {{"errors", json::array()}};
  for (const Diagnostic& diagnostic : diagnostics) {
    if (diagnostic.severity == Diagnostic::Severity::kWarning) continue;
    verdict["errors"].push_back(diagnostic.message);
  }
  if (const std::optional<json> document = Document(text, network)) verdict["document"] = *document;
  return verdict;
}

// Includes the aliases.
std::vector<std::string_view> MeasureNames() {
  std::vector<std::string_view> names;
  for (const Measure& measure : PredefinedMeasures()) {
    names.push_back(measure.name);
    if (!measure.alias.empty()) names.push_back(measure.alias);
  }
  return names;
}

json Tables() {
  json known = json::object();
  for (const KnownParameter& parameter : KnownParameters()) {
    static constexpr const char* kTypes[] = {"boolean", "integer", "number", "choice"};
    known[std::string(parameter.name)] = {{"type", kTypes[static_cast<int>(parameter.type)]},
                                          {"min", parameter.min},
                                          {"max", parameter.max},
                                          {"open_min", parameter.open_min},
                                          {"open_max", parameter.open_max},
                                          {"choices", parameter.choices},
                                          {"default", ToJson(parameter.default_value)},
                                          {"help", parameter.help}};
  }
  return {{"known_parameters", known},
          {"distributions", DistributionNames()},
          {"network_facts", NetworkFactNames()},
          {"measures", MeasureNames()},
          {"methods", MethodWords()},
          {"builtin_networks", BuiltinNetworkNames()},
          {"layers", LayerKindNames()},
          {"trial_parameters", TrialParameterNames()}};
}

// The output of `sweep schema`.
json Schema(const json& request) {
  return json::parse(
      FillSchema(request.at("of").get<std::string>(), request.at("text").get<std::string>()));
}

json Answer(const json& request) {
  const std::string kind = request.at("kind");
  if (kind == "tables") return Tables();
  return kind == "schema" ? Schema(request) : Verdict(request);
}

int Main() {
  for (std::string line; std::getline(std::cin, line);) {
    const json request = json::parse(line);
    const json answer = Answer(request);
    std::cout << answer.dump(-1, ' ', false, json::error_handler_t::replace) << std::endl;
  }
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace sweep

int main() {
  try {
    return sweep::Main();
  } catch (const std::exception& error) {
    std::cerr << "parser_verdicts: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
}
