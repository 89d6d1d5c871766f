// Commands that repeat what the coordinator did: a sweep's search, or the training of one trial.

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <thread>

#include "cli/calls.h"
#include "cli/commands/replay_trial.h"
#include "cli/present/cells.h"
#include "cli/present/present.h"
#include "cli/present/text.h"
#include "cli/session.h"
#include "cli/signals.h"
#include "cli/stubs.h"
#include "common/base/counted.h"
#include "common/command_line/options.h"
#include "proto/grpc_status.h"
#include "proto/names.h"
#include "worker/agent/find_trainer.h"

namespace sweep::cli {
namespace {

using PointValues = google::protobuf::Map<std::string, v1::Value>;

Json PointJson(const PointValues& values) {
  Json json = Json::object();
  std::map<std::string, v1::Value> sorted(values.begin(), values.end());
  for (const auto& [name, value] : sorted) json[name] = ValueJson(value);
  return json;
}

Listing SuggestionListing(const v1::PreviewSuggestionsResponse& answer) {
  Listing listing;
  listing.columns = {{"#", "configuration", true},
                     {"HYPERPARAMETERS", "parameters", false, true, true},
                     {"NETWORK", "model"},
                     {"PARAMS", "network_parameters", true},
                     {"METHOD", "chosen_by"},
                     {"CHOSEN", "chosen_source"},
                     {"EXPECTED GAIN", "expected_improvement", true},
                     {"RESULTS SEEN", "seen_results", true}};
  for (const v1::SuggestedPoint& point : answer.points()) {
    const bool has_network = !point.model().empty();
    listing.rows.push_back(
        {cells::Count(point.configuration()),
         {Printable(ValuesText(point.parameters())), PointJson(point.parameters())},
         has_network ? cells::Text(point.model()) : cells::Missing(),
         has_network ? cells::Count(point.network_parameters()) : cells::Missing(),
         // An earlier coordinator does not say how.
         point.chosen_by().empty() ? cells::Missing() : cells::Text(point.chosen_by()),
         point.chosen_source().empty() ? cells::Missing() : cells::Text(point.chosen_source()),
         point.has_expected_improvement()
             ? Cell{fmt::format("{:.3g}", point.expected_improvement()),
                    point.expected_improvement()}
             : cells::Missing(),
         point.chosen_by().empty() ? cells::Missing() : cells::Count(point.seen_results())});
  }
  return listing;
}

int Suggest(const std::string& name, int count, const Session& session) {
  absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::Open(session.connection);
  if (!connection.ok()) return Fail(connection.status());
  const absl::StatusOr<v1::PreviewSuggestionsResponse> answer =
      PreviewSuggestions(**connection, name, count);
  if (!answer.ok()) return Fail(answer.status());
  if (answer->points_size() > 0 || session.format != Format::kTable) {
    PrintListing(SuggestionListing(*answer), session, std::cout);
  }
  if (!answer->reason().empty()) {
    std::cerr << fmt::format(
        "{}: {}\n", answer->points_size() == 0 ? "nothing to try next" : "no more than these",
        Printable(answer->reason()));
  }
  return kExitOk;
}

// ---- sweep replay NAME --search

// What a replay of a search has found.
struct SearchReplay {
  v1::ReplaySearchResponse last;
  std::vector<v1::SearchDifference> differences;
};

// Reads the answers until the last one. Cancelled after Ctrl-C.
absl::Status ReadReplay(Connection& connection, const std::string& name, const Session& session,
                        SearchReplay* replay) {
  grpc::ClientContext context;
  v1::ReplaySearchRequest request;
  request.set_name(SweepResource(name));
  std::unique_ptr<grpc::ClientReader<v1::ReplaySearchResponse>> reader =
      connection.stubs().sweeps.ReplaySearch(&context, request);
  // Read blocks: this thread cancels it on Ctrl-C.
  std::jthread canceller([&](std::stop_token stop) {
    while (!stop.stop_requested()) {
      if (SignalCount() > 0) return context.TryCancel();
      WaitForSignal(absl::Milliseconds(100));
    }
  });
  const bool shows = session.terminal && session.format == Format::kTable && !session.quiet;
  v1::ReplaySearchResponse answer;
  while (reader->Read(&answer)) {
    replay->differences.insert(replay->differences.end(), answer.differences().begin(),
                               answer.differences().end());
    replay->last = answer;
    if (shows) {
      std::cerr << fmt::format("\r\x1b[K{} of {}", answer.compared(),
                               Counted(answer.configurations(), "configuration"))
                << std::flush;
    }
  }
  if (shows) std::cerr << "\r\x1b[K" << std::flush;
  canceller.request_stop();
  canceller.join();
  const absl::Status status = FromGrpcStatus(reader->Finish());
  if (SignalCount() > 0 && !replay->last.done()) return absl::CancelledError("interrupted");
  if (status.ok() && !replay->last.done()) return absl::InternalError("the replay broke off");
  return status;
}

// "member 3 from trial 5: lr=0.1"; the values alone where there is no population.
std::string PointText(const google::protobuf::Map<std::string, v1::Value>& values, bool is_segment,
                      int member, std::int64_t parent) {
  const std::string text = ValuesText(values);
  if (!is_segment) return text;
  return fmt::format("member {}{}: {}", member,
                     parent > 0 ? fmt::format(" from trial {}", parent) : "", text);
}

Json DifferenceJson(const v1::SearchDifference& difference) {
  Json json{{"configuration", difference.configuration()},
            {"stored", PointJson(difference.stored())},
            {"suggested", nullptr},
            {"reason", difference.reason()},
            {"seen_sequence", difference.seen_sequence()}};
  if (difference.reason().empty()) json["suggested"] = PointJson(difference.suggested());
  if (!difference.has_stored_member()) return json;
  json["stored_parent"] = difference.stored_parent();
  json["suggested_parent"] = nullptr;
  if (difference.has_suggested_member()) json["suggested_parent"] = difference.suggested_parent();
  return json;
}

void PrintSearchReplay(const std::string& name, const SearchReplay& replay,
                       const Session& session) {
  const v1::ReplaySearchResponse& last = replay.last;
  if (session.format == Format::kCsv) {
    Listing listing;
    for (const char* const key : {"configuration", "stored", "suggested", "reason"}) {
      listing.columns.push_back({"", key});
    }
    for (const v1::SearchDifference& one : replay.differences) {
      const Json json = DifferenceJson(one);
      listing.rows.push_back({{"", json["configuration"]},
                              {"", json["stored"]},
                              {"", json["suggested"]},
                              {"", json["reason"]}});
    }
    return PrintListing(listing, session, std::cout);
  }
  if (session.format == Format::kJson) {
    Json differences = Json::array();
    for (const v1::SearchDifference& one : replay.differences) {
      differences.push_back(DifferenceJson(one));
    }
    return PrintJson({{"name", name},
                      {"configurations", last.configurations()},
                      {"compared", last.compared()},
                      {"same", last.equal()},
                      {"sweep_files", last.files()},
                      {"not_compared", last.not_compared()},
                      {"not_compared_reason", last.not_compared_reason()},
                      {"differences", differences}},
                     std::cout);
  }
  if (last.files() > 1) {
    std::cout << fmt::format(
        "the sweep was edited: {} files have made its configurations, and each is compared with "
        "what the search of\nits own file suggests\n",
        last.files());
  }
  if (last.not_compared() > 0) {
    std::cout << fmt::format("{} not compared: {}\n",
                             last.not_compared() == 1
                                 ? "1 configuration was"
                                 : fmt::format("{} configurations were", last.not_compared()),
                             Printable(last.not_compared_reason()));
  }
  if (replay.differences.empty()) {
    if (last.compared() == 0 && last.not_compared() > 0) return;
    std::cout << (last.compared() == 0
                      ? "the search has made no configuration yet"
                      : fmt::format("{} {} the same", last.compared() == 1 ? "the" : "all",
                                    last.compared() == 1
                                        ? "suggestion is"
                                        : fmt::format("{} suggestions are", last.compared())))
              << '\n';
    return;
  }
  const v1::SearchDifference& first = replay.differences.front();
  std::cout << fmt::format(
      "{} of {} suggestions are the same; the first that differs is configuration {}:\n"
      "  stored     {}\n"
      "  suggested  {}\n",
      last.equal(), last.compared(), first.configuration(),
      Printable(PointText(first.stored(), first.has_stored_member(), first.stored_member(),
                          first.stored_parent())),
      first.reason().empty()
          ? Printable(PointText(first.suggested(), first.has_suggested_member(),
                                first.suggested_member(), first.suggested_parent()))
          : "nothing: " + Printable(first.reason()));
  if (!session.quiet) {
    std::cout
        << "Points differ when another build has made them, whose search method or file "
           "reader was another, and\nwhen a slow or failed model was replaced. The later ones "
           "were compared after the stored points.\n";
  }
}

int ReplaySearch(const std::string& name, const Session& session) {
  InstallSignals();
  absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::Open(session.connection);
  if (!connection.ok()) return Fail(connection.status());
  const absl::StatusOr<v1::Sweep> sweep = GetSweep(**connection, name);
  if (!sweep.ok()) return Fail(sweep.status());
  const std::string shown = ShortName(sweep->name());
  SearchReplay replay;
  const absl::Status status = ReadReplay(**connection, shown, session, &replay);
  if (absl::IsCancelled(status) && SignalCount() > 0) {
    std::cerr << fmt::format(
        "stopped after {} of {}; {} of them were the same\n", replay.last.compared(),
        Counted(replay.last.configurations(), "configuration"), replay.last.equal());
    return kExitInterrupted;
  }
  if (!status.ok()) return Fail(status);
  PrintSearchReplay(shown, replay, session);
  return replay.differences.empty() ? kExitOk : kExitFailed;
}

// ---- the command

struct ReplayFlags {
  std::string name;
  bool search = false;
  ReplayTrialOptions trial;
};

int Replay(const ReplayFlags& flags, const CLI::App& command, const Session& session) {
  const bool is_trial = ParseTrialResource(flags.name).ok();
  if (is_trial && flags.search) {
    return Fail(absl::InvalidArgumentError(
        fmt::format("--search goes with a sweep, and '{}' is a trial; its sweep is '{}'",
                    flags.name, ParseTrialResource(flags.name)->sweep)));
  }
  if (is_trial) return ReplayTrial(flags.name, flags.trial, session);
  if (!flags.search) {
    return Fail(absl::InvalidArgumentError(fmt::format(
        "'{0}' is no trial: {1} trains one again, {2} makes the suggestions of a sweep again",
        flags.name, "`sweep replay NAME/N`", "`sweep replay NAME --search`")));
  }
  for (const CLI::Option* const option : command.get_options()) {
    const std::string option_name = option->get_name();
    // A variable may have set --data-dir for other commands.
    const bool is_allowed =
        option->get_positional() || !option->get_envname().empty() || option_name == "--search";
    if (option->count() == 0 || is_allowed) continue;
    return Fail(absl::InvalidArgumentError(
        fmt::format("{} goes with a trial, not with --search", option_name)));
  }
  return ReplaySearch(flags.name, session);
}

void AddReplayFlags(CLI::App* replay, ReplayFlags* flags) {
  ReplayTrialOptions& trial = flags->trial;
  replay->add_option("NAME[/N]", flags->name, "the trial, or with --search the sweep")->required();
  replay->add_flag("--search", flags->search, "make the suggestions of the sweep again");
  replay->add_option("--epochs", trial.epochs, "only the first so many epochs")
      ->type_name("N")
      ->check(Positive());
  replay->add_option("--backend", trial.backend, "who computes; without it, who did then")
      ->check(OneOf(kTrainerBackends));
  replay->add_option("--device", trial.device, "auto, cpu or cuda:N; without it, as then")
      ->type_name("DEVICE");
  replay->add_option("--threads", trial.threads, "cores; without it, as many as then")
      ->type_name("N")
      ->check(Positive());
  replay->add_option("--data-dir", trial.data_dir, "the folder of the data set's files")
      ->type_name("FOLDER")
      ->envname("SWEEP_DATA_DIR");
  replay
      ->add_option("--trainer", trial.trainer, "the program that trains; without it, sweep-trainer")
      ->type_name("PROGRAM");
  replay->add_flag("--allow-program", trial.allow_program,
                   "run the program that the sweep brings with it");
}

}  // namespace

void AddSearchCommands(CLI::App* app, Session* session) {
  CLI::App* suggest = app->add_subcommand(
      "suggest",
      "What would come next\n"
      "The points that the search would try next if slots became free now, and how it chose\n"
      "them. Starts and stores nothing: with the results of the trials that run now it may\n"
      "choose others.");
  suggest->group("Run sweeps");
  auto name = std::make_shared<std::string>();
  auto count = std::make_shared<int>(5);
  suggest->add_option("NAME", *name, "the sweep")->required();
  suggest->add_option("--count", *count, "how many")
      ->type_name("N")
      ->check(CLI::Range(1, 64))
      ->capture_default_str();
  suggest->footer(
      "Examples:\n"
      "  sweep suggest seed-000\n"
      "  sweep suggest seed-000 --count 20 --format csv > next.csv");
  suggest->callback([=] { session->exit_code = Suggest(*name, *count, *session); });

  CLI::App* replay = app->add_subcommand(
      "replay",
      "Train again, compare\n"
      "A trial: trains it again here and compares every epoch with the stored one, bit for bit\n"
      "where build, backend, device, instruction set and threads are the same, else within a\n"
      "tolerance (0.06 of an accuracy, 0.3 of a loss). --search: lets the search see what it\n"
      "saw then and compares every suggestion with the stored configuration. Stores nothing.\n"
      "Exit code 0: the same, or within the tolerance; 1: not.");
  replay->group("Networks and models");
  replay->footer(
      "Examples:\n"
      "  sweep replay seed-000/17\n"
      "  sweep replay seed-000/17 --epochs 2 --backend torch\n"
      "  sweep replay seed-000 --search");
  auto flags = std::make_shared<ReplayFlags>();
  AddReplayFlags(replay, flags.get());
  replay->callback([=] { session->exit_code = Replay(*flags, *replay, *session); });
}

}  // namespace sweep::cli
