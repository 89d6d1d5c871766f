// sweep-worker: one per machine; takes trials from a coordinator and trains them.

#include <pthread.h>
#include <signal.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/time/time.h"
#include "common/base/end_signals.h"
#include "common/base/ids.h"
#include "common/base/printable.h"
#include "common/command_line/options.h"
#include "common/command_line/program.h"
#include "common/logging/log.h"
#include "proto/address.h"
#include "worker/agent/agent.h"
#include "worker/agent/canary.h"
#include "worker/agent/find_trainer.h"
#include "worker/agent/security_flags.h"

namespace {

enum ExitCode { kOk = 0, kFailed = 1, kBadArguments = 2, kUnreachable = 4, kNotAllowed = 5 };

struct Arguments {
  sweep::AgentOptions agent;
  std::vector<std::string> labels;
  std::string trainer;
  std::string log_level = "info";
  std::string silence_timeout = "10m";
  std::string drain_grace = "10s";
  bool skip_canary = false;
  std::string data_cache_limit = "20 GB";
};

// Why an option cannot have a value; "" when it can.
std::string CoordinatorFault(const std::string& text) {
  return std::string(sweep::ParseAddress(text).status().message());
}

std::string DeviceFault(const std::string& text) {
  return sweep::IsDevice(text) ? "" : "'" + text + "' is not auto, cpu or cuda:N";
}

std::string NameFault(const std::string& text) {
  const bool good = text.empty() || sweep::IsValidName(text);
  return good ? "" : "'" + text + "' is not 1 to 63 letters, digits, '.', '_' or '-'";
}

std::string LabelFault(const std::string& label) {
  if (!label.empty() && label.find('=') != 0) return "";
  return "'" + label + "' is not of the form KEY or KEY=VALUE";
}

std::string DurationFault(const std::string& text) {
  absl::Duration duration;
  const bool good = absl::ParseDuration(text, &duration) && duration >= absl::ZeroDuration();
  return good ? "" : "'" + text + "' is not a duration such as 90s or 10m";
}

// Bytes in a text such as "500 MB" or "20GB"; nullopt for another one.
std::optional<std::int64_t> ReadSize(const std::string& text) {
  constexpr std::pair<std::string_view, double> kUnits[] = {
      {"MB", 1e6},          {"GB", 1e9},           {"TB", 1e12},
      {"MiB", 1024 * 1024}, {"GiB", 1073741824.0}, {"TiB", 1099511627776.0}};
  for (const auto& [unit, bytes] : kUnits) {
    double number = 0;
    if (!text.ends_with(unit)) continue;
    if (!absl::SimpleAtod(text.substr(0, text.size() - unit.size()), &number)) return std::nullopt;
    if (!(number > 0 && number < 1e6)) return std::nullopt;
    return static_cast<std::int64_t>(number * bytes);
  }
  return std::nullopt;
}

std::string SizeFault(const std::string& text) {
  return ReadSize(text) ? "" : "'" + text + "' is not a size such as 500 MB or 20 GB";
}

void AddOptions(CLI::App* app, Arguments* arguments) {
  sweep::AgentOptions& agent = arguments->agent;
  app->set_version_flag("--version", "sweep-worker " SWEEP_VERSION);
  app->add_option("--coordinator", agent.coordinator, "the coordinator's address")
      ->type_name("HOST:PORT")
      ->envname("SWEEP_COORDINATOR")
      ->check(CoordinatorFault)
      ->required();
  sweep::AddSecurityFlags(app, &agent.security);
  app->add_option("--name", agent.name, "this worker's name; default: host name and a random part")
      ->type_name("NAME")
      ->check(NameFault);
  app->add_option("--slots", agent.slots, "trials at once; default: one per core")
      ->check(CLI::Range(1, 1024));
  app->add_option("--device", agent.device, "auto, cpu or cuda:N")
      ->type_name("DEVICE")
      ->check(DeviceFault)
      ->capture_default_str();
  app->add_option("--threads", agent.threads, "cores for one trial; default: 1")
      ->check(CLI::Range(1, 999));
  app->add_option("--backend", agent.backend,
                  "who computes; default: lanes on a processor where it can")
      ->check(sweep::OneOf(sweep::kTrainerBackends));
  app->add_option("--data-dir", agent.data.data_dir, "the folder of the MNIST files")
      ->type_name("FOLDER")
      ->envname("SWEEP_DATA_DIR");
  app->add_option("--data-cache", agent.uploads.folder,
                  "the folder for data sets that sweeps have uploaded to the coordinator, which "
                  "workers may share; default: sweep/data in the user's cache")
      ->type_name("FOLDER");
  app->add_option("--data-cache-limit", arguments->data_cache_limit,
                  "how much of it may be filled, such as 500 MB or 20 GB; the data sets that were "
                  "used least recently go first")
      ->type_name("SIZE")
      ->check(SizeFault)
      ->capture_default_str();
  app->add_option("--label", arguments->labels,
                  "shown with the worker, and required by sweeps; repeatable")
      ->type_name("KEY[=VALUE]")
      ->check(LabelFault);
  app->add_option("--trainer", arguments->trainer,
                  "the trainer program; default: sweep-trainer beside this program or on PATH")
      ->type_name("PROGRAM")
      ->envname("SWEEP_TRAINER");
  app->add_flag(
      "--skip-canary", arguments->skip_canary,
      "start without the training that shows whether this machine computes what others do");
  app->add_flag("--allow-program", agent.allow_programs,
                "run the programs that sweeps bring with them: code of whoever may submit sweeps")
      ->envname("SWEEP_ALLOW_PROGRAM");
  app->add_option(
         "--silence-timeout", arguments->silence_timeout,
         "end a sweep's own program that prints nothing for so long, as 90s, 10m or 1h30m; "
         "0: never")
      ->type_name("TIME")
      ->check(DurationFault)
      ->capture_default_str();
  app->add_option(
         "--drain-grace", arguments->drain_grace,
         "how long a trial that is given back (SIGTERM, `sweep worker drain`, `sweep pause "
         "--now`) may take to write its checkpoint")
      ->type_name("TIME")
      ->check(DurationFault)
      ->capture_default_str();
  app->add_option("--work-dir", agent.work_dir, "the folder of trials' files; default: temporary")
      ->type_name("FOLDER");
  app->add_option("--log-level", arguments->log_level, "how much is logged to standard error")
      ->check(sweep::OneOf({"debug", "info", "warn", "error"}))
      ->capture_default_str();
}

// Turns texts, which their options have checked, into what the agent takes.
void ReadTexts(Arguments* arguments) {
  for (const std::string& label : arguments->labels) {
    const std::size_t equals = label.find('=');
    arguments->agent.labels[label.substr(0, equals)] =
        equals == label.npos ? "" : label.substr(equals + 1);
  }
  absl::ParseDuration(arguments->silence_timeout, &arguments->agent.silence_timeout);
  absl::ParseDuration(arguments->drain_grace, &arguments->agent.drain_grace);
  if (const auto limit = ReadSize(arguments->data_cache_limit)) {
    arguments->agent.uploads.limit_bytes = *limit;
  }
  if (!arguments->trainer.empty()) arguments->agent.trainer_command = {arguments->trainer};
}

int ExitCodeOf(const absl::Status& status) {
  if (status.ok()) return kOk;
  std::fprintf(stderr, "sweep-worker: %s\n",
               sweep::PrintableLines(std::string(status.message())).c_str());
  if (sweep::IsAccessRefusal(status)) return kNotAllowed;
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
      return kBadArguments;
    case absl::StatusCode::kUnavailable:
      return kUnreachable;
    default:
      return kFailed;
  }
}

