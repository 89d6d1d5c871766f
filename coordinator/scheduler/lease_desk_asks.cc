// How the lease desk serves callers: programs with their own loop that ask for the trials of sweeps
// which no worker trains.

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <utility>

#include "common/base/counted.h"
#include "common/base/ids.h"
#include "common/base/utf8.h"
#include "coordinator/scheduler/lease_desk.h"
#include "coordinator/scheduler/lease_grant.h"
#include "fmt/format.h"

namespace sweep {
namespace {

constexpr std::size_t kMaxAsks = 10'000;  // that wait
constexpr std::size_t kShownReasonBytes = 400;

bool IsDue(const PendingAsk& ask, absl::Duration now) {
  return !ask.is_looked_up && ask.deadline <= now;
}

std::size_t CountAsks(const WorkTable& table) {
  std::size_t count = 0;
  for (const auto& [sweep_id, asks] : table.asks()) count += asks.size();
  return count;
}

// Takes the first ask out for which `is_meant` holds.
template <typename Predicate>
std::optional<PendingAsk> TakeAsk(WorkTable& table, Predicate is_meant) {
  for (auto& [sweep_id, asks] : table.asks()) {
    const auto found = std::find_if(asks.begin(), asks.end(), is_meant);
    if (found == asks.end()) continue;
    std::optional<PendingAsk> ask = std::move(*found);
    asks.erase(found);
    if (asks.empty()) table.asks().erase(sweep_id);
    return ask;
  }
  return std::nullopt;
}

absl::Status GoneError() { return absl::CancelledError("the caller is gone"); }

absl::Status RepeatedError() {
  return absl::AbortedError("the same request has been made again since");
}

// Why no trial of the sweep is free.
std::string WhyNone(const SweepEntry& sweep) {
  if (sweep.state == SweepState::kPaused) {
    return fmt::format("sweep {} is paused{}{}", sweep.name, sweep.pause_reason.empty() ? "" : ": ",
                       OneLine(sweep.pause_reason, kShownReasonBytes));
  }
  const auto held = std::count_if(sweep.trials.begin(), sweep.trials.end(),
                                  [](const auto& item) { return item.second.held(); });
  const bool makes_more =
      !sweep.exhausted && (sweep.configurations < sweep.planned || sweep.spec->race);
  return fmt::format("no trial of sweep {} is free: {} being trained{}", sweep.name,
                     held == 1 ? "1 is" : fmt::format("{} are", held),
                     !makes_more                            ? ""
                     : sweep.configurations < sweep.planned ? ", and the search makes the next ones"
                                                            : ", and further seeds follow from "
                                                              "their results");
}

}  // namespace

absl::Status NotForCallersError(const std::string& sweep) {
  return absl::FailedPreconditionError(fmt::format(
      "sweep {} is trained by workers; a program gets trials only of a sweep whose file "
      "says 'trained_by: callers'",
      sweep));
}

void LeaseDesk::Ask(const AskCall& call, AskCallback callback) {
  absl::Status status;
  if (!IsValidName(call.caller)) {
    status = absl::InvalidArgumentError(
        fmt::format("'{}' is not the name of a caller: 1-63 letters, digits, '.', '_', '-'",
                    OneLine(call.caller, 128)));
  } else {
    MutexLock lock(&state_.effects.mutex);
    status = AdmitAsk(call, callback);
  }
  if (!status.ok()) return callback(status);
  state_.effects.RunDeferred();
}

absl::Status LeaseDesk::AdmitAsk(const AskCall& call, const AskCallback& callback) {
  if (state_.effects.is_stopping()) return StoppingError();
  WorkTable& table = state_.table;
  const SweepEntry* const sweep = table.FindSweep(call.sweep);
  PendingAsk ask{.id = call.id,
                 .caller = std::string(kCallerPrefix) + call.caller,
                 .deadline = state_.Now() + std::min(call.wait, state_.options.poll_time),
                 .callback = callback};
  if (sweep == nullptr) {
    AnswerNoSweep(ask, call.sweep);
    return absl::OkStatus();
  }
  if (!sweep->is_for_callers()) return NotForCallersError(sweep->name);
  if (absl::Status room = CheckRoomFor(ask.caller); !room.ok()) return room;
  if (CountAsks(table) >= kMaxAsks) {
    return absl::ResourceExhaustedError(
        fmt::format("caller {}: too many callers wait; ask again later", call.caller));
  }
  TouchCaller(table.EnsureWorker(ask.caller));
  const std::int64_t sweep_id = sweep->id;
  if (!call.request_id.empty()) {
    ask.request = fmt::format("ask {} {} {}", sweep_id, call.caller, call.request_id);
    ask.is_looked_up = true;
    if (const std::optional<PendingAsk> before =
            TakeAsk(table, [&](const PendingAsk& other) { return other.request == ask.request; })) {
      RefuseAsk(*before, RepeatedError());
    }
    LookUpAsk(sweep_id, ask);
  }
  table.asks()[sweep_id].push_back(std::move(ask));
  React();
  return absl::OkStatus();
}

// The sweep is not in the table: it has ended, or the table does not have it yet.
void LeaseDesk::AnswerNoSweep(const PendingAsk& ask, const std::string& name) {
  const AskAnswer ended{.ended = true, .reason = fmt::format("sweep {} has ended", name)};
  if (state_.ended.Find(name) != nullptr) return AnswerAsk(ask, ended);
  auto state = std::make_shared<SweepState>(SweepState::kActive);  // of write and completion
  state_.effects.DeferWrite(
      [state, name](WriteTransaction& transaction) {
        const absl::StatusOr<SweepRow> row = transaction.GetSweep(name);
        if (row.ok()) *state = row->state;
        return row.status();
      },
      [this, state, ask, name, ended](const absl::Status& status) {
        MutexLock lock(&state_.effects.mutex);
        if (!status.ok()) return RefuseAsk(ask, status);
        const bool has_ended = HasEnded(*state) && state_.table.FindSweep(name) == nullptr;
        AnswerAsk(ask, has_ended ? ended
                                 : AskAnswer{.reason = fmt::format(
                                                 "sweep {} is not served yet; ask again", name)});
      });
}

// The answer to this request may have been lost.
void LeaseDesk::LookUpAsk(std::int64_t sweep_id, const PendingAsk& ask) {
  auto lease = std::make_shared<std::optional<LeaseRow>>();  // of write and completion
  state_.effects.DeferWrite(
      [lease, request = ask.request](WriteTransaction& transaction) {
        lease->reset();  // of an earlier run that was rolled back
        absl::StatusOr<std::optional<LeaseRow>> found = transaction.FindGrant(request);
        if (found.ok()) *lease = *std::move(found);
        return found.status();
      },
      [this, lease, sweep_id, id = ask.id](const absl::Status& status) {
        MutexLock lock(&state_.effects.mutex);
        OnLookedUp(sweep_id, id, status, *lease);
        React();
      });
}

void LeaseDesk::OnLookedUp(std::int64_t sweep_id, std::uint64_t id, const absl::Status& status,
                           const std::optional<LeaseRow>& lease) {
  bool is_being_lost = false;
  if (status.ok() && lease) {  // it may have been revived
    TrialEntry* const trial =
        state_.table.Apply(lease->trial, state_.Now() + state_.options.lease_term);
    if (trial != nullptr) {
      trial->secret = lease->secret;
      is_being_lost = trial->claim == Claim::kLosing;
      if (trial->claim == Claim::kNone) trial->deadline = state_.Now() + state_.options.lease_term;
    }
    state_.SignalEvents(sweep_id);
  }
  const auto is_meant = [&](const PendingAsk& ask) { return ask.id == id; };
  if (status.ok() && (!lease || is_being_lost)) {
    const auto asks = state_.table.asks().find(sweep_id);
    if (asks == state_.table.asks().end()) return;
    const auto found = std::find_if(asks->second.begin(), asks->second.end(), is_meant);
    if (found == asks->second.end()) return;
    // The write that takes the lease back comes before the second look, which revives it.
    if (is_being_lost) return LookUpAsk(sweep_id, *found);
    found->is_looked_up = false;
    return;
  }
  const std::optional<PendingAsk> ask = TakeAsk(state_.table, is_meant);
  if (!ask) return;  // the caller is gone, or has asked again
  if (absl::IsFailedPrecondition(status)) {
    return RefuseAsk(*ask, absl::FailedPreconditionError(
                               fmt::format("the request had its answer, and the lease is over: {}",
                                           std::string(status.message()))));
  }
  if (!status.ok()) return RefuseAsk(*ask, status);
  AnswerAsk(*ask, lease->trial, lease->secret, nullptr);
}

void LeaseDesk::DropAsk(std::uint64_t id) {
  {
    MutexLock lock(&state_.effects.mutex);
    const std::optional<PendingAsk> ask =
        TakeAsk(state_.table, [&](const PendingAsk& other) { return other.id == id; });
    const auto granting = asks_being_granted_.find(id);
    if (granting != asks_being_granted_.end()) granting->second = true;
    if (!ask) return;
    RefuseAsk(*ask, GoneError());
  }
  state_.effects.RunDeferred();
}

void LeaseDesk::TouchCaller(WorkerEntry* caller) {
  if (!caller->has_called()) caller->created = state_.options.clock->Now();
  caller->last_call = state_.Now();
  caller->last_seen = state_.options.clock->Now();
}

// ---- Grants and answers

void LeaseDesk::ServeAsks() {
  WorkTable& table = state_.table;
  const absl::Duration now = state_.Now();
  const bool may_grant = !state_.effects.is_stopping() && now >= state_.no_grants_before;
  for (auto next = table.asks().begin(); next != table.asks().end();) {
    const auto [sweep_id, asks] = std::pair(next->first, &next->second);
    SweepEntry* const sweep = table.FindSweep(sweep_id);
    // This runs with every heartbeat of every worker.
    const bool is_idle = sweep != nullptr && !(may_grant && sweep->is_offered()) &&
                         std::none_of(asks->begin(), asks->end(),
                                      [&](const PendingAsk& ask) { return IsDue(ask, now); });
    std::deque<PendingAsk> waiting;
    if (is_idle) waiting.swap(*asks);
    for (PendingAsk& ask : *asks) {
      if (ask.is_looked_up) {
        waiting.push_back(std::move(ask));
      } else if (sweep == nullptr) {
        AnswerAsk(ask, {.ended = true, .reason = "the sweep has ended"});
      } else if (may_grant && sweep->is_offered()) {
        GrantAsk(std::move(ask), &sweep->trials.at(*sweep->pending.begin()));
      } else if (IsDue(ask, now)) {
        AnswerAsk(ask, {.reason = WhyNone(*sweep)});
        sweep->has_unmet_ask = sweep->pending.empty();
      } else {
        waiting.push_back(std::move(ask));
      }
    }
    *asks = std::move(waiting);
    next = asks->empty() ? table.asks().erase(next) : std::next(next);
  }
}

void LeaseDesk::GrantAsk(PendingAsk ask, TrialEntry* trial) {
  state_.table.SetClaim(trial, Claim::kGranting);
  ++state_.table.EnsureWorker(ask.caller)->writes_in_flight;
  auto batch = std::make_shared<GrantBatch>();  // shared: write and completion
  batch->worker = ask.caller;
  asks_being_granted_[ask.id] = false;
  batch->ask = std::move(ask);
  batch->grants.push_back(GrantOf(*trial));
  DeferGrants(std::move(batch));
}

void LeaseDesk::SettleAsk(const PendingAsk& ask, const Grant& grant, const absl::Status& status) {
  const auto granting = asks_being_granted_.extract(ask.id);
  const bool is_gone = !granting.empty() && granting.mapped();
  if (status.ok() && grant.lease.ok()) {
    // Nobody can ask for it again.
    if (is_gone && ask.request.empty()) {
      ReturnLease(*grant.lease, grant.spec, "the program that asked for it has gone");
      return RefuseAsk(ask, GoneError());
    }
    return AnswerAsk(ask, grant.lease->trial, grant.secret, grant.spec_json);
  }
  if (is_gone) return RefuseAsk(ask, GoneError());
  if (state_.effects.is_stopping()) return RefuseAsk(ask, StoppingError());
  const std::deque<PendingAsk>& waiting = state_.table.asks()[grant.trial.sweep_id];
  const bool is_repeated =
      !ask.request.empty() &&
      std::any_of(waiting.begin(), waiting.end(),
                  [&](const PendingAsk& other) { return other.request == ask.request; });
  if (is_repeated) return RefuseAsk(ask, RepeatedError());
  // It keeps its turn.
  state_.table.asks()[grant.trial.sweep_id].push_front(ask);
}

void LeaseDesk::AnswerAsk(const PendingAsk& ask, const TrialRow& row, const std::string& secret,
                          std::shared_ptr<const std::string> spec_json) {
  TrialEntry* const trial = state_.table.FindTrial(TrialKey{row.sweep_id, row.number});
  // After a rename, a restart or a new target epoch the line has to be built again.
  if (trial != nullptr && trial->spec_json != nullptr) spec_json = trial->spec_json;
  if (spec_json == nullptr && trial != nullptr) {
    absl::StatusOr<std::string> json =
        BuildTrialSpecJson(*state_.table.FindSweep(row.sweep_id)->spec, row);
    if (!json.ok()) return RefuseAsk(ask, json.status());
    spec_json = trial->spec_json = std::make_shared<const std::string>(*std::move(json));
  }
  AnswerAsk(ask, {.trial = AskedTrial{.token = {.sweep = row.sweep,
                                                .number = row.number,
                                                .attempt = row.attempt,
                                                .secret = secret},
                                      .trial = row,
                                      .spec_json = std::move(spec_json)}});
}

void LeaseDesk::AnswerAsk(const PendingAsk& ask, AskAnswer answer) {
  answer.lease_term = state_.options.lease_term;
  state_.effects.Defer([callback = ask.callback, answer = std::move(answer)] { callback(answer); });
}

void LeaseDesk::RefuseAsk(const PendingAsk& ask, const absl::Status& status) {
  state_.effects.Defer([callback = ask.callback, status] { callback(status); });
}

void LeaseDesk::RefuseAllAsks(const absl::Status& status) {
  for (const auto& [sweep_id, asks] : std::exchange(state_.table.asks(), {})) {
    for (const PendingAsk& ask : asks) RefuseAsk(ask, status);
  }
}

}  // namespace sweep
