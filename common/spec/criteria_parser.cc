#include "common/spec/criteria_parser.h"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/nearest.h"
#include "common/spec/other_words.h"
#include "common/yaml/shown.h"

namespace sweep {
namespace {

constexpr std::size_t kMaxObjectives = 4;
constexpr char kConfidence[] = "confidence";

// The measures of the workers' trainer that have a better direction, the most common first.
std::vector<std::string> RankableMeasures() {
  std::vector<std::string> names = {"accuracy", "loss"};
  for (const Measure& measure : PredefinedMeasures()) {
    if (measure.direction != 0 && measure.alias.empty()) names.emplace_back(measure.name);
  }
  return names;
}

class CriteriaParser {
 public:
  CriteriaParser(const CriteriaContext& context, YamlReader* reader, SweepSpec* spec)
      : context_(context), reader_(*reader), spec_(*spec) {}

  void Run() {
    ReadMeasures();
    ReadMetric();
    ReadGateOn();
    ReadRequire();
  }

 private:
  const YamlEntry* Find(const std::string& key) const {
    const auto it = context_.keys.find(key);
    return it == context_.keys.end() ? nullptr : &it->second;
  }

  const DeclaredMeasure* FindDeclared(const std::string& name) const {
    for (const DeclaredMeasure& measure : spec_.measures) {
      if (measure.name == name) return &measure;
    }
    return nullptr;
  }

  // ---- measures: {val/f1: {goal: maximize, unit: share, range: [0, 1]}}

  void ReadMeasures() {
    const YamlEntry* entry = Find("measures");
    if (entry == nullptr) return;
    if (!context_.has_program) {
      return reader_.Error(entry->line,
                           "'measures' describes what a 'program' or a caller reports; the "
                           "trainer's own are known");
    }
    for (const YamlEntry& item : reader_.Entries(entry->value, entry->line, "'measures'")) {
      if (!CheckMeasureName(item.key, item.line)) continue;
      if (const Measure* const measure = FindMeasure(item.key)) {
        reader_.Error(item.line,
                      absl::StrCat("measure '", std::string(measure->name), "' is predefined"));
        continue;
      }
      if (const auto measure = ReadMeasure(item)) spec_.measures.push_back(*measure);
    }
    if (spec_.measures.size() > kMaxListed) {
      reader_.Error(entry->line, absl::StrCat("'measures' has ", spec_.measures.size(),
                                              " entries; the limit is ", kMaxListed));
    }
  }

  std::optional<DeclaredMeasure> ReadMeasure(const YamlEntry& entry) {
    const std::string what = absl::StrCat("measure '", entry.key, "'");
    DeclaredMeasure measure{.name = entry.key};
    const auto keys = reader_.Keys(entry.value, entry.line, what, {"goal", "unit", "range"});
    if (const auto it = keys.find("goal"); it != keys.end())
      measure.maximize = ReadGoal(it->second);
    if (const auto it = keys.find("unit"); it != keys.end()) {
      measure.unit = reader_.Text(it->second).value_or("");
    }
    if (const auto it = keys.find("range"); it != keys.end()) {
      const auto ends = reader_.Scalars(it->second);
      if (!ends) return std::nullopt;
      const bool are_numbers = ends->size() == 2 && IsNumber((*ends)[0]) && IsNumber((*ends)[1]);
      if (!are_numbers || AsDouble((*ends)[0]) >= AsDouble((*ends)[1])) {
        reader_.Error(it->second.line,
                      absl::StrCat("'range' of ", what, " must be [LOWEST, HIGHEST]"));
        return std::nullopt;
      }
      measure.min = AsDouble((*ends)[0]);
      measure.max = AsDouble((*ends)[1]);
    }
    return measure;
  }

