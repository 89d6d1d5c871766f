#include "coordinator/scheduler/work_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/philox.h"
#include "coordinator/store/testing/store_testing.h"
#include "fmt/format.h"

namespace sweep {
namespace {

using testing::ElementsAre;

bool MayBeOffered(const TrialEntry&) { return true; }

class WorkTableTest : public testing::Test {
 protected:
  // An active sweep with this id, called "s" and the id, with `trials` pending trials.
  SweepEntry* Add(std::int64_t id, int trials, bool program = false) {
    return Add(id, trials, {.program = program});
  }
  struct Options {
    bool program = false;
    std::string user = "";
    std::int64_t priority = 0;
    double share = 1;
  };
  SweepEntry* Add(std::int64_t id, int trials, const Options& options) {
    SweepRow row;
    row.id = id;
    row.name = fmt::format("s{}", id);
    row.principal = options.user;
    auto spec = std::make_shared<SweepSpec>();
    spec->name = row.name;
    spec->priority = options.priority;
    spec->share = options.share;
    if (options.program) spec->program = {"sh", "train.sh"};
    SweepEntry* const sweep = table_.AddSweep(row, std::move(spec));
    for (int number = 1; number <= trials; ++number) Apply(id, number, TrialState::kPending);
    return sweep;
  }
  void Apply(std::int64_t sweep, std::int64_t number, TrialState state) {
    TrialRow row;
    row.sweep_id = sweep;
    row.sweep = fmt::format("s{}", sweep);
    row.number = number;
    row.state = state;
    table_.Apply(row, absl::ZeroDuration());
  }
  void SetState(SweepEntry* sweep, SweepState state) {
    SweepRow row;
    row.state = state;
    table_.TakeDecisions(sweep, row);
  }
  // Claims the next one: "s1/3", or "" when there is none.
  std::string Next(const Capabilities& worker = {}) {
    TrialEntry* const trial = table_.NextPending(worker, MayBeOffered);
    if (trial == nullptr) return "";
    table_.SetClaim(trial, Claim::kGranting);
    return trial->row.short_name();
  }
  std::vector<std::string> All(const Capabilities& worker = {}) {
    std::vector<std::string> all;
    for (std::string next = Next(worker); !next.empty(); next = Next(worker)) all.push_back(next);
    return all;
  }

