#include <fmt/format.h>

#include <algorithm>
#include <iostream>

#include "cli/calls.h"
#include "cli/options.h"
#include "cli/present/present.h"
#include "cli/present/text.h"
#include "cli/present/watch.h"
#include "cli/session.h"
#include "cli/signals.h"
#include "cli/spec_input.h"
#include "cli/submission.h"

namespace sweep::cli {
namespace {

// Follows a submitted sweep without a word until it has ended.
int WaitForEnd(Connection& connection, const std::string& name, bool created,
               const Session& session) {
  Session silent = session;
  silent.quiet = true;
  WatchView view(silent);
  view.EndAtPause();
  const absl::Status status = FollowSweep(
      connection, name, [] { return SignalCount() > 0; }, absl::Minutes(5), &view);
  if (absl::IsCancelled(status)) {
    Say(session, GoesOn(name, session));
    return kExitInterrupted;
  }
  if (!status.ok()) return Fail(status);
  if (view.HasEndedAtPause()) {
    return FailPaused(view.model().sweep(), "submit it with --new",
                      "sweep resume " + name + SameCoordinator(session));
  }
  if (session.format == Format::kTable && !session.quiet)
    return FinishSweep(connection, name, 10, session);
  const absl::StatusOr<v1::Sweep> sweep = GetSweep(connection, name);
  if (!sweep.ok()) return Fail(sweep.status());
  PrintSweep(*sweep, session, {{"created", created}});
  return EndOfSweep(connection, *sweep);
}

struct SubmitFlags {
  std::string file;
  bool wait = false;
  bool new_name = false;
  bool keep_going = false;
};

int SubmitFile(const SubmitFlags& flags, const Session& session) {
  const bool wait = flags.wait;
  absl::StatusOr<SweepInput> input = ReadSweepFile(flags.file);
  if (!input.ok()) return FailInput(input.status());
  if (wait) InstallSignals();
  ConnectionOptions options = session.connection;
  options.allow_embedded = false;
  absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::Open(options);
  if (!connection.ok()) return Fail(connection.status());
  const absl::StatusOr<v1::CreateSweepResponse> response =
      Submit(**connection,
             {.command = "sweep submit " + flags.file + SameCoordinator(session),
              .keep_going = flags.keep_going,
              .new_name = flags.new_name},
             session, &*input);
  if (!response.ok()) return Fail(response.status());
  const v1::Sweep& sweep = response->sweep();
  const std::string name = ShortName(sweep.name());
  if (session.quiet && session.format == Format::kTable) std::cout << name << std::endl;
  if (response->created()) {
    Say(session, fmt::format("submitted {} ({} trials) to {}", name, sweep.planned_trials(),
                             (*connection)->address()));
  } else {
    Say(session,
        fmt::format("{} is there already with the same content ({}, {}/{} trials ended)", name,
                    StatusText(sweep), EndedTrials(sweep.counts()), sweep.planned_trials()));
  }
  if (wait) return WaitForEnd(**connection, name, response->created(), session);
  Say(session, "follow it with: sweep watch " + name + SameCoordinator(session));
  PrintSweep(sweep, session, {{"created", response->created()}});
  return kExitOk;
}

struct ListFlags {
  bool all = false;
  std::vector<std::string> states;
  std::vector<std::string> labels;  // KEY=VALUE
};

// "failed" is no state of a sweep, but what people look for.
bool IsWanted(const v1::Sweep& sweep, const ListFlags& flags) {
  const auto is_in = [&](const std::string& state) {
    return state == "failed" ? sweep.counts().failed() > 0 : state == StateName(sweep.state());
  };
  const auto has = [&](const std::string& label) {
    const std::size_t equals = label.find('=');
    const auto found = sweep.labels().find(label.substr(0, equals));
    return found != sweep.labels().end() &&
           (equals == std::string::npos || found->second == label.substr(equals + 1));
  };
  return (flags.states.empty() ||
          std::any_of(flags.states.begin(), flags.states.end(), is_in)) &&
         std::all_of(flags.labels.begin(), flags.labels.end(), has);
}

int List(const ListFlags& flags, const Session& session) {
  absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::Open(session.connection);
  if (!connection.ok()) return Fail(connection.status());
  absl::StatusOr<std::vector<v1::Sweep>> sweeps = ListSweeps(**connection, flags.all);
  if (!sweeps.ok()) return Fail(sweeps.status());
  const bool has_any = !sweeps->empty();
  std::erase_if(*sweeps, [&](const v1::Sweep& sweep) { return !IsWanted(sweep, flags); });
  Listing listing = SweepListing(*sweeps);
  if (has_any) listing.empty = "no such sweep";
  PrintListing(listing, session.format, session.width, std::cout);
  for (const v1::Sweep& sweep : *sweeps) {
    if (sweep.pause_reason().empty()) continue;
    Say(session, fmt::format("{}; go on with: sweep resume {}{}", PauseText(sweep),
                             ShortName(sweep.name()), SameCoordinator(session)));
  }
  return kExitOk;
}

// The sweep to rank when none is named: the newest.
absl::StatusOr<std::string> NewestSweep(Connection& connection) {
  absl::StatusOr<std::vector<v1::Sweep>> sweeps = ListSweeps(connection);
  if (!sweeps.ok()) return sweeps.status();
  if (sweeps->empty())
    return absl::NotFoundError("there is no sweep yet; submit one with: sweep submit FILE");
  return ShortName(sweeps->front().name());
}

int Best(const std::string& wanted, int top, const Session& session) {
  absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::Open(session.connection);
  if (!connection.ok()) return Fail(connection.status());
  absl::StatusOr<std::string> name = wanted;
  if (wanted.empty()) name = NewestSweep(**connection);
  if (!name.ok()) return Fail(name.status());
  const absl::StatusOr<v1::RankSweepResponse> ranking = RankSweep(**connection, *name, top);
  if (!ranking.ok()) return Fail(ranking.status());
  PrintRanking(*ranking, session, std::cout);
  const v1::TrialCounts& counts = ranking->sweep().counts();
  if (ranking->rows().empty() && counts.diverged() > 0 && counts.pending() + counts.running() == 0) {
    Say(session, fmt::format("{} of {} trials diverged: {} has nothing to rank", counts.diverged(),
                             EndedTrials(counts), ShortName(ranking->sweep().name())));
  }
  return ranking->sweep().qualifying() > 0 ? kExitOk : kExitNothingQualified;
}

}  // namespace

void AddSweepCommands(CLI::App* app, Session* session) {
  auto name = std::make_shared<std::string>();
  auto flags = std::make_shared<SubmitFlags>();
  CLI::App* submit = app->add_subcommand("submit",
                                         "Hand to a coordinator\n"
                                         "The same file again is the same sweep; other content "
                                         "under its name is refused, and\n"
                                         "the lines that differ are shown. With --wait\n"
                                         "the exit code says how it ended (sweep help exit-codes). "
                                         "With --quiet only the name is printed.");
  submit->group("Run sweeps");
  submit->add_option("FILE", flags->file, "the sweep file")->required();
  submit->add_flag("--wait", flags->wait, "return when the sweep has ended; print the ranking");
  submit->add_flag("--new", flags->new_name,
                   "a new sweep: when the name is taken, NAME-2 or the next that is free");
  submit->add_flag("--keep-going", flags->keep_going,
                   "do not pause when the first trials all fail alike");
  submit->footer(
      "Examples:\n"
      "  sweep submit sweep.yaml --coordinator trainer-1:7077\n"
      "  sweep watch $(sweep submit sweep.yaml --quiet)\n"
      "  sweep submit sweep.yaml --wait && echo good enough");
  submit->callback([=] { session->exit_code = SubmitFile(*flags, *session); });

  CLI::App* list = app->add_subcommand(
      "list",
      "List all sweeps\n"
      "Newest first, with an estimate of the time left for those that are active.");
  list->group("Run sweeps");
  list->footer(
      "Examples:\n"
      "  sweep list\n"
      "  sweep list --state active,paused --label team=vision\n"
      "  sweep list --format json | jq -r '.[].name'");
  auto list_flags = std::make_shared<ListFlags>();
  list->add_flag("--all", list_flags->all, "also those that are archived");
  list->add_option("--state", list_flags->states, "only those that are in it; failed: with failures")
      ->delimiter(',')
      ->check(OneOf({"active", "paused", "completed", "cancelled", "failed"}));
  list->add_option("--label", list_flags->labels, "only those with this label; all that are given")
      ->type_name("KEY[=VALUE]");
  list->callback([=] { session->exit_code = List(*list_flags, *session); });

  CLI::App* best = app->add_subcommand("best",
                                       "Show the ranking\n"
                                       "Configurations under the sweep's criteria, best first, "
                                       "each gate met or missed by how much.");
  best->group("Run sweeps");
  auto top = std::make_shared<int>(10);
  best->add_option("NAME", *name, "the sweep; without it, the newest");
  best->add_option("--top", *top, "rows")->check(CLI::Range(1, 1000))->capture_default_str();
  best->footer(
      "Examples:\n"
      "  sweep best\n"
      "  sweep best seed-000 --top 3 --format json | jq '.[0].parameters'");
  best->callback([=] { session->exit_code = Best(*name, *top, *session); });
}

}  // namespace sweep::cli
