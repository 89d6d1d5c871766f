#include "common/lifecycle/trial_state.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "common/base/philox.h"

namespace sweep {
namespace {

using S = TrialState;
using E = TrialEvent;

const std::vector<S> kStates = {S::kPending,   S::kLeased,    S::kRunning,
                                S::kCompleted, S::kStopped,   S::kFailed,
                                S::kDiverged,  S::kCancelled, S::kOnHold};
const std::vector<E> kEvents = {E::kGrant,       E::kRevive,  E::kReport, E::kComplete, E::kFail,
                                E::kFailForGood, E::kDiverge, E::kLose,   E::kGiveBack, E::kStop,
                                E::kCancel,      E::kRetry,   E::kHold,   E::kPromote};

// Written independently of the table under test: every pair that is missing here is refused.
const std::map<std::pair<S, E>, S> kAllowed = {
    {{S::kPending, E::kGrant}, S::kLeased},       {{S::kPending, E::kRevive}, S::kLeased},
    {{S::kPending, E::kStop}, S::kStopped},       {{S::kPending, E::kCancel}, S::kCancelled},
    {{S::kLeased, E::kReport}, S::kRunning},      {{S::kLeased, E::kComplete}, S::kCompleted},
    {{S::kLeased, E::kFail}, S::kPending},        {{S::kLeased, E::kFailForGood}, S::kFailed},
    {{S::kLeased, E::kLose}, S::kPending},        {{S::kLeased, E::kGiveBack}, S::kPending},
    {{S::kLeased, E::kDiverge}, S::kDiverged},    {{S::kRunning, E::kDiverge}, S::kDiverged},
    {{S::kDiverged, E::kRetry}, S::kPending},     {{S::kLeased, E::kStop}, S::kStopped},
    {{S::kLeased, E::kCancel}, S::kCancelled},    {{S::kRunning, E::kReport}, S::kRunning},
    {{S::kRunning, E::kComplete}, S::kCompleted}, {{S::kRunning, E::kFail}, S::kPending},
    {{S::kRunning, E::kFailForGood}, S::kFailed}, {{S::kRunning, E::kLose}, S::kPending},
    {{S::kRunning, E::kGiveBack}, S::kPending},   {{S::kRunning, E::kStop}, S::kStopped},
    {{S::kRunning, E::kCancel}, S::kCancelled},   {{S::kFailed, E::kRetry}, S::kPending},
    {{S::kCancelled, E::kRetry}, S::kPending},    {{S::kLeased, E::kHold}, S::kOnHold},
    {{S::kRunning, E::kHold}, S::kOnHold},        {{S::kOnHold, E::kPromote}, S::kPending},
    {{S::kOnHold, E::kStop}, S::kStopped},        {{S::kOnHold, E::kCancel}, S::kCancelled},
    {{S::kPending, E::kHold}, S::kOnHold},        {{S::kOnHold, E::kRevive}, S::kLeased},
};

TEST(TrialState, EveryPairOfStateAndEventIsAsDocumented) {
  for (S state : kStates) {
    for (E event : kEvents) {
      SCOPED_TRACE(std::string(TrialStateName(state)) + " + " + std::string(TrialEventName(event)));
      const auto next = NextTrialState(state, event);
      const auto expected = kAllowed.find({state, event});
      if (expected != kAllowed.end()) {
        ASSERT_TRUE(next.ok()) << next.status();
        EXPECT_EQ(*next, expected->second);
      } else {
        EXPECT_EQ(next.status().code(), absl::StatusCode::kFailedPrecondition);
      }
    }
  }
}

TEST(TrialState, ARefusalNamesTheStateAndTheEvent) {
  EXPECT_EQ(NextTrialState(S::kCompleted, E::kGiveBack).status().message(),
            "a trial that is completed cannot be given back");
}

TEST(TrialState, NamesAreUniqueAndReadBack) {
  std::set<std::string_view> states, events;
  for (S state : kStates) {
    states.insert(TrialStateName(state));
    const auto parsed = ParseTrialState(TrialStateName(state));
    ASSERT_TRUE(parsed.ok());
    EXPECT_EQ(*parsed, state);
  }
  for (E event : kEvents) events.insert(TrialEventName(event));
  EXPECT_EQ(states.size(), kStates.size());
  EXPECT_EQ(events.size(), kEvents.size());
  EXPECT_EQ(TrialStateName(S::kCancelled), "cancelled");
  EXPECT_EQ(TrialEventName(E::kRetry), "retry");
  for (const char* bad : {"", "Pending", "pending ", "lost"}) {
    const auto parsed = ParseTrialState(bad);
    EXPECT_EQ(parsed.status().code(), absl::StatusCode::kInvalidArgument) << bad;
  }
}

TEST(TrialState, NoStateIsBothHeldAndTerminal) {
  std::set<S> held, terminal;
  for (S state : kStates) {
    if (IsHeld(state)) held.insert(state);
    if (IsTerminal(state)) terminal.insert(state);
  }
  EXPECT_EQ(held, (std::set<S>{S::kLeased, S::kRunning}));
  EXPECT_EQ(terminal,
            (std::set<S>{S::kCompleted, S::kStopped, S::kFailed, S::kDiverged, S::kCancelled}));
}

// For any events in any order: only a holder reports work, an ended trial changes only when a
// person retries it, and every trial can still be ended.
TEST(TrialState, RandomWalksKeepTheInvariants) {
  constexpr std::uint64_t kSeed = 20'240'601;
  PhiloxStream random(kSeed, 0);
  std::set<S> seen;
  for (int walk = 0; walk < 200; ++walk) {
    S state = S::kPending;
    for (int step = 0; step < 100; ++step) {
      const E event = kEvents[random.NextBelow(static_cast<std::uint32_t>(kEvents.size()))];
      const auto next = NextTrialState(state, event);
      seen.insert(state);
      if (!next.ok()) continue;
      SCOPED_TRACE(std::string(TrialStateName(state)) + " + " + std::string(TrialEventName(event)));
      if (IsTerminal(state)) {
        EXPECT_EQ(event, E::kRetry);
      }
      if (*next == S::kRunning) {
        EXPECT_TRUE(IsHeld(state));
      }
      if (*next == S::kCompleted || *next == S::kFailed || *next == S::kDiverged) {
        EXPECT_TRUE(IsHeld(state));
      }
      if (*next == S::kLeased) {
        EXPECT_TRUE(state == S::kPending || state == S::kOnHold);
      }
      EXPECT_EQ(IsTerminal(*next), !NextTrialState(*next, E::kCancel).ok());
      state = *next;
    }
  }
  EXPECT_EQ(seen.size(), kStates.size()) << "seed " << kSeed;
}

}  // namespace
}  // namespace sweep
