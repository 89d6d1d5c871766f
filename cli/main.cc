#include <signal.h>

#include <CLI/CLI.hpp>
#include <exception>
#include <iostream>

#include "cli/command_line.h"
#include "cli/help/help.h"
#include "cli/present/log_sink.h"
#include "cli/present/printable_stream.h"
#include "cli/session.h"
#include "common/base/end_signals.h"

namespace sweep::cli {
namespace {

// The order here is the order within the groups of `sweep --help` and docs/cli.md.
void AddCommands(CLI::App* app, Session* session) {
  AddRunCommand(app, session);
  AddFileCommands(app, session);
  AddSchemaCommand(app, session);
  AddNetworkCommands(app, session);
  AddModelCommands(app, session);
  AddPredictCommand(app, session);
  AddSweepCommands(app, session);
  AddShowCommand(app, session);
  AddWatchCommand(app, session);
  AddLifecycleCommands(app, session);
  AddTidyCommands(app, session);
  AddTrialCommands(app, session);
  AddLogCommand(app, session);
  AddExportCommand(app, session);
  AddReportCommand(app, session);
  AddTrainCommand(app, session);
  AddWorkerCommands(app, session);
  AddConfigCommand(app, session);
  AddCompletionCommands(app, session);
  AddHelpCommand(app, session);
}

int Main(int argc, char** argv) {
  // A reader that goes away (`sweep trials | head`) ends a write with an error, not the process.
  signal(SIGPIPE, SIG_IGN);
  LogAboveLiveText();

  Session session;
  const PrintableStream output(std::cout,
                               {.is_for_people = [&] { return session.IsForPeople(); },
                                .allows_styles = [&] { return session.terminal || session.color; },
                                .is_on_terminal = [&] { return session.terminal; }});
  const PrintableStream errors(
      std::cerr, {.is_for_people = [] { return true; }, .allows_styles = [] { return false; }});
  CLI::App app{"Hyperparameter sweeps.", "sweep"};
  UseHelp(&app, session);
  app.set_version_flag("--version", SWEEP_VERSION);
  app.require_subcommand(1);
  app.fallthrough();  // global options may stand behind the command
  AddGlobalOptions(&app, &session);
  AddCommands(&app, &session);
  // Last: a command takes over the footer that its parent has when it is added.
  app.footer("sweep help also on: options, coordinator, environment, output, exit-codes");
  return RunCommandLine(&app, argc, argv, &session);
}

}  // namespace
}  // namespace sweep::cli

int main(int argc, char** argv) {
  sweep::IgnoreFileSizeSignal();
  try {
    return sweep::cli::Main(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << '\n';
    return sweep::cli::kExitFailed;
  }
}
