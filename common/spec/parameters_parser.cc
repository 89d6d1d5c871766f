#include "common/spec/parameters_parser.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
#include <limits>
#include <map>
#include <numeric>
#include <set>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/nearest.h"
#include "common/spec/dimensions.h"
#include "common/spec/nested_names.h"
#include "common/spec/search_space.h"
#include "common/yaml/shown.h"

namespace sweep {
namespace {

constexpr std::size_t kMaxParameters = 100;
constexpr std::size_t kMaxValues = 1000;
// A double holds integers and multiples up to this exactly.
constexpr double kMaxInteger = 1e15;
// Of a normal distribution, between its ends.
constexpr double kLeastMass = 1e-6;
// How far from 1 the sum of probabilities may be, which people round: as in Weights & Biases, which
// compares them by NumPy's isclose.
constexpr double kSumSlack = 1.001e-5;

// The keys of a parameter's own mapping.
const std::vector<std::string>& ParameterKeys() {
  static const auto& keys = *new std::vector<std::string>{
      "value", "values", "probabilities", "ordered", "min", "max", "mu",
      "sigma", "q",      "distribution",  "when"};
  return keys;
}

// Those of them by which a mapping is known to be no nesting. A nested parameter may be called
// `ordered`, and a parameter that has this key has another one, too.
std::vector<std::string> TellingKeys() {
  std::vector<std::string> keys = ParameterKeys();
  std::erase(keys, "ordered");
  return keys;
}

// batch_size for batch-size.
std::string WithUnderscores(std::string name) {
  std::replace_if(name.begin(), name.end(), [](char c) { return c == '-' || c == ' '; }, '_');
  return name;
}

// The keys that a distribution needs.
std::vector<std::string> KeysOf(Distribution distribution) {
  switch (distribution) {
    case Distribution::kConstant:
      return {"value"};
    case Distribution::kCategorical:
      return {"values"};
    case Distribution::kQUniform:
    case Distribution::kQLogUniform:
      return {"min", "max", "q"};
    case Distribution::kNormal:
    case Distribution::kLogNormal:
      return {"mu", "sigma"};
    case Distribution::kQNormal:
    case Distribution::kQLogNormal:
      return {"mu", "sigma", "q"};
    default:
      return {"min", "max"};
  }
}

// The keys that a distribution may have besides.
std::vector<std::string> MoreKeysOf(Distribution distribution) {
  if (distribution == Distribution::kCategorical) return {"probabilities", "ordered"};
  if (IsNormal(distribution)) return {"min", "max"};
  return {};
}

bool IsLog(Distribution distribution) {
  switch (distribution) {
    case Distribution::kLogUniform:
    case Distribution::kQLogUniform:
    case Distribution::kLogNormal:
    case Distribution::kQLogNormal:
      return true;
    default:
      return false;
  }
}

// False for a value that no text of an expression holds, since these have no escapes.
bool CanStandInCondition(const Value& value) {
  const std::string text = FormatValue(value);
  const auto has = [&](char c) { return text.find(c) != std::string::npos; };
  if (!has('\'') || !has('"')) return true;
  // A list without escapes is written as a list.
  return std::holds_alternative<ListValue>(value) && !has('\\');
}

// `{schedule: [step, cosine]}` as the expression "schedule in ['step', 'cosine']".
std::string ConditionText(const std::string& name, const std::vector<Value>& values) {
  const auto literal = [](std::string* out, const Value& value) {
    const std::string text = FormatValue(value);
    // The texts in a list of an expression have no escapes either.
    const bool is_text =
        std::holds_alternative<std::string>(value) ||
        (std::holds_alternative<ListValue>(value) && text.find('\\') != std::string::npos);
    if (!is_text) return absl::StrAppend(out, text);
    const char quote = text.find('\'') == std::string::npos ? '\'' : '"';
    absl::StrAppend(out, std::string(1, quote), text, std::string(1, quote));
  };
  const std::string prefix(IsExpressionWord(name) ? kParametersPrefix : "");
  return absl::StrCat(prefix, name, " in [", absl::StrJoin(values, ", ", literal), "]");
}

// Parses one parameter; one object per parameter.
class ParameterParser {
 public:
  ParameterParser(const YamlEntry& entry, const ParameterContext& context, YamlReader* reader)
      : entry_(entry), context_(context), reader_(reader) {
    parameter_.name = entry.key;
    parameter_.line = entry.line;
  }

