#include <fmt/format.h>

#include <iostream>

#include "cli/calls.h"
#include "cli/present/present.h"
#include "cli/present/text.h"
#include "cli/present/watch.h"
#include "cli/session.h"
#include "cli/signals.h"
#include "cli/spec_input.h"

namespace sweep::cli {
namespace {

// Follows a submitted sweep without a word until it has ended.
int WaitForEnd(Connection& connection, const std::string& name, bool created,
               const Session& session) {
  Session silent = session;
  silent.quiet = true;
  WatchView view(silent);
  const absl::Status status = FollowSweep(
      connection, name, [] { return SignalCount() > 0; }, absl::Minutes(5), &view);
  if (absl::IsCancelled(status)) {
    Say(session, GoesOn(name, session));
    return kExitInterrupted;
  }
  if (!status.ok()) return Fail(status);
  if (session.format == Format::kTable && !session.quiet)
    return FinishSweep(connection, name, 10, session);
  const absl::StatusOr<v1::Sweep> sweep = GetSweep(connection, name);
  if (!sweep.ok()) return Fail(sweep.status());
  PrintSweep(*sweep, session, {{"created", created}});
  return EndOfSweep(connection, *sweep);
}

int Submit(const std::string& file, bool wait, const Session& session) {
  const absl::StatusOr<SweepInput> input = ReadSweepFile(file);
  if (!input.ok()) return FailInput(input.status());
  if (wait) InstallSignals();
  ConnectionOptions options = session.connection;
  options.allow_embedded = false;
  absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::Open(options);
  if (!connection.ok()) return Fail(connection.status());
  const absl::StatusOr<v1::CreateSweepResponse> response =
      CreateSweep(**connection, ToProto(input->source));
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
                    StateName(sweep.state()), EndedTrials(sweep.counts()), sweep.planned_trials()));
  }
  if (wait) return WaitForEnd(**connection, name, response->created(), session);
  Say(session, "follow it with: sweep watch " + name + SameCoordinator(session));
  PrintSweep(sweep, session, {{"created", response->created()}});
  return kExitOk;
}

int List(const Session& session) {
  absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::Open(session.connection);
  if (!connection.ok()) return Fail(connection.status());
  const absl::StatusOr<std::vector<v1::Sweep>> sweeps = ListSweeps(**connection);
  if (!sweeps.ok()) return Fail(sweeps.status());
  PrintListing(SweepListing(*sweeps), session.format, session.width, std::cout);
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
  auto wait = std::make_shared<bool>(false);
  CLI::App* submit = app->add_subcommand("submit",
                                         "Hand to a coordinator\n"
                                         "The same file again is the same sweep; other content "
                                         "under its name is refused. With --wait\n"
                                         "the exit code says how it ended (sweep help exit-codes). "
                                         "With --quiet only the name is printed.");
  submit->group("Run sweeps");
  submit->add_option("FILE", *name, "the sweep file")->required();
  submit->add_flag("--wait", *wait, "return when the sweep has ended; print the ranking");
  submit->footer(
      "Examples:\n"
      "  sweep submit sweep.yaml --coordinator trainer-1:7077\n"
      "  sweep watch $(sweep submit sweep.yaml --quiet)\n"
      "  sweep submit sweep.yaml --wait && echo good enough");
  submit->callback([=] { session->exit_code = Submit(*name, *wait, *session); });

  CLI::App* list = app->add_subcommand(
      "list",
      "List all sweeps\n"
      "Newest first, with an estimate of the time left for those that are active.");
  list->group("Run sweeps");
  list->footer("Examples:\n  sweep list\n  sweep list --format json | jq -r '.[].name'");
  list->callback([=] { session->exit_code = List(*session); });

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
