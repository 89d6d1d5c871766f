#include "common/command_line/options.h"

#include <algorithm>

#include "common/base/nearest.h"

namespace sweep {
namespace {

std::string Join(const std::vector<std::string>& words, const std::string& separator) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : separator) + word;
  return text;
}

// The words of "TEXT:{a,b}", as OneOf and CLI::IsMember describe themselves.
std::vector<std::string> ChoicesIn(const std::string& type) {
  std::vector<std::string> words;
  const std::size_t open = type.find('{');
  const std::size_t close = type.find('}');
  if (open == std::string::npos || close == std::string::npos) return words;
  std::istringstream list(type.substr(open + 1, close - open - 1));
  for (std::string word; std::getline(list, word, ',');) words.push_back(word);
  return words;
}

std::string PlaceholderOf(const std::string& type) {
  if (type == "HOST:PORT") return type;
  // The validator's text follows a colon.
  const std::string word = type.substr(0, type.find_first_of(": "));
  if (word == "INT" || word == "UINT") return "N";
  if (word == "FLOAT") return "NUMBER";
  return word;
}

OptionInfo InfoOf(const CLI::Option& option) {
  OptionInfo info;
  info.positional = option.get_positional();
  info.required = option.get_required();
  info.takes_value = option.get_type_size_max() != 0;
  info.repeatable = info.takes_value && option.get_expected_max() > 1;
  for (const std::string& name : option.get_snames()) info.flags.push_back("-" + name);
  for (const std::string& name : option.get_lnames()) info.flags.push_back("--" + name);
  if (info.takes_value) {
    const std::string type = option.get_type_name();
    info.choices = ChoicesIn(type);
    info.takes = info.positional ? option.get_name(true) : PlaceholderOf(type);
  }
  info.description = option.get_description();
  info.fallback = option.get_default_str();
  info.environment = option.get_envname();
  return info;
}

}  // namespace

namespace {

CLI::Validator NumberFrom(double least, bool least_allowed, const std::string& wanted) {
  return CLI::Validator(
      [=](std::string& text) -> std::string {
        double value = 0;
        if (!CLI::detail::lexical_cast(text, value)) return "'" + text + "' is no number";
        // This form also rejects NaN.
        const bool good = least_allowed ? value >= least : value > least;
        return good ? "" : text + " is not " + wanted;
      },
      "");
}

}  // namespace

CLI::Validator Positive() { return NumberFrom(0, false, "above 0"); }

CLI::Validator NotNegative() { return NumberFrom(0, true, "0 or more"); }

CLI::Validator OneOf(const std::vector<std::string>& words) {
  return CLI::Validator(
      [words](std::string& word) -> std::string {
        if (std::find(words.begin(), words.end(), word) != words.end()) return "";
        const std::string nearest = DidYouMean(word, words);
        return "'" + word + "' is not one of " + Join(words, ", ") + nearest;
      },
      "{" + Join(words, ",") + "}");
}

std::string OptionInfo::Syntax() const {
  if (positional) return takes + (repeatable ? "..." : "");
  std::string syntax = Join(flags, ", ");
  const std::string value = choices.empty() ? takes : Join(choices, "|");
  return takes_value && !value.empty() ? syntax + " " + value : syntax;
}

std::vector<OptionInfo> OptionsOf(const CLI::App& command) {
  std::vector<OptionInfo> infos;
  for (const CLI::Option* option : command.get_options()) {
    if (option == command.get_help_ptr() || option->get_group().empty()) continue;
    infos.push_back(InfoOf(*option));
  }
  return infos;
}

std::vector<const CLI::App*> CommandsOf(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App* command) { return !command->get_group().empty(); });
}

std::vector<const CLI::App*> CommandsInGroup(const CLI::App& app, const std::string& group) {
  std::vector<const CLI::App*> commands = CommandsOf(app);
  std::erase_if(commands, [&](const CLI::App* command) { return command->get_group() != group; });
  return commands;
}

const CLI::App* FindCommand(const CLI::App& app, const std::string& name) {
  const std::vector<const CLI::App*> found =
      app.get_subcommands([&](const CLI::App* command) { return command->get_name() == name; });
  return found.empty() ? nullptr : found.front();
}

std::string Summary(const CLI::App& command) {
  const std::string description = command.get_description();
  return description.substr(0, description.find('\n'));
}

std::string Details(const CLI::App& command) {
  const std::string description = command.get_description();
  const std::size_t end = description.find('\n');
  return end == std::string::npos ? "" : description.substr(end + 1);
}

std::string CommandPath(const CLI::App& command) {
  if (command.get_parent() == nullptr) return command.get_name();
  return CommandPath(*command.get_parent()) + " " + command.get_name();
}

std::string Usage(const CLI::App& command) {
  std::string usage = CommandPath(command);
  if (!CommandsOf(command).empty()) {
    usage += command.get_require_subcommand_min() > 0 ? " COMMAND" : " [COMMAND]";
  }
  bool has_options = false;
  for (const OptionInfo& option : OptionsOf(command)) {
    if (option.positional) {
      usage += option.required ? " " + option.Syntax() : " [" + option.Syntax() + "]";
    } else if (option.required) {
      usage += " " + option.Syntax();
    } else {
      has_options = true;
    }
  }
  return has_options ? usage + " [OPTIONS]" : usage;
}

}  // namespace sweep
