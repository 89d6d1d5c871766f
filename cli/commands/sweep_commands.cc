#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <memory>

#include "cli/calls.h"
#include "cli/commands/best_region.h"
#include "cli/present/measure_text.h"
#include "cli/present/present.h"
#include "cli/present/text.h"
#include "cli/present/watch.h"
#include "cli/session.h"
#include "cli/signals.h"
#include "cli/spec_input.h"
#include "cli/submission.h"
#include "common/base/counted.h"
#include "common/command_line/options.h"

namespace sweep::cli {
namespace {

// Follows a submitted sweep until it has ended, as `watch` does. `again`: the command to wait
// again.
int WaitForEnd(Connection& connection, const std::string& name, bool created,
               const std::string& again, const Session& session) {
  absl::Status status;
  auto view = std::make_unique<WatchView>(session, /*only_news=*/session.terminal);
  view->EndAtPause();
  status =
      FollowSweep(connection, name, [] { return SignalCount() > 0; }, kWatchPatience, view.get());
  const int told = view->model().failures_told();
  const bool paused = view->HasEndedAtPause();
  const v1::Sweep last = view->model().sweep();
  view.reset();  // removes the bars
  if (absl::IsCancelled(status)) {
    Say(session, GoesOn(name, session));
    return kExitInterrupted;
  }
  if (!status.ok()) return Fail(status);
  if (paused) {
    return FailPaused(last, again + " --new", Command(session, {"resume", name}), session);
  }
  if (session.format == Format::kTable && !session.quiet)
    return FinishSweep(connection, name, 10, session, told);
  const absl::StatusOr<v1::Sweep> sweep = GetSweep(connection, name);
  if (!sweep.ok()) return Fail(sweep.status());
  PrintSweep(*sweep, session, {{"created", created}});
  return EndOfSweep(connection, *sweep, session, told);
}

// Warns when every connected worker trains other sweeps only, as a `sweep run` does.
void SayWhetherItIsTrained(Connection& connection, const std::string& name,
                           const Session& session) {
  const absl::StatusOr<std::vector<v1::Worker>> workers = ListWorkers(connection);
  if (!workers.ok()) return;
  std::string others;
  for (const v1::Worker& worker : *workers) {
    if (!worker.connected()) continue;
    const auto& only = worker.only_sweeps();
    if (only.empty() || std::find(only.begin(), only.end(), name) != only.end()) return;
    for (const std::string& sweep : only) others += (others.empty() ? "" : ", ") + sweep;
  }
  if (others.empty()) return;
  Say(session, fmt::format("nobody trains {} yet: the workers there train {} only, as `sweep run` "
                           "does without --all",
                           name, Printable(others)));
}

struct SubmitFlags {
  std::string file;
  bool wait = false;
  bool new_name = false;
  bool keep_going = false;
  bool upload_data = false;
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
  std::vector<std::string> words = {"submit", FileWord(flags.file)};
  if (flags.wait) words.push_back("--wait");
  if (flags.keep_going) words.push_back("--keep-going");
  if (flags.upload_data) words.push_back("--upload-data");
  const std::string again = Command(session, words);
  const absl::StatusOr<v1::CreateSweepResponse> response =
      Submit(**connection,
             {.command = again,
              .keep_going = flags.keep_going,
              .new_name = flags.new_name,
              .upload_data = flags.upload_data},
             session, &*input);
  if (!response.ok()) return Fail(response.status());
  const v1::Sweep& sweep = response->sweep();
  const std::string name = ShortName(sweep.name());
  if (session.quiet && session.format == Format::kTable) std::cout << name << std::endl;
  if (response->created()) {
    Say(session,
        fmt::format("submitted {} ({}) to {}", name, PlannedText(sweep), (*connection)->address()));
  } else {
    Say(session,
        fmt::format("{} already exists and the file is unchanged: nothing was submitted ({}, {} of "
                    "{} ended)",
                    name, StatusText(sweep), EndedTrials(sweep.counts()), PlannedText(sweep)));
  }
  if (input->spec.trained_by_callers) {
    Say(session, "get its trials with: " + Command(session, {"ask", name}));
  } else {
    SayWhetherItIsTrained(**connection, name, session);
  }
  if (wait) return WaitForEnd(**connection, name, response->created(), again, session);
  Say(session, "follow it with: " + Command(session, {"watch", name}));
  // An existing sweep may have results, which the response lacks.
  const absl::StatusOr<v1::Sweep> whole = GetSweep(**connection, name);
  PrintSweep(whole.ok() ? *whole : sweep, session, {{"created", response->created()}});
  return kExitOk;
}

struct ListFlags {
  bool all = false;
  std::vector<std::string> states;
  std::vector<std::string> labels;  // KEY=VALUE
};

// Accepts "failed" too: it is no state of a sweep, but people look for it.
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
  return (flags.states.empty() || std::any_of(flags.states.begin(), flags.states.end(), is_in)) &&
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
  PrintListing(listing, session, std::cout);
  for (const v1::Sweep& sweep : *sweeps) {
    if (const std::string refusal = RefusalText(sweep); !refusal.empty()) Say(session, refusal);
    if (sweep.pause_reason().empty() || IsKeptFromRunning(sweep)) continue;
    Say(session, fmt::format("{}\ngo on with: {}", PauseText(sweep),
                             Command(session, {"resume", ShortName(sweep.name())})));
  }
  return kExitOk;
}

struct BestFlags {
  std::string sweep;
  int top = 10;
  std::string columns;
  bool region = false;
  std::string share = "90%";
};

int Best(const BestFlags& flags, const Session& session) {
  absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::Open(session.connection);
  if (!connection.ok()) return Fail(connection.status());
  const absl::StatusOr<std::string> name = NamedOrNewest(**connection, flags.sweep);
  if (!name.ok()) return Fail(name.status());
  if (flags.region) return BestRegion(**connection, *name, flags.share, session);
  const absl::StatusOr<v1::RankSweepResponse> ranking = RankSweep(**connection, *name, flags.top);
  if (!ranking.ok()) return Fail(ranking.status());
  const absl::StatusOr<Listing> listing =
      ChooseColumns(RankListing(*ranking), flags.columns, ObjectivesOf(ranking->sweep()));
  if (!listing.ok()) return Fail(listing.status());
  PrintListing(*listing, session, std::cout);
  PrintRankingNotes(*ranking, session, std::cout);
  const v1::TrialCounts& counts = ranking->sweep().counts();
  if (ranking->rows().empty() && counts.diverged() > 0 &&
      MadeTrials(counts) == EndedTrials(counts)) {
    Say(session,
        fmt::format("{} of {} diverged: {} has nothing to rank", counts.diverged(),
                    Counted(EndedTrials(counts), "trial"), ShortName(ranking->sweep().name())));
  }
  return ranking->sweep().qualifying() > 0 ? kExitOk : kExitNothingQualified;
}

}  // namespace

