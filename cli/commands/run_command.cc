#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <thread>
#include <utility>

#include "cli/calls.h"
#include "cli/commands/first_trial.h"
#include "cli/present/download_bar.h"
#include "cli/present/present.h"
#include "cli/present/text.h"
#include "cli/present/watch.h"
#include "cli/session.h"
#include "cli/signals.h"
#include "cli/spec_input.h"
#include "cli/submission.h"
#include "common/base/counted.h"
#include "common/command_line/options.h"
#include "common/protocol/uploaded_data.h"
#include "coordinator/api/server.h"
#include "coordinator/store/store_files.h"
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
  bool all = false;  // also train the other sweeps of the database
  bool upload_data = false;
};

// The local data of a sweep.
struct LocalData {
  std::string folder;
  std::string sha256;  // "" for a program's own data
};

constexpr char kDataDirVariable[] = "SWEEP_DATA_DIR";

// On a machine too busy to answer in time gRPC gives up even the connection within this process; it
// is there again soon, unless the database has gone.
constexpr absl::Duration kOwnPatience = absl::Seconds(30);

// Longer than a drained trial may take to write its checkpoint.
constexpr absl::Duration kLongestDrain = absl::Seconds(20);

// Fetches and reads the training data before anything starts, so that missing or damaged data is
// reported at once.
absl::StatusOr<LocalData> PrepareData(const SweepSpec& spec, const DataOptions& options) {
  if (spec.dataset.name == "none") return LocalData();  // the program has its own data
  if (IsUploaded(spec.dataset)) return LocalData();     // the coordinator has it
  try {
    LocalData data{.folder = EnsureDataset(spec.dataset, options)};
    data.sha256 = LoadDataset(spec.dataset, data.folder).digest;
    return data;
  } catch (const DataError& error) {
    return absl::FailedPreconditionError(error.what());
  }
}

// Checks that a running sweep started on this data.
absl::Status CheckData(const v1::Sweep& sweep, const LocalData& data) {
  if (HasEnded(sweep) || sweep.data_sha256().empty() || data.sha256.empty() ||
      sweep.data_sha256() == data.sha256) {
    return absl::OkStatus();
  }
  return absl::FailedPreconditionError(fmt::format(
      "sweep {} was begun on other data, and results of different data are not ranked together: it "
      "is trained on SHA-256 {}, and {} has {}. Bring the first data back, or give the file "
      "another "
      "name",
      ShortName(sweep.name()), sweep.data_sha256(),
      data.folder.empty() ? "this machine" : data.folder, data.sha256));
}

// The same command line again.
std::string SameRun(const RunOptions& options, const Session& session) {
  std::vector<std::string> words = {"run", FileWord(options.file)};
  if (options.slots > 0) words.push_back(fmt::format("--slots={}", options.slots));
  if (options.device != "auto") words.push_back("--device=" + options.device);
  if (options.threads > 0) words.push_back(fmt::format("--threads={}", options.threads));
  if (!options.backend.empty()) words.push_back("--backend=" + options.backend);
  // A pasted command inherits the variable.
  const char* const variable = std::getenv(kDataDirVariable);
  if (!options.data_dir.empty() && (variable == nullptr || options.data_dir != variable)) {
    words.push_back("--data-dir=" + options.data_dir);
  }
  if (!options.trainer.empty()) words.push_back("--trainer=" + options.trainer);
  if (!options.http.empty()) words.push_back("--http=" + options.http);
  if (options.keep_going) words.push_back("--keep-going");
  if (options.all) words.push_back("--all");
  if (options.upload_data) words.push_back("--upload-data");
  return Command(session, words);
}

// "night and big", "night, big and 3 more"
std::string Names(const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 3;
  std::string text;
  const std::size_t shown = std::min(names.size(), kMost);
  for (std::size_t i = 0; i < shown; ++i) {
    const bool is_last = i + 1 == names.size();
    text += (i == 0 ? "" : is_last ? " and " : ", ") + names[i];
  }
  if (names.size() > shown) text += fmt::format(" and {} more", names.size() - shown);
  return text;
}