  // nullopt after an error in the name, unless the meant name is clear.
  std::optional<Parameter> Run() {
    const std::size_t errors = reader_->error_count();
    if (!CheckName()) {
      parameter_.name = MeantName();
      // The network may have this name; that is not known here.
      if (!context_.has_program && FindKnownParameter(parameter_.name) == nullptr) {
        return std::nullopt;
      }
      if (!IsParameterName(parameter_.name)) return std::nullopt;
    }
    if (entry_.value.IsMap()) {
      ReadMapping();
    } else if (entry_.value.IsSequence()) {
      Complain("is a list; write {values: […]}");
    } else if (const std::optional<Value> value = reader_->Scalar(entry_, Subject())) {
      parameter_.values = {*value};
    }
    if (reader_->error_count() == errors) CheckAgainstKnown();
    if (reader_->error_count() != errors) {
      parameter_.distribution = Distribution::kConstant;
      parameter_.values = {std::int64_t{0}};
    }
    return std::move(parameter_);
  }

 private:
  // The distribution as written, or its name.
  std::string Word() const {
    return word_.empty() ? DistributionName(parameter_.distribution) : word_;
  }

  std::string Subject() const { return absl::StrCat("parameter ", Shown(entry_.key)); }

  void Complain(const std::string& what, int line = 0) {
    reader_->Error(line > 0 ? line : entry_.line, absl::StrCat(Subject(), " ", what));
  }

  // The name that was probably meant: batch_size for batch-size, and lr for learning-rate among the
  // trainer's.
  std::string MeantName() const {
    std::vector<std::string> known;
    for (const KnownParameter& one : KnownParameters()) known.emplace_back(one.name);
    const std::string trainers = context_.has_program ? "" : MeantParameter(entry_.key, known);
    return trainers.empty() ? WithUnderscores(entry_.key) : trainers;
  }

  bool CheckName() {
    if (entry_.key == "model" && (context_.has_network || IsAsStored())) {
      Complain("is a key of its own: write model: {values: […]} beside 'parameters'");
      return false;
    }
    if (!IsParameterName(entry_.key)) {
      const std::string meant = MeantName();
      Complain(absl::StrCat("has no valid name: ", kParameterNames,
                            IsParameterName(meant) ? absl::StrCat("; write ", meant) : ""));
      return false;
    }
    // The first two are also columns of every trial.
    static const auto& always =
        *new std::vector<std::string>{"parameters", "fully_connected", "accuracy", "loss"};
    // In filters, what follows the dot is another name.
    static const auto& prefixes =
        *new std::vector<std::string>{"parameters", "trial", "best", "last", "low", "high"};
    const std::vector<std::string> around = NamesAround(entry_.key);
    const bool reserved = Contains(always, entry_.key) ||
                          (!around.empty() && Contains(prefixes, around.front())) ||
                          (context_.has_network && Contains(NetworkFactNames(), entry_.key));
    if (reserved) {
      Complain(
          "has a reserved name, which stands for a result or a fact of the network: choose "
          "another one");
    }
    return !reserved;
  }

  std::string Of(const char* key) const { return absl::StrCat("'", key, "' of ", Subject()); }

  void ReadMapping() {
    keys_ = reader_->Keys(entry_.value, entry_.line, Subject(), ParameterKeys());
    if (const auto when = keys_.find("when"); when != keys_.end()) ReadCondition(when->second);
    if (!ReadDistribution() || !CheckKeys()) return;
    switch (parameter_.distribution) {
      case Distribution::kConstant:
        if (TakesLists(keys_.at("value"), /*in_list=*/false)) {
          const auto value = reader_->ScalarOrList(keys_.at("value"), Of("value"));
          if (value) parameter_.values = {*value};
        }
        break;
      case Distribution::kCategorical:
        ReadValues(keys_.at("values"));
        ReadProbabilities();
        ReadOrdered();
        break;
      default:
        ReadRange();
    }
  }

