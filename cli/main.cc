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

int Main(int argc, char** argv) {
  // When a reader exits (`sweep trials | head`), the write fails instead of ending the process.
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
  app.fallthrough();  // global options may follow the command
  AddGlobalOptions(&app, &session);
  for (CommandFamily* const add : kCommandFamilies) add(&app, &session);
  AddHelpCommand(&app, &session);
  // Last: a command copies its parent's footer when it is added.
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