  bool CheckMeasureName(const std::string& name, int line) {
    if (IsMeasureName(name)) return true;
    reader_.Error(line,
                  absl::StrCat("a measure's name has 1 to ", kMaxMeasureNameBytes,
                               " letters, digits, '_', '.', '/' and '-', unlike ", Shown(name)));
    return false;
  }

  std::optional<bool> ReadGoal(const YamlEntry& entry) {
    const auto goal = reader_.Word(entry, {"maximize", "minimize"});
    return goal ? std::optional<bool>(*goal == "maximize") : std::nullopt;
  }

  // ---- metric: accuracy, {name: val/f1, goal: maximize}, or a list of such

  void ReadMetric() {
    const YamlEntry* entry = Find("metric");
    if (entry == nullptr) return;
    std::vector<YamlEntry> items = {*entry};
    if (entry->value.IsSequence()) {
      items.clear();
      for (const YAML::Node& node : entry->value) items.push_back({"metric", node, LineOf(node)});
      if (items.empty() || items.size() > kMaxObjectives) {
        return reader_.Error(
            entry->line, absl::StrCat("'metric' has ", items.size(), " entries; there can be 1 to ",
                                      kMaxObjectives));
      }
    }
    std::vector<Objective> objectives;
    for (const YamlEntry& item : items) {
      const std::optional<Objective> objective = ReadObjective(item);
      if (!objective) return;
      for (const Objective& other : objectives) {
        if (CanonicalMeasure(other.name) != CanonicalMeasure(objective->name)) continue;
        return reader_.Error(item.line,
                             absl::StrCat("metric ", objective->name, " is given twice"));
      }
      objectives.push_back(*objective);
    }
    spec_.objectives = std::move(objectives);
  }

  std::optional<Objective> ReadObjective(const YamlEntry& entry) {
    std::optional<std::string> name;
    std::optional<bool> maximize;
    if (entry.value.IsMap()) {
      const auto keys = reader_.Keys(entry.value, entry.line, "'metric'", {"name", "goal"});
      const auto named = keys.find("name");
      if (named == keys.end()) {
        reader_.Error(entry.line, "'metric' needs 'name', such as accuracy or loss");
        return std::nullopt;
      }
      name = MetricName(named->second, "'name' of 'metric'");
      if (const auto it = keys.find("goal"); it != keys.end()) {
        maximize = ReadGoal(it->second);
        if (!maximize) return std::nullopt;
      }
    } else {
      name = MetricName(entry, "'metric'");
    }
    if (!name) return std::nullopt;
    return WithGoal(*name, maximize, entry.line);
  }

  std::optional<std::string> MetricName(const YamlEntry& entry, const char* what) {
    const std::vector<std::string> names = RankableMeasures();
    std::optional<std::string> name = reader_.Text(entry);
    if (!name) return name;
    const Measure* const measure = FindMeasure(*name);
    if (measure != nullptr && (measure->direction != 0 || context_.has_program)) return name;
    if (context_.has_program) {
      return CheckMeasureName(*name, entry.line) ? name : std::nullopt;
    }
    reader_.Error(entry.line, absl::StrCat(what, " must be one of ", absl::StrJoin(names, ", "),
                                           ", not ", Shown(*name), MetricHint(*name, names)));
    return std::nullopt;
  }

  std::optional<Objective> WithGoal(const std::string& name, std::optional<bool> maximize,
                                    int line) {
    const Measure* const measure = FindMeasure(name);
    if (measure != nullptr && measure->direction != 0) {
      const bool only = measure->direction > 0;
      if (maximize && *maximize != only) {
        reader_.Error(line, absl::StrCat("metric ", name,
                                         " can only have goal: ", only ? "maximize" : "minimize"));
      }
      return Objective{.name = name, .maximize = only};
    }
    const DeclaredMeasure* const declared = FindDeclared(name);
    if (!maximize && declared != nullptr) maximize = declared->maximize;
    if (maximize) return Objective{.name = name, .maximize = *maximize};
    reader_.Error(line, absl::StrCat("metric ", Shown(name), " needs a goal: write {name: ", name,
                                     ", goal: maximize} or goal: minimize"));
    return std::nullopt;
  }