  bool ReadDistribution() {
    if (const auto it = keys_.find("distribution"); it != keys_.end()) {
      const std::string by_values =
          it->second.value.IsScalar() ? it->second.value.Scalar() + "_values" : "";
      if (Contains(DistributionNames(), by_values)) {
        Complain(absl::StrCat("has distribution ", it->second.value.Scalar(),
                              ", whose ends are exponents; use ", by_values),
                 it->second.line);
        return false;
      }
      const std::optional<std::string> word = reader_->Text(it->second);
      if (!word) return false;
      word_ = *word;
      if (ParseDistribution(*word, &parameter_.distribution)) return true;
      Complain(absl::StrCat("has distribution ", Shown(*word), "; there are ",
                            absl::StrJoin(DistributionNames(), ", "), DistributionHint(*word)),
               it->second.line);
      return false;
    }
    if (keys_.contains("value")) {
      parameter_.distribution = Distribution::kConstant;
    } else if (keys_.contains("values")) {
      parameter_.distribution = Distribution::kCategorical;
    } else if (keys_.contains("min") || keys_.contains("max")) {
      parameter_.distribution = BothWhole() ? Distribution::kIntUniform : Distribution::kUniform;
    } else if (keys_.contains("mu") || keys_.contains("sigma")) {
      Complain("needs a distribution: normal, log_normal, q_normal or q_log_normal");
      return false;
    } else {
      Complain("needs 'value', 'values', or 'min' and 'max'");
      return false;
    }
    return true;
  }

  bool BothWhole() const {
    const auto whole = [&](const char* key) {
      const auto it = keys_.find(key);
      return it != keys_.end() && it->second.value.IsScalar() &&
             std::holds_alternative<std::int64_t>(ScalarValue(it->second.value, reader_->rules()));
    };
    return whole("min") && whole("max");
  }

  bool CheckKeys() {
    std::vector<std::string> needed = KeysOf(parameter_.distribution);
    const std::vector<std::string> more = MoreKeysOf(parameter_.distribution);
    const std::string word = Word();
    if (word == "categorical_w_probabilities") needed.push_back("probabilities");
    bool fine = true;
    for (const std::string& key : needed) {
      if (keys_.contains(key)) continue;
      Complain(absl::StrCat("has distribution ", word, ", which needs '", key, "'"));
      fine = false;
    }
    for (const auto& [key, value] : keys_) {
      if (key == "when" || key == "distribution" || Contains(needed, key)) continue;
      if (Contains(more, key)) continue;
      Complain(absl::StrCat("has distribution ", word, ", with which '", key, "' does not go",
                            key == "q" ? "; say distribution: q_uniform" : ""),
               value.line);
      fine = false;
    }
    return fine;
  }

  // False after an error: a list where only a program takes one.
  bool TakesLists(const YamlEntry& entry, bool in_list) {
    const YAML::Node& node = entry.value;
    const auto is_list = [](const YAML::Node& item) { return item.IsSequence(); };
    const bool has_list =
        node.IsSequence() && (!in_list || std::any_of(node.begin(), node.end(), is_list));
    if (!has_list || (context_.has_program && parameter_.name != "epochs")) return true;
    Complain(
        "has a list as a value, which only a hyperparameter of a 'program' or of "
        "'trained_by: callers' can be",
        entry.line);
    return false;
  }

  void ReadValues(const YamlEntry& entry) {
    if (!TakesLists(entry, /*in_list=*/true)) return;
    std::optional<std::vector<Value>> values = reader_->ScalarsAndLists(entry, Of("values"));
    if (!values) return;
    if (values->size() > kMaxValues) {
      Complain(absl::StrCat("has ", values->size(), " values; the limit is ", kMaxValues));
      return;
    }
    for (std::size_t i = 0; i < values->size(); ++i) {
      const auto end = values->begin() + static_cast<std::ptrdiff_t>(i);
      const Value& value = (*values)[i];
      if (std::any_of(values->begin(), end, [&](const Value& v) { return SameValue(v, value); })) {
        Complain(absl::StrCat("lists ", Shown(value), " twice"), entry.line);
      }
    }
    parameter_.values = *std::move(values);
  }

