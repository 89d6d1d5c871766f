#include <algorithm>
#include <cctype>
#include <cmath>
#include <exception>
#include <set>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/ids.h"
#include "common/base/nearest.h"
#include "common/network/layer_kinds.h"
#include "common/network/network_file.h"
#include "common/network/network_template.h"
#include "common/protocol/trial_spec.h"
#include "common/yaml/shown.h"
#include "common/yaml/yaml_reader.h"

namespace sweep {
namespace {

constexpr std::size_t kMaxLayers = 1000;
constexpr double kMaxMean = 1e6;  // the trainer's limit

// YAML would read the brace of ${width} as the start of a mapping inside {…}. Characters of
// Unicode's private use area replace the brackets while yaml-cpp reads.
constexpr std::string_view kOpen = "\uE000";
constexpr std::string_view kClose = "\uE001";

std::string HideReferences(std::string_view text) {
  std::string hidden;
  while (!text.empty()) {
    const std::size_t start = text.find("${");
    const std::size_t end = start == text.npos ? text.npos : text.find_first_of("{}\n", start + 2);
    if (end == text.npos) break;
    hidden += text.substr(0, start);
    const std::string_view inside = text.substr(start + 2, end - start - 2);
    if (text[end] == '}') {
      hidden.append(kOpen).append(inside).append(kClose);
      text.remove_prefix(end + 1);
    } else {
      hidden.append("${").append(inside);
      text.remove_prefix(end);
    }
  }
  return hidden.append(text);
}

void ReplaceAll(std::string_view from, std::string_view to, std::string* text) {
  for (std::size_t at = text->find(from); at != text->npos; at = text->find(from, at + to.size())) {
    text->replace(at, from.size(), to);
  }
}

std::string ShowReferences(std::string_view text) {
  std::string shown(text);
  ReplaceAll(kOpen, "${", &shown);
  ReplaceAll(kClose, "}", &shown);
  return shown;
}

bool IsIdentifier(std::string_view text) {
  const auto is_word = [](unsigned char c) { return std::isalnum(c) || c == '_'; };
  return !text.empty() && text.size() <= 63 && !std::isdigit(static_cast<unsigned char>(text[0])) &&
         std::all_of(text.begin(), text.end(), is_word);
}

enum class TermType { kInt, kNumber, kBool, kPadding };

TermType TypeOf(const LayerNumber& number) {
  if (number.takes_same) return TermType::kPadding;
  if (std::holds_alternative<bool Layer::*>(number.field)) return TermType::kBool;
  return std::holds_alternative<int Layer::*>(number.field) ? TermType::kInt : TermType::kNumber;
}

const char* Expected(TermType type) {
  switch (type) {
    case TermType::kInt:
      return "an integer";
    case TermType::kNumber:
      return "a number";
    case TermType::kBool:
      return "true or false";
    case TermType::kPadding:
      return "an integer or same";
  }
  return "";
}

bool HasType(const Value& value, TermType type) {
  switch (type) {
    case TermType::kInt:
      return std::holds_alternative<std::int64_t>(value);
    case TermType::kNumber:
      return IsNumber(value);
    case TermType::kBool:
      return std::holds_alternative<bool>(value);
    case TermType::kPadding:
      return std::holds_alternative<std::int64_t>(value) || SameValue(value, std::string("same"));
  }
  return false;
}

}  // namespace

// Turns one text into a NetworkFile. Every method reports errors and goes on.
class NetworkFileParser {
 public:
  NetworkFileParser(std::string_view text, std::string_view file, Diagnostics* diagnostics,
                    ScalarRules rules)
      : diagnostics_(diagnostics),
        first_(diagnostics->size()),
        errors_before_(CountErrors(*diagnostics)),
        reader_(std::string(file), diagnostics, rules) {
    result_.file_ = file;
    result_.text_ = text;
  }

