#include <fmt/format.h>

#include <atomic>
#include <iostream>
#include <thread>

#include "cli/calls.h"
#include "cli/commands/first_trial.h"
#include "cli/options.h"
#include "cli/present/download_bar.h"
#include "cli/present/present.h"
#include "cli/present/text.h"
#include "cli/present/watch.h"
#include "cli/session.h"
#include "cli/signals.h"
#include "cli/spec_input.h"
#include "cli/submission.h"
#include "coordinator/api/server.h"
#include "spdlog/spdlog.h"
#include "worker/agent/agent.h"
#include "worker/agent/find_trainer.h"
#include "worker/data/dataset.h"

namespace sweep::cli {
namespace {

struct RunOptions {
  std::string file;
  int slots = 0;
  std::string device = "auto";
  int threads = 0;
  std::string backend;
  std::string data_dir;
  std::string trainer;
  std::string http;
  int top = 10;
  bool first = false;
  bool new_name = false;
  bool keep_going = false;
};

// What is here of what the sweep trains on.
struct LocalData {
  std::string folder;
  std::string sha256;  // "" for a program's own
};

// Fetches and reads what the sweep trains on before anything else is started, so that a person sees
// at once what is missing or damaged.
absl::StatusOr<LocalData> PrepareData(const SweepSpec& spec, const DataOptions& options) {
  if (spec.dataset.name == "none") return LocalData();  // the program's own affair
  try {
    LocalData data{.folder = EnsureDataset(spec.dataset, options)};
    data.sha256 = LoadDataset(spec.dataset, data.folder).digest;
    return data;
  } catch (const DataError& error) {
    return absl::FailedPreconditionError(error.what());
  }
}

// Whether a sweep that is there, and goes on, was begun on this data.
absl::Status CheckData(const v1::Sweep& sweep, const LocalData& data) {
  const bool ended = sweep.state() == v1::SWEEP_STATE_COMPLETED ||
                     sweep.state() == v1::SWEEP_STATE_CANCELLED;
  if (ended || sweep.data_sha256().empty() || data.sha256.empty() ||
      sweep.data_sha256() == data.sha256) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(fmt::format(
      "sweep {} was begun on other data, and results of different data are not ranked together: it "
      "is trained on SHA-256 {}, and {} has {}. Bring the first data back, or give the file another "
      "name",
      ShortName(sweep.name()), sweep.data_sha256(),
      data.folder.empty() ? "this machine" : data.folder, data.sha256));
}

// Follows the sweep while the agent works. Ctrl-C drains; a second one stops at once. `*paused`:
// the coordinator has paused it, and there is nobody to resume it.
absl::Status FollowWithAgent(Connection& connection, const std::string& name, Agent& agent,
                             const Session& session, bool* paused) {
  std::atomic<bool> agent_ended = false;
  absl::Status agent_status;
  std::jthread waiter([&] {
    agent_status = agent.Wait();
    agent_ended = true;
  });
  absl::Status status;
  {
    WatchView view(session);
    view.EndAtPause();
    status = FollowSweep(
        connection, name, [&] { return SignalCount() > 0 || agent_ended; }, absl::ZeroDuration(),
        &view);
    *paused = view.HasEndedAtPause();
  }
  if ((SignalCount() > 0 || *paused) && !agent_ended) {
    if (!*paused) {
      std::cerr << "stopping: running trials are given back (Ctrl-C again to stop at once)\n";
    }
    agent.Drain();
    while (!agent_ended && SignalCount() < 2) WaitForSignal(absl::Milliseconds(50));
    if (!agent_ended) agent.DrainAtOnce();
    if (waiter.joinable()) waiter.join();  // the leases are given back then
  }
  const bool on_its_own = agent_ended;
  agent.Stop();
  if (waiter.joinable()) waiter.join();
  if (SignalCount() == 0 && on_its_own && !agent_status.ok()) return agent_status;
  return status;
}

AgentOptions MakeAgentOptions(const RunOptions& options, const SweepSpec& spec,
                              const DataOptions& data) {
  AgentOptions agent{.name = "",
                     .slots = options.slots,
                     .device = options.device,
                     .threads = options.threads,
                     .backend = options.backend,
                     .end_on_other_data = true,
                     .data = data};
  // Who runs a file on this machine means its program, too.
  agent.allow_programs = agent.trainer_optional = !spec.program.empty();
  if (!options.trainer.empty()) agent.trainer_command = {options.trainer};
  return agent;
}

// The sweep of the file in this database, made or found, and going on if that is asked for.
absl::StatusOr<v1::CreateSweepResponse> TakeUp(Connection& connection, const RunOptions& options,
                                               const Session& session, SweepInput* input) {
  absl::StatusOr<v1::CreateSweepResponse> created =
      Submit(connection,
             {.command = "sweep run " + options.file + SameCoordinator(session),
              .keep_going = options.keep_going,
              .new_name = options.new_name},
             session, input);
  if (!created.ok()) return created;
  if (options.new_name) Say(session, "running it as " + input->spec.name);
  if (!created->created()) {
    Say(session,
        fmt::format("resuming {}: {}/{} trials have ended", input->spec.name,
                    EndedTrials(created->sweep().counts()), created->sweep().planned_trials()));
  }
  const bool keep_going = options.keep_going || input->spec.keep_going;
  if (keep_going && !created->sweep().pause_reason().empty()) {
    const absl::StatusOr<v1::Sweep> resumed = ResumeSweep(connection, input->spec.name);
    if (!resumed.ok()) return resumed.status();
  }
  return created;
}

int Run(const RunOptions& options, const Session& session) {
  absl::StatusOr<SweepInput> input = ReadSweepFile(options.file);
  if (!input.ok()) return FailInput(input.status());
  InstallSignals();
  const SweepSpec& spec = input->spec;
  DataOptions data{.data_dir = options.data_dir};
  if (session.terminal) data.progress = DownloadBar();
  const absl::StatusOr<LocalData> local_data = PrepareData(spec, data);
  if (!local_data.ok()) return Fail(local_data.status());
  AgentOptions agent_options = MakeAgentOptions(options, spec, data);
  if (options.first) return TryFirstTrial(*input, options.slots, agent_options, session);

  absl::StatusOr<std::unique_ptr<CoordinatorServer>> server =
      CoordinatorServer::Start({.listen = "127.0.0.1:0",
                                .database = session.connection.database,
                                .http = options.http});
  if (absl::IsInvalidArgument(server.status())) return FailInput(server.status());
  if (!server.ok()) return Fail(server.status());
  if (!(*server)->dashboard().empty()) Say(session, "dashboard on " + (*server)->dashboard());
  absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::To((*server)->address());
  if (!connection.ok()) return Fail(connection.status());
  const absl::StatusOr<v1::CreateSweepResponse> created =
      TakeUp(**connection, options, session, &*input);
  if (!created.ok()) return Fail(created.status());
  const absl::Status same_data = CheckData(created->sweep(), *local_data);
  if (!same_data.ok()) return Fail(same_data);
  agent_options.coordinator = (*server)->address();
  absl::StatusOr<std::unique_ptr<Agent>> agent = Agent::Start(agent_options);
  if (!agent.ok()) return Fail(agent.status());

  bool paused = false;
  const absl::Status status = FollowWithAgent(**connection, spec.name, **agent, session, &paused);
  if (SignalCount() > 0) {
    std::cerr << fmt::format("stopped; everything so far is in {}. Go on with: sweep run {}{}\n",
                             session.connection.database, options.file, SameCoordinator(session));
    return kExitInterrupted;
  }
  if (!status.ok()) return Fail(status);
  if (paused) {
    const absl::StatusOr<v1::Sweep> sweep = GetSweep(**connection, spec.name);
    if (!sweep.ok()) return Fail(sweep.status());
    const std::string again = "sweep run " + options.file + SameCoordinator(session);
    return FailPaused(*sweep, "run it with " + again + " --new", again + " --keep-going");
  }
  Say(session, "");
  return FinishSweep(**connection, spec.name, options.top, session);
}

}  // namespace

void AddRunCommand(CLI::App* app, Session* session) {
  CLI::App* run = app->add_subcommand(
      "run",
      "Run on this machine\n"
      "Starts a coordinator and a worker in this process, shows progress, and prints the ranking.\n"
      "Everything lands in --db; run it again to go on where it was. Ctrl-C stops after a "
      "checkpoint.");
  run->group("Run sweeps");
  auto options = std::make_shared<RunOptions>();
  run->add_option("FILE", options->file, "the sweep file")->required();
  run->add_option("--slots", options->slots, "trials at once; without it, one per core")
      ->check(CLI::Range(1, 1024));
  run->add_option("--device", options->device, "auto, cpu or cuda:N")
      ->type_name("DEVICE")
      ->capture_default_str();
  run->add_option("--threads", options->threads, "cores for one trial; without it, 1")
      ->check(CLI::Range(1, 999));
  run->add_option(
         "--backend", options->backend,
         "who computes; without it, lanes on a processor, for networks that it can compute")
      ->check(OneOf(kTrainerBackends));
  run->add_option("--data-dir", options->data_dir, "the folder of the data set's files")
      ->type_name("FOLDER")
      ->envname("SWEEP_DATA_DIR");
  run->add_option("--trainer", options->trainer,
                  "the program that trains; without it, sweep-trainer")
      ->type_name("PROGRAM");
  run->add_option("--http", options->http,
                  "serve the web dashboard there while it runs; port 0: any free one")
      ->type_name("HOST:PORT");
  run->add_flag("--first", options->first,
                "only try: train the first trial for one epoch, say how that went, keep nothing");
  run->add_flag("--new", options->new_name,
                "a new sweep: when the name is taken, NAME-2 or the next that is free");
  run->add_flag("--keep-going", options->keep_going,
                "do not pause when the first trials all fail alike");
  run->add_option("--top", options->top, "rows of the ranking")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  run->footer(
      "Examples:\n"
      "  sweep run examples/quickstart.yaml\n"
      "  sweep run sweep.yaml --first                  does it work at all?\n"
      "  sweep run sweep.yaml --slots 4 --db nights.db\n"
      "  sweep run sweep.yaml --quiet --format json > ranking.json");
  run->callback([=] { session->exit_code = Run(*options, *session); });
}

}  // namespace sweep::cli