// Says what happens to the other sweeps in the database.
void SayOthers(Connection& connection, const std::string& name, const RunOptions& options,
               const Session& session) {
  const absl::StatusOr<std::vector<v1::Sweep>> sweeps = ListSweeps(connection);
  if (!sweeps.ok()) return;
  std::vector<std::string> others;
  for (const v1::Sweep& sweep : *sweeps) {
    const bool waits = sweep.state() == v1::SWEEP_STATE_ACTIVE && ShortName(sweep.name()) != name;
    if (waits) others.push_back(ShortName(sweep.name()));
  }
  if (others.empty()) return;
  Say(session, options.all
                   ? fmt::format("also trains {} until {} has ended (--all)", Names(others), name)
                   : fmt::format("{} {} not trained by this run; --all trains all sweeps",
                                 Names(others), others.size() == 1 ? "is" : "are"));
}

// The progress so far: "2 of 6 trials ended, 2 kept at epoch 1 and 3"
std::string Kept(Connection& connection, const std::string& name, const v1::Sweep& sweep) {
  std::string kept = fmt::format("{} of {} ended", EndedTrials(sweep.counts()), PlannedText(sweep));
  const absl::StatusOr<std::vector<v1::Trial>> pending =
      ListTrials(connection, name, {.state = v1::TRIAL_STATE_PENDING, .where = "epoch > 0"});
  if (!pending.ok() || pending->empty()) return kept;
  std::vector<std::string> epochs;
  for (const v1::Trial& trial : *pending) epochs.push_back(std::to_string(trial.epoch()));
  return kept + fmt::format(", {} kept at epoch {}", epochs.size(), Names(epochs));
}

// After Ctrl-C.
int EndInterrupted(Connection& connection, const std::string& name, const RunOptions& options,
                   const Session& session) {
  const std::string database = Printable(session.connection.database);
  const absl::StatusOr<v1::Sweep> sweep = GetSweep(connection, name);
  if (!sweep.ok()) {
    std::cerr << fmt::format("stopped; all that was reported is in {}\n", database);
    return kExitInterrupted;
  }
  const bool is_done = HasEnded(*sweep);
  std::cerr << fmt::format("stopped: {}; all of it is in {}\n{}: {}\n",
                           Kept(connection, name, *sweep), database,
                           is_done ? "see the ranking with" : "go on with",
                           is_done ? Command(session, {"best", name}) : SameRun(options, session));
  return kExitInterrupted;
}

// Drains the agent because the sweep has ended, can no longer be followed, or was interrupted.
// Ctrl-C again ends it at once.
void DrainAgent(Agent& agent, const std::atomic<bool>& agent_ended, int signals_to_stop) {
  agent.Drain();
  const absl::Time give_up = absl::Now() + kLongestDrain;
  while (!agent_ended && SignalCount() < signals_to_stop && absl::Now() < give_up) {
    WaitForSignal(absl::Milliseconds(20));
  }
  if (!agent_ended) agent.DrainAtOnce();
}

struct Followed {
  absl::Status status;
  std::string name;       // the sweep's name at the end; it may have been renamed
  int failures_told = 0;  // trials whose failure had a line of its own
  bool paused = false;    // by the coordinator, with nobody to resume it
};

// Follows the sweep in `view` while the agent works. Ctrl-C drains; a second Ctrl-C stops at once.
Followed FollowWithAgent(Connection& connection, const std::string& name, Agent& agent,
                         std::unique_ptr<WatchView> view) {
  std::atomic<bool> agent_ended = false;
  absl::Status agent_status;
  std::jthread waiter([&] {
    agent_status = agent.Wait();
    agent_ended = true;
  });
  Followed followed;
  view->EndAtPause();
  followed.status = FollowSweep(
      connection, name, [&] { return SignalCount() > 0 || agent_ended; }, kOwnPatience, view.get());
  followed.failures_told = view->model().failures_told();
  followed.paused = view->HasEndedAtPause();
  followed.name = NameNow(*view, name);
  view.reset();
  const bool on_its_own = agent_ended;
  if (!on_its_own) {
    const int signals = SignalCount();
    if (signals > 0) {
      std::cerr << "stopping: running trials save a checkpoint (Ctrl-C again to stop at once)\n";
    }
    DrainAgent(agent, agent_ended, signals > 0 ? 2 : 1);
    waiter.join();  // the leases have been given back
  }
  agent.Stop();
  if (waiter.joinable()) waiter.join();
  if (SignalCount() == 0 && on_its_own && !agent_status.ok()) followed.status = agent_status;
  return followed;
}