  absl::StatusOr<NetworkFile> Parse() {
    try {
      const std::optional<YAML::Node> root = reader_.Load(HideReferences(result_.text_));
      if (root) {
        result_.canonical_ = CanonicalYaml(*root, reader_.rules());
        ParseRoot(*root);
      }
    } catch (const std::exception& error) {
      reader_.Error(0, absl::StrCat("cannot be read: ", error.what()));
    }
    for (std::size_t i = first_; i < diagnostics_->size(); ++i) {
      (*diagnostics_)[i].message = ShowReferences((*diagnostics_)[i].message);
    }
    if (IsGood()) return std::move(result_);
    return absl::InvalidArgumentError(FormatDiagnostics(Diagnostics(
        diagnostics_->begin() + static_cast<std::ptrdiff_t>(first_), diagnostics_->end())));
  }

 private:
  using Keys = std::map<std::string, YamlEntry>;

  bool IsGood() const { return reader_.error_count() == errors_before_; }

  void ParseRoot(const YAML::Node& root) {
    const Keys keys = reader_.Keys(root, LineOf(root), "a network file",
                                   {"name", "description", "input", "normalize", "loss",
                                    "evaluate_with", "parameters", "layers", "recipes"});
    const auto with = [&](const char* key, auto parse) {
      if (const auto it = keys.find(key); it != keys.end()) parse(it->second);
    };
    for (const char* key : {"name", "layers"}) {
      if (keys.count(key) == 0) reader_.Error(0, absl::StrCat("the key '", key, "' is missing"));
    }
    with("name", [&](const YamlEntry& entry) { ParseName(entry); });
    with("description", [&](const YamlEntry& entry) {
      result_.description_ = ShowReferences(reader_.Text(entry).value_or(""));
    });
    with("input", [&](const YamlEntry& entry) { ParseInput(entry); });
    with("normalize", [&](const YamlEntry& entry) { ParseNormalize(entry); });
    with("loss", [&](const YamlEntry& entry) {
      result_.loss_ = reader_.Word(entry, {"nll", "nll_batch_softmax"}).value_or("");
    });
    with("evaluate_with", [&](const YamlEntry& entry) {
      result_.evaluate_with_ = reader_.Word(entry, {"class_softmax", "batch_softmax"}).value_or("");
    });
    const std::size_t errors = reader_.error_count();
    with("layers", [&](const YamlEntry& entry) { ParseLayers(entry); });
    layers_are_known_ = reader_.error_count() == errors;
    // After the layers: their references decide which names are valid.
    result_.references_.assign(references_.begin(), references_.end());
    with("parameters", [&](const YamlEntry& entry) { ParseParameters(entry); });
    with("recipes", [&](const YamlEntry& entry) { ParseRecipes(entry); });
    result_.layers_ = std::make_shared<const std::vector<LayerTemplate>>(std::move(layers_));
    if (IsGood()) CheckShapes();
  }

  void ParseName(const YamlEntry& entry) {
    const std::optional<std::string> name = reader_.Text(entry);
    if (!name) return;
    if (!IsValidName(*name)) {
      reader_.Error(entry.line, absl::StrCat("name ", Shown(*name),
                                             " must be letters, digits, '.', '_' and '-' only, "
                                             "start with a letter or digit and have at most 63"));
    }
    result_.name_ = *name;
  }

  void ParseInput(const YamlEntry& entry) {
    input_line_ = entry.line;
    const std::optional<std::vector<Value>> sides = reader_.Scalars(entry);
    if (!sides) return;
    bool valid = sides->size() == 3;
    for (const Value& side : *sides) {
      const std::int64_t* number = std::get_if<std::int64_t>(&side);
      valid = valid && number != nullptr && *number >= 1 && *number <= 65536;
    }
    if (!valid) {
      reader_.Error(entry.line,
                    "'input' must be [channels, height, width], integers from 1 to "
                    "65536, such as [1, 28, 28]");
      return;
    }
    const auto side = [&](int i) { return static_cast<int>(std::get<std::int64_t>((*sides)[i])); };
    result_.input_ = {side(0), side(1), side(2)};
  }

