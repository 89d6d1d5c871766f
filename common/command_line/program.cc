#include "common/command_line/program.h"

#include <algorithm>
#include <cctype>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "common/base/printable.h"
#include "common/command_line/help.h"
#include "common/command_line/likely.h"
#include "common/command_line/man_page.h"
#include "common/command_line/options.h"
#include "common/command_line/program_settings.h"
#include "common/command_line/settings_text.h"

namespace sweep {
namespace {

constexpr int kBadArguments = 2;

std::vector<std::string> FlagsOf(const CLI::App& app) {
  std::vector<std::string> flags = {"--help", "--version"};
  for (const OptionInfo& option : OptionsOf(app)) {
    flags.insert(flags.end(), option.flags.begin(), option.flags.end());
  }
  return flags;
}

int Complain(const CLI::App& app, const std::string& what) {
  std::istringstream lines(what);
  for (std::string line; std::getline(lines, line);) {
    std::cerr << Printable(app.get_name() + ": " + line) << '\n';
  }
  std::cerr << "see: " << app.get_name() << " --help\n";
  return kBadArguments;
}

std::string ExtraText(const CLI::App& app, const std::string& word) {
  if (!word.starts_with("-") || word == "-") {
    // "sweep-worker version", and "sweep-worker alpha:7077".
    const bool is_address = word.find(':') != std::string::npos;
    const std::string flag = is_address ? "--coordinator" : "--" + word;
    const std::vector<std::string> flags = FlagsOf(app);
    const bool is_likely = std::find(flags.begin(), flags.end(), flag) != flags.end();
    return "takes no argument '" + word + "'" +
           (is_likely ? "; did you mean '" + flag + (is_address ? " " + word : "") + "'?" : "");
  }
  const std::string flag = word.substr(0, word.find('='));
  return "there is no option '" + flag + "'" + LikelyFlag(flag, FlagsOf(app));
}

std::vector<OptionInfo> OptionsWithHelp(const CLI::App& app) {
  std::vector<OptionInfo> options = OptionsOf(app);
  options.push_back({.flags = {"-h", "--help"}, .description = "this help"});
  return options;
}

class ProgramHelp : public CLI::Formatter {
 public:
  explicit ProgramHelp(std::string note) : note_(std::move(note)) {}

  std::string make_help(const CLI::App* app, std::string /*name*/,
                        CLI::AppFormatMode /*mode*/) const override {
    return app->get_description() + "\n\nUsage: " + app->get_name() + " [OPTIONS]\n" +
           OptionsText("Options", OptionsWithHelp(*app)) + note_;
  }

