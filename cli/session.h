#pragma once

#include <iosfwd>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "cli/connection.h"
#include "cli/present/listing.h"
#include "cli/present/style.h"
#include "cli/user_settings.h"

namespace CLI {
class App;
}
namespace sweep::v1 {
class Sweep;
}

namespace sweep::cli {

// Exit codes, as documented in docs/cli.md.
enum ExitCode {
  kExitOk = 0,
  kExitFailed = 1,
  kExitBadInput = 2,
  kExitNothingQualified = 3,
  kExitUnreachable = 4,
  kExitNotAllowed = 5,
  kExitInterrupted = 130,
};

// The state shared by all commands. Lives as long as main.
struct Session {
  ConnectionOptions connection;
  Format format = Format::kTable;
  bool terminal = false;  // standard output is a terminal
  bool color = false;
  int width = 0;                  // of the terminal; 0: unlimited
  bool quiet = false;             // print only errors and the result that a script needs
  std::vector<Setting> settings;  // the sources of coordinator, db, format and color
  bool raw = false;               // standard output is a document, whatever the format
  int exit_code = kExitOk;

  bool IsForPeople() const { return format == Format::kTable && !raw; }
};

// Prints "error: …" to standard error and returns the exit code for that kind of failure.
int Fail(const absl::Status& status);

// Prints a sentence for people on standard output; silent with --quiet or in a format for programs.
void Say(const Session& session, const std::string& text);

// A command of this program that works when pasted into a shell: "sweep retry night". Every printed
// command is made here. Quotes `words`, and appends the session's --db or --coordinator unless it
// would be found without (the default, the configuration file). Paths go through FileWord, an
// option with a value is one word ("--slots=4").
std::string Command(const Session& session, std::vector<std::string> words);
// The same for a command without a coordinator.
std::string Command(const std::vector<std::string>& words);
// A path that cannot be mistaken for an option.
std::string FileWord(const std::string& path);
// How to continue training a local sweep: the command if its file still exists, else in words.
std::string RunAgain(const v1::Sweep& sweep, const Session& session);

// Prints a listing in the session's format.
void PrintListing(Listing listing, const Session& session, std::ostream& out);

// Text in a style, or unchanged when `session.color` is off.
std::string Styled(const Session& session, Style style, const std::string& text);

// Each adds its family of commands to `app`. `session` must outlive the app.
//
// Every command has a group, a description and a footer with examples. The first line of the
// description (at most 25 columns) appears in `sweep --help`, the further lines only in the
// command's own help. The name of an argument tells the shell what to complete: FILE, NAME (a
// sweep), NAME/N (a trial), NAME[/N] (either), WORKER, NETWORK; a value option says it with
// type_name().
using CommandFamily = void(CLI::App* app, Session* session);
CommandFamily AddRunCommand;          // run
CommandFamily AddFileCommands;        // validate preview
CommandFamily AddSchemaCommand;       // schema
CommandFamily AddNetworkCommands;     // networks
CommandFamily AddModelCommands;       // model
CommandFamily AddPredictCommand;      // predict
CommandFamily AddSweepCommands;       // submit list best
CommandFamily AddConfirmCommand;      // confirm
CommandFamily AddCompareCommand;      // compare
CommandFamily AddShowCommand;         // show
CommandFamily AddWatchCommand;        // watch
CommandFamily AddLifecycleCommands;   // pause resume cancel retry extend explain
CommandFamily AddEditCommand;         // edit
CommandFamily AddAskCommands;         // ask tell
CommandFamily AddTidyCommands;        // delete rename archive
CommandFamily AddTrialCommands;       // trials trial
CommandFamily AddLogCommand;          // logs
CommandFamily AddExportCommand;       // export
CommandFamily AddReportCommand;       // report
CommandFamily AddTrainCommand;        // train
CommandFamily AddSearchCommands;      // suggest replay
CommandFamily AddWorkerCommands;      // workers, worker list, worker drain
CommandFamily AddConfigCommand;       // config, config set, config unset
CommandFamily AddCompletionCommands;  // completion, and its helper

// The order here is the order within the groups of `sweep --help` and docs/cli.md.
inline constexpr CommandFamily* kCommandFamilies[] = {
    AddRunCommand,     AddFileCommands,   AddSchemaCommand, AddNetworkCommands,
    AddModelCommands,  AddPredictCommand, AddSweepCommands, AddConfirmCommand,
    AddCompareCommand, AddShowCommand,    AddWatchCommand,  AddLifecycleCommands,
    AddEditCommand,    AddAskCommands,    AddTidyCommands,  AddTrialCommands,
    AddLogCommand,     AddExportCommand,  AddReportCommand, AddTrainCommand,
    AddSearchCommands, AddWorkerCommands, AddConfigCommand, AddCompletionCommands};

}  // namespace sweep::cli