  void ParseNormalize(const YamlEntry& entry) {
    const Keys keys = reader_.Keys(entry.value, entry.line, "'normalize'", {"mean", "stddev"});
    for (const auto& [key, number] : keys) {
      const std::optional<double> value = reader_.Number(number);
      if (!value) continue;
      if (key == "stddev" && *value <= 0) {
        reader_.Error(number.line,
                      absl::StrCat("'stddev' is ", FormatDouble(*value), "; it must be above 0"));
      }
      if (key == "mean" && std::abs(*value) > kMaxMean) {
        reader_.Error(number.line,
                      absl::StrCat("'mean' is ", FormatDouble(*value), "; it must be at most ",
                                   FormatDouble(kMaxMean), " away from 0"));
      }
      (key == "mean" ? result_.normalize_mean_ : result_.normalize_stddev_) = *value;
    }
  }

  // --- layers ---

  void ParseLayers(const YamlEntry& entry) {
    if (!entry.value.IsSequence() || entry.value.size() == 0) {
      reader_.Error(entry.line, "'layers' must be a list of layers, such as - relu");
      return;
    }
    if (entry.value.size() > kMaxLayers) {
      reader_.Error(entry.line, absl::StrCat("'layers' has ", entry.value.size(),
                                             " layers; at most ", kMaxLayers, " are allowed"));
      return;
    }
    for (const YAML::Node& item : entry.value) ParseLayer(item);
  }

  // `- relu`, `- max_pool: 2` or `- conv: {…}`.
  void ParseLayer(const YAML::Node& item) {
    YamlEntry layer{"", YAML::Node(YAML::NodeType::Null), LineOf(item)};
    if (item.IsScalar()) {
      layer.key = item.Scalar();
    } else if (item.IsMap() && item.size() == 1 && item.begin()->first.IsScalar()) {
      layer.key = item.begin()->first.Scalar();
      layer.value = item.begin()->second;
    } else {
      reader_.Error(layer.line,
                    item.IsMap() && item.size() > 1
                        ? "a layer is one name; put its settings in {…} or indent them below it"
                        : "a layer is a name, such as relu, or a name with settings, such as "
                          "conv: {out: 16}");
      return;
    }
    LayerTemplate parsed;
    parsed.line = layer.line;
    if (!ParseLayerKind(layer.key, &parsed.kind)) {
      const std::string hint = DidYouMean(layer.key, LayerKindNames());
      reader_.Error(layer.line,
                    absl::StrCat("unknown layer ", Shown(layer.key),
                                 hint.empty() ? absl::StrCat("; there are ",
                                                             absl::StrJoin(LayerKindNames(), ", "))
                                              : hint));
      return;
    }
    ParseSettings(layer, &parsed);
    layers_.push_back(std::move(parsed));
  }

  // `max_pool: 2`, where a number may stand alone, or `max_pool: {kernel: 3, stride: 2}`.
  void ParseSettings(const YamlEntry& layer, LayerTemplate* parsed) {
    const LayerKindInfo& info = InfoOf(parsed->kind);
    parsed->terms.resize(info.numbers.size());
    if (info.numbers.empty()) {
      if (layer.value.IsNull()) return;
      reader_.Error(layer.line, absl::StrCat(layer.key, " takes no settings"));
    } else if (layer.value.IsMap() && (info.short_form.empty() || info.numbers.size() > 1)) {
      ParseNumbers(layer, info, parsed);
    } else if (layer.value.IsNull() || info.short_form.empty()) {
      ParseUnsaid(layer, info, parsed);
    } else {
      for (std::size_t i = 0; i < info.numbers.size(); ++i) {
        if (info.numbers[i].name != info.short_form) continue;
        parsed->terms[i] = Term(layer, TypeOf(info.numbers[i]));
      }
    }
  }

