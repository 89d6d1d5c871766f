#include "cli/command_line.h"

#include <poll.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <iostream>
#include <map>
#include <string_view>

#include "cli/help/completion.h"
#include "cli/help/docs.h"
#include "cli/present/live_block.h"
#include "common/base/nearest.h"
#include "common/base/printable.h"
#include "common/command_line/likely.h"
#include "common/command_line/options.h"

namespace sweep::cli {
namespace {

std::vector<std::string> CommandNames(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : CommandsOf(app)) names.push_back(command->get_name());
  return names;
}

// The number of words after `flag` that are its values.
int ValuesOf(const CLI::App& app, const std::string& flag) {
  if (flag.find('=') != std::string::npos) return 0;
  const CLI::Option* const option = app.get_option_no_throw(flag);
  return option != nullptr && option->get_type_size_max() != 0 ? 1 : 0;
}

// The first word that is neither an option nor an option's value; "" when there is none.
std::string CommandWord(const CLI::App& app, int argc, const char* const* argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (!word.starts_with("-")) return word;
    i += ValuesOf(app, word);
  }
  return "";
}

// The innermost command on the command line.
const CLI::App& GivenCommand(const CLI::App& app) {
  const std::vector<CLI::App*> given = app.get_subcommands();
  return given.empty() ? app : GivenCommand(*given.front());
}

std::vector<std::string> FlagsOf(const CLI::App* command) {
  std::vector<std::string> flags = {"--help", "--version"};
  for (; command != nullptr; command = command->get_parent()) {
    for (const OptionInfo& option : OptionsOf(*command)) {
      flags.insert(flags.end(), option.flags.begin(), option.flags.end());
    }
  }
  return flags;
}

// A suggestion for a word of other programs: the first of our names for it that exists.
std::string OtherName(const CLI::App& app, const std::string& word) {
  // clang-format off
  static const auto* const words = new std::map<std::string, std::vector<std::string>>{
      {"ls", {"list"}},           {"ps", {"list"}},         {"status", {"list", "show"}},
      {"sweeps", {"list"}},       {"runs", {"list", "trials"}}, {"jobs", {"list", "trials"}},
      {"restart", {"resume", "retry"}}, {"unpause", {"resume"}}, {"rerun", {"retry"}},
      {"again", {"retry"}},       {"new", {"submit", "run"}}, {"init", {"schema"}},
      {"history", {"show"}},      {"nodes", {"workers"}},   {"agent", {"workers"}},
      {"compare", {"best", "trials"}}, {"undelete", {"archive"}}, {"hide", {"archive"}},
      {"info", {"show"}},         {"describe", {"show"}},   {"get", {"show"}},
      {"stop", {"pause", "cancel"}}, {"kill", {"cancel"}},  {"abort", {"cancel"}},
      {"rm", {"delete", "cancel"}},  {"del", {"delete", "cancel"}},
      {"remove", {"delete", "cancel"}}, {"delete", {"cancel"}}, {"mv", {"rename"}},
      {"start", {"run", "submit"}},  {"create", {"submit", "run"}}, {"continue", {"resume"}},
      {"log", {"logs"}},          {"tail", {"logs"}},       {"top", {"best"}},
      {"rank", {"best"}},         {"ranking", {"best"}},    {"results", {"best"}},
      {"follow", {"watch"}},      {"check", {"validate"}},  {"lint", {"validate"}},
      {"why", {"explain"}},       {"settings", {"config"}}, {"set", {"config"}},
      {"download", {"model"}},    {"weights", {"model"}},   {"infer", {"predict"}},
      {"drain", {"worker"}},      {"agents", {"workers"}},  {"save", {"export"}}};
  // clang-format on
  if (word == "version") return "; did you mean 'sweep --version'?";
  if (word == "try" || word == "test") return "; did you mean 'sweep run FILE --first'?";
  if (word == "diff") return "; 'sweep submit' shows how a file differs from what is stored";
  if (word == "dashboard" || word == "ui" || word == "serve") {
    return "; the dashboard is served by `sweep run --http` and by sweep-coordinator";
  }
  const auto found = words->find(word);
  if (found == words->end()) return "";
  std::string hint;
  for (const std::string& name : found->second) {
    if (FindCommand(app, name) == nullptr) continue;
    hint += (hint.empty() ? "'" : " or '") + name + "'";
  }
  return hint.empty() ? "" : "; did you mean " + hint + "?";
}

