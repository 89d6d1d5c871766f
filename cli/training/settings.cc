#include "cli/training/settings.h"

#include <algorithm>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/spec/parameter.h"
#include "common/yaml/scalar.h"

namespace sweep::cli {

namespace {

// Reads a value as YamlReader does.
PlainScalar ReadSetting(const std::string& text) {
  const bool quoted = text.size() >= 2 && text.front() == text.back() &&
                      (text.front() == '"' || text.front() == '\'');
  if (quoted) return {.value = text.substr(1, text.size() - 2), .refusal = "", .warning = ""};
  PlainScalar read;
  if (BracketBalance(text) != 0) {
    read.refusal =
        ", which has a bracket or a quotation mark without its partner; if the text is "
        "meant, put it in quotes";
  } else if (text == "~" || text == "null" || text == "Null" || text == "NULL") {
    read.refusal = ", and no value is null; if the text is meant, put it in quotes";
  } else {
    read = ReadPlainScalar(text);
  }
  return read;
}

}  // namespace

absl::StatusOr<ParameterMap> ParseSettings(const std::vector<std::string>& settings,
                                           std::vector<std::string>* warnings) {
  ParameterMap values;
  for (const std::string& setting : settings) {
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == setting.size()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--set '", setting, "': not of the form NAME=VALUE"));
    }
    const std::string name = setting.substr(0, equals);
    const std::string text = setting.substr(equals + 1);
    const PlainScalar read = ReadSetting(text);
    if (!read.refusal.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--set ", name, ": the value is '", text, "'", read.refusal));
    }
    if (!read.warning.empty()) {
      warnings->push_back(absl::StrCat("--set ", name, ": '", text, "'", read.warning));
    }
    if (!values.emplace(name, read.value).second) {
      return absl::InvalidArgumentError(absl::StrCat("--set ", name, ": given twice"));
    }
  }
  return values;
}

std::vector<std::string> NetworkParameterNames(const NetworkFile& file) {
  std::vector<std::string> names = file.references();
  for (const auto& [name, value] : file.defaults()) names.push_back(name);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

absl::Status CheckSettingNames(const ParameterMap& settings,
                               const std::vector<std::string>& allowed, const std::string& owner) {
  for (const auto& [name, value] : settings) {
    if (std::find(allowed.begin(), allowed.end(), name) != allowed.end()) continue;
    const std::string nearest = ParameterHint(name, allowed);
    const std::set<std::string> each(allowed.begin(), allowed.end());
    const std::string has =
        each.empty() ? "; it has none" : absl::StrCat("; it has ", absl::StrJoin(each, ", "));
    return absl::InvalidArgumentError(absl::StrCat(
        "--set ", name, ": ", owner, " has no such parameter", nearest.empty() ? has : nearest));
  }
  return absl::OkStatus();
}

ParameterMap RecipeValues(const NetworkFile& file) {
  ParameterMap values = file.defaults();
  const Recipe* recipe = file.FindRecipe("seed");
  if (recipe == nullptr && !file.recipes().empty()) recipe = &file.recipes().front();
  if (recipe == nullptr) return values;
  for (const auto& [name, value] : recipe->Merged()) values[name] = value;
  return values;
}

}  // namespace sweep::cli
