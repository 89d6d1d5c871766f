#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <optional>

#include "absl/time/clock.h"
#include "cli/calls.h"
#include "cli/commands/waiting.h"
#include "cli/present/answers.h"
#include "cli/present/present.h"
#include "cli/session.h"
#include "common/base/counted.h"

namespace sweep::cli {
namespace {

std::string Trials(std::int64_t count) { return Counted(count, "trial"); }

absl::StatusOr<std::optional<v1::Worker>> FindWorker(Connection& connection,
                                                     const std::string& name) {
  const absl::StatusOr<std::vector<v1::Worker>> workers = ListWorkers(connection);
  if (!workers.ok()) return workers.status();
  for (const v1::Worker& worker : *workers) {
    if (ShortName(worker.name()) == name) return worker;
  }
  return std::optional<v1::Worker>();
}

void PrintWorker(const v1::Worker& worker, const Session& session) {
  if (session.format == Format::kCsv) PrintListing(WorkerListing({worker}), session, std::cout);
  if (session.format == Format::kJson) PrintJson(ToJson(ToDocument(worker)), std::cout);
}

int Drain(const std::string& name, bool wait, const Session& session) {
  return WithConnection(session, wait, [&](Connection& connection) {
    absl::StatusOr<v1::Worker> worker = DrainWorker(connection, name);
    if (absl::IsFailedPrecondition(worker.status())) {  // not connected: it has already ended
      const absl::StatusOr<std::optional<v1::Worker>> known =
          FindWorker(connection, ShortName(name));
      if (!known.ok() || !known->has_value()) return Fail(worker.status());
      Say(session, fmt::format("worker {} is gone already", ShortName((*known)->name())));
      PrintWorker(**known, session);
      return static_cast<int>(kExitOk);
    }
    if (!worker.ok()) return Fail(worker.status());
    const std::string shown = ShortName(worker->name());
    const int held = worker->trials_size();
    Say(session, held == 0
                     ? fmt::format("worker {} holds nothing and ends", shown)
                     : fmt::format("worker {} saves a checkpoint of {} and ends; other workers go "
                                   "on with {}",
                                   shown, Trials(held), held == 1 ? "it" : "them"));
    if (wait) {
      const absl::Status waited = WaitUntil([&]() -> absl::StatusOr<bool> {
        const absl::StatusOr<std::optional<v1::Worker>> now = FindWorker(connection, shown);
        if (!now.ok()) return now.status();
        if (now->has_value()) worker = **now;
        const bool holds_nothing =
            now->has_value() && (*now)->draining() && (*now)->trials().empty();
        return holds_nothing || !now->has_value() || !(*now)->connected();
      });
      const int code =
          AfterWaiting(waited, session, fmt::format("worker {} is still draining", shown));
      if (code != kExitOk) return code;
      Say(session, fmt::format("worker {} holds nothing any more", shown));
    }
    PrintWorker(*worker, session);
    return static_cast<int>(kExitOk);
  });
}

int Workers(const Session& session) {
  return WithConnection(session, false, [&](Connection& connection) {
    const absl::StatusOr<std::vector<v1::Worker>> list = ListWorkers(connection);
    if (!list.ok()) return Fail(list.status());
    PrintListing(WorkerListing(*list), session, std::cout);
    if (session.format == Format::kTable) {
      for (const std::string& note : WorkerNotes(*list, absl::Now())) std::cout << note << '\n';
    }
    return static_cast<int>(kExitOk);
  });
}

}  // namespace

void AddWorkerCommands(CLI::App* app, Session* session) {
  CLI::App* workers = app->add_subcommand("workers",
                                          "Who is connected\nThe coordinator's workers: what they "
                                          "run, how fast, and how often they failed.");
  workers->group("Files, workers, settings");
  workers->footer("Examples:\n  sweep workers\n  sweep workers --format json | jq '.[].worker'");
  workers->callback([=] { session->exit_code = Workers(*session); });

  CLI::App* worker = app->add_subcommand("worker", "List or drain workers");
  worker->group("Files, workers, settings");
  worker->require_subcommand(1);
  worker->footer("Examples:\n  sweep worker drain gpu-2 --wait");
  CLI::App* list = worker->add_subcommand("list", "Who is connected\nThe same as `sweep workers`.");
  list->footer("Examples:\n  sweep worker list");
  list->callback([=] { session->exit_code = Workers(*session); });

  auto name = std::make_shared<std::string>();
  auto wait = std::make_shared<bool>(false);
  CLI::App* drain = worker->add_subcommand("drain",
                                           "Let a worker end\n"
                                           "It takes nothing new, gives back what it runs after a "
                                           "checkpoint, and ends. Other workers go\n"
                                           "on from there; no failure is counted.");
  drain->add_option("WORKER", *name, "the worker's name, as in `sweep workers`")->required();
  drain->add_flag("--wait", *wait, "return when it holds nothing any more");
  drain->footer(
      "Examples:\n  sweep worker drain gpu-2 --wait    before the machine is switched off");
  drain->callback([=] { session->exit_code = Drain(*name, *wait, *session); });
}

}  // namespace sweep::cli
