#include "cli/help/help.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <map>
#include <set>
#include <sstream>

#include "cli/present/text.h"
#include "common/base/nearest.h"
#include "common/command_line/help.h"
#include "common/command_line/options.h"

namespace sweep::cli {
namespace {

constexpr int kColumnGap = 2;

// Groups in the two columns of the overview, balanced to fit a screen of 24 lines.
const std::vector<std::vector<std::string>>& OverviewColumns() {
  static const auto* const columns = new std::vector<std::vector<std::string>>{
      {"Run sweeps", "Networks and models"},
      {"Look into and tidy up", "Files, workers, settings"},
  };
  return *columns;
}

// Commands for special work: the overview has no room for more than their names.
bool IsSpecial(const std::string& command) {
  static const auto* const special = new std::set<std::string>{
      "compare", "ask", "tell", "edit", "suggest", "replay", "completion"};
  return special->contains(command);
}

std::vector<std::string> ColumnLines(const CLI::App& app, const std::vector<std::string>& groups) {
  int widest = 0;
  for (const std::string& group : groups) {
    for (const CLI::App* command : CommandsInGroup(app, group)) {
      if (IsSpecial(command->get_name())) continue;
      widest = std::max(widest, DisplayWidth(command->get_name()));
    }
  }
  std::vector<std::string> lines;
  for (const std::string& group : groups) {
    const std::vector<const CLI::App*> commands = CommandsInGroup(app, group);
    if (commands.empty()) continue;
    if (!lines.empty()) lines.push_back("");
    lines.push_back(group);
    for (const CLI::App* command : commands) {
      if (IsSpecial(command->get_name())) continue;
      lines.push_back("  " + Pad(command->get_name(), widest) + "  " + Summary(*command));
    }
  }
  return lines;
}

// Fills paragraphs to the page width; indented lines are unchanged.
std::string Filled(const std::string& text) {
  std::string page;
  std::string paragraph;
  const auto flush = [&] {
    if (!paragraph.empty())
      page += fmt::format("{}\n", fmt::join(FilledLines(paragraph, kHelpWidth), "\n"));
    paragraph.clear();
  };
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (!line.empty() && line[0] != ' ') {
      paragraph += line + " ";
      continue;
    }
    flush();
    page += line + "\n";
  }
  flush();
  return page;
}

class HelpFormatter : public CLI::Formatter {
 public:
  explicit HelpFormatter(const Session& session) : session_(session) {}
  std::string make_help(const CLI::App* app, std::string /*name*/,
                        CLI::AppFormatMode /*mode*/) const override {
    if (app->get_parent() == nullptr) return OverviewText(*app, session_.width);
    return CommandText(*app);
  }

 private:
  const Session& session_;
};

int Help(const CLI::App& app, const std::vector<std::string>& words, const Session& session) {
  if (words.empty()) {
    std::cout << OverviewText(app, session.width);
    return kExitOk;
  }
  for (const HelpTopic& topic : HelpTopics()) {
    if (words.size() == 1 && topic.name == words[0]) {
      std::cout << topic.title << "\n\n" << topic.text;
      return kExitOk;
    }
  }
  const CLI::App* command = &app;
  for (const std::string& word : words) {
    const CLI::App* const inner = FindCommand(*command, word);
    if (inner == nullptr) {
      std::vector<std::string> known;
      for (const CLI::App* candidate : CommandsOf(*command)) known.push_back(candidate->get_name());
      if (command == &app) {
        for (const HelpTopic& topic : HelpTopics()) known.push_back(topic.name);
      }
      std::cerr << fmt::format("error: there is no help on '{}'{}\nsee: sweep help\n",
                               fmt::join(words, " "), DidYouMean(word, known));
      return kExitBadInput;
    }
    command = inner;
  }
  std::cout << CommandText(*command);
  return kExitOk;
}

}  // namespace

void UseHelp(CLI::App* app, const Session& session) {
  app->formatter(std::make_shared<HelpFormatter>(session));
  app->set_help_flag("-h,--help", "this help");
}

std::string OverviewText(const CLI::App& app, int width) {
  std::vector<std::vector<std::string>> columns;
  for (const auto& groups : OverviewColumns()) columns.push_back(ColumnLines(app, groups));
  std::string page =
      "Usage: sweep COMMAND [ARGUMENTS] [OPTIONS]    sweep help COMMAND tells more\n\n";
  const bool narrow = width > 0 && width < kHelpWidth;
  if (narrow) {
    for (const auto& lines : columns) page += fmt::format("{}\n\n", fmt::join(lines, "\n"));
  } else {
    std::size_t rows = 0;
    for (const auto& lines : columns) rows = std::max(rows, lines.size());
    columns[0].resize(rows);
    columns[1].resize(rows);
    int left = 0;
    for (const std::string& line : columns[0]) left = std::max(left, DisplayWidth(line));
    for (std::size_t row = 0; row < rows; ++row) {
      std::string line = Pad(columns[0][row], left + kColumnGap) + columns[1][row];
      line.erase(line.find_last_not_of(' ') + 1);
      page += line + "\n";
    }
  }
  std::vector<std::string> special;
  for (const CLI::App* command : CommandsOf(app)) {
    if (IsSpecial(command->get_name())) special.push_back(command->get_name());
  }
  return page + fmt::format("and: {}\n", fmt::join(special, ", ")) + app.get_footer() + "\n";
}

std::string CommandText(const CLI::App& command) {
  std::string page = Summary(command) + ".\n";
  const std::string details = Details(command);
  if (!details.empty()) page += "\n" + Filled(details);
  page += "\nUsage: " + Usage(command) + "\n";
  if (const auto inner = CommandsOf(command); !inner.empty()) {
    page += "\nCommands:\n";
    for (const CLI::App* sub : inner)
      page += "  " + Pad(sub->get_name(), 8) + "  " + Summary(*sub) + "\n";
  }
  std::vector<OptionInfo> arguments = OptionsOf(command);
  std::vector<OptionInfo> options = arguments;
  std::erase_if(arguments, [](const OptionInfo& option) { return !option.positional; });
  std::erase_if(options, [](const OptionInfo& option) { return option.positional; });
  page += OptionsText("Arguments", arguments) + OptionsText("Options", options);
  const std::string footer = command.get_footer();
  if (!footer.empty()) page += "\n" + footer + "\n";
  return page + "\nOptions that every command takes: sweep help options\n";
}

void AddHelpCommand(CLI::App* app, Session* session) {
  CLI::App* help = app->add_subcommand("help", "Help on a command or topic");
  help->group("");
  auto words = std::make_shared<std::vector<std::string>>();
  help->add_option("COMMAND", *words, "a command, or options, environment, output, exit-codes");
  help->callback([=] { session->exit_code = Help(*app, *words, *session); });
}

}  // namespace sweep::cli