// Adds that the sweep can be submitted to the process that holds the database.
absl::Status WithHolderHint(const absl::Status& status, const RunOptions& options,
                            const Session& session) {
  if (!absl::IsFailedPrecondition(status) ||
      !StoreFiles::FindHolder(session.connection.database).ok()) {
    return status;
  }
  return absl::FailedPreconditionError(fmt::format(
      "{}; hand it this sweep with: {}", std::string(status.message()),
      Command({"submit", FileWord(options.file), "--db=" + session.connection.database})));
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
  // Running a file on this machine permits its program.
  agent.allow_programs = agent.trainer_optional = !spec.program.empty();
  if (!options.trainer.empty()) agent.trainer_command = {options.trainer};
  return agent;
}

// Creates or finds the file's sweep in this database, and resumes it if asked.
absl::StatusOr<v1::CreateSweepResponse> CreateOrResume(Connection& connection,
                                                       const RunOptions& options,
                                                       const Session& session, SweepInput* input) {
  absl::StatusOr<v1::CreateSweepResponse> created = Submit(connection,
                                                           {.command = SameRun(options, session),
                                                            .keep_going = options.keep_going,
                                                            .new_name = options.new_name,
                                                            .upload_data = options.upload_data},
                                                           session, input);
  if (!created.ok()) return created;
  if (options.new_name) Say(session, "running it as " + input->spec.name);
  if (!created->created()) {
    Say(session,
        fmt::format("resuming {}: {} of {} ended", input->spec.name,
                    EndedTrials(created->sweep().counts()), PlannedText(created->sweep())));
  }
  const bool keep_going = options.keep_going || input->spec.keep_going;
  if (keep_going && !created->sweep().pause_reason().empty()) {
    const absl::StatusOr<v1::Sweep> resumed = ResumeSweep(connection, input->spec.name);
    if (!resumed.ok()) return resumed.status();
  }
  return created;
}

// True when the database is held by a `run` that is about to end, as after closing its terminal.
bool IsHeldByOneThatEnds(const Session& session) {
  const absl::StatusOr<std::string> holder = StoreFiles::FindHolder(session.connection.database);
  // A `run` has no TLS.
  if (!holder.ok() || holder->starts_with(kTlsScheme)) return false;
  const absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::To(*holder);
  if (!connection.ok()) return true;  // it no longer answers
  const absl::StatusOr<std::vector<v1::Worker>> workers = ListWorkers(**connection);
  // Nor has it tokens.
  if (!workers.ok()) return !IsAccessRefusal(workers.status());
  bool any = false;
  for (const v1::Worker& worker : *workers) {
    if (!worker.connected()) continue;
    if (!worker.draining() || worker.only_sweeps().empty()) return false;
    any = true;
  }
  return any;
}

// Starts the server; waits for an ending `run` that still saves its checkpoints.
absl::StatusOr<std::unique_ptr<CoordinatorServer>> StartServer(const ServerOptions& server_options,
                                                               const Session& session) {
  absl::StatusOr<std::unique_ptr<CoordinatorServer>> server =
      CoordinatorServer::Start(server_options);
  bool told = false;
  const absl::Time give_up = absl::Now() + kLongestDrain;
  while (absl::IsFailedPrecondition(server.status()) && SignalCount() == 0 &&
         absl::Now() < give_up && (told || IsHeldByOneThatEnds(session))) {
    if (!told) Say(session, "waiting for the run before, which saves its checkpoints");
    told = true;
    WaitForSignal(absl::Milliseconds(200));
    server = CoordinatorServer::Start(server_options);
  }
  return server;
}

