// sweep-coordinator: the service, and maintenance of a database without serving. Exit codes: 0
// ended by a signal, backup complete, no fault found, or a command done; 1 could not start, or a
// fault was found; 2 bad arguments.

#include <google/protobuf/stubs/logging.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <exception>
#include <optional>
#include <string>
#include <thread>

#include "CLI/CLI.hpp"
#include "absl/time/time.h"
#include "common/base/end_signals.h"
#include "common/base/printable.h"
#include "common/command_line/options.h"
#include "common/command_line/program.h"
#include "common/logging/log.h"
#include "common/spec/worker_requirements.h"
#include "coordinator/api/server.h"
#include "coordinator/http/listen_address.h"
#include "coordinator/maintenance.h"
#include "coordinator/security_commands.h"
#include "coordinator/security_flags.h"
#include "spdlog/spdlog.h"

namespace {

constexpr char kDefaultHttp[] = "127.0.0.1:7078";

struct Arguments {
  sweep::ServerOptions server;
  double lease_term_seconds = 60;
  std::string log_level = "info";
  std::string backup;
  bool check = false;
};

std::string ListenFault(const std::string& text) {
  return std::string(sweep::ParseListenAddress(text).status().message());
}

std::string HttpFault(const std::string& text) {
  return text.empty() || text == "off" ? "" : ListenFault(text);
}

std::string FileFault(const std::string& name) {
  return name.empty() ? "needs the name of a file" : "";
}

std::string VersionFault(const std::string& text) {
  return sweep::VersionNumbers(text).empty() ? "must be a version, such as 0.2 or 0.2.1" : "";
}

// Returns nothing when the program should go on, else its exit code.
std::optional<int> ParseArguments(int argc, char** argv, Arguments* arguments) {
  CLI::App app{"Turns sweep files into trials, hands them to workers and keeps what they report."};
  app.name("sweep-coordinator");
  arguments->server.worker_builds.expected = SWEEP_VERSION;
  app.set_version_flag("--version", "sweep-coordinator " SWEEP_VERSION);
  app.add_option("--listen", arguments->server.listen, "address to serve on")
      ->type_name("HOST:PORT")
      ->check(ListenFault)
      ->capture_default_str();
  arguments->server.http = kDefaultHttp;
  CLI::Option* const http =
      app.add_option("--http", arguments->server.http,
                     "address of the web dashboard, or 'off'; port 0: any free one")
          ->type_name("HOST:PORT")
          ->check(HttpFault)
          ->capture_default_str();
  sweep::AddSecurityFlags(&app, &arguments->server.security);
  app.add_option("--db", arguments->server.database, "database file; made when it is not there")
      ->type_name("FILE")
      ->check(FileFault)
      ->capture_default_str();
  app.add_option("--lease-term", arguments->lease_term_seconds,
                 "seconds after which the trials of a silent worker go to others")
      ->type_name("SECONDS")
      ->check(CLI::Range(1.0, 86400.0))
      ->check(sweep::Positive())  // refuses nan, which Range does not
      ->capture_default_str();
  app.add_option("--min-worker-build", arguments->server.worker_builds.least,
                 "refuse workers of an older build; without it, none")
      ->type_name("VERSION")
      ->check(VersionFault);
  app.add_option("--warn-worker-build", arguments->server.worker_builds.expected,
                 "warn of workers of an older build; without it, this program's version")
      ->type_name("VERSION")
      ->check(VersionFault);
  app.add_option("--log-level", arguments->log_level, "how much is logged to standard error")
      ->check(sweep::OneOf({"debug", "info", "warn", "error", "off"}))
      ->capture_default_str();
  CLI::Option* const backup =
      app.add_option(
             "--backup", arguments->backup,
             "copy the database to FILE and its blobs to FILE.blobs, and end; a coordinator "
             "may be using it")
          ->type_name("FILE")
          ->check(FileFault)
          ->configurable(false);
  app.add_flag("--check", arguments->check,
               "check the database and its blobs, and end; a coordinator may be using it")
      ->configurable(false)
      ->excludes(backup);
  if (const std::optional<int> code = sweep::ParseProgram(&app, argc, argv)) return code;
  arguments->server.http_is_optional = http->count() == 0;
  arguments->server.lease_term = absl::Seconds(arguments->lease_term_seconds);
  arguments->server.poll_time = std::min(absl::Seconds(20), arguments->server.lease_term / 3);
  return std::nullopt;
}

// Blocks the end signals in all threads created after this.
sigset_t BlockEndSignals() {
  const sigset_t signals = sweep::EndSignalSet();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  sweep::IgnoreSignalsOfWrites();
  return signals;
}

// Returns at the first request to end, and ends the process at the next one: acknowledged data is
// on disk by then. Call once.
void WaitForEnd(const sigset_t& signals) {
  static sweep::EndSignals ends;
  static sigset_t awaited;
  awaited = signals;
  int received = 0;
  sigwait(&awaited, &received);
  ends.Take(received, std::chrono::steady_clock::now());
  spdlog::info("shutting down signal={}", received);
  std::thread([] {
    for (int signal = 0; sigwait(&awaited, &signal) == 0;) {
      if (ends.Take(signal, std::chrono::steady_clock::now()) < 2) continue;
      sigset_t one;
      sigemptyset(&one);
      sigaddset(&one, signal);
      std::signal(signal, SIG_DFL);
      pthread_sigmask(SIG_UNBLOCK, &one, nullptr);
      std::raise(signal);
    }
  }).detach();
}

// protobuf warns of text that is not UTF-8, once per received message.
void LogProtobuf(google::protobuf::LogLevel, const char*, int, const std::string& message) {
  spdlog::debug("protobuf message={:?}", message);
}

int Run(const Arguments& arguments) {
  sweep::LogToStandardError("sweep-coordinator", arguments.log_level);
  google::protobuf::SetLogHandler(LogProtobuf);
  const sigset_t signals = BlockEndSignals();
  auto server = sweep::CoordinatorServer::Start(arguments.server);
  if (!server.ok()) {
    std::fprintf(stderr, "sweep-coordinator: %s\n",
                 sweep::PrintableLines(std::string(server.status().message())).c_str());
    return server.status().code() == absl::StatusCode::kInvalidArgument ? sweep::kBadArguments
                                                                        : sweep::kFailed;
  }
  std::printf("listening on %s\n", (*server)->address().c_str());
  if (!(*server)->dashboard().empty()) {
    std::printf("dashboard on %s\n", (*server)->dashboard().c_str());
  }
  std::fflush(stdout);
  WaitForEnd(signals);
  (*server)->Shutdown();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (const std::optional<int> code = sweep::RunSecurityCommand(argc, argv)) return *code;
    Arguments arguments;
    if (const std::optional<int> exit_code = ParseArguments(argc, argv, &arguments)) {
      return *exit_code;
    }
    if (!arguments.backup.empty()) {
      return sweep::RunBackup(arguments.server.database, arguments.backup);
    }
    if (arguments.check) return sweep::RunCheck(arguments.server.database);
    return Run(arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "sweep-coordinator: %s\n", error.what());
    return sweep::kFailed;
  }
}