  // Also when the values have an error, so that all errors are named at once.
  void ReadProbabilities() {
    const auto entry = keys_.find("probabilities");
    if (entry == keys_.end()) return;
    const int line = entry->second.line;
    const auto written = reader_->Scalars(entry->second, Of("probabilities"));
    if (!written) return;
    std::vector<double> shares;
    for (const Value& one : *written) {
      shares.push_back(IsNumber(one) ? AsDouble(one) : -1);
      if (shares.back() >= 0) continue;
      return Complain(absl::StrCat("has the probability ", Shown(one), "; it must be 0 or more"),
                      line);
    }
    const double sum = std::accumulate(shares.begin(), shares.end(), 0.0);
    if (!parameter_.values.empty() && shares.size() != parameter_.values.size()) {
      Complain(absl::StrCat("has ", parameter_.values.size(), " values, but ", shares.size(),
                            shares.size() == 1 ? " probability" : " probabilities"),
               line);
    } else if (!(std::abs(sum - 1) <= kSumSlack)) {
      char shown[32];
      std::snprintf(shown, sizeof(shown), "%.9g", sum);
      Complain(absl::StrCat("has probabilities with the sum ", shown, "; it must be 1"), line);
    } else if (std::adjacent_find(shares.begin(), shares.end(), std::not_equal_to<>()) !=
               shares.end()) {
      for (double& share : shares) share /= sum;
      parameter_.probabilities = std::move(shares);
    }  // else they are equally likely, as without probabilities
  }

  void ReadOrdered() {
    const auto entry = keys_.find("ordered");
    if (entry == keys_.end()) return;
    const int line = entry->second.line;
    const std::optional<Value> value = reader_->Scalar(entry->second, Of("ordered"));
    if (!value || parameter_.values.empty()) return;
    const bool* const ordered = std::get_if<bool>(&*value);
    if (ordered == nullptr) {
      return reader_->Error(
          line, absl::StrCat(Of("ordered"), " must be true or false, not ", Shown(*value)));
    }
    if (parameter_.values.size() == 1) {
      return Complain("is 'ordered', but lists one value, which has no order", line);
    }
    if (*ordered && !parameter_.probabilities.empty()) {
      return Complain(
          "is 'ordered: true' and has 'probabilities' that differ: the values of an "
          "ordered list are equally likely",
          line);
    }
    // What follows from the values is not said twice.
    if (*ordered != DimensionOf(parameter_).ordered) parameter_.ordered = *ordered;
  }

  // False after an error. A missing key leaves the number as it is.
  bool ReadNumber(const char* key, double* out) {
    const auto entry = keys_.find(key);
    if (entry == keys_.end()) return true;
    const std::optional<double> number = reader_->Number(entry->second);
    if (number) *out = *number;
    return number.has_value();
  }

  void ReadRange() {
    if (IsNormal(parameter_.distribution)) {
      parameter_.min = -std::numeric_limits<double>::infinity();
      parameter_.max = std::numeric_limits<double>::infinity();
    }
    bool fine = ReadNumber("min", &parameter_.min);
    fine = ReadNumber("max", &parameter_.max) && fine;
    fine = ReadNumber("q", &parameter_.q) && fine;
    fine = ReadNumber("mu", &parameter_.mu) && fine;
    fine = ReadNumber("sigma", &parameter_.sigma) && fine;
    if (!fine || !CheckRange() || !CheckStep()) return;
    if (IsNormal(parameter_.distribution)) CheckNormal();
  }

  // "[0.1, 0.5]", or "[0.1, …" where the range has no end.
  std::string RangeText() const {
    const auto end = [](double value) {
      return std::isinf(value) ? std::string("…") : FormatDouble(value);
    };
    return absl::StrCat(std::isinf(parameter_.min) ? "" : "[", end(parameter_.min), ", ",
                        end(parameter_.max), std::isinf(parameter_.max) ? "" : "]");
  }

  // The largest number that is written as an end.
  double LargestEnd() const {
    const double low = std::isinf(parameter_.min) ? 0 : std::abs(parameter_.min);
    const double high = std::isinf(parameter_.max) ? 0 : std::abs(parameter_.max);
    return std::max(low, high);
  }

