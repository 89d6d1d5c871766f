#include "common/spec/stopping_parser.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/yaml/shown.h"

namespace sweep {
namespace {

constexpr std::int64_t kMaxEpochs = 10'000;
constexpr std::int64_t kMaxBrackets = 14;  // those of 10,000 epochs with eta 2

// Of a learning curve's model.
constexpr int kLeastComplete = 8;

struct RuleType {
  EarlyTerminate::Type type;
  std::vector<std::string> keys;  // besides `type`

  std::string word() const { return EarlyTerminate::WordOf(type); }
};

const std::vector<RuleType>& RuleTypes() {
  static const auto& types = *new std::vector<RuleType>{
      {EarlyTerminate::Type::kMedian, {"min_epochs", "min_trials"}},
      {EarlyTerminate::Type::kAsha, {"min_epochs", "eta", "form", "brackets"}},
      {EarlyTerminate::Type::kTarget, {"risk", "min_epochs", "min_trials"}},
      {EarlyTerminate::Type::kHyperband, {"min_iter", "max_iter", "s", "eta", "strict"}},
  };
  return types;
}

std::vector<std::string> RuleWords() {
  std::vector<std::string> words;
  for (const RuleType& type : RuleTypes()) words.push_back(type.word());
  return words;
}

std::vector<std::string> RuleKeys() {
  std::vector<std::string> keys = {"type"};
  for (const RuleType& type : RuleTypes()) {
    for (const std::string& key : type.keys) {
      if (std::find(keys.begin(), keys.end(), key) == keys.end()) keys.push_back(key);
    }
  }
  return keys;
}

std::optional<bool> ReadFlag(const YamlEntry& entry, YamlReader* reader) {
  const std::optional<Value> value = reader->Scalar(entry);
  const bool* const flag = value ? std::get_if<bool>(&*value) : nullptr;
  if (flag != nullptr) return *flag;
  if (value) {
    reader->Error(entry.line,
                  absl::StrCat("'", entry.key, "' must be true or false, not ", Shown(*value)));
  }
  return std::nullopt;
}

// Parses one `early_terminate`.
class RuleParser {
 public:
  RuleParser(const YamlEntry& entry, YamlReader* reader) : entry_(entry), reader_(*reader) {}

  std::optional<EarlyTerminate> Run() {
    keys_ = reader_.Keys(entry_.value, entry_.line, "'early_terminate'", RuleKeys());
    if (!entry_.value.IsMap()) return std::nullopt;
    if (!ReadType()) return std::nullopt;
    switch (rule_.type) {
      case EarlyTerminate::Type::kMedian:
        ReadInt("min_epochs", kMaxEpochs, &rule_.min_epochs);
        ReadInt("min_trials", 1'000'000, &rule_.min_trials);
        break;
      case EarlyTerminate::Type::kAsha:
        ReadAsha();
        break;
      case EarlyTerminate::Type::kTarget:
        ReadTarget();
        break;
      case EarlyTerminate::Type::kHyperband:
        ReadHyperband();
        break;
    }
    return std::move(rule_);
  }

 private:
  const YamlEntry* Find(const std::string& key) const {
    const auto it = keys_.find(key);
    return it == keys_.end() ? nullptr : &it->second;
  }

  // False without a known type.
  bool ReadType() {
    const YamlEntry* entry = Find("type");
    if (entry == nullptr) {
      reader_.Error(entry_.line, absl::StrCat("'early_terminate' needs 'type': ",
                                              absl::StrJoin(RuleWords(), ", ")));
      return false;
    }
    const std::optional<std::string> word = reader_.Word(*entry, RuleWords());
    if (!word) return false;
    const auto type =
        std::find_if(RuleTypes().begin(), RuleTypes().end(),
                     [&](const RuleType& candidate) { return candidate.word() == *word; });
    rule_.type = type->type;
    for (const auto& [key, value] : keys_) {
      if (key == "type") continue;
      if (std::find(type->keys.begin(), type->keys.end(), key) != type->keys.end()) continue;
      reader_.Error(value.line,
                    absl::StrCat("'", key, "' of 'early_terminate' does not go with type: ", *word,
                                 ", which has ", absl::StrJoin(type->keys, ", ")));
    }
    return true;
  }

  void ReadInt(const std::string& key, std::int64_t max, int* out, std::int64_t min = 1) {
    const YamlEntry* entry = Find(key);
    if (entry == nullptr) return;
    if (const auto value = reader_.Int(*entry, min, max)) *out = static_cast<int>(*value);
  }

