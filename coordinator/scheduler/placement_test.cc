#include "coordinator/scheduler/placement.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "coordinator/store/testing/store_testing.h"

namespace sweep {
namespace {

const Demand kPlain = {.sweep_id = 1, .sweep = "s"};
const Demand kProgram = {.sweep_id = 1, .sweep = "s", .needs = {.program = true}};

Demand Requiring(const WorkerRequirements& required) {
  return {.sweep_id = 1, .sweep = "s", .needs = {.required = required}};
}

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

TEST(Fits, AWorkerHasWhatTheSweepRequires) {
  const Capabilities gpu = CapabilitiesOf({.devices = {"cuda:0 NVIDIA H200", "cuda:1 NVIDIA H200"},
                                           .build = "sweep-worker 0.3.1",
                                           .labels = {{"a100", ""}, {"zone", "eu"}},
                                           .memory_bytes = 16'000'000'000});
  const Capabilities cpu = CapabilitiesOf({.devices = {"cpu"}});
  const std::pair<WorkerRequirements, Misfit> required[] = {
      {{.device = "cuda"}, Misfit::kNoDevice},
      {{.labels = {"a100"}}, Misfit::kNoLabel},
      {{.labels = {"zone"}}, Misfit::kNoLabel},
      {{.labels = {"a100", "zone=eu"}}, Misfit::kNoLabel},
      {{.memory_bytes = 16'000'000'000}, Misfit::kLittleMemory},
      {{.build = "0.3"}, Misfit::kOldBuild},
      {{.build = "0.3.1"}, Misfit::kOldBuild},
  };
  for (const auto& [requirements, misfit] : required) {
    EXPECT_EQ(Fits(Requiring(requirements), gpu), Misfit::kNone) << requirements.ToString();
    EXPECT_EQ(Fits(Requiring(requirements), cpu), misfit) << requirements.ToString();
    EXPECT_FALSE(CanReplace(cpu, gpu));
  }
  EXPECT_EQ(Fits(Requiring({.device = "cpu"}), gpu), Misfit::kNoDevice);
  const Capabilities fresh = CapabilitiesOf({.devices = {"auto"}});
  EXPECT_EQ(Fits(Requiring({.device = "cpu"}), fresh), Misfit::kNone);
  EXPECT_EQ(Fits(Requiring({.device = "cuda"}), fresh), Misfit::kNoDevice);
  EXPECT_TRUE(CanReplace(cpu, fresh));
  EXPECT_EQ(Fits(Requiring({.labels = {"zone=us"}}), gpu), Misfit::kNoLabel);
  EXPECT_EQ(Fits(Requiring({.labels = {"eu"}}), gpu), Misfit::kNoLabel);
  EXPECT_EQ(Fits(Requiring({.memory_bytes = 16'000'000'001}), gpu), Misfit::kLittleMemory);
  EXPECT_EQ(Fits(Requiring({.build = "0.4"}), gpu), Misfit::kOldBuild);
  EXPECT_EQ(Fits(Requiring({.build = "0.10"}), gpu), Misfit::kOldBuild) << "numbers, not letters";
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
  const Capabilities eu = CapabilitiesOf({.labels = {{"zone", "eu"}}});
  EXPECT_TRUE(CanReplace(eu, plain));
  EXPECT_FALSE(CanReplace(plain, eu));
  EXPECT_FALSE(CanReplace({.memory_bytes = 1}, {.memory_bytes = 2}));
  EXPECT_FALSE(CanReplace({.build = "0.1.9"}, {.build = "0.2.0"}));
  EXPECT_TRUE(CanReplace({.build = "0.2.1"}, {.build = "0.2.0"}));
}

}  // namespace
}  // namespace sweep
