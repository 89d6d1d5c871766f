#include <fmt/format.h>

#include <iostream>

#include "cli/calls.h"
#include "cli/present.h"
#include "cli/session.h"
#include "cli/text.h"

namespace sweep::cli {
namespace {

int Show(const std::string& name, const Session& session) {
  absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::Open(session.connection);
  if (!connection.ok()) return Fail(connection.status());
  const absl::StatusOr<v1::Sweep> sweep = GetSweep(**connection, name);
  if (!sweep.ok()) return Fail(sweep.status());
  if (session.format == Format::kJson) {
    nlohmann::json document = SweepJson(*sweep);
    document["source"] = sweep->source().text();
    PrintJson(document, std::cout);
    return kExitOk;
  }
  PrintListing(SweepListing({*sweep}), session.format, session.width, std::cout);
  if (session.format == Format::kCsv) return kExitOk;
  const v1::TrialCounts& counts = sweep->counts();
  std::cout << fmt::format(
      "\n{} search for {} over {} trials of {} epochs\n"
      "trials: {} pending, {} running, {} completed, {} failed, {} cancelled\n",
      sweep->method(), sweep->metric(), sweep->planned_trials(), sweep->epochs(), counts.pending(),
      counts.running(), counts.completed() + counts.stopped(), counts.failed(), counts.cancelled());
  for (const std::string& gate : sweep->gates()) std::cout << "gate:   " << Printable(gate) << '\n';
  for (const auto& [key, value] : sweep->labels()) {
    std::cout << "label:  " << Printable(key) << " = " << Printable(value) << '\n';
  }
  if (!sweep->principal().empty()) std::cout << "by:     " << Printable(sweep->principal()) << '\n';
  std::cout << "\n" << sweep->source().text();
  return kExitOk;
}

}  // namespace

void AddShowCommand(CLI::App* app, Session* session) {
  CLI::App* show = app->add_subcommand("show", "One sweep");
  show->group("Run sweeps");
  auto name = std::make_shared<std::string>();
  show->add_option("NAME", *name, "sweep")->required();
  show->callback([=] { session->exit_code = Show(*name, *session); });
}

}  // namespace sweep::cli
