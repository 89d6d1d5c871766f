#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <iostream>
#include <map>
#include <memory>

#include "absl/strings/numbers.h"
#include "absl/time/clock.h"
#include "cli/calls.h"
#include "cli/present/cells.h"
#include "cli/present/listing.h"
#include "cli/present/measure_text.h"
#include "cli/present/present.h"
#include "cli/present/text.h"
#include "cli/session.h"
#include "common/base/counted.h"
#include "common/base/ids.h"
#include "common/command_line/options.h"
#include "common/trial/measures.h"
#include "proto/names.h"

namespace sweep::cli {
namespace {

// The coordinator holds a call for no longer.
constexpr absl::Duration kMaxWait = absl::Seconds(20);

// The host's name, as far as a caller's name allows.
std::string DefaultCaller() {
  constexpr std::size_t kMaxNameBytes = 63;
  std::array<char, 256> host{};
  gethostname(host.data(), host.size() - 1);
  std::string name = std::string(host.data()).substr(0, kMaxNameBytes);
  std::replace_if(
      name.begin(), name.end(), [](char c) { return !IsValidName("x" + std::string(1, c)); }, '-');
  return IsValidName(name) ? name : "caller";
}

// Attempt and secret of a lease, as one word for a shell: "2-6f0c…".
std::string TokenWord(const v1::LeaseToken& token) {
  return fmt::format("{}-{}", token.attempt(), token.secret());
}

absl::StatusOr<v1::LeaseToken> ParseToken(const std::string& trial, const std::string& word) {
  const absl::StatusOr<TrialId> id = ParseTrialResource(trial);
  if (!id.ok()) return id.status();
  v1::LeaseToken token;
  token.set_trial(TrialResource(id->sweep, id->number));
  const std::size_t dash = word.find('-');
  int attempt = 0;
  if (dash == std::string::npos || !absl::SimpleAtoi(word.substr(0, dash), &attempt)) {
    return absl::InvalidArgumentError(
        fmt::format("--token '{}' is not a trial's token; `sweep ask` prints it", word));
  }
  token.set_attempt(attempt);
  token.set_secret(word.substr(dash + 1));
  return token;
}

std::map<std::string, v1::Value> ByName(const v1::SuggestedTrial& trial) {
  return {trial.parameters().begin(), trial.parameters().end()};
}

// ---- ask

struct AskFlags {
  std::string sweep;
  std::string caller = DefaultCaller();
  double timeout_seconds = -1;  // negative: until there is a trial or the sweep has ended
};

// `metric` stands in the example of a report.
void PrintAsked(const v1::SuggestedTrial& trial, const std::string& metric,
                const Session& session) {
  const std::string name = ShortName(trial.token().trial());
  const std::string token = TokenWord(trial.token());
  const std::int64_t lease_seconds = trial.lease_term().seconds();
  if (session.format == Format::kTable) {
    std::cout << fmt::format("{}  {}\n", Styled(session, Style::kBold, name),
                             Printable(ValuesText(trial.parameters())))
              << fmt::format("attempt {}, {}, seed {}; report within {} s, as with:\n  {}\n",
                             trial.token().attempt(), Counted(trial.epochs(), "epoch"),
                             trial.seed(), lease_seconds,
                             Command(session, {"tell", name, "--token=" + token,
                                               fmt::format("--epoch={}", trial.epoch() + 1),
                                               metric + "=0.9"}));
    return;
  }
  Json parameters = Json::object();
  if (session.format == Format::kCsv) {
    Listing listing;
    listing.columns = {{"TRIAL", "trial"},
                       {"ATTEMPT", "attempt", true},
                       {"TOKEN", "token"},
                       {"EPOCHS", "epochs", true},
                       {"EPOCH", "epoch", true},
                       {"SEED", "seed"},
                       {"LEASE", "lease_seconds", true}};
    listing.rows.push_back({cells::Text(name), cells::Count(trial.token().attempt()),
                            cells::Text(token), cells::Count(trial.epochs()),
                            cells::Count(trial.epoch()), cells::Text(std::to_string(trial.seed())),
                            cells::Count(lease_seconds)});
    for (const auto& [parameter, value] : ByName(trial)) {
      listing.columns.push_back({parameter, "parameters." + parameter});
      listing.rows.front().push_back({ValueText(value), ValueJson(value)});
    }
    return PrintListing(std::move(listing), session, std::cout);
  }
  for (const auto& [parameter, value] : ByName(trial)) {
    parameters[parameter] = ValueJson(value);
  }
  Json spec = Json::parse(trial.spec_json(), nullptr, /*allow_exceptions=*/false);
  // A string, as everywhere in this JSON.
  if (spec.is_object()) spec["seed"] = std::to_string(trial.seed());
  PrintJson({{"trial", name},
             {"attempt", trial.token().attempt()},
             {"token", token},
             {"parameters", std::move(parameters)},
             {"epochs", trial.epochs()},
             {"epoch", trial.epoch()},
             {"seed", std::to_string(trial.seed())},
             {"lease_seconds", lease_seconds},
             {"spec", std::move(spec)}},
            std::cout);
}

int AskForTrial(const AskFlags& flags, const Session& session) {
  absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::Open(session.connection);
  if (!connection.ok()) return Fail(connection.status());
  const absl::Time give_up = flags.timeout_seconds < 0
                                 ? absl::InfiniteFuture()
                                 : absl::Now() + absl::Seconds(flags.timeout_seconds);
  const std::string request_id = RandomHex(16);
  while (true) {
    const absl::Duration wait = std::clamp(give_up - absl::Now(), absl::ZeroDuration(), kMaxWait);
    const absl::StatusOr<v1::SuggestTrialResponse> response =
        SuggestTrial(**connection, flags.sweep, flags.caller, request_id, wait);
    if (!response.ok()) return Fail(response.status());
    if (response->has_trial()) {
      std::string metric = "accuracy";
      if (session.format == Format::kTable) {
        const absl::StatusOr<v1::Sweep> sweep = GetSweep(**connection, flags.sweep);
        if (sweep.ok()) metric = ObjectiveOf(*sweep).name;
      }
      PrintAsked(response->trial(), metric, session);
      return kExitOk;
    }
    if (response->ended()) {
      Say(session, fmt::format("sweep {} has ended: there are no more trials", flags.sweep));
      return kExitNothingQualified;
    }
    if (absl::Now() >= give_up) return Fail(absl::FailedPreconditionError(response->reason()));
  }
}

// ---- tell

struct TellFlags {
  std::string trial;
  std::string token;
  int epoch = 0;                      // 0: not given
  std::vector<std::string> measures;  // MEASURE=VALUE
  bool done = false;
  bool give_back = false;
  bool for_good = false;
  std::string failed;
};

absl::StatusOr<v1::ReportTrialRequest> RequestOf(const TellFlags& flags) {
  v1::ReportTrialRequest request;
  absl::StatusOr<v1::LeaseToken> token = ParseToken(flags.trial, flags.token);
  if (!token.ok()) return token.status();
  *request.mutable_token() = *std::move(token);
  if (flags.epoch > 0 && flags.measures.empty()) {
    return absl::InvalidArgumentError(
        fmt::format("--epoch {} goes with a measure, such as accuracy=0.98", flags.epoch));
  }
  for (const std::string& measure : flags.measures) {
    const std::size_t equals = measure.find('=');
    double value = 0;
    if (equals == std::string::npos || !IsMeasureName(measure.substr(0, equals)) ||
        !absl::SimpleAtod(measure.substr(equals + 1), &value)) {
      return absl::InvalidArgumentError(
          fmt::format("'{}' is no measure with its value, such as accuracy=0.98", measure));
    }
    if (request.epochs().empty()) request.add_epochs()->set_epoch(std::max(flags.epoch, 1));
    (*request.mutable_epochs(0)->mutable_metrics())[measure.substr(0, equals)] = value;
  }
  if (flags.done) request.set_outcome(v1::LEASE_OUTCOME_COMPLETED);
  if (flags.give_back) request.set_outcome(v1::LEASE_OUTCOME_GIVEN_BACK);
  if (!flags.failed.empty()) {
    request.set_outcome(flags.for_good ? v1::LEASE_OUTCOME_FAILED_FOR_GOOD
                                       : v1::LEASE_OUTCOME_FAILED);
    request.set_reason(flags.failed);
  }
  return request;
}

int TellOfTrial(const TellFlags& flags, const Session& session) {
  const absl::StatusOr<v1::ReportTrialRequest> request = RequestOf(flags);
  if (!request.ok()) return Fail(request.status());
  absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::Open(session.connection);
  if (!connection.ok()) return Fail(connection.status());
  const absl::StatusOr<v1::ReportTrialResponse> response = ReportTrial(**connection, *request);
  if (!response.ok()) return Fail(response.status());
  const std::string name = ShortName(request->token().trial());
  const std::string state(StateName(response->state()));
  if (session.format == Format::kTable) {
    const std::string why = response->reason().empty() ? "" : ": " + Printable(response->reason());
    Say(session, response->stop() ? fmt::format("{} ends here, it is {}{}", name, state, why)
                                  : fmt::format("{} is {}{}", name, state, why));
  } else if (session.format == Format::kCsv) {
    Listing listing;
    listing.columns = {
        {"TRIAL", "trial"}, {"STATE", "state"}, {"STOP", "stop"}, {"REASON", "reason"}};
    listing.rows.push_back({cells::Text(name),
                            cells::Text(state),
                            {"", response->stop()},
                            cells::Text(response->reason())});
    PrintListing(std::move(listing), session, std::cout);
  } else {
    PrintJson({{"trial", name},
               {"state", state},
               {"stop", response->stop()},
               {"reason", response->reason()}},
              std::cout);
  }
  return response->stop() ? kExitNothingQualified : kExitOk;
}

void AddAsk(CLI::App* app, Session* session) {
  auto flags = std::make_shared<AskFlags>();
  CLI::App* ask = app->add_subcommand(
      "ask",
      "Get a trial to train\n"
      "For programs with a loop of their own: takes the next trial of a sweep whose file says\n"
      "trained_by: callers, and waits while none is free. The trial is the caller's for the\n"
      "term of its lease; each `sweep tell` renews it. Exit code 3: the sweep has ended.");
  ask->group("Run sweeps");
  ask->add_option("NAME", flags->sweep, "the sweep")->required();
  ask->add_option("--as", flags->caller, "the caller's name in lists [default: the host's]")
      ->type_name("CALLER");
  ask->add_option("--timeout", flags->timeout_seconds,
                  "give up after so many seconds without a free trial; 0: do not wait")
      ->check(CLI::NonNegativeNumber);
  ask->footer(
      "Examples:\n"
      "  sweep ask tuned                       in words\n"
      "  sweep ask tuned --format json         with the token, for a program\n"
      "  while trial=$(sweep ask tuned --format json); do …; done    all trials of the sweep");
  ask->callback([=] { session->exit_code = AskForTrial(*flags, *session); });
}

void AddTell(CLI::App* app, Session* session) {
  auto flags = std::make_shared<TellFlags>();
  CLI::App* tell = app->add_subcommand(
      "tell",
      "Report a trial's result\n"
      "For a trial that `sweep ask` gave: stores an epoch's measures and renews the lease, or\n"
      "only renews it when there are none. Telling the same again is harmless: the first values\n"
      "stay. Exit code 3: the trial has been ended early, ask for the next one.");
  tell->group("Run sweeps");
  tell->add_option("NAME/N", flags->trial, "the trial")->required();
  tell->add_option("MEASURE=VALUE", flags->measures, "what was measured, such as accuracy=0.98");
  tell->add_option("--token", flags->token, "as `sweep ask` printed it")->required();
  tell->add_option("--epoch", flags->epoch, "the epoch that was measured [default: 1]")
      ->check(Positive());
  CLI::Option* done = tell->add_flag("--done", flags->done, "the trial is completed");
  CLI::Option* failed =
      tell->add_option("--failed", flags->failed,
                       "the trial has failed, and why; it is tried again until max_failures")
          ->type_name("REASON")
          ->check([](const std::string& reason) { return reason.empty() ? "is empty" : ""; });
  CLI::Option* back = tell->add_flag("--give-back", flags->give_back,
                                     "let somebody else train it; no failure is counted");
  tell->add_flag("--for-good", flags->for_good, "with --failed: do not try it again")
      ->needs(failed);
  done->excludes(failed)->excludes(back);
  failed->excludes(back);
  tell->footer(
      "Examples:\n"
      "  sweep tell tuned/7 --token $token --epoch 3 accuracy=0.98 loss=0.07\n"
      "  sweep tell tuned/7 --token $token accuracy=0.98 --done\n"
      "  sweep tell tuned/7 --token $token --failed \"out of memory\"");
  tell->callback([=] { session->exit_code = TellOfTrial(*flags, *session); });
}

}  // namespace

void AddAskCommands(CLI::App* app, Session* session) {
  AddAsk(app, session);
  AddTell(app, session);
}

}  // namespace sweep::cli