  void ReadAsha() {
    rule_.min_epochs = 1;
    ReadInt("min_epochs", kMaxEpochs, &rule_.min_epochs);
    int eta = 3;
    ReadInt("eta", 1000, &eta, 2);
    rule_.eta = eta;
    if (const YamlEntry* entry = Find("form")) {
      const auto word = reader_.Word(*entry, {"promotion", "stopping"});
      if (word == "stopping") rule_.form = EarlyTerminate::Form::kStopping;
    }
    const YamlEntry* brackets = Find("brackets");
    if (brackets == nullptr) return;
    if (brackets->value.IsScalar() && brackets->value.Scalar() == "all") {
      rule_.brackets = 0;
    } else if (!brackets->value.IsScalar()) {
      reader_.Error(brackets->line, "'brackets' is a number of brackets, or all");
    } else {
      ReadInt("brackets", kMaxBrackets, &rule_.brackets);
    }
  }

  void ReadHyperband() {
    ReadInt("min_iter", kMaxEpochs, &rule_.min_iter);
    ReadInt("max_iter", kMaxEpochs, &rule_.max_iter);
    ReadInt("s", 100, &rule_.s);
    if (const YamlEntry* entry = Find("eta")) {
      const std::optional<double> eta = reader_.Number(*entry);
      if (eta && !(*eta > 1 && *eta <= 1000)) {
        reader_.Error(entry->line,
                      absl::StrCat("'eta' must be a number above 1 and at most 1000, not ",
                                   Shown(entry->value.Scalar())));
      } else if (eta) {
        rule_.eta = *eta;
      }
    }
    if (const YamlEntry* entry = Find("strict")) {
      if (const auto flag = ReadFlag(*entry, &reader_)) rule_.strict = *flag;
    }
    CheckHyperband();
  }

  void ReadTarget() {
    rule_.min_epochs = 1;
    rule_.min_trials = kLeastComplete;
    ReadInt("min_epochs", kMaxEpochs, &rule_.min_epochs);
    ReadInt("min_trials", 1'000'000, &rule_.min_trials, kLeastComplete);
    const YamlEntry* entry = Find("risk");
    if (entry == nullptr) return;
    const std::optional<double> risk = reader_.Number(*entry);
    if (risk && !(*risk > 0 && *risk <= 0.5)) {
      reader_.Error(entry->line,
                    absl::StrCat("'risk' must be a number above 0 and at most 0.5, not ",
                                 Shown(entry->value.Scalar())));
    } else if (risk) {
      rule_.risk = *risk;
    }
  }

  void CheckHyperband() {
    const YamlEntry* const max_iter = Find("max_iter");
    if (max_iter == nullptr && Find("min_iter") == nullptr) {
      reader_.Error(entry_.line,
                    "'early_terminate' of type hyperband, which is Weights & Biases', needs "
                    "'min_iter', or 'max_iter' and 's'");
    } else if (max_iter != nullptr && Find("s") == nullptr) {
      reader_.Error(max_iter->line, "'max_iter' needs 's': how many bands lie below it");
    } else if (max_iter == nullptr && Find("s") != nullptr) {
      reader_.Error(Find("s")->line, "'s' goes with 'max_iter'");
    } else if (max_iter != nullptr && rule_.max_iter > 0 && rule_.max_iter < rule_.eta) {
      reader_.Error(max_iter->line, absl::StrCat("'max_iter' is ", rule_.max_iter, " and 'eta' ",
                                                 rule_.eta, ": no band lies below it"));
    }
  }

  const YamlEntry& entry_;
  YamlReader& reader_;
  std::map<std::string, YamlEntry> keys_;
  EarlyTerminate rule_;
};

}  // namespace

std::optional<EarlyTerminate> ParseEarlyTerminate(const YamlEntry& entry, YamlReader* reader) {
  return RuleParser(entry, reader).Run();
}

std::optional<StopWhen> ParseStopWhen(const YamlEntry& entry, YamlReader* reader) {
  const auto keys =
      reader->Keys(entry.value, entry.line, "'stop_when'", {"qualifying", "trial_qualifies"});
  if (!entry.value.IsMap()) return std::nullopt;
  StopWhen when;
  if (const auto found = keys.find("qualifying"); found != keys.end()) {
    const auto count = reader->Int(found->second, 1, 1'000'000);
    if (!count) return std::nullopt;
    when.qualifying = static_cast<int>(*count);
  }
  if (const auto found = keys.find("trial_qualifies"); found != keys.end()) {
    const auto flag = ReadFlag(found->second, reader);
    if (!flag) return std::nullopt;
    when.trial_qualifies = *flag;
  }
  if (when.qualifying > 0 || when.trial_qualifies) return when;
  reader->Error(
      entry.line,
      "'stop_when' needs 'qualifying', the number of configurations that end the sweep, or "
      "'trial_qualifies': true");
  return std::nullopt;
}

}  // namespace sweep
