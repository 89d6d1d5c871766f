#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/spec/sweep_spec.h"
#include "common/spec/worker_requirements.h"

namespace sweep {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kOfNumbers[] =
    "name: s\nmodel: cnn-18718\nmethod: random\nrun_cap: 4\n"
    "parameters: {lr: {min: 0.01, max: 0.1}}\n";

absl::StatusOr<SweepSpec> Parse(const std::string& lines, Diagnostics* diagnostics) {
  return SweepSpec::Parse({.file = "s.yaml", .text = kOfNumbers + lines}, diagnostics);
}

WorkerRequirements Read(const std::string& lines) {
  Diagnostics diagnostics;
  const auto spec = Parse(lines, &diagnostics);
  EXPECT_TRUE(spec.ok()) << FormatDiagnostics(diagnostics);
  return spec.ok() ? spec->requires_of_workers : WorkerRequirements();
}

TEST(Requirements, AreReadFromTheFile) {
  EXPECT_EQ(Read(""), WorkerRequirements());
  const WorkerRequirements all = Read(
      "requires: {device: cuda, labels: [zone=eu, a100, a100], memory: 16 GiB, build: \"1.2\"}\n");
  EXPECT_EQ(all.device, "cuda");
  EXPECT_THAT(all.labels, ElementsAre("a100", "zone=eu"));
  EXPECT_EQ(all.memory_bytes, std::int64_t{16} << 30);
  EXPECT_EQ(all.build, "1.2");
  EXPECT_EQ(all.ToString(), "device: cuda, labels: [a100, zone=eu], memory: 17.18 GB, build: 1.2");
  EXPECT_THAT(Read("requires: {labels: {zone: eu, rack: 7}}\n").labels,
              ElementsAre("rack=7", "zone=eu"));
  EXPECT_EQ(Read("requires: {memory: 1.5GB}\n").memory_bytes, 1'500'000'000);
}

TEST(Requirements, DoNotSayWhatIsTrained) {
  Diagnostics diagnostics;
  EXPECT_EQ(Parse("requires: {device: cuda}\n", &diagnostics)->digest,
            Parse("", &diagnostics)->digest);
}

TEST(PlaceInQueue, IsReadFromTheFileAndDoesNotSayWhatIsTrained) {
  Diagnostics diagnostics;
  const SweepSpec plain = *Parse("", &diagnostics);
  EXPECT_EQ(plain.priority, 0);
  EXPECT_EQ(plain.share, 1);
  const SweepSpec placed = *Parse("priority: -3\nshare: 0.5\n", &diagnostics);
  EXPECT_EQ(placed.priority, -3);
  EXPECT_EQ(placed.share, 0.5);
  EXPECT_EQ(placed.digest, plain.digest);
}

TEST(PlaceInQueue, AFaultIsNamed) {
  const std::pair<const char*, const char*> faults[] = {
      {"priority: 1001\n", "1001"},
      {"priority: high\n", "priority"},
      {"share: 0\n", "share is 0; it must lie in [0.001, 1000]"},
      {"share: -1\n", "share is -1"},
      {"share: .nan\n", "share"},
      {"share: 1e9\n", "share is 1e+09"},
      {"trained_by: callers\nshare: 2\n", "no worker trains a sweep with trained_by: callers"},
  };
  for (const auto& [lines, named] : faults) {
    Diagnostics diagnostics;
    EXPECT_FALSE(Parse(lines, &diagnostics).ok()) << lines;
    EXPECT_THAT(FormatDiagnostics(diagnostics), HasSubstr(named)) << lines;
  }
}

TEST(Requirements, AFaultIsNamed) {
  const std::pair<const char*, const char*> faults[] = {
      {"requires: {device: gpu}\n", "cuda"},
      {"requires: {accuracy: \">= 0.99\"}\n",
       "unknown key 'accuracy' in 'requires', which says what a worker must have (gates stand in "
       "'require')"},
      {"require: {device: cuda}\n",
       "unknown gate 'device'; what a worker must have stands in 'requires'"},
      {"requires: cuda\n", "must be a mapping"},
      {"requires: {labels: a100}\n", "must be a list of values"},
      {"requires: {labels: [\"=x\"]}\n", "label '=x' of 'requires' must be KEY or KEY=VALUE"},
      {"requires: {memory: 16}\n", "'memory' of 'requires' must be a number with a unit"},
      {"requires: {memory: -1 GB}\n", "not '-1 GB'"},
      {"requires: {memory: 0 GB}\n", "not '0 GB'"},
      {"requires: {memory: 1e99 GB}\n", "not '1e99 GB'"},
      {"requires: {build: new}\n", "'build' of 'requires' must be a version"},
      {"requires: {build: 1.2-rc}\n", "not '1.2-rc'"},
      {"trained_by: callers\nrequires: {device: cpu}\n", "no worker trains a sweep"},
  };
  for (const auto& [lines, message] : faults) {
    Diagnostics diagnostics;
    EXPECT_FALSE(Parse(lines, &diagnostics).ok()) << lines;
    EXPECT_THAT(FormatDiagnostics(diagnostics), HasSubstr(message)) << lines;
  }
}

TEST(Versions, AreComparedByNumbers) {
  EXPECT_THAT(VersionNumbers("1.2.0-rc1"), ElementsAre(1, 2, 0));
  EXPECT_THAT(VersionNumbers("v1"), ElementsAre());
  EXPECT_TRUE(IsAtLeast("1.10.0", "1.9"));
  EXPECT_TRUE(IsAtLeast("1.2", "1.2.0"));
  EXPECT_FALSE(IsAtLeast("1.2", "1.2.1"));
  EXPECT_FALSE(IsAtLeast("", "0.1")) << "a worker that does not say it";
}

}  // namespace
}  // namespace sweep
