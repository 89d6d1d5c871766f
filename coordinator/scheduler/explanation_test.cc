#include "coordinator/scheduler/explanation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

namespace sweep {
namespace {

using testing::ElementsAre;

const absl::Time kNow = absl::FromUnixSeconds(1'700'000'000);

// Trial s/7 waits; two workers with two slots each are busy with s.
TrialSituation Waiting() {
  TrialSituation at;
  at.trial.sweep = "s";
  at.trial.number = 7;
  at.trial.epochs = 19;
  at.now = kNow;
  at.max_failures = 3;
  at.workers = at.may_train_it = 2;
  at.slots = at.busy = 4;
  at.busy_with = {{"s", 4}};
  return at;
}

// Worker w trains it.
TrialSituation Held() {
  TrialSituation at = Waiting();
  at.trial.state = TrialState::kRunning;
  at.trial.attempt = 2;
  at.trial.worker = "w";
  at.trial.result.epoch = 4;
  at.last_attempt = AttemptRow{.attempt = 2, .worker = "w", .started = kNow - absl::Minutes(3)};
  at.holder_is_connected = true;
  at.holder_last_seen = kNow - absl::Seconds(5);
  return at;
}

TrialSituation Ended(TrialState state, const std::string& reason) {
  TrialSituation at = Held();
  at.trial.state = state;
  at.trial.reason = reason;
  at.trial.ended = kNow - absl::Hours(3) - absl::Minutes(7);
  return at;
}

AttemptRow Attempt(const std::string& outcome, const std::string& reason) {
  return {.attempt = 2,
          .worker = "w",
          .started = kNow - absl::Minutes(9),
          .ended = kNow - absl::Seconds(40),
          .outcome = outcome,
          .reason = reason};
}

struct Case {
  TrialSituation at;
  std::function<void(TrialSituation&)> change;
  std::vector<std::string> reasons;
};

const Case kCases[] = {
    // Workers.
    {Waiting(), [](auto&) {}, {"all 4 slots of 2 workers are busy: 4 with sweep s"}},
    {Waiting(),
     [](auto& at) { at.busy_with = {{"a", 1}, {"b", 3}}; },
     {"all 4 slots of 2 workers are busy: 1 with sweep a, 3 with sweep b"}},
    {Waiting(),
     [](auto& at) {
       at.workers = at.may_train_it = 1;
       at.slots = at.busy = 1;
       at.busy_with = {{"a", 1}};
     },
     {"the slot of 1 worker is busy: 1 with sweep a"}},
    {Waiting(), [](auto& at) { at.busy_with.clear(); }, {"all 4 slots of 2 workers are busy"}},
    {Waiting(), [](auto& at) { at.workers = at.may_train_it = 0; }, {"no worker is connected"}},
    {Waiting(),
     [](auto& at) { at.busy = 3; },
     {"1 slot is free: it is granted with a worker's next call"}},
    {Waiting(), [](auto& at) { at.draining = 2; }, {"all 2 workers that could train it drain"}},
    {Waiting(),
     [](auto& at) {
       at.may_train_it = 1;
       at.draining = 1;
     },
     {"the worker that could train it drains"}},
    {Waiting(),
     [](auto& at) {
       at.draining = 1;
       at.slots = at.busy = 2;
     },
     {"all 2 slots of 1 worker are busy: 4 with sweep s"}},
    {Waiting(),
     [](auto& at) {
       at.may_train_it = 0;
       at.misfits = {{Misfit::kNoPrograms, 2}};
     },
     {"sweep s brings its own program, and none of the 2 connected workers allows programs "
      "(sweep-worker --allow-program)"}},
    {Waiting(),
     [](auto& at) {
       at.workers = 3;
       at.may_train_it = 0;
       at.misfits = {{Misfit::kTrainsOthers, 2}, {Misfit::kNoPrograms, 1}};
     },
     {"sweep s brings its own program, and the connected worker does not allow programs "
      "(sweep-worker --allow-program)"}},
    {Waiting(),
     [](auto& at) {
       at.workers = 4;
       at.may_train_it = 0;
       at.required = {.device = "cuda", .labels = {"a100"}, .memory_bytes = 8'000'000'000};
       at.misfits = {{Misfit::kNoDevice, 3}, {Misfit::kLittleMemory, 1}};
     },
     {"sweep s requires device: cuda, labels: [a100], memory: 8 GB: none of the 3 connected "
      "workers "
      "has a cuda device (sweep-worker --device cuda); the connected worker has less than 8 GB of "
      "memory"}},
    // Workers that fail.
    {Waiting(),
     [](auto& at) {
       at.slots = at.busy = 2;
       at.busy_with = {{"s", 2}};
       at.put_aside = {{"w", {3, "no GPU", kNow + absl::Seconds(25)}}};
     },
     {"all 2 slots of 1 worker are busy: 2 with sweep s",
      "worker w is put aside (3 failures in a row: no GPU); it is tried again in 25 s"}},
    {Waiting(),
     [](auto& at) {
       at.slots = at.busy = 0;
       const PutAside now = {4, "no GPU", kNow};
       at.put_aside = {{"a", now}, {"b", now}, {"c", now}, {"d", now}, {"e", now}};
     },
     {"worker a is put aside (4 failures in a row: no GPU); it is tried with one trial now",
      "worker b is put aside (4 failures in a row: no GPU); it is tried with one trial now",
      "worker c is put aside (4 failures in a row: no GPU); it is tried with one trial now",
      "2 more workers are put aside"}},
    {Waiting(),
     [](auto& at) {
       at.failed_on = {"v", "w"};
       at.waits_for_another = absl::Milliseconds(12'300);
     },
     {"all 4 slots of 2 workers are busy: 4 with sweep s",
      "it failed on workers v and w, so it waits for another worker, for 13 s at most"}},
    // The sweep.
    {Waiting(),
     [](auto& at) {
       at.sweep_state = SweepState::kPaused;
       at.busy = 0;
     },
     {"sweep s is paused: nothing is granted until it is resumed"}},
    {Waiting(),
     [](auto& at) {
       at.sweep_state = SweepState::kPaused;
       at.give_back = true;
       at.workers = at.may_train_it = 0;
     },
     {"sweep s is paused and what ran was called back: nothing is granted until it is resumed",
      "no worker is connected"}},
    {Waiting(),
     [](auto& at) {
       at.is_in_table = false;
       at.file_refusal = "s.yaml:3: there is no 'paramters'";
     },
     {"sweep s does not run: this build does not accept its file: s.yaml:3: there is no "
      "'paramters'"}},
    {Waiting(), [](auto& at) { at.is_in_table = false; }, {"it waits for its turn"}},
    {Waiting(),
     [](auto& at) {
       at.may_train_it = 0;
       at.misfits = {{Misfit::kTrainsOthers, 2}};
       at.others = {"a", "b"};
     },
     {"all 2 connected workers train a, b only (sweep run): nobody trains sweep s"}},
    // The queue.
    {Waiting(),
     [](auto& at) { at.ahead_in_sweep = 1; },
     {"all 4 slots of 2 workers are busy: 4 with sweep s", "1 trial goes first, of its own sweep"}},
    {Waiting(),
     [](auto& at) {
       at.ahead_in_sweep = 2;
       at.ahead_in_others = {{"a", 3}, {"b", 1}};
     },
     {"all 4 slots of 2 workers are busy: 4 with sweep s",
      "6 trials go first: 2 of its own sweep, 3 of sweep a, 1 of sweep b; the sweeps take "
      "turns"}},
    {Waiting(),
     [](auto& at) {
       at.busy = 3;
       at.ahead_in_others = {{"a", 1}};
     },
     {"1 trial goes first: 1 of sweep a; the sweeps take turns"}},
    {Waiting(),
     [](auto& at) {
       at.busy = 3;
       at.ahead_in_others = {{"a", 1}, {"b", 1}};
       at.priority = -1;
       at.priorities = {{"a", 5}, {"b", 0}};
       at.slots_of_users = {{"ada", 1}, {"bob", 2}};
     },
     {"2 trials go first: 1 of sweep a, 1 of sweep b; a has priority 5, b has priority 0, this one "
      "-1"}},
    {Waiting(),
     [](auto& at) {
       at.busy = 3;
       at.ahead_in_others = {{"a", 1}};
       at.has_shares = true;
     },
     {"1 trial goes first: 1 of sweep a; the sweeps get slots by their shares"}},
    {Waiting(),
     [](auto& at) {
       at.busy = 3;
       at.ahead_in_others = {{"a", 1}};
       at.slots_of_users = {{"ada", 1}, {"bob", 2}};
     },
     {"1 trial goes first: 1 of sweep a; users share the slots: in use by ada 1, bob 2"}},
    {Waiting(),
     [](auto& at) { at.store_is_full = true; },
     {"all 4 slots of 2 workers are busy: 4 with sweep s",
      "the coordinator has more to write than it can: it grants again in a moment"}},
    {Waiting(),
     [](auto& at) { at.is_being_granted = true; },
     {"it is being granted to a worker at this moment"}},
    // What became of the attempt before.
    {Waiting(),
     [](auto& at) {
       at.trial.failures = 1;
       at.last_attempt = Attempt("lost", "worker w: no heartbeat for 60 s");
     },
     {"all 4 slots of 2 workers are busy: 4 with sweep s",
      "attempt 2 by worker w was lost 40 s ago: worker w: no heartbeat for 60 s (failure 1 of 3)"}},
    {Waiting(),
     [](auto& at) {
       at.trial.failures = 2;
       at.last_attempt = Attempt("failed", "no memory\nTraceback");
       at.trial.checkpoint_sha256 = "ab";
       at.trial.checkpoint_epoch = 3;
     },
     {"all 4 slots of 2 workers are busy: 4 with sweep s",
      "attempt 2 by worker w failed 40 s ago: no memory | Traceback (failure 2 of 3)",
      "it will go on from its checkpoint after epoch 3"}},
    {Waiting(),
     [](auto& at) { at.last_attempt = Attempt("failed", ""); },
     {"all 4 slots of 2 workers are busy: 4 with sweep s",
      "attempt 2 by worker w failed 40 s ago (it was retried since, with no failure counted)"}},
    {Waiting(),
     [](auto& at) { at.last_attempt = Attempt("given_back", "the worker drains"); },
     {"all 4 slots of 2 workers are busy: 4 with sweep s",
      "worker w gave attempt 2 back 40 s ago: the worker drains; that counts as no failure"}},
    // Held.
    {Held(),
     [](auto&) {},
     {"worker w trains it: attempt 2 was granted 3 min ago, epoch 4 of 19 is acknowledged",
      "worker w was last heard from 5 s ago"}},
    {Held(),
     [](auto& at) {
       at.trial.state = TrialState::kLeased;
       at.progress = ProgressMessage{.epoch = 5, .step = 100, .steps = 938};
     },
     {"worker w trains it: attempt 2 was granted 3 min ago, no epoch of this attempt is "
      "acknowledged yet, epoch 5 is at step 100 of 938",
      "worker w was last heard from 5 s ago"}},
    {Held(),
     [](auto& at) {
       at.sweep_state = SweepState::kPaused;
       at.give_back = true;
     },
     {"worker w trains it: attempt 2 was granted 3 min ago, epoch 4 of 19 is acknowledged",
      "sweep s is paused, so worker w was told to save a checkpoint and stop",
      "worker w was last heard from 5 s ago"}},
    {Held(),
     [](auto& at) { at.holder_drains = true; },
     {"worker w trains it: attempt 2 was granted 3 min ago, epoch 4 of 19 is acknowledged",
      "worker w drains: it will save a checkpoint and stop",
      "worker w was last heard from 5 s ago"}},
    {Held(),
     [](auto& at) {
       at.holder_is_connected = false;
       at.holder_last_seen = kNow - absl::Hours(72);
     },
     {"worker w trains it: attempt 2 was granted 3 min ago, epoch 4 of 19 is acknowledged",
      "worker w was last heard from 3 days ago: it is gone"}},
    {Held(),
     [](auto& at) {
       at.holder_last_seen.reset();
       at.waits_for_holder = absl::Seconds(41.5);
     },
     {"worker w trains it: attempt 2 was granted 3 min ago, epoch 4 of 19 is acknowledged",
      "worker w has not been heard from since the coordinator started; it is waited for 42 s "
      "more"}},
    // Ended.
    {Ended(TrialState::kCompleted, ""),
     [](auto&) {},
     {"it completed 3 h 7 min ago after 19 epochs (attempt 2, worker w)"}},
    {Ended(TrialState::kStopped, "worse than half at epoch 4"),
     [](auto&) {},
     {"the stopping rule ended it 3 h 7 min ago after 4 epochs (attempt 2, worker w): worse than "
      "half at epoch 4"}},
    {Ended(TrialState::kFailed, "lost 3 times: worker w: no heartbeat for 60 s"),
     [](auto& at) { at.trial.failures = 3; },
     {"it failed 3 h 7 min ago after 4 epochs (attempt 2, worker w): lost 3 times: worker w: no "
      "heartbeat for 60 s",
      "3 of 3 permitted failures"}},
    {Ended(TrialState::kFailed, "diverged"),
     [](auto& at) {
       at.trial.failures = 1;
       at.trial.result.epoch = 1;
     },
     {"it failed 3 h 7 min ago after 1 epoch (attempt 2, worker w): diverged",
      "it would fail the same way again"}},
    {Ended(TrialState::kCancelled, "the sweep was cancelled"),
     [](auto& at) {
       at.trial.attempt = 0;
       at.trial.result.epoch = 0;
     },
     {"it was cancelled 3 h 7 min ago after 0 epochs: the sweep was cancelled"}},
    // The search.
    {Ended(TrialState::kCompleted, ""),
     [](auto& at) {
       at.trial.chosen_source = "stand_in";
       at.search_thinks = absl::Milliseconds(2100);
     },
     {"it completed 3 h 7 min ago after 19 epochs (attempt 2, worker w)",
      "its values are a start-up point: a slot was free and the search's model had not answered",
      "the search of sweep s has not found its next point for 3 s; free slots get "
      "start-up points meanwhile"}},
    {Ended(TrialState::kCompleted, ""),
     [](auto& at) { at.search_waits = "2 of the 4 members of the population are at a segment"; },
     {"it completed 3 h 7 min ago after 19 epochs (attempt 2, worker w)",
      "free slots get no further trial of sweep s now: 2 of the 4 members of the population are at "
      "a "
      "segment"}},
};

TEST(Explanation, EverySituationIsPutIntoPlainSentences) {
  for (const Case& item : kCases) {
    TrialSituation at = item.at;
    item.change(at);
    EXPECT_THAT(Explain(at).reasons, testing::ElementsAreArray(item.reasons));
  }
}

TEST(Explanation, CountsTheTrialsThatAreGrantedBefore) {
  TrialSituation at = Waiting();
  EXPECT_EQ(Explain(at).trials_ahead, 0);
  at.ahead_in_sweep = 2;
  at.ahead_in_others = {{"a", 3}, {"b", 1}};
  EXPECT_EQ(Explain(at).trials_ahead, 6);
  EXPECT_EQ(Explain(Held()).trials_ahead, 0);
}

TEST(Explanation, AVeryLongReasonIsCut) {
  const TrialSituation at = Ended(TrialState::kFailed, std::string(5000, 'x'));
  EXPECT_LT(Explain(at).reasons.at(0).size(), 500u);
}

}  // namespace
}  // namespace sweep
