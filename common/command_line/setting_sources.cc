#include "common/command_line/setting_sources.h"

#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "absl/strings/str_join.h"
#include "common/base/input_file.h"
#include "common/base/nearest.h"
#include "common/yaml/settings_file.h"
#include "common/yaml/yaml_reader.h"

namespace sweep {
namespace {

// Why `name`, which begins with the program's prefix and is no setting's variable, is a mistake; ""
// when it is likely to be none.
std::string VariableFault(const std::string& name, CLI::App* app,
                          const std::vector<Setting>& settings) {
  const std::string prefix = VariablePrefix(*app);
  // Without the prefix, by which all of them would be alike.
  const std::string word = name.substr(prefix.size());
  std::vector<std::string> words = {"CONFIG"};
  for (const Setting& setting : settings) {
    if (VariableOf(*app, setting.flag) == name) {
      return "is no variable of " + app->get_name() + "; did you mean '" + setting.variable + "'?";
    }
    if (setting.variable.starts_with(prefix)) {
      words.push_back(setting.variable.substr(prefix.size()));
    }
  }
  for (const std::string& flag : CommandLineFlags(app)) {
    if (VariableOf(*app, flag) == name) return flag + " is only for the command line";
  }
  const std::string nearest = NearestMatch(word, words);
  if (nearest.empty()) return "";
  return "is no variable of " + app->get_name() + "; did you mean '" + prefix + nearest + "'?";
}

// The names of all variables that begin with `prefix` and are not empty.
std::vector<std::string> VariablesWith(const std::string& prefix) {
  std::vector<std::string> names;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string text = *variable;
    const std::size_t equals = text.find('=');
    if (text.starts_with(prefix) && equals + 1 < text.size())
      names.push_back(text.substr(0, equals));
  }
  std::sort(names.begin(), names.end());
  return names;
}

// The texts of a value: of one, or of a list where the setting takes one. {} after an error.
std::vector<std::string> TextsOf(const YamlEntry& entry, const Setting& setting,
                                 YamlReader* reader) {
  std::vector<std::string> texts;
  if (setting.IsFlag()) {
    if (const auto word = reader->Word(entry, {"true", "false"})) texts.push_back(*word);
  } else if (setting.IsList() && entry.value.IsSequence()) {
    const auto items = reader->Items(entry);
    for (const YAML::Node& item : items.value_or(std::vector<YAML::Node>())) {
      texts.push_back(item.Scalar());
    }
  } else if (const auto text = reader->Text(entry)) {
    texts.push_back(*text);
  }
  return texts;
}

// Why no option should get this text from a file: "\0" would end a path unseen.
std::string TextFault(const std::string& text) {
  if (text.empty()) return "is empty; without the key, the default holds";
  const bool has_control = std::any_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  return has_control ? "has a control character or a second line" : "";
}

// Several values of a variable are a list in YAML: "[rack=3, zone=b]".
std::vector<std::string> TextsOfVariable(const Setting& setting, const std::string& text,
                                         Diagnostics* faults) {
  if (!setting.IsList() || !text.starts_with('[')) return {text};
  YamlReader reader(setting.variable, faults);
  const std::optional<YAML::Node> list = reader.Load(text);
  if (!list.has_value()) return {};
  return TextsOf({setting.variable, *list, 0}, setting, &reader);
}

class FileSettings {
 public:
  FileSettings(const std::string& path, CLI::App* app, std::vector<Setting>* settings,
               Diagnostics* faults)
      : app_(app), settings_(settings), reader_(path, faults) {}

  void Take(const std::string& text) {
    const std::optional<YAML::Node> document = LoadSettings(text, &reader_);
    if (!document.has_value()) return;
    for (const YamlEntry& entry : reader_.Entries(*document, 1, "a configuration file")) {
      const auto found = std::find_if(settings_->begin(), settings_->end(),
                                      [&](const Setting& s) { return s.key == entry.key; });
      if (found == settings_->end()) {
        ReportKey(entry);
      } else {
        TakeEntry(entry, &*found);
      }
    }
  }

 private:
  void ReportKey(const YamlEntry& entry) {
    for (const std::string& flag : CommandLineFlags(app_)) {
      if (entry.key != KeyOf(flag)) continue;
      return reader_.Error(entry.line, "'" + entry.key + "' is no setting: " + flag +
                                           " is only for the command line");
    }
    std::vector<std::string> keys;
    for (const Setting& setting : *settings_) keys.push_back(setting.key);
    const std::string nearest = DidYouMean(entry.key, keys);
    reader_.Error(entry.line,
                  "'" + entry.key + "' is no setting of " + app_->get_name() +
                      (nearest.empty() ? "; there are " + absl::StrJoin(keys, ", ") : nearest));
  }

  void TakeEntry(const YamlEntry& entry, Setting* setting) {
    Setting given = *setting;
    given.values = TextsOf(entry, *setting, &reader_);
    given.origin = reader_.file() + ":" + std::to_string(entry.line);
    if (given.values.empty()) return;  // reported
    for (const std::string& text : given.values) {
      const std::string fault = TextFault(text);
      if (!fault.empty()) return reader_.Error(entry.line, "'" + entry.key + "' " + fault);
    }
    if (const std::string fault = FaultOf(app_, given); !fault.empty()) {
      return reader_.Error(entry.line, entry.key + ": " + fault);
    }
    if (setting->values.empty()) *setting = given;
  }

  CLI::App* const app_;
  std::vector<Setting>* const settings_;
  YamlReader reader_;
};

}  // namespace

void TakeVariables(CLI::App* app, std::vector<Setting>* settings, Diagnostics* faults) {
  std::vector<std::string> known = {VariablePrefix(*app) + "CONFIG"};
  for (Setting& setting : *settings) {
    known.push_back(setting.variable);
    const char* const text = std::getenv(setting.variable.c_str());
    if (text == nullptr || *text == '\0') continue;
    Setting given = setting;
    given.values = TextsOfVariable(setting, text, faults);
    given.origin = setting.variable;
    if (given.values.empty()) continue;  // reported
    if (const std::string fault = FaultOf(app, given); !fault.empty()) {
      faults->push_back({setting.variable, 0, fault});
    } else if (setting.values.empty()) {
      setting = given;
    }
  }
  for (const std::string& name : VariablesWith(VariablePrefix(*app))) {
    if (Contains(known, name)) continue;
    const std::string fault = VariableFault(name, app, *settings);
    if (!fault.empty()) faults->push_back({name, 0, fault});
  }
}

void TakeFile(const std::string& path, CLI::App* app, std::vector<Setting>* settings,
              Diagnostics* faults) {
  InputFile file(path);
  std::string text;
  if (!file.ok() || !file.Read(YamlReader::kMaxSizeBytes, &text)) {
    faults->push_back({path, 0, file.error()});
    return;
  }
  FileSettings(path, app, settings, faults).Take(text);
}

}  // namespace sweep