  void ParseNumbers(const YamlEntry& layer, const LayerKindInfo& info, LayerTemplate* parsed) {
    std::vector<std::string> names;
    for (const LayerNumber& number : info.numbers) names.emplace_back(number.name);
    const Keys keys = reader_.Keys(layer.value, layer.line, layer.key, names);
    for (std::size_t i = 0; i < info.numbers.size(); ++i) {
      const auto it = keys.find(names[i]);
      if (it != keys.end()) {
        parsed->terms[i] = Term(it->second, TypeOf(info.numbers[i]));
      } else if (info.numbers[i].otherwise == LayerNumber::Default::kNone) {
        reader_.Error(layer.line, absl::StrCat(layer.key, " needs '", names[i], "'"));
      }
    }
  }

  // A layer without settings.
  void ParseUnsaid(const YamlEntry& layer, const LayerKindInfo& info, LayerTemplate* parsed) {
    for (std::size_t i = 0; i < info.numbers.size(); ++i) {
      if (info.numbers[i].otherwise != LayerNumber::Default::kReference) continue;
      parsed->terms[i] = LayerTerm{.reference = "dropout"};
      references_.insert("dropout");
    }
    if (!info.needs.empty()) {
      reader_.Error(layer.line, absl::StrCat(layer.key, " needs ", std::string(info.needs)));
    }
  }

  std::optional<LayerTerm> Term(const YamlEntry& entry, TermType type) {
    const std::optional<Value> value = reader_.Scalar(entry);
    if (!value) return std::nullopt;
    const std::string* text = std::get_if<std::string>(&*value);
    if (text != nullptr && text->find(kOpen) != text->npos) return Reference(entry, *text, type);
    if (HasType(*value, type)) return LayerTerm{.value = *value};
    reader_.Error(entry.line, absl::StrCat("'", entry.key, "' must be ", Expected(type), ", not ",
                                           Shown(*value)));
    return std::nullopt;
  }

  std::optional<LayerTerm> Reference(const YamlEntry& entry, std::string_view text, TermType type) {
    const bool bracketed = text.starts_with(kOpen) && text.ends_with(kClose);
    const std::string name(
        bracketed ? text.substr(kOpen.size(), text.size() - kOpen.size() - kClose.size()) : "");
    if (!IsIdentifier(name)) {
      reader_.Error(entry.line, absl::StrCat("'", entry.key, "' is ", Shown(ShowReferences(text)),
                                             "; a reference is ${name} and nothing else"));
      return std::nullopt;
    }
    references_.insert(name);
    if (type != TermType::kNumber) shape_references_.insert(name);
    return LayerTerm{.reference = name};
  }

  // --- hyperparameters ---

  // True when a layer with an error may refer to `name`.
  bool IsReferredToInError(const std::string& name) const {
    return !layers_are_known_ &&
           result_.text_.find(absl::StrCat("${", name, "}")) != std::string::npos;
  }

  void ParseParameters(const YamlEntry& entry) {
    for (const YamlEntry& parameter : reader_.Entries(entry.value, entry.line, "'parameters'")) {
      const std::optional<Value> value = reader_.Scalar(parameter);
      if (references_.count(parameter.key) == 0 && !IsReferredToInError(parameter.key)) {
        reader_.Error(parameter.line, absl::StrCat("no layer refers to ${", parameter.key, "}",
                                                   DidYouMean(parameter.key, result_.references_)));
      }
      if (value) result_.defaults_[parameter.key] = *value;
    }
  }

  void ParseRecipes(const YamlEntry& entry) {
    for (const YamlEntry& recipe : reader_.Entries(entry.value, entry.line, "'recipes'")) {
      if (!IsValidName(recipe.key)) {
        reader_.Error(recipe.line, absl::StrCat(Shown(recipe.key), " is no name for a recipe"));
      }
      const Keys keys =
          reader_.Keys(recipe.value, recipe.line, absl::StrCat("recipe '", recipe.key, "'"),
                       {"source", "values", "ours"});
      Recipe parsed;
      parsed.name = recipe.key;
      if (const auto it = keys.find("source"); it != keys.end()) {
        parsed.source = ShowReferences(reader_.Text(it->second).value_or(""));
      }
      if (const auto it = keys.find("values"); it != keys.end()) {
        ParseRecipeValues(it->second, ParameterMap(), &parsed.values);
      }
      if (const auto it = keys.find("ours"); it != keys.end()) {
        ParseRecipeValues(it->second, parsed.values, &parsed.ours);
      }
      result_.recipes_.push_back(std::move(parsed));
    }
  }