  // ---- gate_on and k

  void ReadGateOn() {
    if (const YamlEntry* entry = Find("gate_on")) {
      static const std::pair<const char*, GateOn> kWords[] = {{"best", GateOn::kBest},
                                                              {"last", GateOn::kLast},
                                                              {"mean", GateOn::kMean},
                                                              {"last_k", GateOn::kLastK}};
      std::vector<std::string> words;
      for (const auto& [word, gate_on] : kWords) words.emplace_back(word);
      const auto chosen = reader_.Word(*entry, words);
      for (const auto& [word, gate_on] : kWords) {
        if (chosen == word) spec_.gate_on = gate_on;
      }
      if (spec_.gate_on == GateOn::kLastK && Find("k") == nullptr) {
        reader_.Error(entry->line,
                      "gate_on: last_k needs 'k': how many epochs in a row, at the "
                      "end of a run, must meet the gates");
      }
    }
    const YamlEntry* k = Find("k");
    if (k == nullptr) return;
    if (spec_.gate_on != GateOn::kLastK) {
      reader_.Error(k->line, "'k' belongs to gate_on: last_k");
    } else if (const auto count = reader_.Int(*k, 1, 1000)) {
      spec_.gate_epochs = static_cast<int>(*count);
    }
  }

  // ---- require: {val/f1: ">= 0.9"}

  void ReadRequire() {
    const YamlEntry* entry = Find("require");
    if (entry == nullptr) return;
    std::vector<std::string> names = {"accuracy", "epochs"};
    names.insert(names.end(), NetworkFactNames().begin(), NetworkFactNames().end());
    for (const Measure& measure : PredefinedMeasures()) {
      names.emplace_back(measure.alias.empty() ? measure.name : measure.alias);
    }
    for (const DeclaredMeasure& measure : spec_.measures) names.push_back(measure.name);
    for (const Objective& objective : spec_.objectives) names.push_back(objective.name);
    names.emplace_back(kConfidence);
    std::optional<YamlEntry> confidence;
    for (const YamlEntry& gate : reader_.Entries(entry->value, entry->line, "'require'")) {
      const std::string& name = gate.key;
      if (name == kConfidence && !IsOwnConfidence(gate)) {
        confidence = gate;
      } else if (!context_.has_network && Contains(NetworkFactNames(), name)) {
        reader_.Error(gate.line, absl::StrCat("gate '", name, "' is held against a fact of the ",
                                              "network, which needs 'model'"));
      } else if (!Contains(names, name) && FindMeasure(name) == nullptr && !IsOwn(name, names)) {
        const bool is_of_workers = Contains({"device", "labels", "memory", "build"}, name);
        const std::string hint = is_of_workers ? "; what a worker must have stands in 'requires'"
                                               : GateHint(name, names);
        reader_.Error(
            gate.line,
            absl::StrCat(
                "unknown gate ", Shown(name),
                hint.empty() ? absl::StrCat("; there are ", absl::StrJoin(names, ", ")) : hint));
      } else if (reader_.Text(gate)) {
        ReadGate(gate);
      }
    }
    if (confidence) ReadConfidence(*confidence);
  }

  // True when a program has a measure of that name, which is held against a bound.
  bool IsOwnConfidence(const YamlEntry& entry) const {
    return context_.has_program && entry.value.IsScalar() &&
           entry.value.Scalar().find_first_of("=!<>") != std::string::npos;
  }