// Turns the signals that ask for an end, which every thread blocks, into calls: the first request
// drains, the second gives back at once, any further one ends the process. See EndSignals.
class SignalThread {
 public:
  // Blocks the signals for this thread and all that it starts. Call before any other thread exists.
  static void Block() {
    const sigset_t set = Awaited();
    pthread_sigmask(SIG_BLOCK, &set, nullptr);
    sweep::IgnoreSignalsOfWrites();
  }

  explicit SignalThread(sweep::Agent* agent) : agent_(agent), thread_([this] { Run(); }) {}
  ~SignalThread() {
    over_ = true;
    pthread_kill(thread_.native_handle(), kWake);
  }

 private:
  // Tells the thread, and only it, to stop waiting.
  static constexpr int kWake = SIGUSR1;

  // SIGUSR1 and SIGUSR2, which batch systems send before a time limit, mean nothing here.
  static sigset_t Awaited() {
    sigset_t set = sweep::EndSignalSet();
    sigaddset(&set, kWake);
    sigaddset(&set, SIGUSR2);
    return set;
  }

  void Run() {
    const sigset_t awaited = Awaited();
    const sigset_t deadly = sweep::EndSignalSet();
    sweep::EndSignals ends;
    while (!over_) {
      int signal = 0;
      if (sigwait(&awaited, &signal) != 0 || sigismember(&deadly, signal) != 1) continue;
      const int before = ends.requests();
      const int requests = ends.Take(signal, std::chrono::steady_clock::now());
      if (requests != before) Answer(requests, signal);
    }
  }