  bool CheckRange() {
    const Distribution distribution = parameter_.distribution;
    const std::string min = FormatDouble(parameter_.min);
    const std::size_t errors = reader_->error_count();
    if (parameter_.min > parameter_.max) {
      Complain(absl::StrCat("has min ", min, " above max ", FormatDouble(parameter_.max)));
    } else if (IsLog(distribution) && keys_.contains("min") && parameter_.min <= 0) {
      Complain(absl::StrCat("has min ", min, "; ", Word(), " needs one above 0"));
    } else if (LargestEnd() > kMaxInteger) {
      Complain(absl::StrCat("has the range ", RangeText(), "; the limit is ",
                            FormatDouble(kMaxInteger)));
    } else if (distribution == Distribution::kIntUniform && !BothWhole()) {
      Complain(absl::StrCat("has the range ", RangeText(), "; int_uniform needs integers"));
    }
    return reader_->error_count() == errors;
  }

  bool CheckStep() {
    if (!keys_.contains("q")) return true;
    const std::string q = FormatDouble(parameter_.q);
    const std::size_t errors = reader_->error_count();
    if (parameter_.q <= 0) {
      Complain(absl::StrCat("has q ", q, "; it must be above 0"));
    } else if (LargestEnd() / parameter_.q > kMaxInteger) {
      Complain(absl::StrCat("has q ", q, ", which is too fine for ", RangeText()));
    } else if (parameter_.IsEmpty()) {
      Complain(absl::StrCat("has no multiple of ", q, " in ", RangeText()));
    }
    return reader_->error_count() == errors;
  }

  void CheckNormal() {
    if (parameter_.sigma <= 0) {
      return Complain(
          absl::StrCat("has sigma ", FormatDouble(parameter_.sigma), "; it must be above 0"));
    }
    const Parameter::Reach reach = parameter_.NormalReach();
    const double farthest = std::max(std::abs(reach.low), std::abs(reach.high));
    const std::string what = absl::StrCat("has mu ", FormatDouble(parameter_.mu), " and sigma ",
                                          FormatDouble(parameter_.sigma));
    if (!(reach.mass >= kLeastMass)) {
      Complain(absl::StrCat(what, ", with which nearly nothing lies in ", RangeText()));
    } else if (!(farthest <= kMaxInteger)) {
      Complain(absl::StrCat(what, ", which reach beyond ", FormatDouble(kMaxInteger),
                            "; add min and max"));
    } else if (parameter_.q > 0 && farthest / parameter_.q > kMaxInteger) {
      Complain(absl::StrCat("has q ", FormatDouble(parameter_.q), ", which is too fine for mu ",
                            FormatDouble(parameter_.mu), " and sigma ",
                            FormatDouble(parameter_.sigma)));
    }
  }

  void AddCondition(const YamlEntry& item, const std::vector<Value>& values,
                    std::vector<std::string>* parts) {
    for (const Value& value : values) {
      if (CanStandInCondition(value)) continue;
      return Complain(absl::StrCat("has a 'when' with ", Shown(value),
                                   "; an item with both ' and \" cannot be used there"),
                      item.line);
    }
    parts->push_back(ConditionText(item.key, values));
  }

  void ReadCondition(const YamlEntry& entry) {
    std::string text;
    if (entry.value.IsMap()) {
      std::vector<std::string> parts;
      for (const YamlEntry& item : FlatValues(entry.value, entry.line, "'when'", reader_)) {
        if (!IsParameterName(item.key)) {
          Complain(absl::StrCat("has a 'when' with ", Shown(item.key),
                                ", which is no name; write the condition as a text"),
                   item.line);
        } else if (item.value.IsSequence()) {
          const std::optional<std::vector<Value>> values =
              context_.has_program ? reader_->ScalarsAndLists(item) : reader_->Scalars(item);
          if (values) AddCondition(item, *values, &parts);
        } else if (const std::optional<Value> value = reader_->Scalar(item)) {
          AddCondition(item, {*value}, &parts);
        }
      }
      if (parts.empty()) return;
      text = absl::StrJoin(parts, " and ");
    } else if (const std::optional<std::string> scalar = reader_->Text(entry)) {
      text = *scalar;
    } else {
      return;
    }
    absl::StatusOr<Expression> when = Expression::Parse(text);
    if (when.ok()) {
      parameter_.when = *std::move(when);
    } else {
      Complain(absl::StrCat("has a bad 'when': ", when.status().message()), entry.line);
    }
  }

  // All values of a list, or the ends of a range.
  std::vector<Value> Extremes() const {
    if (!parameter_.values.empty()) return parameter_.values;
    const auto [least, greatest] = parameter_.EndValues();
    return {least, greatest};
  }

