#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <exception>
#include <iostream>
#include <vector>

#include "cli/session.h"
#include "common/base/nearest.h"
#include "spdlog/sinks/stdout_color_sinks.h"
#include "spdlog/spdlog.h"

namespace sweep::cli {
namespace {

constexpr char kVersion[] = SWEEP_VERSION;

int TerminalWidth() {
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

// A word that is no command, with the nearest one: CLI11 alone would only say "unexpected".
int CheckCommand(const CLI::App& app, int argc, char** argv) {
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if (word == "--coordinator" || word == "--db" || word == "--format") {
      ++i;
      continue;
    }
    if (word.starts_with("-")) continue;
    std::vector<std::string> commands;
    for (const CLI::App* command : app.get_subcommands({})) commands.push_back(command->get_name());
    for (const std::string& command : commands) {
      if (command == word) return kExitOk;
    }
    std::cerr << "error: '" << word << "' is not a command" << DidYouMean(word, commands)
              << "\nsee: sweep --help\n";
    return kExitBadInput;
  }
  return kExitOk;
}

// The nearest flag for the first one that the command does not know.
std::string FlagHint(const CLI::App& app, const std::vector<std::string>& extras) {
  std::vector<std::string> flags;
  const auto collect = [&flags](const CLI::App* from) {
    for (const CLI::Option* option : from->get_options()) {
      for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
    }
  };
  collect(&app);
  for (const CLI::App* command : app.get_subcommands()) collect(command);
  for (const std::string& extra : extras) {
    if (extra.starts_with("-")) return DidYouMean(extra, flags);
  }
  return "";
}

int Main(int argc, char** argv) {
  // A reader that goes away (`sweep trials | head`) ends a write with an error, not the process.
  signal(SIGPIPE, SIG_IGN);
  spdlog::set_default_logger(spdlog::stderr_color_mt("sweep"));
  spdlog::set_level(spdlog::level::warn);  // the embedded coordinator's routine is not for the user

  Session session;
  session.terminal = isatty(STDOUT_FILENO) != 0;
  const char* no_color = std::getenv("NO_COLOR");
  session.color = session.terminal && (no_color == nullptr || *no_color == '\0');
  session.width = session.terminal ? TerminalWidth() : 0;

  CLI::App app{"Hyperparameter sweeps: submit, run, watch, rank.", "sweep"};
  app.footer(
      "Examples:\n"
      "  sweep run examples/quickstart.yaml        everything on this machine\n"
      "  sweep submit sweep.yaml && sweep watch NAME\n"
      "  sweep best NAME --top 10                  the ranking under the sweep's criteria\n"
      "Exit codes: 0 ok, 1 failed, 2 bad input, 3 nothing qualified, 4 unreachable, 130 interrupted.");
  app.set_version_flag("--version", kVersion);
  app.require_subcommand(1);
  app.fallthrough();  // global options may stand behind the command
  app.add_option("--coordinator", session.connection.coordinator,
                 "HOST:PORT of the coordinator (else the one that holds --db, that file, or "
                 "127.0.0.1:7077)")
      ->envname("SWEEP_COORDINATOR");
  app.add_option("--db", session.connection.database, "database of `sweep run`")
      ->capture_default_str();
  std::string format = "table";
  app.add_option("--format", format, "table, json or csv")
      ->check(CLI::IsMember({"table", "json", "csv"}))
      ->capture_default_str();
  app.parse_complete_callback([&] {
    session.format = format == "json" ? Format::kJson : format == "csv" ? Format::kCsv : Format::kTable;
  });

  AddRunCommand(&app, &session);
  AddFileCommands(&app, &session);
  AddSchemaCommand(&app, &session);
  AddNetworkCommands(&app, &session);
  AddSweepCommands(&app, &session);
  AddShowCommand(&app, &session);
  AddWatchCommand(&app, &session);
  AddLifecycleCommands(&app, &session);
  AddTrialCommands(&app, &session);
  AddWorkerCommands(&app, &session);

  if (const int code = CheckCommand(app, argc, argv); code != kExitOk) return code;
  try {
    app.parse(argc, argv);
  } catch (const CLI::ExtrasError& error) {
    std::cerr << "error: " << error.what() << FlagHint(app, app.remaining(true)) << '\n';
    return kExitBadInput;
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // --help, --version
    std::cerr << "error: " << error.what() << '\n';
    return kExitBadInput;
  }
  std::cout.flush();
  return session.exit_code;
}

}  // namespace
}  // namespace sweep::cli

int main(int argc, char** argv) {
  try {
    return sweep::cli::Main(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
    return sweep::cli::kExitFailed;
  }
}