void AddSweepCommands(CLI::App* app, Session* session) {
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
  submit->add_flag("--upload-data", flags->upload_data,
                   "store the data set's folder at the coordinator, from where workers fetch it");
  submit->footer(
      "Examples:\n"
      "  sweep submit sweep.yaml --coordinator trainer-1:7077\n"
      "  sweep watch $(sweep submit sweep.yaml --quiet)\n"
      "  sweep submit sweep.yaml --wait && echo good enough\n"
      "  sweep submit fashion.yaml --upload-data       the data lie here only");
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
  list->add_option("--state", list_flags->states,
                   "only those that are in it; failed: with failures")
      ->delimiter(',')
      ->check(OneOf({"active", "paused", "completed", "cancelled", "failed"}));
  list->add_option("--label", list_flags->labels, "only those with this label; all that are given")
      ->type_name("KEY[=VALUE]");
  list->callback([=] { session->exit_code = List(*list_flags, *session); });

  CLI::App* best = app->add_subcommand(
      "best",
      "Show the ranking\n"
      "Configurations under the sweep's criteria, best first, each criterion met or missed by how "
      "much.\n"
      "With --region: the ranges of hyperparameters in which so many runs are expected to meet\n"
      "all criteria, by a model of those that have ended. Exit code 3: there are none.");
  best->group("Run sweeps");
  auto best_flags = std::make_shared<BestFlags>();
  best->add_option("NAME", best_flags->sweep, "the sweep; without it, the newest");
  CLI::Option* top = best->add_option("--top", best_flags->top, "rows")
                         ->check(CLI::Range(1, 1000))
                         ->capture_default_str();
  CLI::Option* columns =
      best->add_option(
              "--columns", best_flags->columns,
              "these columns, in this order: keys of the JSON, hyperparameters or measures, as "
              "trial,value,last.loss,lr")
          ->type_name("LIST");
  CLI::Option* region =
      best->add_flag("--region", best_flags->region, "instead, the region in which runs qualify")
          ->excludes(top)
          ->excludes(columns);
  best->add_option("--share", best_flags->share, "with --region: of its runs, from 50% to 99%")
      ->type_name("SHARE")
      ->capture_default_str()
      ->needs(region);
  best->footer(
      "Examples:\n"
      "  sweep best\n"
      "  sweep best seed-000 --top 3 --format json | jq '.[0].parameters'\n"
      "  sweep best --columns trial,value,lr,dropout\n"
      "  sweep best seed-000 --region --share 95%");
  best->callback([=] { session->exit_code = Best(*best_flags, *session); });
}

}  // namespace sweep::cli