 private:
  const std::string note_;
};

// The program's page of the manual.
std::string ManText(const CLI::App& app, const std::vector<Setting>& settings) {
  const std::string version = app.version();
  std::string purpose = app.get_description();
  purpose[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(purpose[0])));
  if (purpose.ends_with(".")) purpose.pop_back();
  ManPage page(app.get_name(), purpose, version.substr(version.rfind(' ') + 1));
  page.Section("SYNOPSIS");
  page.Paragraph(app.get_name() + " [OPTIONS]");
  page.Section("OPTIONS");
  for (const OptionInfo& option : OptionsWithHelp(app)) page.Item(option.Syntax(), Beside(option));
  AddSettings(settings, &page);
  page.SeeAlso(kManPages);
  return page.text();
}

const OptionInfo* Find(const std::vector<OptionInfo>& options, const std::string& flag) {
  for (const OptionInfo& option : options) {
    for (const std::string& name : option.flags) {
      if (name == flag) return &option;
    }
  }
  return nullptr;
}

// Prints the values of an option that begin with `start`.
void PrintValues(const OptionInfo& option, const std::string& start, const std::string& prefix) {
  for (const std::string& choice : option.choices) {
    if (choice.starts_with(start)) std::cout << prefix << choice << '\n';
  }
  if (option.takes == "FILE" || option.takes == "PROGRAM") std::cout << ":files\n";
  if (option.takes == "FOLDER") std::cout << ":dirs\n";
}

// `words` follow the program's name; the last one is to be completed. bash passes "--device=cpu" as
// three words.
int Complete(const CLI::App& app, const std::vector<std::string>& words) {
  const std::vector<OptionInfo> options = OptionsOf(app);
  const std::string last = words.empty() ? "" : words.back();
  const std::size_t count = words.size();
  if (count >= 2 && (words[count - 2] == "=" || last == "=")) {
    const std::size_t at = last == "=" ? count - 2 : count - 3;
    const OptionInfo* const option = at < count ? Find(options, words[at]) : nullptr;
    if (option != nullptr) PrintValues(*option, last == "=" ? "" : last, "");
    return 0;
  }
  if (const std::size_t equals = last.find('='); equals != std::string::npos) {
    const OptionInfo* const option = Find(options, last.substr(0, equals));
    if (option != nullptr) {
      PrintValues(*option, last.substr(equals + 1), last.substr(0, equals + 1));
    }
    return 0;
  }
  const OptionInfo* const before = count >= 2 ? Find(options, words[count - 2]) : nullptr;
  if (before != nullptr && before->takes_value) {
    PrintValues(*before, last, "");
    return 0;
  }
  for (const OptionInfo& option : options) {
    for (const std::string& flag : option.flags) {
      if (flag.starts_with("--") && flag.starts_with(last)) {
        std::cout << flag << '\t' << option.description << '\n';
      }
    }
  }
  if (std::string("--help").starts_with(last)) std::cout << "--help\tthis help\n";
  return 0;
}

// Answers the words that scripts and packaging ask for; nothing when `words` are others.
std::optional<int> AnswerHidden(const CLI::App& app, const ProgramSettings& settings,
                                const std::vector<std::string>& words) {
  if (words.empty()) return std::nullopt;
  if (words[0] == "__complete") {
    const auto behind = static_cast<std::ptrdiff_t>(std::min<std::size_t>(2, words.size()));
    return Complete(app, std::vector<std::string>(words.begin() + behind, words.end()));
  }
  if (words[0] == "__man") {
    std::cout << ManText(app, settings.settings());
    return 0;
  }
  if (words[0] == "__settings") {
    std::cout << SettingsTable(app, settings.settings());
    return 0;
  }
  return std::nullopt;
}

// The names that environment and file have for a missing option.
std::string RequiredText(const std::string& what, const std::vector<Setting>& settings) {
  for (const Setting& setting : settings) {
    if (!what.starts_with(setting.flag + " ")) continue;
    return what + "; or set " + setting.variable + ", or " + setting.key +
           " in the file of --config";
  }
  return what;
}

std::string WrongWordText(const CLI::App& app, const CLI::ParseError& error,
                          const std::vector<Setting>& settings) {
  const std::vector<std::string> extras = app.remaining();
  if (!extras.empty()) return ExtraText(app, extras.front());
  const bool is_missing = dynamic_cast<const CLI::RequiredError*>(&error) != nullptr;
  return is_missing ? RequiredText(error.what(), settings) : error.what();
}

}  // namespace

std::optional<int> ParseProgram(CLI::App* app, int argc, const char* const* argv) {
  if (app->get_version_ptr() != nullptr) app->get_version_ptr()->description("the version");
  ProgramSettings settings(app);
  app->formatter(std::make_shared<ProgramHelp>(SettingsNote(settings.settings())));
  const std::vector<std::string> words(argv + std::min(1, argc), argv + argc);
  if (const std::optional<int> code = AnswerHidden(*app, settings, words)) return code;
  try {
    const Diagnostics faults = settings.Parse(words);
    if (!faults.empty()) return Complain(*app, FormatDiagnostics(faults));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app->exit(error);
    return Complain(*app, WrongWordText(*app, error, settings.settings()));
  }
  if (!settings.is_to_print()) return std::nullopt;
  std::cout << SettingsText(settings.settings(), app->get_name(), settings.FileAndOrigin());
  return 0;
}

std::optional<int> ParseCommand(CLI::App* app, int argc, const char* const* argv) {
  app->formatter(std::make_shared<ProgramHelp>(""));
  try {
    app->parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app->exit(error);
    return Complain(*app, WrongWordText(*app, error, {}));
  }
  return std::nullopt;
}

}  // namespace sweep
