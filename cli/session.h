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
  kExitInterrupted = 130,
};

// What every command has at hand. Lives as long as main.
struct Session {
  ConnectionOptions connection;
  Format format = Format::kTable;
  bool terminal = false;  // standard output is a terminal
  bool color = false;
  int width = 0;                  // of the terminal; 0: cut nothing
  bool quiet = false;             // errors and the result that a script needs, nothing else
  std::vector<Setting> settings;  // where coordinator, db, format and color come from
  bool raw = false;  // this command's standard output is a document, whatever the format is
  int exit_code = kExitOk;

  bool IsForPeople() const { return format == Format::kTable && !raw; }
};

// Prints "error: …" to standard error and returns the exit code for that kind of failure.
int Fail(const absl::Status& status);

// A sentence for people on standard output: nothing with --quiet or in a format for programs.
void Say(const Session& session, const std::string& text);

// A command of this program that does what it says when it is pasted into a shell: "sweep retry
// night". Every command that is printed is made here. `words` are quoted, and the session's --db or
// --coordinator follows unless it would be found again without (the default, the configuration
// file). A path goes through FileWord, an option with a value is one word ("--slots=4").
std::string Command(const Session& session, std::vector<std::string> words);
// The same for a command that asks no coordinator.
std::string Command(const std::vector<std::string>& words);
// A path that is not taken for an option.
std::string FileWord(const std::string& path);
// How to train a sweep of this machine on: the command where its file still lies, else in words.
std::string RunAgain(const v1::Sweep& sweep, const Session& session);

// A listing as the session wants it.
void PrintListing(Listing listing, const Session& session, std::ostream& out);

// Text in a colour, or as it is when `session.color` is off.
std::string Styled(const Session& session, Style style, const std::string& text);

// Each adds its family of commands to `app`. `session` outlives the app.
//
// Every command has a group, a description whose first line (at most 25 columns) stands in
// `sweep --help` and whose further lines only in its own help, and a footer with examples.
// Arguments are named for what they take, which is what shells complete: FILE, NAME (a sweep),
// NAME/N (a trial), NAME[/N] (either), WORKER, NETWORK; a value option says it with type_name().
using CommandFamily = void(CLI::App* app, Session* session);
CommandFamily AddRunCommand;          // run
CommandFamily AddFileCommands;        // validate preview
CommandFamily AddSchemaCommand;       // schema
CommandFamily AddNetworkCommands;     // networks
CommandFamily AddModelCommands;       // model
CommandFamily AddPredictCommand;      // predict
CommandFamily AddSweepCommands;       // submit list best
CommandFamily AddShowCommand;         // show
CommandFamily AddWatchCommand;        // watch
CommandFamily AddLifecycleCommands;   // pause resume cancel retry extend explain
CommandFamily AddTidyCommands;        // delete rename archive
CommandFamily AddTrialCommands;       // trials trial
CommandFamily AddLogCommand;          // logs
CommandFamily AddExportCommand;       // export
CommandFamily AddReportCommand;       // report
CommandFamily AddTrainCommand;        // train
CommandFamily AddWorkerCommands;      // workers, worker list, worker drain
CommandFamily AddConfigCommand;       // config, config set, config unset
CommandFamily AddCompletionCommands;  // completion, and what it asks

// The order here is the order within the groups of `sweep --help` and docs/cli.md.
inline constexpr CommandFamily* kCommandFamilies[] = {
    AddRunCommand,     AddFileCommands,      AddSchemaCommand,     AddNetworkCommands,
    AddModelCommands,  AddPredictCommand,    AddSweepCommands,     AddShowCommand,
    AddWatchCommand,   AddLifecycleCommands, AddTidyCommands,      AddTrialCommands,
    AddLogCommand,     AddExportCommand,     AddReportCommand,     AddTrainCommand,
    AddWorkerCommands, AddConfigCommand,     AddCompletionCommands};

}  // namespace sweep::cli
