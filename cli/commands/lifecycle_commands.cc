// Commands that change what a coordinator does with a sweep or a trial. Each may be repeated: the
// second call leaves the same state as the first.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>

#include "cli/calls.h"
#include "cli/commands/waiting.h"
#include "cli/present/answers.h"
#include "cli/present/live_block.h"
#include "cli/present/present.h"
#include "cli/present/text.h"
#include "cli/present/watch.h"
#include "cli/session.h"
#include "common/base/counted.h"
#include "common/command_line/options.h"

namespace sweep::cli {
namespace {

using nlohmann::json;

std::string Trials(std::int64_t count) { return Counted(count, "trial"); }

bool IsTrialName(const std::string& name) {
  return name.find(name.starts_with("sweeps/") ? "/trials/" : "/") != std::string::npos;
}

// Number of trials of the sweep (or the one trial) that workers hold.
absl::StatusOr<int> HeldTrials(Connection& connection, const std::string& name) {
  const absl::StatusOr<std::vector<v1::Worker>> workers = ListWorkers(connection);
  if (!workers.ok()) return workers.status();
  int held = 0;
  for (const v1::Worker& worker : *workers) {
    if (!worker.connected()) continue;
    for (const std::string& trial : worker.trials()) {
      const std::string shown = ShortName(trial);
      if (shown == name || shown.starts_with(name + "/")) ++held;
    }
  }
  return held;
}

absl::Status WaitUntilNothingIsHeld(Connection& connection, const std::string& name) {
  return WaitUntil([&]() -> absl::StatusOr<bool> {
    const absl::StatusOr<int> held = HeldTrials(connection, name);
    if (!held.ok()) return held.status();
    return *held == 0;
  });
}

// Prints the trial's current state for programs. Returns the exit code.
int PrintTrial(Connection& connection, const v1::Trial& trial, const Session& session) {
  if (session.format == Format::kTable) return kExitOk;
  const absl::StatusOr<v1::Sweep> sweep = GetSweep(connection, SweepOf(trial));
  if (!sweep.ok()) return Fail(sweep.status());
  if (session.format == Format::kCsv) {
    PrintListing(TrialListing(*sweep, {trial}), session, std::cout);
  } else {
    PrintJson(ToJson(ToDescribed(*sweep, trial)), std::cout);
  }
  return kExitOk;
}

// Says who will run the pending trials and how to follow them.
std::string WhatFollows(Connection& connection, const std::string& sweep, const Session& session) {
  if (!connection.embedded()) {
    return "; follow it with: " + Command(session, {"watch", sweep});
  }
  const absl::StatusOr<v1::Sweep> whole = GetSweep(connection, sweep);  // with its file
  return whole.ok() ? "; nothing trains it yet: " + RunAgain(*whole, session) : "";
}

// Says how many trials of a cancelled sweep the search had not created.
std::string NeverMade(const v1::Sweep& sweep) {
  const std::int64_t left = sweep.planned_trials() - MadeTrials(sweep.counts());
  return left > 0 ? fmt::format(", {} more had not been made yet", left) : "";
}

// Adds to an error the only way to continue a cancelled sweep.
absl::Status WithCancelledHint(Connection& connection, const absl::Status& status,
                               const std::string& name, const Session& session) {
  if (!absl::IsFailedPrecondition(status)) return status;
  const absl::StatusOr<v1::Sweep> sweep = GetSweep(connection, name);
  if (!sweep.ok() || sweep->state() != v1::SWEEP_STATE_CANCELLED) return status;
  return absl::FailedPreconditionError(
      fmt::format("{}; to continue it: {}", std::string(status.message()),
                  Command(session, {"retry", ShortName(sweep->name()), "--cancelled"})));
}

int Pause(const std::string& name, bool now, bool wait, const Session& session) {
  return WithConnection(session, wait, [&](Connection& connection) {
    const absl::StatusOr<v1::Sweep> sweep = PauseSweep(connection, name, now);
    if (!sweep.ok()) return Fail(sweep.status());
    const std::string shown = ShortName(sweep->name());
    const std::int64_t running = sweep->counts().running();
    std::string what = "nothing runs";
    if (running > 0 && now) {
      what = Trials(running) +
             (running == 1 ? " saves a checkpoint and stops" : " save a checkpoint and stop");
    } else if (running > 0) {
      what = Trials(running) + (running == 1 ? " runs on to its end (--now stops it)"
                                             : " run on to their end (--now stops them)");
    }
    Say(session, fmt::format("paused {}: no new trials start; {}\ngo on with: {}", shown, what,
                             Command(session, {"resume", shown})));
    if (wait) {
      const absl::Status waited = WaitUntilNothingIsHeld(connection, shown);
      const int code = AfterWaiting(
          waited, session, fmt::format("{} stays paused; what it still runs is ending", shown));
      if (code != kExitOk) return code;
      Say(session, fmt::format("nothing of {} runs any more", shown));
    }
    const absl::StatusOr<v1::Sweep> after = wait ? GetSweep(connection, name) : sweep;
    if (!after.ok()) return Fail(after.status());
    PrintSweep(*after, session);
    return static_cast<int>(kExitOk);
  });
}

int Resume(const std::string& name, const Session& session) {
  return WithConnection(session, false, [&](Connection& connection) {
    const absl::StatusOr<v1::Sweep> sweep = ResumeSweep(connection, name);
    if (!sweep.ok()) return Fail(WithCancelledHint(connection, sweep.status(), name, session));
    const std::string shown = ShortName(sweep->name());
    Say(session,
        fmt::format("{} goes on: {} of {} have ended{}", shown, EndedTrials(sweep->counts()),
                    Trials(sweep->planned_trials()), WhatFollows(connection, shown, session)));
    PrintSweep(*sweep, session);
    return static_cast<int>(kExitOk);
  });
}

int RetryOneTrial(Connection& connection, const std::string& name, bool force,
                  const Session& session) {
  absl::StatusOr<v1::Trial> trial = RetryTrial(connection, name, force);
  if (absl::IsFailedPrecondition(trial.status())) {
    // The trial was retried before and is waiting or running.
    const absl::StatusOr<v1::GetTrialResponse> now = GetTrial(connection, name);
    if (now.ok() && now->trial().state() == v1::TRIAL_STATE_DIVERGED) {
      return Fail(absl::FailedPreconditionError(fmt::format(
          "{} diverged, and would diverge again: the seed and the values are the same; --force "
          "tries it all the same",
          ShortName(now->trial().name()))));
    }
    if (!now.ok() || now->trial().end_time().seconds() != 0) return Fail(trial.status());
    Say(session, fmt::format("{} is {}: there is nothing to retry", ShortName(now->trial().name()),
                             StateName(now->trial().state())));
    return PrintTrial(connection, now->trial(), session);
  }
  if (!trial.ok()) return Fail(trial.status());
  const std::string shown = ShortName(trial->name());
  Say(session, fmt::format("{} is queued again; its failure count is reset{}", shown,
                           WhatFollows(connection, SweepOf(*trial), session)));
  return PrintTrial(connection, *trial, session);
}

int Retry(const std::string& name, RetrySelection selection, const Session& session) {
  return WithConnection(session, false, [&](Connection& connection) {
    if (IsTrialName(name)) return RetryOneTrial(connection, name, selection.diverged, session);
    if (!selection.cancelled) selection.failed = true;
    const absl::StatusOr<v1::RetrySweepResponse> response = RetrySweep(connection, name, selection);
    if (!response.ok())
      return Fail(WithCancelledHint(connection, response.status(), name, session));
    const std::string shown = ShortName(response->sweep().name());
    const std::string kind = selection.failed && selection.cancelled ? "failed or cancelled"
                             : selection.cancelled                   ? "cancelled"
                                                                     : "failed";
    if (response->retried() == 0) {
      Say(session, fmt::format("{} has no {} trials; there is nothing to retry", shown, kind));
    } else {
      Say(session,
          fmt::format("{} of {} {} queued again; failure counts are reset{}",
                      Trials(response->retried()), shown, response->retried() == 1 ? "is" : "are",
                      WhatFollows(connection, shown, session)));
    }
    const std::int64_t diverged = response->sweep().counts().diverged();
    if (diverged > 0 && selection.failed && !selection.diverged) {
      Say(session, fmt::format("{} that diverged {} left out: the same seed and values would "
                               "diverge again; --force retries {} too",
                               Trials(diverged), diverged == 1 ? "is" : "are",
                               diverged == 1 ? "it" : "them"));
    }
    const absl::StatusOr<v1::Sweep> sweep = GetSweep(connection, name);  // with its best trial
    if (!sweep.ok()) return Fail(sweep.status());
    PrintSweep(*sweep, session, {{"retried", response->retried()}});
    return static_cast<int>(kExitOk);
  });
}

int Extend(const std::string& name, std::int64_t run_cap, const Session& session) {
  return WithConnection(session, false, [&](Connection& connection) {
    const absl::StatusOr<v1::Sweep> before = GetSweep(connection, name);
    if (!before.ok()) return Fail(before.status());
    const std::string shown = ShortName(before->name());
    if (before->planned_configurations() == run_cap && !HasEnded(*before) &&
        !IsKeptFromRunning(*before)) {
      Say(session, fmt::format("{} has a run cap of {} already", shown, run_cap));
      PrintSweep(*before, session);
      return static_cast<int>(kExitOk);
    }
    const absl::StatusOr<v1::Sweep> sweep = ExtendSweep(connection, name, run_cap);
    if (!sweep.ok()) return Fail(WithCancelledHint(connection, sweep.status(), name, session));
    const std::int64_t more = sweep->planned_trials() - before->planned_trials();
    Say(session,
        fmt::format("{}: run cap raised from {} to {}, {} more {}{}", shown,
                    before->planned_configurations(), run_cap, more, more == 1 ? "trial" : "trials",
                    WhatFollows(connection, shown, session)));
    PrintSweep(*sweep, session);
    return static_cast<int>(kExitOk);
  });
}

// "s/1 failed", but "s/1 is running".
bool IsVerb(v1::TrialState state) {
  return state == v1::TRIAL_STATE_FAILED || state == v1::TRIAL_STATE_DIVERGED;
}

int Explain(const std::string& name, const Session& session) {
  return WithConnection(session, false, [&](Connection& connection) {
    const absl::StatusOr<v1::ExplainTrialResponse> response = ExplainTrial(connection, name);
    if (!response.ok()) return Fail(response.status());
    const v1::Trial& trial = response->trial();
    if (session.format == Format::kJson) {
      PrintJson({{"trial", ShortName(trial.name())},
                 {"state", StateName(trial.state())},
                 {"reasons",
                  std::vector<std::string>(response->reasons().begin(), response->reasons().end())},
                 {"trials_ahead", response->trials_ahead()}},
                std::cout);
      return static_cast<int>(kExitOk);
    }
    if (session.format == Format::kCsv) {
      Listing listing;
      listing.columns = {{"", "trial"}, {"", "state"}, {"", "reason"}};
      for (const std::string& reason : response->reasons()) {
        listing.rows.push_back(
            {{"", ShortName(trial.name())}, {"", StateName(trial.state())}, {"", reason}});
      }
      PrintListing(listing, session, std::cout);
      return static_cast<int>(kExitOk);
    }
    const std::string name = ShortName(trial.name());
    std::cout << fmt::format("{}{} {}\n", Styled(session, Style::kBold, name),
                             IsVerb(trial.state()) ? "" : " is",
                             Styled(session, StateStyle(trial.state()), StateName(trial.state())));
    for (const std::string& reason : response->reasons())
      std::cout << Wrapped("  • " + Printable(reason), session.width) << '\n';
    const bool waits = trial.state() == v1::TRIAL_STATE_PENDING && connection.embedded();
    const absl::StatusOr<v1::Sweep> sweep = GetSweep(connection, name.substr(0, name.find('/')));
    const bool is_active = sweep.ok() && sweep->state() == v1::SWEEP_STATE_ACTIVE;
    if (waits && is_active) Say(session, "nothing trains it now; " + RunAgain(*sweep, session));
    return static_cast<int>(kExitOk);
  });
}

int CancelOneTrial(Connection& connection, const std::string& name, bool wait,
                   const Session& session) {
  absl::StatusOr<v1::Trial> trial = CancelTrial(connection, name);
  if (absl::IsFailedPrecondition(trial.status())) {
    const absl::StatusOr<v1::GetTrialResponse> now = GetTrial(connection, name);
    if (!now.ok() || now->trial().state() != v1::TRIAL_STATE_CANCELLED) return Fail(trial.status());
    trial = now->trial();
  }
  if (!trial.ok()) return Fail(trial.status());
  const std::string shown = ShortName(trial->name());
  Say(session, fmt::format("cancelled {}; try it again with: {}", shown,
                           Command(session, {"retry", shown})));
  if (wait) {
    const int code = AfterWaiting(WaitUntilNothingIsHeld(connection, shown), session,
                                  shown + " stays cancelled; its trainer is ending");
    if (code != kExitOk) return code;
  }
  return PrintTrial(connection, *trial, session);
}

int Cancel(const std::string& name, bool wait, const Session& session) {
  return WithConnection(session, wait, [&](Connection& connection) {
    if (IsTrialName(name)) return CancelOneTrial(connection, name, wait, session);
    absl::StatusOr<v1::Sweep> sweep = CancelSweep(connection, name);
    if (!sweep.ok()) return Fail(sweep.status());
    const std::string shown = ShortName(sweep->name());
    const std::int64_t cancelled = sweep->counts().cancelled();
    Say(session, fmt::format("cancelled {}: {} had ended, {} {} cancelled{}\nto continue it: {}",
                             shown, Trials(EndedTrials(sweep->counts()) - cancelled), cancelled,
                             cancelled == 1 ? "was" : "were", NeverMade(*sweep),
                             Command(session, {"retry", shown, "--cancelled"})));
    if (wait) {
      const int code = AfterWaiting(WaitUntilNothingIsHeld(connection, shown), session,
                                    shown + " stays cancelled; its trainers are ending");
      if (code != kExitOk) return code;
    }
    PrintSweep(*sweep, session);
    return static_cast<int>(kExitOk);
  });
}

void AddPauseAndResume(CLI::App* app, Session* session) {
  auto name = std::make_shared<std::string>();
  auto now = std::make_shared<bool>(false);
  auto wait = std::make_shared<bool>(false);
  CLI::App* pause = app->add_subcommand(
      "pause",
      "Start no new trials\n"
      "What runs goes on to its end, or with --now saves a checkpoint and stops, to go on from\n"
      "there later. No failure is counted. Nothing is lost when the coordinator restarts.");
  pause->group("Run sweeps");
  pause->add_option("NAME", *name, "the sweep")->required();
  pause->add_flag("--now", *now, "also stop what runs, after a checkpoint");
  pause->add_flag("--wait", *wait, "return when nothing of it runs any more");
  pause->footer(
      "Examples:\n"
      "  sweep pause seed-000                 let the running trials end\n"
      "  sweep pause seed-000 --now --wait    free the machines, and wait for it");
  pause->callback([=] { session->exit_code = Pause(*name, *now, *wait, *session); });

  CLI::App* resume = app->add_subcommand("resume", "Continue a paused sweep");
  resume->group("Run sweeps");
  resume->add_option("NAME", *name, "the sweep")->required();
  resume->footer("Examples:\n  sweep resume seed-000");
  resume->callback([=] { session->exit_code = Resume(*name, *session); });
}

void AddCancelAndRetry(CLI::App* app, Session* session) {
  auto name = std::make_shared<std::string>();
  auto wait = std::make_shared<bool>(false);
  CLI::App* cancel = app->add_subcommand(
      "cancel",
      "End a sweep or one trial\n"
      "Trainers are stopped within two seconds. Everything measured so far stays.");
  cancel->group("Run sweeps");
  cancel->add_option("NAME[/N]", *name, "the sweep, or one trial of it")->required();
  cancel->add_flag("--wait", *wait, "return when its trainers have ended");
  cancel->footer(
      "Examples:\n"
      "  sweep cancel seed-000      the whole sweep\n"
      "  sweep cancel seed-000/7    one trial; the others go on");
  cancel->callback([=] { session->exit_code = Cancel(*name, *wait, *session); });

  auto selection = std::make_shared<RetrySelection>();
  CLI::App* retry =
      app->add_subcommand("retry",
                          "Try failed trials again\n"
                          "Trials that have ended without success are queued again; their failure "
                          "counts are reset. A\n"
                          "sweep that had ended goes on. Without a flag: the failed ones.");
  retry->group("Run sweeps");
  retry->add_option("NAME[/N]", *name, "the sweep, or one failed or cancelled trial")->required();
  retry->add_flag("--failed", selection->failed, "the trials that failed for good");
  retry->add_flag("--force", selection->diverged,
                  "trials that diverged too, although the same seed and values diverge again");
  retry->add_flag("--cancelled", selection->cancelled,
                  "the trials that were cancelled; needed for a cancelled sweep");
  retry->footer(
      "Examples:\n"
      "  sweep retry seed-000                           every failed trial\n"
      "  sweep retry seed-000/7                         one trial\n"
      "  sweep retry seed-000 --failed --cancelled      continue a cancelled sweep");
  retry->callback([=] { session->exit_code = Retry(*name, *selection, *session); });
}

void AddExtendAndExplain(CLI::App* app, Session* session) {
  auto name = std::make_shared<std::string>();
  auto run_cap = std::make_shared<std::int64_t>(0);
  CLI::App* extend = app->add_subcommand("extend",
                                         "Raise the run cap\n"
                                         "The search makes more configurations; what there is "
                                         "stays. A completed sweep goes on. A grid\n"
                                         "has a fixed size and cannot be extended.");
  extend->group("Run sweeps");
  extend->add_option("NAME", *name, "the sweep")->required();
  extend->add_option("--run-cap", *run_cap, "configurations in all, those made already included")
      ->required()
      ->check(Positive());
  extend->footer("Examples:\n  sweep extend seed-000 --run-cap 120");
  extend->callback([=] { session->exit_code = Extend(*name, *run_cap, *session); });

  CLI::App* explain = app->add_subcommand(
      "explain",
      "Why a trial waits\n"
      "Why the trial is in the state that it is in, the weightiest reason first.");
  explain->group("Look into and tidy up");
  explain->add_option("NAME/N", *name, "the trial")->required();
  explain->footer("Examples:\n  sweep explain seed-000/7");
  explain->callback([=] { session->exit_code = Explain(*name, *session); });
}

}  // namespace

void AddLifecycleCommands(CLI::App* app, Session* session) {
  AddPauseAndResume(app, session);
  AddCancelAndRetry(app, session);
  AddExtendAndExplain(app, session);
}

}  // namespace sweep::cli
