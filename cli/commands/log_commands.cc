#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <optional>
#include <tuple>

#include "absl/strings/str_cat.h"
#include "cli/calls.h"
#include "cli/present/cells.h"
#include "cli/present/present.h"
#include "cli/present/trial_log.h"
#include "cli/session.h"
#include "cli/signals.h"
#include "common/base/printable.h"
#include "common/command_line/options.h"
#include "proto/names.h"

namespace sweep::cli {
namespace {

struct LogOptions {
  std::string trial;
  bool follow = false;
  int tail = 0;     // 0: everything
  int attempt = 0;  // 0: all
  bool timestamps = false;
};

// Gives up when the coordinator is away longer.
constexpr absl::Duration kPatience = absl::Minutes(10);
constexpr absl::Duration kPollPeriod = absl::Milliseconds(500);

// Reads one trial's log in pieces.
class LogReader {
 public:
  LogReader(const LogOptions& options, int epochs)
      : options_(options), log_(options.attempt, epochs) {}

  // Fetches new entries. Sets `ended` when the trial has ended and its log is complete.
  absl::Status Poll(Connection& connection) {
    const absl::StatusOr<v1::GetTrialResponse> response = GetTrial(connection, options_.trial);
    if (!response.ok()) return response.status();
    if (absl::Status status = ReadLines(connection); !status.ok()) return status;
    const v1::Trial& trial = response->trial();
    // Fetched only after a change: most polls find nothing new.
    const auto version = std::make_tuple(trial.attempt(), trial.epoch(), trial.state());
    if (!version_ || *version_ != version) {
      const absl::StatusOr<std::vector<v1::Attempt>> attempts =
          ListAttempts(connection, options_.trial);
      if (!attempts.ok()) return attempts.status();
      const absl::StatusOr<std::vector<v1::Epoch>> epochs = ListEpochs(connection, options_.trial);
      if (!epochs.ok()) return epochs.status();
      log_.AddAttempts(*attempts);
      log_.AddEpochs(*epochs);
      version_ = version;
    }
    // The last lines may arrive after this fetch, so fetch once more after the end.
    ended_ = was_ended_;
    was_ended_ = HasEnded(trial.state());
    return absl::OkStatus();
  }

  std::vector<TrialLogEntry> Take() { return log_.Take(); }
  // The trial has ended and its log is complete.
  bool ended() const { return ended_; }
  // The trial has ended.
  bool trial_ended() const { return was_ended_; }

 private:
  absl::Status ReadLines(Connection& connection) {
    while (SignalCount() == 0) {
      const absl::StatusOr<v1::ListLogsResponse> page =
          ListLogs(connection, options_.trial, page_token_, options_.tail);
      if (!page.ok()) return page.status();
      log_.AddLines({page->lines().begin(), page->lines().end()});
      page_token_ = page->next_page_token();
      if (!page->more()) return absl::OkStatus();
    }
    return absl::OkStatus();
  }