int Run(const RunOptions& options, const Session& session) {
  absl::StatusOr<SweepInput> input = ReadSweepFile(options.file);
  if (!input.ok()) return FailInput(input.status());
  InstallSignals();
  const SweepSpec& spec = input->spec;
  if (spec.trained_by_callers) {
    return Fail(absl::InvalidArgumentError(
        fmt::format("{} is trained by callers, which ask for its trials: {}, then {}", spec.name,
                    Command(session, {"submit", FileWord(options.file)}),
                    Command(session, {"ask", spec.name}))));
  }
  DataOptions data{.data_dir = options.data_dir};
  if (session.terminal) data.progress = DownloadBar();
  const absl::StatusOr<LocalData> local_data = PrepareData(spec, data);
  if (!local_data.ok()) return Fail(local_data.status());
  AgentOptions agent_options = MakeAgentOptions(options, spec, data);
  if (options.first) return TryFirstTrial(*input, options.slots, agent_options, session);

  const std::string worker = MakeWorkerName();
  absl::StatusOr<std::unique_ptr<CoordinatorServer>> server =
      StartServer({.listen = "127.0.0.1:0",
                   .database = session.connection.database,
                   .http = options.http,
                   .embedded_worker = worker},
                  session);
  if (absl::IsInvalidArgument(server.status())) return FailInput(server.status());
  if (!server.ok()) return Fail(WithHolderHint(server.status(), options, session));
  if (!(*server)->dashboard().empty()) Say(session, "dashboard on " + (*server)->dashboard());
  absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::To((*server)->address());
  if (!connection.ok()) return Fail(connection.status());
  const absl::StatusOr<v1::CreateSweepResponse> created =
      CreateOrResume(**connection, options, session, &*input);
  if (!created.ok()) return Fail(created.status());
  const absl::Status same_data = CheckData(created->sweep(), *local_data);
  if (!same_data.ok()) return Fail(same_data);
  SayOthers(**connection, spec.name, options, session);
  agent_options.coordinator = (*server)->address();
  agent_options.name = worker;
  // Only now is the name final: a new sweep may have got another one than in its file.
  if (!options.all) agent_options.only_sweeps = {spec.name};
  auto view = std::make_unique<WatchView>(session, /*only_news=*/false);
  // Events from before the first trial are no news.
  const absl::StatusOr<std::vector<v1::Trial>> before = ListTrials(**connection, spec.name, {});
  if (before.ok()) view->SetEarlierState(*before);
  absl::StatusOr<std::unique_ptr<Agent>> agent = Agent::Start(agent_options);
  if (!agent.ok()) return Fail(agent.status());

  const Followed followed = FollowWithAgent(**connection, spec.name, **agent, std::move(view));
  if (SignalCount() > 0) return EndInterrupted(**connection, followed.name, options, session);
  if (!followed.status.ok()) return Fail(followed.status);
  if (followed.paused) {
    const absl::StatusOr<v1::Sweep> sweep = GetSweep(**connection, followed.name);
    if (!sweep.ok()) return Fail(sweep.status());
    const std::string again = SameRun(options, session);
    return FailPaused(*sweep, again + " --new", again + " --keep-going", session);
  }
  Say(session, "");
  return FinishSweep(**connection, followed.name, options.top, session, followed.failures_told);
}

}  // namespace

void AddRunCommand(CLI::App* app, Session* session) {
  CLI::App* run = app->add_subcommand(
      "run",
      "Run on this machine\n"
      "Starts a coordinator and a worker in this process, shows progress, and prints the ranking.\n"
      "Everything lands in --db; run it again to go on where it was. Ctrl-C stops after a "
      "checkpoint.\n"
      "Other sweeps of the database wait, but with --all.");
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
      ->envname(kDataDirVariable);
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
  run->add_flag("--all", options->all, "also train the other sweeps of the database meanwhile");
  run->add_flag("--upload-data", options->upload_data,
                "store the data set's folder in the database, for coordinators on other machines");
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
