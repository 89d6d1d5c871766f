#include "cli/commands/first_trial.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <iostream>
#include <memory>
#include <thread>

#include "absl/time/clock.h"
#include "cli/calls.h"
#include "cli/present/present.h"
#include "cli/present/text.h"
#include "cli/signals.h"
#include "coordinator/api/server.h"
#include "proto/names.h"
#include "worker/agent/owned_folder.h"

namespace sweep::cli {
namespace {

constexpr int kShownLines = 20;

// The result of the first trial.
struct Outcome {
  v1::Trial trial;
  bool works = false;
  std::string reason;              // of a failure
  std::vector<std::string> lines;  // the last lines that its program printed
  v1::Epoch epoch;
  double seconds = 0;  // from its start to its first epoch
};

double Seconds(const google::protobuf::Timestamp& time) {
  return static_cast<double>(time.seconds()) + time.nanos() * 1e-9;
}

absl::Status ReadFailure(Connection& connection, const std::string& name, Outcome* outcome) {
  const absl::StatusOr<std::vector<v1::Attempt>> attempts = ListAttempts(connection, name);
  if (!attempts.ok()) return attempts.status();
  outcome->reason = outcome->trial.reason();
  for (const v1::Attempt& attempt : *attempts) {
    if (!attempt.reason().empty()) outcome->reason = attempt.reason();
  }
  const absl::StatusOr<v1::ListLogsResponse> logs = ListLogs(connection, name, "", kShownLines);
  if (!logs.ok()) return logs.status();
  for (const v1::LogLine& line : logs->lines()) outcome->lines.push_back(line.text());
  return absl::OkStatus();
}

// Waits for the trial's first epoch or first failure. Cancelled after Ctrl-C; Aborted when the
// worker ends.
absl::StatusOr<Outcome> WaitForFirst(Connection& connection, const std::string& sweep,
                                     const std::atomic<bool>& agent_ended) {
  const std::string name = sweep + "/1";
  while (SignalCount() == 0 && !agent_ended) {
    const absl::StatusOr<v1::GetTrialResponse> answer = GetTrial(connection, name);
    if (!answer.ok() && !absl::IsNotFound(answer.status())) return answer.status();
    Outcome outcome;
    if (answer.ok()) outcome.trial = answer->trial();
    if (outcome.trial.epoch() > 0) {
      const absl::StatusOr<std::vector<v1::Epoch>> epochs = ListEpochs(connection, name);
      if (!epochs.ok()) return epochs.status();
      outcome.works = true;
      if (!epochs->empty()) outcome.epoch = epochs->front();
      outcome.seconds = Seconds(outcome.epoch.report_time()) - Seconds(outcome.trial.start_time());
      return outcome;
    }
    if (outcome.trial.failures() > 0) {
      if (absl::Status read = ReadFailure(connection, name, &outcome); !read.ok()) return read;
      return outcome;
    }
    WaitForSignal(absl::Milliseconds(50));
  }
  if (SignalCount() > 0) return absl::CancelledError("interrupted");
  return absl::AbortedError("the worker has ended");
}

// Later epochs do not include the trainer's start.
double EstimatedSeconds(const v1::Sweep& sweep, const Outcome& outcome, int slots) {
  const double epochs =
      static_cast<double>(sweep.planned_trials()) * std::max(1, outcome.trial.epochs());
  if (slots == 0) slots = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  const auto& train = outcome.epoch.train_duration();
  const auto& evaluate = outcome.epoch.evaluate_duration();
  const double told = static_cast<double>(train.seconds() + evaluate.seconds()) +
                      (train.nanos() + evaluate.nanos()) * 1e-9;
  const double each = told > 0 ? told : outcome.seconds;
  const double at_once = static_cast<double>(
      std::min<std::int64_t>(slots, std::max<std::int64_t>(1, sweep.planned_trials())));
  return epochs * each / at_once;
}

void PrintOutcome(const v1::Sweep& sweep, const Outcome& outcome, int slots,
                  const Session& session) {
  const double estimate = outcome.works ? EstimatedSeconds(sweep, outcome, slots) : 0;
  if (session.format != Format::kTable) {
    Listing listing;
    listing.columns = {{"", "trial"},
                       {"", "works"},
                       {"", "reason"},
                       {"", "first_epoch_seconds"},
                       {"", "estimated_seconds"}};
    const auto known = [&](double seconds) {
      return Cell{"", outcome.works ? nlohmann::json(seconds) : nlohmann::json(nullptr)};
    };
    listing.rows = {{{"", ShortName(outcome.trial.name())},
                     {"", outcome.works},
                     {"", outcome.reason},
                     known(outcome.seconds),
                     known(estimate)}};
    if (session.format == Format::kCsv) {
      PrintListing(listing, session, std::cout);
    } else {
      PrintJson(ListingJson(listing)[0], std::cout);
    }
    return;
  }
  if (!outcome.works) {
    std::cout << Styled(session, Style::kRed, "✗ ") << ShortName(outcome.trial.name()) << "  "
              << ParametersText(outcome.trial) << "\n  " << Printable(outcome.reason) << '\n';
    if (!outcome.lines.empty()) std::cout << "it printed last:\n";
    for (const std::string& line : outcome.lines) std::cout << "  " << Printable(line) << '\n';
    return;
  }
  const std::string speed =
      outcome.epoch.images_per_second() > 0
          ? fmt::format(
                ", {} images/s",
                WithSeparators(static_cast<std::int64_t>(outcome.epoch.images_per_second())))
          : "";
  std::cout << Styled(session, Style::kGreen, "✓ ") << ShortName(outcome.trial.name()) << "  "
            << ParametersText(outcome.trial)
            << fmt::format(
                   "\n  epoch 1 of {} came after {}{}\n  the whole sweep ({} trials) will "
                   "take about {} here\n",
                   outcome.trial.epochs(), HumanDuration(absl::Seconds(outcome.seconds)), speed,
                   sweep.planned_trials(), HumanDuration(absl::Seconds(estimate)));
}

}  // namespace

int TryFirstTrial(const SweepInput& input, int slots, const AgentOptions& agent_options,
                  const Session& session) {
  const absl::StatusOr<std::unique_ptr<OwnedFolder>> folder =
      OwnedFolder::MakeTemporary("sweep-first-");
  if (!folder.ok()) return Fail(folder.status());
  absl::StatusOr<std::unique_ptr<CoordinatorServer>> server = CoordinatorServer::Start(
      {.listen = "127.0.0.1:0", .database = (*folder)->path() + "/sweep.db"});
  if (!server.ok()) return Fail(server.status());
  absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::To((*server)->address());
  if (!connection.ok()) return Fail(connection.status());
  const absl::StatusOr<v1::CreateSweepResponse> created =
      CreateSweep(**connection, ToProto(input.source), /*keep_going=*/true);
  if (!created.ok()) return Fail(created.status());
  AgentOptions options = agent_options;
  options.coordinator = (*server)->address();
  options.slots = 1;
  options.one_trial = true;
  absl::StatusOr<std::unique_ptr<Agent>> agent = Agent::Start(options);
  if (!agent.ok()) return Fail(agent.status());

  Say(session, fmt::format("trying {}/1 for one epoch; nothing of it is kept", input.spec.name));
  std::atomic<bool> agent_ended = false;
  absl::Status agent_status;
  std::jthread waiter([&] {
    agent_status = (*agent)->Wait();
    agent_ended = true;
  });
  const absl::StatusOr<Outcome> outcome = WaitForFirst(**connection, input.spec.name, agent_ended);
  (*agent)->Stop();
  waiter.join();
  if (absl::IsCancelled(outcome.status())) return kExitInterrupted;
  if (!outcome.ok()) return Fail(agent_status.ok() ? outcome.status() : agent_status);
  PrintOutcome(created->sweep(), *outcome, slots, session);
  if (outcome->works) return kExitOk;
  return Fail(absl::InternalError(fmt::format(
      "the first trial of {} failed before its first epoch; nothing was stored, so the file can be "
      "corrected and tried again",
      input.spec.name)));
}

}  // namespace sweep::cli
