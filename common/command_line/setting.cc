#include "common/command_line/setting.h"

#include <algorithm>
#include <cctype>

namespace sweep {
namespace {

std::string Capitals(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

std::string WithUnderscores(std::string text) {
  std::replace(text.begin(), text.end(), '-', '_');
  return text;
}

// "--lease-term"; "" for an option without a long name.
std::string LongFlag(const CLI::Option& option) {
  return option.get_lnames().empty() ? "" : "--" + option.get_lnames().front();
}

// What CLI11 has not been able to convert a text to.
std::string Wanted(const Setting& setting) {
  const std::string type = setting.option->get_type_name();
  if (setting.IsFlag()) return "true or false";
  if (type.starts_with("INT") || type.starts_with("UINT")) return "a whole number";
  if (type.starts_with("FLOAT")) return "a number";
  return "what " + setting.flag + " takes";
}

}  // namespace

bool Setting::IsFlag() const { return option->get_items_expected_max() == 0; }

bool Setting::IsList() const { return !IsFlag() && option->get_expected_max() > 1; }

std::vector<std::string> Setting::Words() const {
  std::vector<std::string> words;
  for (const std::string& value : values) words.push_back(flag + "=" + value);
  return words;
}

std::string VariablePrefix(const CLI::App& app) {
  return Capitals(WithUnderscores(app.get_name())) + "_";
}

std::string VariableOf(const CLI::App& app, const std::string& flag) {
  return VariablePrefix(app) + Capitals(KeyOf(flag));
}

std::string KeyOf(const std::string& flag) { return WithUnderscores(flag.substr(2)); }

std::vector<Setting> SettingsOf(CLI::App* app) {
  std::vector<Setting> settings;
  for (CLI::Option* const option : app->get_options()) {
    const std::string flag = LongFlag(*option);
    if (flag.empty() || !option->get_configurable() || option->get_group().empty()) continue;
    const std::string& variable = option->get_envname();
    settings.push_back({.option = option,
                        .key = KeyOf(flag),
                        .flag = flag,
                        .variable = variable.empty() ? VariableOf(*app, flag) : variable});
  }
  return settings;
}

std::vector<std::string> CommandLineFlags(CLI::App* app) {
  std::vector<std::string> flags;
  for (const CLI::Option* const option : app->get_options()) {
    const std::string flag = LongFlag(*option);
    if (!flag.empty() && !option->get_configurable()) flags.push_back(flag);
  }
  return flags;
}

void ParseSome(CLI::App* app, const std::vector<std::string>& words) {
  try {
    app->parse(std::vector<std::string>(words.rbegin(), words.rend()));
  } catch (const CLI::RequiredError&) {
  } catch (const CLI::RequiresError&) {
  } catch (const CLI::ExcludesError&) {
    // Other words cannot mend this, but what parses all of them says it.
  }
}

std::string FaultOf(CLI::App* app, const Setting& setting) {
  try {
    ParseSome(app, setting.Words());
  } catch (const CLI::ValidationError& error) {
    const std::string text = error.what();
    const std::string name = setting.option->get_name() + ": ";
    return text.starts_with(name) ? text.substr(name.size()) : text;
  } catch (const CLI::ParseError&) {
    return "'" + setting.values.back() + "' is not " + Wanted(setting);
  }
  return "";
}

}  // namespace sweep