  // Of all gates on measures: {accuracy: ">= 99.4 %", confidence: 0.95}.
  void ReadConfidence(const YamlEntry& entry) {
    if (!reader_.Text(entry)) return;
    const absl::StatusOr<Gate> read = Gate::Parse(kConfidence, entry.value.Scalar());
    const double value = read.ok() && IsNumber(read->bound) ? AsDouble(read->bound) : 0;
    if (!read.ok() || read->op != Gate::Op::kEqual || !(value >= 0.5 && value < 1)) {
      return reader_.Error(entry.line, absl::StrCat("'confidence' must be a number from 0.5 to "
                                                    "below 1, such as 0.95, not ",
                                                    Shown(entry.value.Scalar())));
    }
    if (const YamlEntry* gate_on = Find("gate_on");
        gate_on != nullptr && spec_.gate_on != GateOn::kMean) {
      return reader_.Error(gate_on->line, absl::StrCat("gate_on is ", gate_on->value.Scalar(),
                                                       ", but 'confidence' is that of the mean of "
                                                       "the replicates: write gate_on: mean, or "
                                                       "leave it out"));
    }
    bool has_measure = false;
    for (const Gate& gate : spec_.require) {
      if (!IsMeasureGate(gate)) continue;
      has_measure = true;
      if (gate.op != Gate::Op::kEqual && gate.op != Gate::Op::kNotEqual) continue;
      return reader_.Error(
          entry.line, absl::StrCat("'confidence' cannot be said of the gate ", gate.name, " ",
                                   gate.ToString(), ": an interval is above or below a bound"));
    }
    if (!has_measure && reader_.error_count() == 0) {
      return reader_.Error(
          entry.line, "'confidence' needs a gate on a measure, such as accuracy: \">= 0.994\"");
    }
    spec_.confidence = value;
    spec_.gate_on = GateOn::kMean;
  }

  // True when a program may report this name undeclared; a likely slip of another name must be
  // declared.
  bool IsOwn(const std::string& name, const std::vector<std::string>& names) const {
    return context_.has_program && IsMeasureName(name) && GateHint(name, names).empty();
  }

  void ReadGate(const YamlEntry& entry) {
    const Value value = ScalarValue(entry.value, reader_.rules());
    // Formats True, 0x10 and 1. first: YAML reads them, gates do not.
    const std::string text =
        std::holds_alternative<std::string>(value) ? entry.value.Scalar() : FormatValue(value);
    absl::StatusOr<Gate> gate = Gate::Parse(entry.key, text);
    if (!gate.ok()) {
      reader_.Error(entry.line, std::string(gate.status().message()));
      return;
    }
    const bool wants_bool = entry.key == "fully_connected";
    const bool bare = text.find_first_of("=!<>") == std::string::npos;
    const Measure* const measure = FindMeasure(entry.key);
    const bool is_share = measure != nullptr && measure->unit == Measure::Unit::kShare;
    if (wants_bool != std::holds_alternative<bool>(gate->bound) ||
        !(wants_bool || IsNumber(gate->bound))) {
      reader_.Error(entry.line, absl::StrCat("gate '", entry.key, "' must be held against ",
                                             wants_bool ? "true or false" : "a number", ", not ",
                                             Shown(gate->bound)));
    } else if (is_share && (AsDouble(gate->bound) < 0 || AsDouble(gate->bound) > 1)) {
      reader_.Error(entry.line, absl::StrCat("gate '", entry.key, "' is ", gate->ToString(),
                                             ", but accuracy is a fraction: 0.994 or 99.4%"));
    } else if (IsMeasureGate(*gate) && bare) {
      reader_.Error(entry.line, absl::StrCat("gate '", entry.key, "' would ask for exactly ", text,
                                             "; write \">= ", text, "\" or \"<= ", text, "\""));
    } else {
      spec_.require.push_back(*std::move(gate));
    }
  }

  const CriteriaContext& context_;
  YamlReader& reader_;
  SweepSpec& spec_;
};

}  // namespace

void ParseCriteria(const CriteriaContext& context, YamlReader* reader, SweepSpec* spec) {
  CriteriaParser(context, reader, spec).Run();
}

}  // namespace sweep
