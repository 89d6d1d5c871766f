#include "coordinator/scheduler/explanation.h"

#include <algorithm>
#include <string_view>

#include "common/base/counted.h"
#include "common/base/utf8.h"
#include "fmt/format.h"
#include "fmt/ranges.h"

namespace sweep {
namespace {

using Reasons = std::vector<std::string>;

// The reason for a failure may be long, and have many lines.
constexpr std::size_t kMaxReasonBytes = 400;
constexpr std::size_t kMostPutAside = 3;

std::string Ago(absl::Duration time) {
  const std::int64_t seconds = std::max<std::int64_t>(absl::ToInt64Seconds(time), 0);
  if (seconds < 60) return fmt::format("{} s ago", seconds);
  if (seconds < 3600) return fmt::format("{} min ago", seconds / 60);
  if (seconds < 48 * 3600) return fmt::format("{} h {} min ago", seconds / 3600, seconds / 60 % 60);
  return fmt::format("{} days ago", seconds / 86400);
}

std::string Seconds(absl::Duration time) {
  return fmt::format("{} s", absl::ToInt64Seconds(absl::Ceil(time, absl::Seconds(1))));
}

std::string AndList(const std::map<std::string, std::int64_t>& counts, std::string_view between) {
  std::string list;
  for (const auto& [sweep, count] : counts) {
    list += fmt::format("{}{} {} sweep {}", list.empty() ? "" : ", ", count, between, sweep);
  }
  return list;
}

// "worker v", "workers v and w".
std::string AndNames(const std::vector<std::string>& workers) {
  std::string list = workers.size() == 1 ? "worker " : "workers ";
  for (std::size_t i = 0; i < workers.size(); ++i) {
    list += (i == 0 ? "" : i + 1 == workers.size() ? " and " : ", ") + workers[i];
  }
  return list;
}

// "worker v", "caller v".
std::string Holder(std::string_view name) {
  if (!name.starts_with(kCallerPrefix)) return fmt::format("worker {}", name);
  return fmt::format("caller {}", name.substr(kCallerPrefix.size()));
}

// ---- What a pending trial waits for

void ExplainPause(const TrialSituation& at, Reasons* reasons) {
  if (at.sweep_state != SweepState::kPaused) return;
  if (!at.pause_reason.empty()) {
    reasons->push_back(
        fmt::format("sweep {} was paused because {}; nothing is granted until it is "
                    "resumed",
                    at.trial.sweep, OneLine(at.pause_reason, kMaxReasonBytes)));
    return;
  }
  reasons->push_back(fmt::format("sweep {} is paused{}: nothing is granted until it is resumed",
                                 at.trial.sweep,
                                 at.give_back ? " and what ran was called back" : ""));
}

int CountOf(const TrialSituation& at, Misfit misfit) {
  const auto found = at.misfits.find(misfit);
  return found == at.misfits.end() ? 0 : found->second;
}

// "the connected worker has", "none of the 3 connected workers has".
std::string OfWorkers(int count, std::string_view one, std::string_view none) {
  if (count == 1) return fmt::format("the connected worker {}", one);
  return fmt::format("none of the {} connected workers {}", count, none);
}

// What so many connected workers lack of what the sweep's file requires.
std::string ExplainLack(Misfit misfit, int count, const WorkerRequirements& required) {
  switch (misfit) {
    case Misfit::kNoDevice:
      return OfWorkers(count, fmt::format("has no {} device", required.device),
                       fmt::format("has a {} device", required.device)) +
             fmt::format(" (sweep-worker --device {})", required.device);
    case Misfit::kNoLabel:
      return OfWorkers(count, "does not have", "has") +
             fmt::format(" the label{} {} (sweep-worker --label)",
                         required.labels.size() == 1 ? "" : "s", fmt::join(required.labels, ", "));
    case Misfit::kLittleMemory:
      return OfWorkers(count, "has less", "has as much") +
             fmt::format("{} {} of memory", count == 1 ? " than" : " as",
                         MemoryText(required.memory_bytes));
    case Misfit::kOldBuild:
      return OfWorkers(count, "is older than", "is as new as") +
             fmt::format(" build {}", required.build);
    default:
      return "";
  }
}

// Why no connected worker may train it.
std::string ExplainMisfits(const TrialSituation& at) {
  const int without_programs = CountOf(at, Misfit::kNoPrograms);
  if (without_programs > 0) {
    return fmt::format(
        "sweep {} brings its own program, and {} programs (sweep-worker "
        "--allow-program)",
        at.trial.sweep, OfWorkers(without_programs, "does not allow", "allows"));
  }
  std::vector<std::string> lacks;
  for (const auto& [misfit, count] : at.misfits) {
    std::string lack = ExplainLack(misfit, count, at.required);
    if (!lack.empty()) lacks.push_back(std::move(lack));
  }
  if (!lacks.empty()) {
    return fmt::format("sweep {} requires {}: {}", at.trial.sweep, at.required.ToString(),
                       fmt::join(lacks, "; "));
  }
  return fmt::format("{} {} only (sweep run): nobody trains sweep {}",
                     at.workers == 1 ? "the connected worker trains"
                                     : fmt::format("all {} connected workers train", at.workers),
                     fmt::format("{}", fmt::join(at.others, ", ")), at.trial.sweep);
}

void ExplainWorkers(const TrialSituation& at, std::int64_t ahead, Reasons* reasons) {
  if (at.is_for_callers) {
    reasons->push_back(
        fmt::format("it waits for a program that asks for it (sweep ask {})", at.trial.sweep));
  } else if (at.workers == 0) {
    reasons->push_back("no worker is connected");
  } else if (at.may_train_it == 0) {
    reasons->push_back(ExplainMisfits(at));
  } else if (at.draining == at.may_train_it) {
    reasons->push_back(at.draining == 1
                           ? "the worker that could train it drains"
                           : fmt::format("all {} workers that could train it drain", at.draining));
  } else if (at.slots == 0) {  // ExplainPutAside and ExplainOtherData tell why
  } else if (at.busy >= at.slots) {
    const std::string with = AndList(at.busy_with, "with");
    reasons->push_back(fmt::format(
        "{} of {} {} busy{}{}", at.slots == 1 ? "the slot" : fmt::format("all {} slots", at.slots),
        Counted(
            at.may_train_it - at.draining - std::ssize(at.put_aside) - std::ssize(at.other_data),
            "worker"),
        at.slots == 1 ? "is" : "are", with.empty() ? "" : ": ", with));
  } else if (at.sweep_state == SweepState::kActive && ahead < at.slots - at.busy) {
    reasons->push_back(fmt::format("{} {} free: it is granted with a worker's next call",
                                   Counted(at.slots - at.busy, "slot"),
                                   at.slots - at.busy == 1 ? "is" : "are"));
  }
}

std::string When(absl::Duration time) {
  const std::int64_t seconds = absl::ToInt64Seconds(time);
  return seconds > 0 ? fmt::format("again in {} s", seconds) : "with one trial now";
}

void ExplainPutAside(const TrialSituation& at, Reasons* reasons) {
  std::size_t told = 0;
  for (const auto& [name, aside] : at.put_aside) {
    if (++told > kMostPutAside) break;
    reasons->push_back(
        fmt::format("worker {} is put aside ({} failures in a row: {}); it is tried {}", name,
                    aside.failures, aside.reason, When(aside.until - at.now)));
  }
  if (at.put_aside.size() > kMostPutAside) {
    const std::size_t more = at.put_aside.size() - kMostPutAside;
    reasons->push_back(
        fmt::format("{} more worker{} put aside", more, more == 1 ? " is" : "s are"));
  }
  if (at.waits_for_another > absl::ZeroDuration()) {
    reasons->push_back(fmt::format(
        "it failed on {}, so it waits for another worker, for {} s at most", AndNames(at.failed_on),
        absl::ToInt64Seconds(absl::Ceil(at.waits_for_another, absl::Seconds(1)))));
  }
}

void ExplainOtherData(const TrialSituation& at, Reasons* reasons) {
  std::size_t told = 0;
  for (const auto& [name, data] : at.other_data) {
    if (++told > kMostPutAside) break;
    reasons->push_back(fmt::format(
        "worker {} has other data: sweep {} is trained on SHA-256 {}, and {} has {}; it gets "
        "none of its trials until it is started again",
        name, data.sweep, data.sweep_sha256, data.place.empty() ? "the worker" : data.place,
        data.sha256));
  }
  if (at.other_data.size() > kMostPutAside) {
    const std::size_t more = at.other_data.size() - kMostPutAside;
    reasons->push_back(
        fmt::format("{} more worker{} other data", more, more == 1 ? " has" : "s have"));
  }
}

// Why trials of other sweeps go first.
std::string WhyTheyGoFirst(const TrialSituation& at) {
  std::string why;
  for (const auto& [sweep, priority] : at.priorities) {
    why += fmt::format("{}{} has priority {}", why.empty() ? "; " : ", ", sweep, priority);
  }
  if (!why.empty()) return fmt::format("{}, this one {}", why, at.priority);
  if (at.slots_of_users.size() > 1) {
    std::vector<std::string> users;
    for (const auto& [user, slots] : at.slots_of_users) {
      users.push_back(fmt::format("{} {}", user.empty() ? "nobody named" : user, slots));
    }
    return fmt::format("; users share the slots: in use by {}", fmt::join(users, ", "));
  }
  return at.has_shares ? "; the sweeps get slots by their shares" : "; the sweeps take turns";
}

void ExplainQueue(const TrialSituation& at, std::int64_t ahead, Reasons* reasons) {
  if (at.store_is_full) {
    reasons->push_back(
        "the coordinator has more to write than it can: it grants again in a moment");
  }
  if (ahead == 0) return;
  std::string others;
  if (!at.ahead_in_others.empty()) {
    others = fmt::format(
        "{}{}{}",
        at.ahead_in_sweep > 0 ? fmt::format("{} of its own sweep, ", at.ahead_in_sweep) : "",
        AndList(at.ahead_in_others, "of"), WhyTheyGoFirst(at));
  } else {
    others = "of its own sweep";
  }
  reasons->push_back(fmt::format("{} {} first{} {}", Counted(ahead, "trial"),
                                 ahead == 1 ? "goes" : "go", at.ahead_in_others.empty() ? "," : ":",
                                 others));
}

// Says how the last attempt ended.
void ExplainLastAttempt(const TrialSituation& at, Reasons* reasons) {
  if (!at.last_attempt || !at.last_attempt->ended) return;
  const AttemptRow& attempt = *at.last_attempt;
  const std::string ago = Ago(at.now - *attempt.ended);
  const std::string why =
      attempt.reason.empty() ? "" : ": " + OneLine(attempt.reason, kMaxReasonBytes);
  if (attempt.outcome == "given_back") {
    reasons->push_back(fmt::format("{} gave attempt {} back {}{}; that counts as no failure",
                                   Holder(attempt.worker), attempt.attempt, ago, why));
  } else {
    const std::string what = attempt.outcome == "lost"     ? "was lost"
                             : attempt.outcome == "failed" ? "failed"
                                                           : "was " + attempt.outcome;
    const std::string count =
        at.trial.failures > 0 ? fmt::format("failure {} of {}", at.trial.failures, at.max_failures)
                              : "it was retried since, with no failure counted";
    reasons->push_back(fmt::format("attempt {} by {} {} {}{} ({})", attempt.attempt,
                                   Holder(attempt.worker), what, ago, why, count));
  }
}

void ExplainCheckpoint(const TrialSituation& at, Reasons* reasons) {
  if (at.trial.checkpoint_sha256.empty()) return;
  reasons->push_back(
      fmt::format("it will go on from its checkpoint after epoch {}", at.trial.checkpoint_epoch));
}

Explanation ExplainPending(const TrialSituation& at) {
  Explanation explanation;
  Reasons& reasons = explanation.reasons;
  explanation.trials_ahead = at.ahead_in_sweep;
  for (const auto& [sweep, count] : at.ahead_in_others) explanation.trials_ahead += count;
  if (!at.is_in_table) {
    // With an accepted file the trial was made, or has ended, at this moment.
    if (!at.file_refusal.empty()) {
      reasons.push_back(
          fmt::format("sweep {} does not run: this build does not accept its file: {}",
                      at.trial.sweep, OneLine(at.file_refusal, kMaxReasonBytes)));
    }
  } else if (at.is_being_granted) {
    reasons.push_back("it is being granted to a worker at this moment");
  } else {
    ExplainPause(at, &reasons);
    ExplainWorkers(at, explanation.trials_ahead, &reasons);
    ExplainPutAside(at, &reasons);
    ExplainOtherData(at, &reasons);
    ExplainQueue(at, explanation.trials_ahead, &reasons);
  }
  ExplainLastAttempt(at, &reasons);
  ExplainCheckpoint(at, &reasons);
  if (reasons.empty()) reasons.push_back("it waits for its turn");
  return explanation;
}

// ---- The other states

Reasons ExplainHeld(const TrialSituation& at) {
  const TrialRow& trial = at.trial;
  const std::string holder = Holder(trial.worker);
  Reasons reasons;
  const std::string since = at.last_attempt ? Ago(at.now - at.last_attempt->started) : "before";
  std::string where =
      fmt::format("epoch {} of {} is acknowledged", trial.result.epoch, trial.epochs);
  if (trial.state == TrialState::kLeased) where = "no epoch of this attempt is acknowledged yet";
  // Progress from before the last acknowledged epoch is old.
  if (at.progress && at.progress->epoch > trial.result.epoch) {
    where += fmt::format(", epoch {} is at step {} of {}", at.progress->epoch, at.progress->step,
                         at.progress->steps);
  }
  reasons.push_back(fmt::format("{} trains it: attempt {} was granted {}, {}", holder,
                                trial.attempt, since, where));
  if (at.sweep_state == SweepState::kPaused && at.give_back) {
    reasons.push_back(fmt::format(
        "sweep {} is paused, so {} was told to save a checkpoint and stop", trial.sweep, holder));
  } else if (at.holder_drains) {
    reasons.push_back(fmt::format("{} drains: it will save a checkpoint and stop", holder));
  }
  if (!at.holder_last_seen) {
    reasons.push_back(
        fmt::format("{} has not been heard from since the coordinator started; it is waited for {} "
                    "more",
                    holder, Seconds(at.waits_for_holder)));
  } else {
    reasons.push_back(fmt::format("{} was last heard from {}{}", holder,
                                  Ago(at.now - *at.holder_last_seen),
                                  at.holder_is_connected ? "" : ": it is gone"));
  }
  return reasons;
}

Reasons ExplainOnHold(const TrialSituation& at) {
  const TrialRow& trial = at.trial;
  const std::string why = trial.reason.empty() ? "" : ": " + OneLine(trial.reason, kMaxReasonBytes);
  return {
      fmt::format("it rests after {} of {}, its target{}", Counted(trial.result.epoch, "epoch"),
                  trial.epochs, why),
      "the stopping rule may let it go on, at the latest when only trials on hold are left of the "
      "sweep; else it is stopped then"};
}

Reasons ExplainEnded(const TrialSituation& at) {
  const TrialRow& trial = at.trial;
  const std::string ago = trial.ended ? Ago(at.now - *trial.ended) : "before";
  const std::string why = trial.reason.empty() ? "" : ": " + OneLine(trial.reason, kMaxReasonBytes);
  const std::string holder =
      trial.attempt > 0 ? fmt::format(" (attempt {}, {})", trial.attempt, Holder(trial.worker))
                        : "";
  switch (trial.state) {
    case TrialState::kCompleted:
      return {fmt::format("it completed {} after {}{}", ago, Counted(trial.last_epoch(), "epoch"),
                          holder)};
    case TrialState::kStopped:
      return {fmt::format("the stopping rule ended it {} after {}{}{}", ago,
                          Counted(trial.result.epoch, "epoch"), holder, why)};
    case TrialState::kDiverged:
      return {fmt::format("it diverged {} after {}{}{}", ago, Counted(trial.result.epoch, "epoch"),
                          holder, why),
              "the same seed and values would diverge again"};
    case TrialState::kCancelled:
      return {fmt::format("it was cancelled {} after {}{}{}", ago,
                          Counted(trial.result.epoch, "epoch"), holder,
                          trial.reason == "cancelled" ? "" : why)};
    default:
      break;
  }
  // A trial fails for good at its last permitted failure, or earlier when repeating cannot help.
  const std::string count =
      trial.failures >= at.max_failures
          ? fmt::format("{} of {} permitted failures", trial.failures, at.max_failures)
          : "it would fail the same way again";
  return {fmt::format("it failed {} after {}{}{}", ago, Counted(trial.result.epoch, "epoch"),
                      holder, why),
          count};
}

// ---- The search

void ExplainSearch(const TrialSituation& at, Reasons* reasons) {
  if (at.trial.chosen_source == SuggestionSourceName(SuggestionSource::kStandIn)) {
    reasons->push_back(
        "its values are a start-up point: a slot was free and the search's model had not answered");
  }
  if (!at.search_waits.empty()) {
    reasons->push_back(fmt::format("free slots get no further trial of sweep {} now: {}",
                                   at.trial.sweep, at.search_waits));
  }
  if (!at.search_thinks) return;
  reasons->push_back(
      fmt::format("the search of sweep {} has not found its next point for {}; free slots "
                  "get start-up points meanwhile",
                  at.trial.sweep, Seconds(*at.search_thinks)));
}

Explanation ExplainState(const TrialSituation& at) {
  if (at.trial.state == TrialState::kPending) return ExplainPending(at);
  if (IsHeld(at.trial.state)) return {.reasons = ExplainHeld(at)};
  if (at.trial.state == TrialState::kOnHold) return {.reasons = ExplainOnHold(at)};
  return {.reasons = ExplainEnded(at)};
}

}  // namespace

Explanation Explain(const TrialSituation& situation) {
  Explanation explanation = ExplainState(situation);
  ExplainSearch(situation, &explanation.reasons);
  if (situation.race) {
    for (std::string& reason :
         ExplainRace(situation.trial, situation.first_replicates, *situation.race)) {
      explanation.reasons.push_back(std::move(reason));
    }
  }
  return explanation;
}

}  // namespace sweep