// The likely command for an unknown word.
std::string LikelyCommand(const CLI::App& app, const std::string& word) {
  const std::string other = OtherName(app, word);
  return other.empty() ? DidYouMean(word, CommandNames(app)) : other;
}

// The trial meant by "sweep trial synthetic 2".
std::string LikelyTrial(const CLI::App& command, const std::string& word) {
  const bool is_number = !word.empty() && std::all_of(word.begin(), word.end(), [](char c) {
    return std::isdigit(static_cast<unsigned char>(c)) != 0;
  });
  for (const char* const argument : {"NAME/N", "NAME[/N]"}) {
    const CLI::Option* const option = command.get_option_no_throw(argument);
    if (!is_number || option == nullptr || option->results().empty()) continue;
    return "; did you mean '" + option->results().front() + "/" + word + "'?";
  }
  return "";
}

// The likely command of `worker` or `config` for an unknown word.
std::string LikelyInner(const CLI::App& command, const std::string& word) {
  const bool ends = word == "stop" || word == "kill" || word == "rm" || word == "remove";
  if (ends && FindCommand(command, "drain") != nullptr) return "; did you mean 'drain'?";
  return DidYouMean(word, CommandNames(command));
}

// The likely meaning of an option that the command lacks.
std::string LikelyOption(const CLI::App& command, const std::string& flag) {
  const bool takes_file = command.get_option_no_throw("FILE") != nullptr;
  if (takes_file && (flag == "-f" || flag == "--file" || flag == "-c" || flag == "--config")) {
    return "; the file stands alone: " + Usage(command);
  }
  if (takes_file && flag == "--name") {
    return "; a sweep's name stands in its file, and 'sweep rename' changes it";
  }
  if (flag == "--dry-run" || flag == "--dryrun") return "; did you mean 'sweep preview'?";
  return LikelyFlag(flag, FlagsOf(&command));
}

// The message for a word that no command or argument takes.
std::string ExtraText(const CLI::App& command, const std::string& word) {
  const std::string path = CommandPath(command);
  if (word.starts_with("-") && word != "-") {
    const std::string flag = word.substr(0, word.find('='));
    return "'" + path + "' has no option '" + flag + "'" + LikelyOption(command, flag);
  }
  if (!CommandsOf(command).empty()) {
    const bool shows = command.get_name() == "config" &&
                       (word == "show" || word == "get" || word == "list" || word == "ls");
    return "'" + path + " " + word + "' is not a command" +
           (shows ? "; did you mean 'sweep config' alone, which shows all settings?"
                  : LikelyInner(command, word));
  }
  if (command.get_name() == "workers") {  // "sweep workers drain x"
    return "'" + path + "' takes no argument '" + word + "'; did you mean 'sweep worker " + word +
           "'?";
  }
  return "'" + path + "' takes no further argument '" + word + "'" + LikelyTrial(command, word);
}

int Complain(const std::string& what, const CLI::App& command) {
  std::cerr << "error: " << PrintableLines(what) << '\n';
  const std::string path = CommandPath(command);
  std::cerr << (command.get_parent() == nullptr ? "see: sweep --help" : "see: " + path + " --help")
            << '\n';
  return kExitBadInput;
}

int ComplainAbout(const CLI::App& app, const CLI::ParseError& error) {
  const CLI::App& command = GivenCommand(app);
  const std::vector<std::string> extras = app.remaining(/*recurse=*/true);
  if (!extras.empty()) return Complain(ExtraText(command, extras.front()), command);
  if (dynamic_cast<const CLI::RequiredError*>(&error) != nullptr) {
    if (!CommandsOf(command).empty()) {
      std::string names;
      for (const std::string& name : CommandNames(command))
        names += (names.empty() ? "" : ", ") + name;
      if (&command == &app) return Complain("a command is missing", app);
      return Complain("'" + CommandPath(command) + "' needs a command: " + names, command);
    }
    std::cerr << "error: " << error.what() << "\nusage: " << Usage(command) << '\n';
    return kExitBadInput;
  }
  return Complain(error.what(), command);
}