  const LogOptions options_;
  TrialLog log_;
  std::string page_token_;
  std::optional<std::tuple<int, int, v1::TrialState>> version_;
  bool was_ended_ = false;
  bool ended_ = false;
};

std::vector<TrialLogEntry> Last(std::vector<TrialLogEntry> entries, int tail) {
  if (tail > 0 && entries.size() > static_cast<std::size_t>(tail)) {
    entries.erase(entries.begin(), entries.end() - tail);
  }
  return entries;
}

void PrintEntries(const std::vector<TrialLogEntry>& entries, const LogOptions& options,
                  const Session& session) {
  if (session.format != Format::kTable && !options.follow) {
    PrintListing(TrialLogListing(entries), session, std::cout);
    return;
  }
  for (const TrialLogEntry& entry : entries) {
    if (session.format == Format::kJson) {
      std::cout << cells::Dump(TrialLogJson(entry)) << '\n';
    } else {
      const bool line = entry.kind == documents::LogEntry::KIND_LINE;
      const std::string text = TrialLogText(entry, options.timestamps);
      std::cout << (line ? text : Styled(session, Style::kDim, text)) << '\n';
    }
  }
  std::cout << std::flush;
}

// Reopens the connection, retrying until kPatience. A `sweep run` that ended leaves its database,
// which this process can then read itself.
absl::StatusOr<std::unique_ptr<Connection>> Reconnect(const LogOptions& options,
                                                      const Session& session) {
  std::cerr << "the coordinator does not answer; trying again\n";
  const absl::Time start = absl::Now();
  while (SignalCount() == 0) {
    absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::Open(session.connection);
    if (connection.ok()) {
      const absl::StatusOr<v1::GetTrialResponse> answer = GetTrial(**connection, options.trial);
      if (answer.ok()) return connection;
      if (!absl::IsUnavailable(answer.status())) return answer.status();
    }
    if (absl::Now() - start > kPatience) return connection.status();
    WaitForSignal(kPollPeriod);
  }
  return absl::CancelledError("interrupted");
}

int Interrupted(const LogOptions& options, const Session& session) {
  std::cerr << fmt::format("{} goes on; follow it again with: {}\n", Printable(options.trial),
                           Command(session, {"logs", options.trial, "--follow"}));
  return kExitInterrupted;
}

int Follow(std::unique_ptr<Connection> connection, LogReader reader, const LogOptions& options,
           const Session& session) {
  bool first = true;
  while (SignalCount() == 0) {
    const absl::Status status = reader.Poll(*connection);
    if (absl::IsUnavailable(status) || absl::IsDeadlineExceeded(status)) {
      connection.reset();
      absl::StatusOr<std::unique_ptr<Connection>> again = Reconnect(options, session);
      if (absl::IsCancelled(again.status())) break;
      if (!again.ok()) return Fail(again.status());
      connection = *std::move(again);
      continue;
    }
    if (!status.ok()) return Fail(status);
    PrintEntries(Last(reader.Take(), first ? options.tail : 0), options, session);
    first = false;
    if (reader.ended()) return kExitOk;
    if (!std::cout) return kExitOk;  // the reader of the pipe has exited
    if (connection->embedded()) {
      // Other processes cannot reach the database now, so nothing more will come.
      if (reader.trial_ended()) return kExitOk;
      std::cerr << "no coordinator runs on " << session.connection.database
                << ", so nothing more will come\n";
      return kExitOk;
    }
    WaitForSignal(kPollPeriod);
  }
  return Interrupted(options, session);
}

int Logs(const LogOptions& options, const Session& session) {
  if (options.follow && session.format == Format::kCsv) {
    return Fail(absl::InvalidArgumentError("--follow has no csv: choose --format table or json"));
  }
  if (const absl::StatusOr<TrialId> id = ParseTrialResource(options.trial); !id.ok()) {
    return Fail(id.status());
  }
  InstallSignals();
  absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::Open(session.connection);
  if (!connection.ok()) return Fail(connection.status());
  const absl::StatusOr<v1::GetTrialResponse> response = GetTrial(**connection, options.trial);
  if (!response.ok()) return Fail(response.status());
  const v1::Trial& trial = response->trial();
  if (options.attempt > trial.attempt()) {
    return Fail(absl::InvalidArgumentError(absl::StrCat("trial ", options.trial, " has no attempt ",
                                                        options.attempt, " yet; its latest is ",
                                                        trial.attempt())));
  }
  LogReader reader(options, trial.epochs());
  if (options.follow) return Follow(*std::move(connection), std::move(reader), options, session);
  if (absl::Status status = reader.Poll(**connection); !status.ok()) return Fail(status);
  if (SignalCount() > 0) return kExitInterrupted;
  const std::vector<TrialLogEntry> entries = Last(reader.Take(), options.tail);
  if (entries.empty() && session.format == Format::kTable) {
    Say(session,
        fmt::format("{} has no log yet: it is {}", options.trial, StateName(trial.state())));
  }
  PrintEntries(entries, options, session);
  return kExitOk;
}

}  // namespace

void AddLogCommand(CLI::App* app, Session* session) {
  CLI::App* logs = app->add_subcommand(
      "logs",
      "Show a trial's log\n"
      "When its attempts began and ended, its epochs, and what its trainer printed, in order of "
      "time. --follow waits for more, also across a restart of the coordinator, until the trial "
      "has ended. With --format json the log is an array of objects with the keys time kind "
      "(attempt_start, line, epoch, attempt_end) attempt number text values (what an epoch has "
      "measured, by name); with --follow it is one such object to a line.");
  logs->group("Look into and tidy up");
  logs->footer(
      "Examples:\n"
      "  sweep logs seed-000/17\n"
      "  sweep logs seed-000/17 --follow --tail 20\n"
      "  sweep logs seed-000/17 --attempt 2 --timestamps");
  auto options = std::make_shared<LogOptions>();
  logs->add_option("NAME/N", options->trial, "trial, as SWEEP/NUMBER")->required();
  logs->add_flag("-f,--follow", options->follow, "wait for more until the trial has ended");
  logs->add_option("--tail", options->tail, "only the last so many entries")->check(Positive());
  logs->add_option("--attempt", options->attempt, "only this attempt")->check(Positive());
  logs->add_flag("--timestamps", options->timestamps, "the local time before each entry");
  logs->callback([=] { session->exit_code = Logs(*options, *session); });
}

}  // namespace sweep::cli
