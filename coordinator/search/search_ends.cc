#include "coordinator/search/search_ends.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "fmt/format.h"

namespace sweep {
namespace {

constexpr int kMaxStopsPerWrite = 256;

absl::StatusOr<TrialRow> Carry(const TrialJudge::Decision& decision, std::int64_t trial_id,
                               const SweepSpec& spec, WriteTransaction& transaction) {
  switch (decision.action) {
    case StopDecision::Action::kStop:
      return transaction.StopTrial(trial_id, spec, decision.target_epoch, decision.reason);
    case StopDecision::Action::kHold:
      return transaction.HoldTrial(trial_id, decision.target_epoch, decision.reason);
    case StopDecision::Action::kPromote:
      break;
  }
  if (decision.after_hold) {
    // The hold may not be stored yet: hold the trial at the new target in any case.
    const absl::Status held = transaction.HoldTrial(trial_id, decision.target_epoch, "").status();
    if (!held.ok()) return held;
  }
  return transaction.PromoteTrial(trial_id, decision.target_epoch);
}

void OnDecisionStored(DriverCore& core, DrivenSweep& sweep, std::int64_t trial_id, bool ok) {
  MutexLock lock(&core.mutex);
  DrivenSweep::Shared& shared = core.Of(sweep);
  if (!ok) {
    shared.refused.push_back(trial_id);
    shared.not_before = core.Now() + DriverCore::kRetryAfter;
    shared.has_news = true;
  }
  // The end of the sweep may be waiting for this decision.
  if (--shared.storing == 0) core.Want();
}

// Some decisions are being stored, or are to be stored again.
bool IsIssuing(DriverCore& core, DrivenSweep& sweep) {
  MutexLock lock(&core.mutex);
  return core.Of(sweep).storing > 0 || !core.Of(sweep).refused.empty();
}

void StopHeldTrials(DriverCore& core, const SearchJob& job) {
  auto rows = std::make_shared<std::vector<TrialRow>>();  // shared by the write and its completion
  // Without a rule no event changes the decision.
  const std::optional<std::int64_t> seen =
      job.sweep->judge.has_rule() ? std::optional(job.sweep->seen) : std::nullopt;
  core.Write(
      job, "end of the trials on hold",
      [rows, seen, demand = job.demand](WriteTransaction& transaction) {
        absl::StatusOr<std::vector<TrialRow>> stopped =
            transaction.StopHeldTrials(demand.sweep_id, *demand.spec, seen, kMaxStopsPerWrite);
        if (stopped.ok()) *rows = *std::move(stopped);
        return stopped.status();
      },
      [&core, rows, sweep = job.sweep](bool ok) {
        if (ok) {
          for (const TrialRow& row : *rows) core.host.trial_decided(row);
        }
        MutexLock lock(&core.mutex);
        // What was committed but reported as failed is seen by reading the events again.
        if (!ok) core.Of(*sweep).has_news = true;
        core.EndTurn(*sweep, ok);
      });
}

}  // namespace

void IssueDecisions(DriverCore& core, const SearchJob& job) {
  for (auto& [trial_id, decision] : job.sweep->judge.TakeDecisions()) {
    {
      MutexLock lock(&core.mutex);
      ++core.Of(*job.sweep).storing;
    }
    auto row = std::make_shared<TrialRow>();  // shared by the write and its completion
    core.Write(
        job, fmt::format("decision on the trial of id {}", trial_id),
        [row, id = trial_id, spec = job.demand.spec,
         decision = std::move(decision)](WriteTransaction& transaction) {
          absl::StatusOr<TrialRow> decided = Carry(decision, id, *spec, transaction);
          if (decided.ok()) *row = *std::move(decided);
          return decided.status();
        },
        [&core, row, id = trial_id, sweep = job.sweep](bool ok) {
          if (ok) core.host.trial_decided(*row);
          OnDecisionStored(core, *sweep, id, ok);
        });
  }
}

bool PromotesHeld(DriverCore& core, const SearchJob& job) {
  if (IsIssuing(core, *job.sweep)) return true;
  if (!job.sweep->judge.DecideOnHeld()) return false;
  IssueDecisions(core, job);
  return true;
}

// Waits for promotions under way: a refused one is tried again.
void EndIfDecided(DriverCore& core, const SearchJob& job) {
  if (IsIssuing(core, *job.sweep)) return core.Release(*job.sweep);
  // A decision may have been stored since the job was planned; then a trial waits again.
  const std::vector<SearchDemand> demands = core.host.demands();
  const bool is_still_so = std::any_of(demands.begin(), demands.end(), [&](const auto& one) {
    return one.sweep_id == job.demand.sweep_id && one.only_on_hold;
  });
  if (!is_still_so || PromotesHeld(core, job)) return core.Release(*job.sweep);
  StopHeldTrials(core, job);
}

// The rule has stopped the trials, so nothing is left to do when the search has ended.
bool EndSearchByRule(DriverCore& core, const SearchJob& job) {
  std::string reason = job.sweep->judge.SweepEnd();
  if (reason.empty() || !job.demand.is_open) return false;
  job.sweep->suggested.clear();
  EndSearch(core, job,
            [id = job.demand.sweep_id, reason = std::move(reason)](WriteTransaction& write) {
              return write.MarkExhausted(id, reason);
            });
  return true;
}

void EndSearch(DriverCore& core, const SearchJob& job,
               std::function<absl::StatusOr<bool>(WriteTransaction&)> mark) {
  auto result = std::make_shared<StoredSuggestions>();  // shared by the write and its completion
  core.Write(
      job, "end of the search",
      [result, mark = std::move(mark), id = job.demand.sweep_id](WriteTransaction& transaction) {
        const absl::StatusOr<bool> ended = mark(transaction);
        *result = {.sweep_id = id, .exhausted = ended.value_or(false)};
        return ended.status();
      },
      [&core, result, sweep = job.sweep](bool ok) {
        if (ok) core.host.suggestions_stored(*result);
        MutexLock lock(&core.mutex);
        // What was committed but reported as failed is seen by reading the events again.
        if (!ok) core.Of(*sweep).has_news = true;
        core.EndTurn(*sweep, ok);
      });
}

}  // namespace sweep
