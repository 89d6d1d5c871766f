#include "coordinator/scheduler/placement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coordinator/store/testing/store_testing.h"

namespace sweep {
namespace {

constexpr Demand kPlain = {.sweep_id = 1, .sweep = "s"};
constexpr Demand kProgram = {.sweep_id = 1, .sweep = "s", .needs = {.program = true}};

TEST(Needs, AreThoseOfTheSweepsFile) {
  SweepSpec spec = TestSpec("s");
  EXPECT_EQ(NeedsOf(spec), Needs());
  spec.program = {"python3", "train.py"};
  EXPECT_EQ(NeedsOf(spec), Needs{.program = true});
}

TEST(Fits, AWorkerThatSaysNothingTrainsWhatNeedsNothing) {
  EXPECT_EQ(Fits(kPlain, {}), Misfit::kNone);
  EXPECT_EQ(Fits(kProgram, {}), Misfit::kNoPrograms);
}

TEST(Fits, AProgramNeedsAWorkerThatAllowsIt) {
  EXPECT_EQ(Fits(kProgram, {.allows_programs = true}), Misfit::kNone);
  EXPECT_EQ(Fits(kPlain, {.allows_programs = true}), Misfit::kNone);
}

TEST(Fits, AWorkerForSomeSweepsTrainsNoOthers) {
  EXPECT_EQ(Fits(kPlain, {.only_sweeps = {"r", "s"}}), Misfit::kNone);
  EXPECT_EQ(Fits(kPlain, {.only_sweeps = {"r", "ss"}}), Misfit::kTrainsOthers);
  EXPECT_EQ(Fits(kProgram, {.only_sweeps = {"s"}}), Misfit::kNoPrograms);
}

TEST(Fits, AWorkerWithOtherDataGetsNoneOfThatSweep) {
  EXPECT_EQ(Fits(kPlain, {.other_data = {{1, {}}}}), Misfit::kOtherData);
  EXPECT_EQ(Fits(kPlain, {.other_data = {{2, {}}}}), Misfit::kNone);
}

TEST(Fits, TheWeightiestReasonIsGiven) {
  const Capabilities none = {.only_sweeps = {"r"}, .other_data = {{1, {}}}};
  EXPECT_EQ(Fits(kProgram, none), Misfit::kTrainsOthers);
  EXPECT_EQ(Fits(kProgram, {.other_data = {{1, {}}}}), Misfit::kNoPrograms);
}

// The queues are chosen by Meets alone.
TEST(Fits, NothingFitsWhoseNeedsAreNotMet) {
  for (const bool program : {false, true}) {
    for (const bool allows : {false, true}) {
      const Demand demand = {.sweep_id = 1, .sweep = "s", .needs = {.program = program}};
      const Capabilities worker = {.allows_programs = allows};
      EXPECT_EQ(worker.Meets(demand.needs), Fits(demand, worker) == Misfit::kNone);
    }
  }
}

TEST(CanReplace, ByAWorkerThatMayDoNoLess) {
  const Capabilities plain;
  const Capabilities free = {.allows_programs = true};
  const Capabilities only = {.only_sweeps = {"s"}};
  EXPECT_TRUE(CanReplace(plain, plain));
  EXPECT_TRUE(CanReplace(free, plain));
  EXPECT_FALSE(CanReplace(plain, free));
  EXPECT_TRUE(CanReplace(plain, only));
  EXPECT_TRUE(CanReplace(only, only));
  EXPECT_FALSE(CanReplace(only, plain));
  EXPECT_FALSE(CanReplace({.only_sweeps = {"r"}}, only));
}

}  // namespace
}  // namespace sweep
