#include "common/lifecycle/trial_state.h"

#include <array>
#include <cstddef>
#include <optional>

#include "absl/strings/str_cat.h"

namespace sweep {
namespace {

constexpr std::array<std::string_view, kTrialStates> kStateNames = {
    "pending", "leased",   "running",   "completed", "stopped",
    "failed",  "diverged", "cancelled", "on_hold"};
constexpr std::array<std::string_view, 14> kEventNames = {
    "grant", "revive",    "report", "complete", "fail",  "fail_for_good", "diverge",
    "lose",  "give_back", "stop",   "cancel",   "retry", "hold",          "promote"};
// For messages: "a trial that is completed cannot …".
constexpr std::array<std::string_view, 14> kEventPhrases = {
    "be granted",   "be taken up again", "report an epoch", "complete",      "fail",
    "fail",         "diverge",           "be lost",         "be given back", "be stopped",
    "be cancelled", "be retried",        "be put on hold",  "be promoted"};
static_assert(kStateNames.size() == static_cast<std::size_t>(TrialState::kOnHold) + 1);
static_assert(kEventNames.size() == static_cast<std::size_t>(TrialEvent::kPromote) + 1);

using Next = std::optional<TrialState>;
constexpr Next kNo = std::nullopt;
constexpr Next kPen = TrialState::kPending;
constexpr Next kLea = TrialState::kLeased;
constexpr Next kRun = TrialState::kRunning;
constexpr Next kCom = TrialState::kCompleted;
constexpr Next kSto = TrialState::kStopped;
constexpr Next kFai = TrialState::kFailed;
constexpr Next kDiv = TrialState::kDiverged;
constexpr Next kCan = TrialState::kCancelled;
constexpr Next kHol = TrialState::kOnHold;

// Rows by event, columns by state, both in the order of their enums. A leased trial may complete
// because one that resumed from the checkpoint of its last epoch has nothing left to report.
constexpr Next kTransitions[kEventNames.size()][kStateNames.size()] = {
    //                pending leased running completed stopped failed diverged cancelled on_hold
    /* grant */ {kLea, kNo, kNo, kNo, kNo, kNo, kNo, kNo, kNo},
    /* revive */ {kLea, kNo, kNo, kNo, kNo, kNo, kNo, kNo, kLea},
    /* report */ {kNo, kRun, kRun, kNo, kNo, kNo, kNo, kNo, kNo},
    /* complete */ {kNo, kCom, kCom, kNo, kNo, kNo, kNo, kNo, kNo},
    /* fail */ {kNo, kPen, kPen, kNo, kNo, kNo, kNo, kNo, kNo},
    /* fail_for_good */ {kNo, kFai, kFai, kNo, kNo, kNo, kNo, kNo, kNo},
    /* diverge */ {kNo, kDiv, kDiv, kNo, kNo, kNo, kNo, kNo, kNo},
    /* lose */ {kNo, kPen, kPen, kNo, kNo, kNo, kNo, kNo, kNo},
    /* give_back */ {kNo, kPen, kPen, kNo, kNo, kNo, kNo, kNo, kNo},
    /* stop */ {kSto, kSto, kSto, kNo, kNo, kNo, kNo, kNo, kSto},
    /* cancel */ {kCan, kCan, kCan, kNo, kNo, kNo, kNo, kNo, kCan},
    /* retry */ {kNo, kNo, kNo, kNo, kNo, kPen, kPen, kPen, kNo},
    /* hold */ {kHol, kHol, kHol, kNo, kNo, kNo, kNo, kNo, kNo},
    /* promote */ {kNo, kNo, kNo, kNo, kNo, kNo, kNo, kNo, kPen},
};

}  // namespace

absl::StatusOr<TrialState> NextTrialState(TrialState state, TrialEvent event) {
  const Next next = kTransitions[static_cast<std::size_t>(event)][static_cast<std::size_t>(state)];
  if (!next) {
    return absl::FailedPreconditionError(
        absl::StrCat("a trial that is ", std::string(TrialStateName(state)), " cannot ",
                     std::string(kEventPhrases[static_cast<std::size_t>(event)])));
  }
  return *next;
}

bool IsTerminal(TrialState state) {
  return state == TrialState::kCompleted || state == TrialState::kStopped ||
         state == TrialState::kFailed || state == TrialState::kDiverged ||
         state == TrialState::kCancelled;
}

bool IsHeld(TrialState state) {
  return state == TrialState::kLeased || state == TrialState::kRunning;
}

std::string_view TrialStateName(TrialState state) {
  return kStateNames[static_cast<std::size_t>(state)];
}

absl::StatusOr<TrialState> ParseTrialState(std::string_view name) {
  for (std::size_t i = 0; i < kStateNames.size(); ++i) {
    if (kStateNames[i] == name) return static_cast<TrialState>(i);
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "'", std::string(name),
      "' is no trial state; they are pending, leased, running, completed, stopped, failed, "
      "diverged, cancelled, on_hold"));
}

std::string_view TrialEventName(TrialEvent event) {
  return kEventNames[static_cast<std::size_t>(event)];
}

}  // namespace sweep
