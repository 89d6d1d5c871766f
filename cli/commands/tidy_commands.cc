// Commands that tidy up: delete, rename, archive.

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "cli/calls.h"
#include "cli/present/present.h"
#include "cli/present/text.h"
#include "cli/session.h"

namespace sweep::cli {
namespace {

struct DeleteFlags {
  std::vector<std::string> names;
  bool yes = false;
};

// Asks for confirmation, saying what will be lost. Without a terminal nobody can be asked.
bool ConfirmDeletion(const std::vector<v1::Sweep>& sweeps) {
  for (const v1::Sweep& sweep : sweeps) {
    std::cout << fmt::format("{}: {}, {} of {} trials ended, about {} of results\n",
                             ShortName(sweep.name()), StatusText(sweep),
                             EndedTrials(sweep.counts()), sweep.planned_trials(),
                             BytesText(sweep.disk_bytes()));
  }
  std::cout << "Delete for good? [y/N] " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

// Adds the command that would allow the refused action in the sweep's current state.
absl::Status WithWayOut(Connection& connection, const absl::Status& status, const Session& session,
                        const std::vector<std::string>& words) {
  if (!absl::IsFailedPrecondition(status)) return status;
  const absl::StatusOr<v1::Sweep> sweep = GetSweep(connection, words[1]);
  const bool is_busy =
      sweep.ok() && (sweep->state() == v1::SWEEP_STATE_ACTIVE || sweep->counts().running() > 0);
  if (!is_busy) return status;
  return absl::FailedPreconditionError(
      fmt::format("{}: {}", std::string(status.message()), Command(session, words)));
}

int Delete(const DeleteFlags& flags, const Session& session) {
  absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::Open(session.connection);
  if (!connection.ok()) return Fail(connection.status());
  std::vector<v1::Sweep> sweeps;
  for (const std::string& name : flags.names) {  // all must exist before any is changed
    absl::StatusOr<v1::Sweep> sweep = GetSweep(**connection, name);
    if (!sweep.ok()) return Fail(sweep.status());
    sweeps.push_back(*std::move(sweep));
  }
  const bool asks = !flags.yes && session.terminal && isatty(STDIN_FILENO) == 1;
  if (asks && !ConfirmDeletion(sweeps)) {
    return Fail(absl::CancelledError("nothing was deleted"));
  }
  Listing listing;
  listing.columns = {{"", "name"}, {"", "deleted_trials"}};
  for (const v1::Sweep& sweep : sweeps) {
    const std::string name = ShortName(sweep.name());
    const absl::StatusOr<std::int64_t> trials = DeleteSweep(**connection, name);
    if (!trials.ok()) {
      return Fail(WithWayOut(**connection, trials.status(), session, {"cancel", name, "--wait"}));
    }
    Say(session, fmt::format("deleted {}: {} trial{}, about {}; its name is free", name, *trials,
                             *trials == 1 ? "" : "s", BytesText(sweep.disk_bytes())));
    listing.rows.push_back({{"", name}, {"", *trials}});
  }
  if (session.format != Format::kTable) {
    PrintListing(listing, session, std::cout);
  }
  return kExitOk;
}

int Rename(const std::string& name, const std::string& new_name, const Session& session) {
  absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::Open(session.connection);
  if (!connection.ok()) return Fail(connection.status());
  const absl::StatusOr<v1::Sweep> sweep = RenameSweep(**connection, name, new_name);
  if (!sweep.ok()) {
    return Fail(WithWayOut(**connection, sweep.status(), session,
                           {"pause", ShortName(name), "--now", "--wait"}));
  }
  const std::string now = ShortName(sweep->name());
  Say(session, now == ShortName(name) ? fmt::format("{} is called that already", now)
                                      : fmt::format("{} is now called {}, also in its stored file",
                                                    ShortName(name), now));
  PrintSweep(*sweep, session);
  return kExitOk;
}

int Archive(const std::string& name, bool undo, const Session& session) {
  absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::Open(session.connection);
  if (!connection.ok()) return Fail(connection.status());
  const absl::StatusOr<v1::Sweep> sweep = ArchiveSweep(**connection, name, !undo);
  if (!sweep.ok()) {
    return Fail(WithWayOut(**connection, sweep.status(), session, {"pause", ShortName(name)}));
  }
  const std::string shown = ShortName(sweep->name());
  Say(session, undo ? fmt::format("{} is listed again", shown)
                    : fmt::format("archived {}: it is left out of lists and can still be read; "
                                  "list it with: {}\nundo with: {}",
                                  shown, Command(session, {"list", "--all"}),
                                  Command(session, {"archive", shown, "--undo"})));
  PrintSweep(*sweep, session);
  return kExitOk;
}

}  // namespace

void AddTidyCommands(CLI::App* app, Session* session) {
  CLI::App* remove = app->add_subcommand(
      "delete",
      "Delete sweeps for good\n"
      "Removes all that is known of them: trials, epochs, logs, and within an hour or two the "
      "files "
      "that\n"
      "nothing else needs. Their names are free at once. Not while trials run: cancel them first.");
  remove->group("Look into and tidy up");
  auto flags = std::make_shared<DeleteFlags>();
  remove->add_option("NAME", flags->names, "the sweeps")->required();
  remove->add_flag("--yes", flags->yes, "do not ask on a terminal");
  remove->footer(
      "Examples:\n"
      "  sweep delete broken\n"
      "  sweep delete try-1 try-2 --yes");
  remove->callback([=] { session->exit_code = Delete(*flags, *session); });

  CLI::App* rename = app->add_subcommand(
      "rename",
      "Rename a sweep\n"
      "The name in its stored file changes as well, so that the corrected file of an old name is "
      "that "
      "sweep\n"
      "no more. Not while trials run: their workers know them by the old name.");
  rename->group("Look into and tidy up");
  auto name = std::make_shared<std::string>();
  auto new_name = std::make_shared<std::string>();
  rename->add_option("NAME", *name, "the sweep")->required();
  rename->add_option("NEW", *new_name, "its new name")->required();
  rename->footer("Examples:\n  sweep rename night night-before");
  rename->callback([=] { session->exit_code = Rename(*name, *new_name, *session); });

  CLI::App* archive = app->add_subcommand(
      "archive",
      "Leave out of lists\n"
      "An archived sweep is not listed, is no newest sweep, and can be read by its name as before. "
      "It is\n"
      "listed again when it is taken up again.");
  archive->group("Look into and tidy up");
  auto undo = std::make_shared<bool>(false);
  archive->add_option("NAME", *name, "the sweep")->required();
  archive->add_flag("--undo", *undo, "list it again");
  archive->footer("Examples:\n  sweep archive try-1\n  sweep archive try-1 --undo");
  archive->callback([=] { session->exit_code = Archive(*name, *undo, *session); });
}

}  // namespace sweep::cli
