#include "cli/help/docs.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <set>
#include <sstream>

#include "cli/help/help.h"
#include "cli/help/json_keys.h"
#include "common/command_line/options.h"

namespace sweep::cli {
namespace {

constexpr char kHead[] =
    "<!-- Made from the program by `sweep __docs`; a test compares the two.\n"
    "     Change the help texts in cli/, then run: SWEEP_UPDATE_GOLDEN=1 ctest -R CliDocs -->\n"
    "# The command line\n\n"
    "`sweep --help` shows all commands on one screen, `sweep help COMMAND` one of them. This page "
    "says\n"
    "the same, and what scripts rely on.\n\n";

// Escaped for a table cell.
std::string Escaped(const std::string& text) {
  std::string escaped;
  for (const char c : text) escaped += c == '|' ? std::string("\\|") : std::string(1, c);
  return escaped;
}

std::string Anchor(const std::string& title) {
  std::string anchor;
  for (const char c : title) {
    if (c == ' ') anchor += '-';
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-') {
      anchor += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  return anchor;
}

// Details as Markdown; indented lines become code.
std::string DetailsText(const std::string& details) {
  std::string text;
  std::istringstream lines(details);
  for (std::string line; std::getline(lines, line);)
    text += (line.starts_with("  ") ? "  " : "") + line + "\n";
  return text;
}

std::string CommandTitle(const CLI::App& command) { return CommandPath(command); }

std::string OverviewTable(const CLI::App& app) {
  std::string text;
  for (const std::string& group : GroupsOf(app)) {
    text += "| " + group + " | |\n|---|---|\n";
    for (const CLI::App* command : CommandsInGroup(app, group)) {
      text += fmt::format("| [`{}`](#{}) | {} |\n", CommandPath(*command),
                          Anchor(CommandTitle(*command)), Escaped(Summary(*command)));
    }
    text += "\n";
  }
  return text;
}

std::string OptionTable(const CLI::App& command) {
  const std::vector<OptionInfo> options = OptionsOf(command);
  if (options.empty()) return "";
  std::string text = "| argument or option | meaning | default | variable |\n|---|---|---|---|\n";
  for (const OptionInfo& option : options) {
    const auto code = [](const std::string& word) {
      return word.empty() ? std::string() : "`" + Escaped(word) + "`";
    };
    text +=
        fmt::format("| {} | {}{} | {} | {} |\n", code(option.Syntax()), Escaped(option.description),
                    option.required && !option.positional ? " (required)" : "",
                    code(option.fallback), code(option.environment));
  }
  return text + "\n";
}

// Key lists already shown on the page, each with its command.
using ShownKeys = std::vector<std::pair<std::string, std::vector<std::string>>>;

// "the keys of [`sweep pause`](#sweep-pause) and `created`": shows a long list only once.
std::string KeyList(const CommandKeys& promise, ShownKeys* shown) {
  constexpr std::size_t kLong = 5;
  const std::pair<std::string, std::vector<std::string>>* largest = nullptr;
  for (const auto& other : *shown) {
    const bool is_part =
        std::all_of(other.second.begin(), other.second.end(), [&](const auto& key) {
          return std::find(promise.keys.begin(), promise.keys.end(), key) != promise.keys.end();
        });
    if (!is_part || other.second.size() < kLong) continue;
    if (largest == nullptr || other.second.size() > largest->second.size()) largest = &other;
  }
  std::vector<std::string> own;
  for (const std::string& key : promise.keys) {
    const bool is_new =
        largest == nullptr ||
        std::find(largest->second.begin(), largest->second.end(), key) == largest->second.end();
    if (is_new) own.push_back("`" + key + "`");
  }
  std::string text;
  if (largest != nullptr) {
    text = fmt::format("the keys of [`sweep {0}`](#{1})", largest->first,
                       Anchor("sweep " + largest->first));
    if (!own.empty()) text += " and ";
  }
  shown->emplace_back(promise.command, promise.keys);
  return text + fmt::format("{}", fmt::join(own, " "));
}

// The keys of a command and its variants, such as "export --epochs".
std::string KeysText(const CLI::App& command, ShownKeys* shown) {
  const std::string name = CommandPath(command).substr(std::string("sweep ").size());
  std::string text;
  for (const CommandKeys& promise : JsonKeys()) {
    const bool is_variant = CommandsOf(command).empty() && promise.command.starts_with(name + " ");
    if (promise.command != name && !is_variant) continue;
    text += fmt::format("JSON{}: {} {}\n\n", is_variant ? " of `" + promise.command + "`" : "",
                        promise.array ? "an array of objects with" : "an object with",
                        KeyList(promise, shown));
  }
  return text;
}

std::string CommandChapter(const CLI::App& command, ShownKeys* shown) {
  std::string text = fmt::format("### {}\n\n{}.\n\n", CommandTitle(command), Summary(command));
  const std::string details = Details(command);
  if (!details.empty()) text += DetailsText(details) + "\n";
  text += "```\n" + Usage(command) + "\n```\n\n" + OptionTable(command);
  constexpr std::string_view kExamples = "Examples:\n";
  const std::string footer = command.get_footer();
  if (footer.starts_with(kExamples)) {
    text += "```\n" + footer.substr(kExamples.size()) + "\n```\n\n";
  } else if (!footer.empty()) {
    text += footer + "\n\n";
  }
  return text + KeysText(command, shown);
}

std::string MeaningTable() {
  std::set<std::string> keys;
  for (const CommandKeys& command : JsonKeys())
    keys.insert(command.keys.begin(), command.keys.end());
  std::string text = "| key | meaning |\n|---|---|\n";
  for (const std::string& key : keys) {
    if (!KeyMeaning(key).empty())
      text += fmt::format("| `{}` | {} |\n", key, Escaped(KeyMeaning(key)));
  }
  return text;
}

std::string TopicChapter(const HelpTopic& topic) {
  if (topic.name != "output")
    return fmt::format("## {}\n\n```\n{}```\n\n", topic.title, topic.text);
  // The commands list their keys; this table explains them.
  return fmt::format("## {}\n\n{}\n{}\n", topic.title,
                     topic.text.substr(0, topic.text.find("\n\n") + 1), MeaningTable());
}

}  // namespace

std::vector<const CLI::App*> WithInnerCommands(const std::vector<const CLI::App*>& commands) {
  std::vector<const CLI::App*> all;
  for (const CLI::App* command : commands) {
    all.push_back(command);
    for (const CLI::App* inner : CommandsOf(*command)) all.push_back(inner);
  }
  return all;
}

std::vector<std::string> GroupsOf(const CLI::App& app) {
  std::vector<std::string> groups;
  for (const CLI::App* command : CommandsOf(app)) {
    if (std::find(groups.begin(), groups.end(), command->get_group()) == groups.end()) {
      groups.push_back(command->get_group());
    }
  }
  return groups;
}

std::string DocsText(const CLI::App& app) {
  std::string text = kHead + OverviewTable(app);
  ShownKeys shown;
  for (const HelpTopic& topic : HelpTopics()) text += TopicChapter(topic);
  for (const std::string& group : GroupsOf(app)) {
    text += "## " + group + "\n\n";
    for (const CLI::App* command : WithInnerCommands(CommandsInGroup(app, group)))
      text += CommandChapter(*command, &shown);
  }
  text.erase(text.find_last_not_of('\n') + 2);
  return text;
}

}  // namespace sweep::cli
