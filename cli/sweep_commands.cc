#include <fmt/format.h>

#include <iostream>

#include "cli/calls.h"
#include "cli/present.h"
#include "cli/session.h"
#include "cli/spec_input.h"
#include "cli/text.h"

namespace sweep::cli {
namespace {

int Submit(const std::string& file, const Session& session) {
  const absl::StatusOr<SweepInput> input = ReadSweepFile(file);
  if (!input.ok()) return FailInput(input.status());
  ConnectionOptions options = session.connection;
  options.allow_embedded = false;
  absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::Open(options);
  if (!connection.ok()) return Fail(connection.status());
  const absl::StatusOr<v1::CreateSweepResponse> response =
      CreateSweep(**connection, ToProto(input->source));
  if (!response.ok()) return Fail(response.status());
  if (session.format == Format::kJson) {
    nlohmann::json document = SweepJson(response->sweep());
    document["created"] = response->created();
    PrintJson(document, std::cout);
    return kExitOk;
  }
  const std::string name = ShortName(response->sweep().name());
  if (response->created()) {
    std::cout << fmt::format("submitted {} ({} trials) to {}\n", name, response->sweep().planned_trials(),
                             (*connection)->address());
  } else {
    std::cout << fmt::format("{} is there already with the same content ({}, {}/{} trials ended)\n", name,
                             StateName(response->sweep().state()), EndedTrials(response->sweep().counts()),
                             response->sweep().planned_trials());
  }
  std::cout << "follow it with: sweep watch " << name << '\n';
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
  if (sweeps->empty()) return absl::NotFoundError("there is no sweep yet; submit one with: sweep submit FILE");
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
  return ranking->sweep().qualifying() > 0 ? kExitOk : kExitNothingQualified;
}

}  // namespace

void AddSweepCommands(CLI::App* app, Session* session) {
  auto name = std::make_shared<std::string>();

  CLI::App* submit = app->add_subcommand("submit", "Hand a sweep file to a coordinator");
  submit->add_option("FILE", *name, "sweep file")->required();
  submit->callback([=] { session->exit_code = Submit(*name, *session); });

  CLI::App* list = app->add_subcommand("list", "All sweeps");
  list->callback([=] { session->exit_code = List(*session); });

  CLI::App* best = app->add_subcommand("best", "The ranking under the sweep's criteria");
  auto top = std::make_shared<int>(10);
  best->add_option("NAME", *name, "sweep (default: the newest)");
  best->add_option("--top", *top, "rows")->check(CLI::Range(1, 1000))->capture_default_str();
  best->callback([=] { session->exit_code = Best(*name, *top, *session); });
}

}  // namespace sweep::cli