  void CheckAgainstKnown() {
    const KnownParameter* known = FindKnownParameter(parameter_.name);
    if (known == nullptr) return;
    // Every trainer gets `epochs`; a program decides what the other names mean.
    if (context_.has_program && !IsAsStored() && known->name != "epochs") return;
    const bool continuous = parameter_.values.empty() && parameter_.q == 0 &&
                            parameter_.distribution != Distribution::kIntUniform;
    if (known->type == KnownParameter::Type::kInt && continuous) {
      Complain(
          absl::StrCat("takes integers, but ", Word(),
                       " gives fractions; use int_uniform, or a q_ distribution with whole q"));
      return;
    }
    for (const Value& value : Extremes()) {
      const absl::Status status = CheckParameterValue(parameter_.name, value);
      if (status.ok()) continue;
      if (std::isinf(parameter_.min) || std::isinf(parameter_.max)) {
        return Complain(absl::StrCat("has distribution ", Word(), ", which reaches ",
                                     FormatValue(value), ": ", status.message(),
                                     "; add min and max"));
      }
      reader_->Error(parameter_.line, std::string(status.message()));
    }
  }

  bool IsAsStored() const { return reader_->rules() == ScalarRules::kAsStored; }

  const YamlEntry& entry_;
  const ParameterContext context_;
  YamlReader* const reader_;
  Parameter parameter_;
  std::map<std::string, YamlEntry> keys_;
  std::string word_;  // the written distribution; empty without one
};

bool IsUsed(const SweepSpec& spec, const std::string& name) {
  // Only the program knows which parameters it uses.
  if (spec.HasOwnTrainer()) return true;
  if (name == "model" || (FindKnownParameter(name) != nullptr && name != "dropout")) return true;
  return std::any_of(spec.networks.begin(), spec.networks.end(), [&](const auto& network) {
    return Contains(network.second.references(), name);
  });
}

void CheckUse(const SweepSpec& spec, const Parameter& parameter, YamlReader* reader) {
  if (IsUsed(spec, parameter.name)) return;
  std::vector<std::string> used;
  for (const std::string& name : HyperparameterNames(spec)) {
    // The sweep already has that parameter, so the name means something else.
    if (IsUsed(spec, name) && name != "model" && FindParameter(spec, name) == nullptr) {
      used.push_back(name);
    }
  }
  const char* which = spec.networks.size() == 1 ? "the network" : "any of the networks";
  const std::string hint =
      !NamesAround(parameter.name).empty()
          ? "; only a 'program' or 'trained_by: callers' takes nested parameters"
      : parameter.name == "seed"
          ? ": write seed: 7 beside 'parameters', and replicates: 3 for several trainings of each"
          : ParameterHint(parameter.name, used);
  reader->Error(parameter.line,
                absl::StrCat("parameter ", Shown(parameter.name),
                             " is used neither by the trainer nor by ", which, hint));
}

void CheckConditionNames(const SweepSpec& spec, const Parameter& parameter, YamlReader* reader) {
  const std::vector<std::string> known = HyperparameterNames(spec);
  for (const std::string& written : parameter.when->names()) {
    const std::string name(WithoutParametersPrefix(written));
    if (Contains(known, name)) continue;
    const bool is_fact = Contains(NetworkFactNames(), name);
    const std::string why =
        !is_fact ? DidYouMean(name, known)
        : spec.models.empty()
            ? ", a fact of the network, which needs 'model'"
            : ", which is known only when the network is built; use 'constraints'";
    reader->Error(parameter.line, absl::StrCat("'when' of '", parameter.name,
                                               "' refers to unknown '", name, "'", why));
  }
}

// The program gets {optimizer: {lr: 0.1}} of optimizer.lr, so that optimizer itself has no value.
void CheckNesting(const SweepSpec& spec, const Parameter& parameter, YamlReader* reader) {
  std::vector<std::string> models = spec.models;
  if (models.empty()) models.emplace_back();
  for (const std::string& around : NamesAround(parameter.name)) {
    const bool has_value = std::any_of(models.begin(), models.end(), [&](const std::string& model) {
      return BaseParameters(spec, model).contains(around);
    });
    if (!has_value) continue;
    return reader->Error(parameter.line,
                         absl::StrCat("parameter ", Shown(parameter.name), " is nested in ",
                                      Shown(around), ", which has a value of its own"));
  }
}

// Follows conditions depth first and enters each parameter once.
class CycleFinder {
 public:
  CycleFinder(const SweepSpec& spec, YamlReader* reader) : spec_(spec), reader_(reader) {}