  WorkTable table_;
};

TEST_F(WorkTableTest, SweepsTakeTurns) {
  EXPECT_FALSE(table_.HasPending());
  Add(1, 3);
  Add(2, 1);
  Add(3, 2);
  EXPECT_TRUE(table_.HasPending());
  EXPECT_THAT(All(), ElementsAre("s1/1", "s2/1", "s3/1", "s1/2", "s3/2", "s1/3"));
  EXPECT_FALSE(table_.HasPending());
}

TEST_F(WorkTableTest, SweepsOfDifferentNeedsTakeTurnsTogether) {
  Add(1, 2);
  Add(2, 2, /*program=*/true);
  Add(3, 1);
  EXPECT_THAT(All({.allows_programs = true}), ElementsAre("s1/1", "s2/1", "s3/1", "s1/2", "s2/2"));
}

TEST_F(WorkTableTest, AWorkerGetsOnlyWhatFits) {
  Add(1, 1, /*program=*/true);
  EXPECT_EQ(Next(), "");
  EXPECT_TRUE(table_.HasPending()) << "for others";
  Add(2, 1);
  Add(3, 1);
  EXPECT_EQ(Next({.other_data = {{2, {}}}}), "s3/1");
  EXPECT_EQ(Next({.only_sweeps = {"s3"}}), "");
  EXPECT_THAT(All(), ElementsAre("s2/1"));
  EXPECT_THAT(All({.allows_programs = true}), ElementsAre("s1/1"));
}

TEST_F(WorkTableTest, AnEditedSweepIsOfferedByItsNewFile) {
  SweepEntry* const sweep = Add(1, 2);
  Add(2, 1);
  const auto edit = [&](const std::string& label) {
    SweepRow row;
    row.id = 1;
    row.name = "s1";
    auto spec = std::make_shared<SweepSpec>();
    spec->name = row.name;
    if (!label.empty()) spec->requires_of_workers.labels = {label};
    table_.TakeFile(sweep, row, std::move(spec));
  };
  edit("a100");
  EXPECT_THAT(All(), ElementsAre("s2/1"));
  EXPECT_EQ(Next({.labels = {"a100"}}), "s1/1");
  edit("");
  EXPECT_EQ(Next(), "s1/2");
  EXPECT_FALSE(table_.HasPending());
}

TEST_F(WorkTableTest, WhatMayNotBeOfferedIsPassedOver) {
  Add(1, 2);
  Add(2, 1);
  const auto odd = [](const TrialEntry& trial) {
    return trial.row.sweep_id == 2 || trial.row.number == 2;
  };
  EXPECT_EQ(table_.NextPending({}, odd)->row.short_name(), "s1/2");
  EXPECT_EQ(table_.NextPending({}, [](const TrialEntry&) { return false; }), nullptr);
  EXPECT_EQ(Next(), "s2/1") << "the first sweep has had its turn";
}

TEST_F(WorkTableTest, APausedSweepOffersNothingAndComesBack) {
  SweepEntry* const sweep = Add(1, 2);
  SetState(sweep, SweepState::kPaused);
  EXPECT_FALSE(table_.HasPending());
  Apply(1, 3, TrialState::kPending);
  EXPECT_EQ(Next(), "");
  SetState(sweep, SweepState::kActive);
  EXPECT_THAT(All(), ElementsAre("s1/1", "s1/2", "s1/3"));
}

TEST_F(WorkTableTest, WhatEndsOrIsRemovedIsOfferedNoMore) {
  Add(1, 1);
  Add(2, 2);
  Apply(1, 1, TrialState::kCancelled);
  table_.RemoveSweep(2);
  EXPECT_FALSE(table_.HasPending());
  EXPECT_EQ(Next(), "");
}

TEST_F(WorkTableTest, TheHighestPriorityGoesFirstWhereItFits) {
  Add(1, 2);
  Add(2, 2, {.program = true, .priority = 5});
  Add(3, 1, {.priority = -1});
  EXPECT_THAT(All(), ElementsAre("s1/1", "s1/2", "s3/1"));
  Add(4, 1);
  EXPECT_THAT(All({.allows_programs = true}), ElementsAre("s2/1", "s2/2", "s4/1"));
}

// One who has many sweeps gets no more slots than one who has one.
TEST_F(WorkTableTest, UsersShareTheSlots) {
  Add(1, 3, {.user = "ada"});
  Add(2, 3, {.user = "ada"});
  Add(3, 3, {.user = "bob"});
  EXPECT_THAT(All(),
              ElementsAre("s1/1", "s3/1", "s2/1", "s3/2", "s1/2", "s3/3", "s2/2", "s1/3", "s2/3"));
}

TEST_F(WorkTableTest, ASweepGetsSlotsByItsShare) {
  Add(1, 6, {.share = 2});
  Add(2, 6);
  std::map<std::string, int> given;
  for (int i = 0; i < 6; ++i) ++given[Next().substr(0, 2)];
  EXPECT_EQ(given["s1"], 4);
  EXPECT_EQ(given["s2"], 2);
}

// Slots count, not trials: whoever holds a slot for long gets none of those that become free.
TEST_F(WorkTableTest, LongTrialsGetNoMoreSlotsThanShortOnes) {
  Add(1, 8);
  Add(2, 8);
  EXPECT_EQ(Next(), "s1/1");
  EXPECT_EQ(Next(), "s2/1");
  for (int number = 1; number < 5; ++number) {
    Apply(2, number, TrialState::kCompleted);
    EXPECT_EQ(Next(), fmt::format("s2/{}", number + 1)) << "s1 has its slot";
  }
  EXPECT_EQ(Next(), "s1/2");
}

TEST_F(WorkTableTest, SlotsAreCountedWhateverHappens) {
  SweepEntry* const sweep = Add(1, 3, {.user = "ada"});
  const auto in_use = [&] {
    const std::int64_t slots = sweep->in_use;
    EXPECT_EQ(table_.users().at("ada").in_use, slots);
    return slots;
  };
  EXPECT_EQ(Next(), "s1/1");
  EXPECT_EQ(in_use(), 1) << "about to be granted";
  Apply(1, 1, TrialState::kLeased);
  Apply(1, 2, TrialState::kRunning);
  EXPECT_EQ(in_use(), 2);
  table_.SetClaim(table_.FindTrial(TrialKey{1, 1}), Claim::kNone);
  table_.SetClaim(table_.FindTrial(TrialKey{1, 1}), Claim::kLosing);
  EXPECT_EQ(in_use(), 2) << "it is still held";
  Apply(1, 1, TrialState::kPending);
  EXPECT_EQ(in_use(), 1);
  Apply(1, 2, TrialState::kFailed);
  EXPECT_EQ(in_use(), 0);
  Apply(1, 3, TrialState::kRunning);
  table_.RemoveSweep(1);
  EXPECT_TRUE(table_.users().empty());
}

TEST_F(WorkTableTest, AnEditMovesASweepToItsNewPriority) {
  SweepEntry* const sweep = Add(1, 2);
  Add(2, 2);
  auto spec = std::make_shared<SweepSpec>();
  spec->name = "s1";
  spec->priority = -1;
  SweepRow row;
  row.id = 1;
  row.name = "s1";
  table_.TakeFile(sweep, row, std::move(spec));
  EXPECT_THAT(All(), ElementsAre("s2/1", "s2/2", "s1/1", "s1/2"));
}

// What the queues say is what a look at every sweep says, whatever happens.
TEST_F(WorkTableTest, TheQueuesAgreeWithALookAtEverySweep) {
  constexpr std::uint64_t kSeed = 7;
  PhiloxStream random(DeriveKey(kSeed, "walk"), 0);
  const auto draw = [&](int count) { return static_cast<int>(random.NextUniform() * count); };
  for (int step = 0; step < 5000; ++step) {
    const std::int64_t id = 1 + draw(6);
    SweepEntry* const sweep = table_.FindSweep(id);
    const int what = draw(10);
    if (sweep == nullptr) {
      Add(id, draw(3),
          {.program = id % 2 == 0,
           .user = id < 4 ? "ada" : "bob",
           .priority = draw(2),
           .share = 1.0 + draw(2)});
    } else if (what == 0) {
      table_.RemoveSweep(id);
    } else if (what == 1) {
      SetState(sweep, draw(2) == 0 ? SweepState::kPaused : SweepState::kActive);
    } else if (what < 5) {
      constexpr TrialState kStates[] = {TrialState::kCancelled, TrialState::kPending,
                                        TrialState::kRunning, TrialState::kPending};
      Apply(id, 1 + draw(4), kStates[draw(4)]);
    } else {
      const Capabilities worker = {.allows_programs = draw(2) == 0};
      const SweepEntry* expected = nullptr;
      for (const auto& [other_id, other] : table_.sweeps()) {
        if (other.state != SweepState::kActive || other.pending.empty()) continue;
        if (Fits(other.demand(), worker) != Misfit::kNone) continue;
        const auto place = [&](const SweepEntry& one) {
          std::map<std::string, std::pair<double, std::int64_t>> users;
          for (const auto& [user_id, of_user] : table_.sweeps()) {
            auto& [in_use, served] = users[of_user.user];
            for (const auto& [number, trial] : of_user.trials) {
              in_use += trial.held() || trial.claim == Claim::kGranting;
            }
            served = table_.users().at(of_user.user).served;
          }
          double slots = 0;
          for (const auto& [number, trial] : one.trials) {
            slots += trial.held() || trial.claim == Claim::kGranting;
          }
          return std::tuple(-one.spec->priority, users[one.user], one.user, slots / one.spec->share,
                            one.served, one.id);
        };
        if (expected == nullptr || place(other) < place(*expected)) expected = &other;
      }
      const std::string name =
          expected == nullptr ? ""
                              : fmt::format("{}/{}", expected->name, *expected->pending.begin());
      ASSERT_EQ(Next(worker), name) << "seed " << kSeed << " step " << step;
    }
  }
}

}  // namespace
}  // namespace sweep
