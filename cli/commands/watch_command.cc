#include <fmt/format.h>
#include <grpcpp/grpcpp.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <map>
#include <set>
#include <thread>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cli/calls.h"
#include "cli/present/present.h"
#include "cli/present/text.h"
#include "cli/present/watch.h"
#include "cli/session.h"
#include "cli/signals.h"
#include "cli/stubs.h"
#include "common/base/counted.h"
#include "common/base/utf8.h"
#include "common/command_line/options.h"
#include "coordinator/scheduler/fail_alike.h"
#include "proto/grpc_status.h"
#include "proto/names.h"

namespace sweep::cli {
namespace {

// Reads events from the cursor of `view` until the stream ends. Sets `heard` if there was one.
absl::Status ReadEvents(Connection& connection, const std::string& name,
                        const std::function<bool()>& interrupted, bool* heard, WatchView* view) {
  grpc::ClientContext context;
  v1::WatchSweepRequest request;
  request.set_name(SweepResource(name));
  request.set_cursor(view->model().cursor());
  request.set_progress(true);
  std::unique_ptr<grpc::ClientReader<v1::WatchSweepResponse>> reader =
      connection.stubs().sweeps.WatchSweep(&context, request);
  // Read blocks: this thread cancels it on Ctrl-C, and draws pending changes.
  std::jthread canceller([&](std::stop_token stop) {
    while (!stop.stop_requested()) {
      if (interrupted()) {
        context.TryCancel();
        return;
      }
      WaitForSignal(absl::Milliseconds(100));
      view->Draw();
    }
  });
  v1::WatchSweepResponse message;
  while (reader->Read(&message)) {
    *heard = true;
    view->Update(message);
    view->Draw();
    if (view->HasEndedAtPause()) context.TryCancel();
  }
  canceller.request_stop();
  canceller.join();
  return FromGrpcStatus(reader->Finish());
}

// Tries to reach a coordinator that has been unreachable since `lost`.
absl::Status ComeBack(Connection& connection, const std::function<bool()>& interrupted,
                      absl::Time lost, absl::Duration patience, WatchView* view) {
  while (!interrupted()) {
    const absl::Duration silence = absl::Now() - lost;
    if (silence > patience) {
      return absl::UnavailableError(fmt::format("the coordinator at {} has not answered for {}",
                                                connection.address(), HumanDuration(silence)));
    }
    view->Lost(silence);
    if (connection.Reconnect(absl::Milliseconds(500)).ok()) {
      view->Found();
      return absl::OkStatus();
    }
  }
  return absl::CancelledError("interrupted");
}

int Watch(const std::string& name, int patience_seconds, int top, const Session& session) {
  InstallSignals();
  absl::StatusOr<std::unique_ptr<Connection>> connection = Connection::Open(session.connection);
  if (!connection.ok()) return Fail(connection.status());
  const absl::StatusOr<std::string> named = NamedOrNewest(**connection, name);
  if (!named.ok()) return Fail(named.status());
  const absl::StatusOr<v1::Sweep> sweep = GetSweep(**connection, *named);
  if (!sweep.ok()) return Fail(sweep.status());
  std::string shown = ShortName(sweep->name());
  if ((*connection)->embedded() && !HasEnded(*sweep)) {
    return Fail(absl::FailedPreconditionError(fmt::format(
        "nothing trains {} at the moment ({} of {} ended); {}", shown, EndedTrials(sweep->counts()),
        Counted(sweep->planned_trials(), "trial"), RunAgain(*sweep, session))));
  }
  absl::Status status;
  int told = 0;
  {
    WatchView view(session, /*only_news=*/session.terminal);
    status = FollowSweep(
        **connection, shown, [] { return SignalCount() > 0; }, absl::Seconds(patience_seconds),
        &view);
    told = view.model().failures_told();
    shown = NameNow(view, shown);
  }
  if (absl::IsCancelled(status)) {
    Say(session, GoesOn(shown, session));
    return kExitInterrupted;
  }
  if (!status.ok()) return Fail(status);
  Say(session, "");
  return FinishSweep(**connection, shown, top, session, told);
}

}  // namespace

namespace {

// Lists the trials held by workers that are not connected, and how long the coordinator waits for
// them.
void SayWhatIsWaitedFor(Connection& connection, const std::string& name, WatchView* view) {
  const absl::StatusOr<std::vector<v1::Worker>> workers = ListWorkers(connection);
  if (!workers.ok()) return;
  std::set<std::string> connected;
  for (const v1::Worker& worker : *workers) {
    if (worker.connected()) connected.insert(ShortName(worker.name()));
  }
  std::map<std::string, std::vector<std::string>> silent;  // trials by worker
  for (const v1::TrialState state : {v1::TRIAL_STATE_LEASED, v1::TRIAL_STATE_RUNNING}) {
    const absl::StatusOr<std::vector<v1::Trial>> held =
        ListTrials(connection, name, {.state = state, .limit = 1000});
    if (!held.ok()) return;
    for (const v1::Trial& trial : *held) {
      const std::string worker = ShortName(trial.worker());
      if (!connected.contains(worker)) silent[worker].push_back(ShortName(trial.name()));
    }
  }
  for (const auto& [worker, trials] : silent) {
    const absl::StatusOr<v1::ExplainTrialResponse> why = ExplainTrial(connection, trials.front());
    if (!why.ok() || !why->has_waits_for_worker()) continue;
    view->Print(fmt::format(
        "{} {} running on worker {}, which is not heard from; waiting up to {} s for it",
        Counted(std::ssize(trials), "trial"), trials.size() == 1 ? "was" : "were", worker,
        why->waits_for_worker().seconds() + (why->waits_for_worker().nanos() > 0 ? 1 : 0)));
  }
}

}  // namespace

std::string NameNow(const WatchView& view, const std::string& name) {
  const std::string& now = view.model().sweep().name();
  return now.empty() ? name : ShortName(now);
}

absl::Status FollowSweep(Connection& connection, const std::string& name,
                         const std::function<bool()>& interrupted, absl::Duration patience,
                         WatchView* view) {
  absl::Time lost = absl::InfiniteFuture();
  if (view->only_news()) {
    const absl::StatusOr<std::vector<v1::Trial>> before = ListTrials(connection, name, {});
    if (before.ok()) view->SetEarlierState(*before);
  }
  SayWhatIsWaitedFor(connection, name, view);
  while (true) {
    bool heard = false;
    const absl::Status status =
        ReadEvents(connection, NameNow(*view, name), interrupted, &heard, view);
    if (view->HasEndedAtPause()) return absl::OkStatus();
    if (interrupted()) return absl::CancelledError("interrupted");
    // A server that shuts down cancels its streams.
    const bool has_gone = absl::IsUnavailable(status) || absl::IsCancelled(status);
    if (!has_gone) return status;
    // A coordinator that accepts connections and drops them at once is still lost.
    if (heard || lost == absl::InfiniteFuture()) lost = absl::Now();
    const absl::Status back = ComeBack(connection, interrupted, lost, patience, view);
    if (absl::IsUnavailable(back)) {
      return absl::UnavailableError(absl::StrCat(back.message(), "; it said: ", status.message()));
    }
    if (!back.ok()) return back;
    SayWhatIsWaitedFor(connection, NameNow(*view, name), view);
    if (!heard) WaitForSignal(absl::Milliseconds(200));
  }
}

namespace {

// The reason of the first trial in `state`; empty when the coordinator does not answer.
std::string FirstFailure(Connection& connection, const std::string& sweep, v1::TrialState state) {
  TrialFilter failed;
  failed.state = state;
  failed.limit = 1;
  const absl::StatusOr<std::vector<v1::Trial>> trials = ListTrials(connection, sweep, failed);
  if (!trials.ok() || trials->empty()) return "";
  constexpr std::size_t kReasonBytes = 500;
  return fmt::format("{} {}{}; ", ShortName(trials->front().name()),
                     state == v1::TRIAL_STATE_FAILED ? "failed: " : "",
                     Printable(OneLine(trials->front().reason(), kReasonBytes)));
}

// The most frequent reasons of failed trials, each with their number. Empty when the coordinator
// does not answer.
std::string WhyTheyFailed(Connection& connection, const std::string& sweep) {
  constexpr std::size_t kMost = 2;
  const absl::StatusOr<std::vector<v1::Trial>> trials =
      ListTrials(connection, sweep, {.state = v1::TRIAL_STATE_FAILED, .limit = 1000});
  if (!trials.ok()) return "";
  std::map<std::string, std::vector<std::string>> by_signature;
  std::map<std::string, std::string> headlines;  // of the first trial with each reason
  for (const v1::Trial& trial : *trials) {
    const std::string signature = FailureSignature(trial.reason());
    by_signature[signature].push_back(ShortName(trial.name()));
    headlines.try_emplace(signature, Printable(FailureHeadline(trial.reason())));
  }
  std::vector<std::pair<std::string, std::vector<std::string>>> reasons(by_signature.begin(),
                                                                        by_signature.end());
  std::stable_sort(reasons.begin(), reasons.end(),
                   [](const auto& a, const auto& b) { return a.second.size() > b.second.size(); });
  std::string text;
  for (std::size_t i = 0; i < std::min(reasons.size(), kMost); ++i) {
    const auto& [signature, names] = reasons[i];
    text += fmt::format("\n  {}{}: {}", names.front(),
                        names.size() == 1 ? "" : fmt::format(" and {} more", names.size() - 1),
                        headlines[signature]);
  }
  return text;
}

}  // namespace

int EndOfSweep(Connection& connection, const v1::Sweep& sweep, const Session& session, int told) {
  const std::string name = ShortName(sweep.name());
  const bool qualified = sweep.qualifying() > 0;
  if (sweep.state() == v1::SWEEP_STATE_CANCELLED && !qualified) {
    return Fail(absl::InternalError(
        fmt::format("{} was cancelled before anything met all criteria", name)));
  }
  if (sweep.counts().diverged() == EndedTrials(sweep.counts()) && sweep.counts().diverged() > 0) {
    return Fail(absl::InternalError(
        fmt::format("{} of {} diverged; {}the same seeds and values would diverge again",
                    sweep.counts().diverged(), Counted(sweep.planned_trials(), "trial"),
                    FirstFailure(connection, name, v1::TRIAL_STATE_DIVERGED))));
  }
  if (sweep.counts().failed() > 0) {
    return Fail(absl::InternalError(
        fmt::format("{}{} of {} failed for good{}\nlook at them with: {}\ntry them again with: {}",
                    qualified ? "" : "no configuration meets all criteria, and ",
                    sweep.counts().failed(), Counted(sweep.planned_trials(), "trial"),
                    told >= sweep.counts().failed() ? "" : WhyTheyFailed(connection, name),
                    Command(session, {"trials", name, "--state", "failed"}),
                    Command(session, {"retry", name}))));
  }
  return qualified ? kExitOk : kExitNothingQualified;
}

int FinishSweep(Connection& connection, const std::string& name, int top, const Session& session,
                int told) {
  const absl::StatusOr<v1::RankSweepResponse> ranking = RankSweep(connection, name, top);
  if (!ranking.ok()) return Fail(ranking.status());
  PrintRanking(*ranking, session, std::cout);
  const v1::TrialCounts& counts = ranking->sweep().counts();
  if (ranking->rows().empty() && counts.failed() + counts.diverged() == 0) {
    return Fail(absl::InternalError("no trial has trained an epoch"));
  }
  return EndOfSweep(connection, ranking->sweep(), session, told);
}

int FailPaused(const v1::Sweep& sweep, const std::string& anew, const std::string& resume,
               const Session& session) {
  const std::string name = ShortName(sweep.name());
  return Fail(absl::InternalError(fmt::format(
      "{}\nsee what was printed: {}\nwhen it is mended, train it anew: {}\nor go on with: {}",
      PauseText(sweep), Command(session, {"logs", name + "/1"}), anew, resume)));
}

std::string GoesOn(const std::string& name, const Session& session) {
  return fmt::format("{} goes on; watch it again with: {}", name,
                     Command(session, {"watch", name}));
}

void AddWatchCommand(CLI::App* app, Session* session) {
  CLI::App* watch = app->add_subcommand("watch",
                                        "Follow a sweep to its end\n"
                                        "Bars on a terminal, one line per event elsewhere, the "
                                        "ranking at the end. Ctrl-C leaves the\n"
                                        "sweep running. A coordinator that goes away is waited "
                                        "for, and nothing is lost or repeated.");
  watch->group("Run sweeps");
  auto name = std::make_shared<std::string>();
  auto patience = std::make_shared<int>(absl::ToInt64Seconds(kWatchPatience));
  auto top = std::make_shared<int>(10);
  watch->add_option("NAME", *name, "the sweep; without it, the newest");
  watch
      ->add_option("--patience", *patience,
                   "seconds to wait for a coordinator that does not answer")
      ->check(Positive())
      ->capture_default_str();
  watch->add_option("--top", *top, "rows of the ranking")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  watch->footer(
      "Examples:\n"
      "  sweep watch\n"
      "  sweep watch seed-000\n"
      "  sweep watch seed-000 --quiet --format json    wait, then the ranking as JSON");
  watch->callback([=] { session->exit_code = Watch(*name, *patience, *top, *session); });
}

}  // namespace sweep::cli
