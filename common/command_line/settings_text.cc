#include "common/command_line/settings_text.h"

#include <algorithm>

#include "common/base/nearest.h"
#include "common/base/printable.h"
#include "common/command_line/help.h"
#include "yaml-cpp/yaml.h"

namespace sweep {
namespace {

// Each value as YAML, in quotes where it needs them.
YAML::Emitter& EmitText(const std::string& text, YAML::Emitter* out) {
  // Escapes what a terminal would not show as it is.
  if (Printable(text) != text) *out << YAML::DoubleQuoted << YAML::EscapeNonAscii;
  return *out << text;
}

std::string Yaml(const Setting& setting, const std::vector<std::string>& values) {
  YAML::Emitter out;
  if (!setting.IsList()) {
    EmitText(values.back(), &out);
  } else {
    out << YAML::Flow << YAML::BeginSeq;
    for (const std::string& value : values) EmitText(value, &out);
    out << YAML::EndSeq;
  }
  return out.c_str();
}

// What holds, as text; {} when that is nothing in particular.
std::vector<std::string> ValuesOf(const Setting& setting) {
  if (setting.IsFlag()) {
    // CLI11 also takes 1, on and yes.
    const bool is_set =
        !setting.values.empty() && CLI::detail::to_flag_value(setting.values.back()) > 0;
    return {is_set ? "true" : "false"};
  }
  if (!setting.values.empty()) return setting.values;
  const std::string& fallback = setting.option->get_default_str();
  return fallback.empty() ? std::vector<std::string>() : std::vector<std::string>{fallback};
}

std::string SettingLine(const Setting& setting) {
  const std::vector<std::string> values = ValuesOf(setting);
  if (values.empty()) {
    return "# " + setting.key + ":  # " + (setting.option->get_required() ? "required" : "default");
  }
  return setting.key + ": " + Yaml(setting, values) + "  # " +
         (setting.origin.empty() ? "default" : Printable(setting.origin));
}

// The first setting that shows both rules: its key differs from its flag, and its variable has no
// name of its own.
const Setting& Example(const std::vector<Setting>& settings) {
  const auto found = std::find_if(settings.begin(), settings.end(), [](const Setting& setting) {
    return setting.key.find('_') != std::string::npos && setting.option->get_envname().empty();
  });
  return found == settings.end() ? settings.front() : *found;
}

constexpr char kPrecedence[] =
    "A flag counts more than a variable, that more than the file, that more than the default. "
    "Options that ask for an action stand only on the command line.";

std::string ListNote(const std::vector<Setting>& settings) {
  const auto list = std::find_if(settings.begin(), settings.end(),
                                 [](const Setting& setting) { return setting.IsList(); });
  if (list == settings.end()) return "";
  return " Several values of " + list->flag + " are a list there: [A, B].";
}

// "`debug`, `info`" or "SECONDS".
std::string ValueColumn(const Setting& setting, const OptionInfo& option) {
  if (setting.IsFlag()) return "`true`, `false`";
  std::string column;
  for (const std::string& choice : option.choices) {
    column += (column.empty() ? "`" : ", `") + choice + "`";
  }
  if (column.empty()) column = option.takes;
  return setting.IsList() ? "list of " + column : column;
}

}  // namespace

std::string SettingsText(const std::vector<Setting>& settings, const std::string& program,
                         const std::string& file) {
  std::string text = "# The settings of " + program + ", each with where it comes from.\n" +
                     "# Configuration file: " + Printable(file) + "\n";
  for (const Setting& setting : settings) text += SettingLine(setting) + "\n";
  return text;
}

std::string SettingsNote(const std::vector<Setting>& settings) {
  if (settings.empty()) return "";
  const Setting& example = Example(settings);
  const std::string note = "The file of --config has " + example.key + " for " + example.flag +
                           ", and the environment " + example.variable +
                           ", or what stands in [env: ...]." + ListNote(settings) + " " +
                           kPrecedence;
  std::string text = "\n";
  for (const std::string& line : FilledLines(note, kHelpWidth)) text += line + "\n";
  return text;
}

void AddSettings(const std::vector<Setting>& settings, ManPage* page) {
  if (settings.empty()) return;
  page->Section("CONFIGURATION");
  page->Paragraph("A file in YAML can hold the settings below; " + Example(settings).flag +
                  " is named " + Example(settings).key +
                  " there, and so on. Its path is given with "
                  "--config. " +
                  kPrecedence);
  page->Section("ENVIRONMENT");
  page->Paragraph("These variables set the same as the options; an empty one counts as none." +
                  ListNote(settings));
  for (const Setting& setting : settings) page->Item(setting.variable, setting.flag);
}

std::string SettingsTable(const CLI::App& app, const std::vector<Setting>& settings) {
  std::string table =
      "| key | variable | value | default | meaning |\n"
      "|---|---|---|---|---|\n";
  const std::vector<OptionInfo> options = OptionsOf(app);
  for (const Setting& setting : settings) {
    const auto option = std::find_if(options.begin(), options.end(), [&](const OptionInfo& info) {
      return Contains(info.flags, setting.flag);
    });
    if (option == options.end()) continue;
    std::string fallback = setting.IsFlag() ? "false" : option->fallback;
    if (!fallback.empty()) fallback = "`" + fallback + "`";
    table += "| `" + setting.key + "` | `" + setting.variable + "` | " +
             ValueColumn(setting, *option) + " | " + (option->required ? "required" : fallback) +
             " | " + option->description + " |\n";
  }
  return table;
}

}  // namespace sweep