  void ParseRecipeValues(const YamlEntry& entry, const ParameterMap& taken, ParameterMap* values) {
    const std::vector<std::string> trial_names = TrialParameterNames();
    const auto is_the_trainers = [&](const std::string& name) {
      return std::find(trial_names.begin(), trial_names.end(), name) != trial_names.end();
    };
    std::vector<std::string> names = trial_names;
    names.insert(names.end(), references_.begin(), references_.end());
    for (const YamlEntry& item :
         reader_.Entries(entry.value, entry.line, absl::StrCat("'", entry.key, "'"))) {
      const std::optional<Value> value = reader_.Scalar(item);
      if (!value) continue;
      std::string error;
      if (IsReferredToInError(item.key)) {
        // The name is checked once its layer is correct.
      } else if (std::find(names.begin(), names.end(), item.key) == names.end()) {
        error =
            absl::StrCat("unknown hyperparameter ", Shown(item.key), DidYouMean(item.key, names));
      } else if (taken.count(item.key) > 0) {
        error = absl::StrCat("'", item.key, "' is already among the values of the source");
      } else if (is_the_trainers(item.key)) {
        error = CheckTrialParameter(item.key, *value);
      }
      if (!error.empty()) reader_.Error(item.line, error);
      (*values)[item.key] = *value;
    }
  }

  // Checks every network that the file alone can build: with the defaults, and with each recipe.
  // Where a value is missing, only the known numbers are checked.
  void CheckShapes() {
    ParameterMap defaults = result_.defaults_;
    for (const std::string& reference : references_) {
      // Dropout probabilities do not affect shapes; 0 replaces one that only the sweep sets.
      if (shape_references_.count(reference) == 0) defaults.emplace(reference, 0.0);
    }
    if (!CheckShapesWith(defaults, "")) return;
    for (const Recipe& recipe : result_.recipes_) {
      ParameterMap parameters = recipe.Merged();
      parameters.insert(defaults.begin(), defaults.end());
      CheckShapesWith(parameters, absl::StrCat(" (recipe '", recipe.name, "')"));
    }
  }

  bool CheckShapesWith(const ParameterMap& parameters, const std::string& suffix) {
    for (const std::string& reference : references_) {
      if (parameters.count(reference) > 0) continue;
      return Report(CheckKnownNumbers(*result_.layers_, parameters), suffix);  // Resolve checks it
    }
    Network network;
    network.name = result_.name_;
    network.input = result_.input_;
    return Report(ResolveLayers(*result_.layers_, parameters, &network), suffix);
  }

  bool Report(const NetworkFault& fault, const std::string& suffix) {
    if (fault.message.empty()) return true;
    reader_.Error(fault.line > 0 ? fault.line : input_line_, absl::StrCat(fault.message, suffix));
    return false;
  }

  Diagnostics* const diagnostics_;
  const std::size_t first_;  // index of the first diagnostic of this file
  const std::size_t errors_before_;
  YamlReader reader_;
  NetworkFile result_;
  std::vector<LayerTemplate> layers_;
  std::set<std::string> references_;
  std::set<std::string> shape_references_;  // the references other than dropout probabilities
  int input_line_ = 0;
  bool layers_are_known_ = true;
};

absl::StatusOr<NetworkFile> NetworkFile::Parse(std::string_view text, std::string_view file,
                                               Diagnostics* diagnostics) {
  return NetworkFileParser(text, file, diagnostics, ScalarRules::kCoreSchema).Parse();
}

absl::StatusOr<NetworkFile> NetworkFile::ParseAsStored(std::string_view text, std::string_view file,
                                                       Diagnostics* diagnostics) {
  return NetworkFileParser(text, file, diagnostics, ScalarRules::kAsStored).Parse();
}

}  // namespace sweep