// True when the reader of standard output has exited, as `head` does.
bool ReaderIsGone() {
  pollfd output = {.fd = STDOUT_FILENO, .events = POLLOUT, .revents = 0};
  return poll(&output, 1, 0) == 1 && (output.revents & (POLLERR | POLLHUP)) != 0;
}

// Fails when the output was not written completely, for example on a full disk.
int AfterWriting(int exit_code) {
  std::cout.flush();
  if (std::cout.good() || ReaderIsGone()) return exit_code;
  std::cerr << "error: standard output could not be written whole\n";
  return exit_code == kExitOk ? static_cast<int>(kExitFailed) : exit_code;
}

void ApplySettings(const std::vector<Setting>& settings, Session* session) {
  const std::string& format = ValueOf(settings, "format");
  session->format = format == "json"  ? Format::kJson
                    : format == "csv" ? Format::kCsv
                                      : Format::kTable;
  const std::string& color = ValueOf(settings, "color");
  session->color = color == "always" || (color == "auto" && session->terminal);
  session->connection.database = ValueOf(settings, "db");
  session->connection.coordinator = ValueOf(settings, "coordinator");
  session->connection.security = SecurityOf(settings);
  session->settings = settings;
}

}  // namespace

void AddGlobalOptions(CLI::App* app, Session* session) {
  const bool is_terminal = isatty(STDOUT_FILENO) != 0;
  const char* const kind = std::getenv("TERM");
  // A terminal without escapes, as in an editor, gets plain lines like a file.
  session->terminal = is_terminal && kind != nullptr && std::string_view(kind) != "dumb";
  session->color = session->terminal;
  session->width = is_terminal ? CurrentTerminalSize().columns : 0;
  auto flags = std::make_shared<std::map<std::string, std::string>>();
  for (const SettingInfo& info : SettingInfos()) {
    CLI::Option* option = app->add_option(info.flag, (*flags)[info.key], info.description);
    option->envname("");
    if (!info.choices.empty()) option->check(OneOf(info.choices));
    if (!info.takes.empty()) option->type_name(info.takes);
    // Refuses "", which would mean the default: more likely a variable is empty.
    if (info.key == std::string("db")) {
      option->check([](const std::string& name) {
        return name.empty() ? std::string("needs the name of a file") : std::string();
      });
    }
  }
  app->add_flag("-q,--quiet", session->quiet,
                "errors and the result that a script needs, nothing else");
  app->parse_complete_callback([=] {
    absl::StatusOr<std::vector<Setting>> settings = ResolveSettings(*flags);
    if (!settings.ok()) {
      throw CLI::ParseError(std::string(settings.status().message()), kExitBadInput);
    }
    // A --db flag outranks a coordinator from the environment or the configuration file.
    for (Setting& setting : *settings) {
      const bool database_given = !(*flags)["db"].empty() && (*flags)["coordinator"].empty();
      if (setting.key == "coordinator" && database_given) setting = {"coordinator", "", "--db"};
    }
    ApplySettings(*settings, session);
  });
}

int RunCommandLine(CLI::App* app, int argc, const char* const* argv, Session* session) {
  const std::string first = argc > 1 ? argv[1] : "";
  if (first ==
      "__complete") {  // what the scripts of `sweep completion` call, with "--" before the words
    Complete(*app, std::vector<std::string>(argv + std::min(3, argc), argv + argc), std::cout);
    return kExitOk;
  }
  if (first == "__docs" || first == "__man") {
    std::cout << (first == "__docs" ? DocsText(*app) : ManualText(*app));
    return AfterWriting(kExitOk);
  }
  const std::string word = CommandWord(*app, argc, argv);
  if (!word.empty() && FindCommand(*app, word) == nullptr) {
    return Complain("'" + word + "' is not a command" + LikelyCommand(*app, word), *app);
  }
  try {
    app->parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return AfterWriting(app->exit(error));  // --help, --version
    return ComplainAbout(*app, error);
  }
  return AfterWriting(session->exit_code);
}

}  // namespace sweep::cli