  void Visit(const Parameter& parameter) {
    if (!parameter.when || !entered_.insert(parameter.name).second) return;
    path_.push_back(parameter.name);
    for (const std::string& written : parameter.when->names()) {
      const std::string name(WithoutParametersPrefix(written));
      const auto begins = std::find(path_.begin(), path_.end(), name);
      if (begins != path_.end()) {
        std::vector<std::string> cycle(begins, path_.end());
        cycle.push_back(name);
        reader_->Error(parameter.line,
                       absl::StrCat("'when' goes in a circle: ", absl::StrJoin(cycle, " → ")));
      } else if (const Parameter* next = FindParameter(spec_, name)) {
        Visit(*next);
      }
    }
    path_.pop_back();
  }

 private:
  const SweepSpec& spec_;
  YamlReader* const reader_;
  std::set<std::string> entered_;
  std::vector<std::string> path_;
};

}  // namespace

const Parameter* FindParameter(const SweepSpec& spec, std::string_view name) {
  for (const Parameter& parameter : spec.parameters) {
    if (parameter.name == name) return &parameter;
  }
  return nullptr;
}

std::vector<Parameter> ParseParameters(const YamlEntry& entry, const ParameterContext& context,
                                       YamlReader* reader) {
  std::vector<Parameter> parameters;
  const std::vector<YamlEntry> entries =
      FlatParameters(entry.value, entry.line, TellingKeys(), reader);
  if (entries.size() > kMaxParameters) {
    reader->Error(entry.line, absl::StrCat("'parameters' has ", entries.size(),
                                           " entries; the limit is ", kMaxParameters));
    return parameters;
  }
  for (const YamlEntry& item : entries) {
    std::optional<Parameter> parameter = ParameterParser(item, context, reader).Run();
    const bool twice =
        parameter && std::any_of(parameters.begin(), parameters.end(), [&](const Parameter& other) {
          return other.name == parameter->name;
        });
    if (parameter && !twice) parameters.push_back(*std::move(parameter));
  }
  return parameters;
}

void CheckParameters(const SweepSpec& spec, YamlReader* reader) {
  CycleFinder cycles(spec, reader);
  for (const Parameter& parameter : spec.parameters) {
    CheckUse(spec, parameter, reader);
    CheckNesting(spec, parameter, reader);
    if (!parameter.when) continue;
    CheckConditionNames(spec, parameter, reader);
    cycles.Visit(parameter);
  }
}

void CheckLikelySlips(const SweepSpec& spec, YamlReader* reader) {
  std::vector<std::string> meant;
  for (const KnownParameter& known : KnownParameters()) meant.emplace_back(known.name);
  for (const Parameter& parameter : spec.parameters) {
    const bool is_reference = std::any_of(
        spec.networks.begin(), spec.networks.end(),
        [&](const auto& network) { return Contains(network.second.references(), parameter.name); });
    const std::string hint = ParameterHint(parameter.name, meant);
    if (is_reference || hint.empty() || Contains(meant, parameter.name)) continue;
    reader->Error(parameter.line,
                  absl::StrCat("parameter ", Shown(parameter.name), " is no hyperparameter", hint));
  }
}

std::vector<std::string> HyperparameterNames(const SweepSpec& spec) {
  std::set<std::string> names;
  if (!spec.models.empty()) names.insert("model");
  for (const KnownParameter& known : KnownParameters()) {
    // A program's default is unknown, so the name has no value here.
    if (!spec.LeavesDefaultsToProgram() || known.name == "epochs") names.emplace(known.name);
  }
  for (const Parameter& parameter : spec.parameters) names.insert(parameter.name);
  for (const auto& [model, network] : spec.networks) {
    names.insert(network.references().begin(), network.references().end());
    for (const auto& [name, value] : network.defaults()) names.insert(name);
  }
  return {names.begin(), names.end()};
}

}  // namespace sweep
