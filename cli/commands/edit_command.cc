// Replacing the file of a sweep.

#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "cli/calls.h"
#include "cli/commands/waiting.h"
#include "cli/present/present.h"
#include "cli/present/source_diff.h"
#include "cli/present/text.h"
#include "cli/session.h"
#include "cli/spec_input.h"
#include "common/base/counted.h"

namespace sweep::cli {
namespace {

constexpr int kMaxDiffLines = 200;

struct EditFlags {
  std::string name;
  std::string file;
  bool yes = false;
  bool dry_run = false;
};

// What the edit changes beyond the text, and what stays.
std::string Consequences(const v1::Sweep& stored, const v1::Sweep& planned) {
  std::string text;
  const auto change = [&](const std::string& before, const std::string& after,
                          const std::string& what) {
    if (before == after) return;
    text += fmt::format("{}{} instead of {}", text.empty() ? "" : ", ", what, before);
  };
  change(fmt::to_string(stored.planned_configurations()),
         fmt::to_string(planned.planned_configurations()),
         Counted(planned.planned_configurations(), "configuration"));
  change(stored.method(), planned.method(), "method " + planned.method());
  if (!text.empty()) text += "; ";
  const std::int64_t made = MadeTrials(stored.counts());
  const std::int64_t open = stored.counts().pending() + stored.counts().running();
  text += fmt::format("{} made so far {} kept", Counted(made, "trial"), made == 1 ? "is" : "are");
  if (open > 0) text += fmt::format("; {} of them wait or run, and go on as they are", open);
  return text;
}

absl::Status WithAnotherWay(Connection& connection, const absl::Status& status,
                            const SweepInput& input, const EditFlags& flags,
                            const Session& session) {
  if (!absl::IsFailedPrecondition(status) || flags.file == "-") return status;
  return absl::FailedPreconditionError(fmt::format(
      "{}\nto train the file as another sweep, give it another 'name', or: {}",
      std::string(status.message()),
      Command(session,
              {connection.embedded() ? "run" : "submit", FileWord(input.source.file), "--new"})));
}

bool Confirmed() {
  std::cout << "Change it so? [y/N] " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "y" || answer == "Y" || answer == "yes";
}

int Edit(const EditFlags& flags, const Session& session) {
  const absl::StatusOr<SweepInput> input = ReadSweepFile(flags.file);
  if (!input.ok()) return FailInput(input.status());
  return WithConnection(session, false, [&](Connection& connection) -> int {
    const absl::StatusOr<v1::Sweep> stored = GetSweep(connection, flags.name);
    if (!stored.ok()) return Fail(stored.status());
    const v1::SweepSource given = ToProto(input->source);
    const absl::StatusOr<v1::Sweep> planned =
        EditSweep(connection, *stored, given, /*validate_only=*/true);
    if (!planned.ok()) {
      return Fail(WithAnotherWay(connection, planned.status(), *input, flags, session));
    }
    const std::string shown = ShortName(stored->name());
    const std::string difference = SourceDiff(shown, stored->source(), given, kMaxDiffLines);
    if (difference.empty()) {
      Say(session, fmt::format("{} has this file already", shown));
      PrintSweep(*stored, session, {{"difference", ""}});
      return kExitOk;
    }
    if (session.format == Format::kTable) {
      std::cout << difference;
      if (planned->revision() != stored->revision()) {
        std::cout << Consequences(*stored, *planned) << '\n';
      }
    }
    const auto print = [&](const v1::Sweep& sweep) {
      PrintSweep(sweep, session, {{"difference", difference}});
    };
    if (flags.dry_run) {
      Say(session, "nothing was changed");
      print(*planned);
      return kExitOk;
    }
    const bool asks = !flags.yes && session.terminal && isatty(STDIN_FILENO) == 1;
    if (asks && !Confirmed()) return Fail(absl::CancelledError("nothing was changed"));
    const absl::StatusOr<v1::Sweep> edited =
        EditSweep(connection, *stored, given, /*validate_only=*/false);
    if (!edited.ok()) return Fail(edited.status());
    std::string follows;
    if (!HasEnded(*edited) && HasEnded(*stored)) follows = "; it goes on";
    if (!HasEnded(*edited) && connection.embedded()) {
      const absl::StatusOr<v1::Sweep> whole = GetSweep(connection, shown);  // with its file
      if (whole.ok()) follows += "; nothing trains it now: " + RunAgain(*whole, session);
    }
    Say(session,
        fmt::format("changed {}: its file is revision {}{}", shown, edited->revision(), follows));
    print(*edited);
    return kExitOk;
  });
}

}  // namespace

void AddEditCommand(CLI::App* app, Session* session) {
  CLI::App* edit = app->add_subcommand(
      "edit",
      "Change a sweep's file\n"
      "Shows the difference, asks on a terminal, and replaces the file: other values or ranges,\n"
      "further points in 'try_first', another budget, method or stopping rule. What there is\n"
      "stays, also trials that wait; the search goes on from all results. A completed sweep with\n"
      "configurations left to make goes on. What would make earlier trials incomparable is\n"
      "refused, key by key.");
  edit->group("Run sweeps");
  auto flags = std::make_shared<EditFlags>();
  edit->add_option("NAME", flags->name, "the sweep")->required();
  edit->add_option("FILE", flags->file, "the sweep file that replaces its own")->required();
  edit->add_flag("--yes", flags->yes, "do not ask on a terminal");
  edit->add_flag("--dry-run", flags->dry_run, "show the difference and change nothing");
  edit->footer(
      "Examples:\n"
      "  sweep edit night night.yaml --dry-run\n"
      "  sweep edit night night.yaml");
  edit->callback([=] { session->exit_code = Edit(*flags, *session); });
}

}  // namespace sweep::cli