  void Answer(int requests, int signal) {
    if (requests == 1) {
      std::fprintf(stderr, "draining; again to stop at once (SIGTERM: after %d s)\n",
                   kApartSeconds);
      agent_->Drain();
    } else if (requests == 2) {
      std::fprintf(stderr, "stopping\n");
      agent_->DrainAtOnce();
    } else {
      sigset_t one;
      sigemptyset(&one);
      sigaddset(&one, signal);
      pthread_sigmask(SIG_UNBLOCK, &one, nullptr);
      raise(signal);
    }
  }

  static constexpr int kApartSeconds = static_cast<int>(
      std::chrono::duration_cast<std::chrono::seconds>(sweep::EndSignals::kApart).count());

  sweep::Agent* const agent_;
  std::atomic<bool> over_ = false;
  std::jthread thread_;
};

// Another trainer than ours need not come to the losses of ours, a worker without a trainer may be
// there for programs, and what GPUs come to has not been measured.
absl::Status RunCanary(const Arguments& arguments) {
  const sweep::AgentOptions& agent = arguments.agent;
  const bool is_cpu = agent.device == "cpu" || agent.device == "auto";
  if (arguments.skip_canary || !arguments.trainer.empty() || !is_cpu) return absl::OkStatus();
  absl::StatusOr<std::vector<std::string>> command = sweep::FindTrainer({});
  if (!command.ok()) return absl::OkStatus();
  sweep::AddTrainerFlags(agent.threads, agent.backend, &*command);
  return sweep::CheckTraining(*command, "cpu");
}

int Run(const Arguments& arguments) {
  if (const absl::Status healthy = RunCanary(arguments); !healthy.ok()) return ExitCodeOf(healthy);
  absl::StatusOr<std::unique_ptr<sweep::Agent>> agent = sweep::Agent::Start(arguments.agent);
  if (!agent.ok()) return ExitCodeOf(agent.status());
  absl::Status status;
  {
    SignalThread signals(agent->get());
    status = (*agent)->Wait();
  }
  // The exit code of Unavailable is for a coordinator that cannot be reached at the start.
  if (absl::IsUnavailable(status)) status = absl::InternalError(status.message());
  return ExitCodeOf(status);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    SignalThread::Block();
    Arguments arguments;
    CLI::App app("Trains the trials of a sweep coordinator on this machine.", "sweep-worker");
    AddOptions(&app, &arguments);
    if (const std::optional<int> code = sweep::ParseProgram(&app, argc, argv)) return *code;
    ReadTexts(&arguments);
    sweep::LogToStandardError("sweep-worker", arguments.log_level);
    return Run(arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "sweep-worker: %s\n", error.what());
    return kFailed;
  }
}
