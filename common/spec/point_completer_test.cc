#include "common/spec/point_completer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace sweep {
namespace {

using ::testing::HasSubstr;

absl::StatusOr<SweepSpec> Parse(const std::string& text, const IsCancelled& is_cancelled = {}) {
  Diagnostics diagnostics;
  return SweepSpec::Parse({.file = "sweep.yaml", .text = text}, &diagnostics, is_cancelled);
}

// A grid of 2^digits points and `constraints` different ones of about `characters` each that hold
// nearly everywhere.
std::string LongConstraints(int digits, int constraints, std::size_t characters) {
  std::string text =
      "name: long\nprogram: [\"true\"]\nmethod: grid\nparameters:\n  lr: {value: 0.1}\n";
  std::vector<std::string> names;
  for (int digit = 0; digit < digits; ++digit) {
    names.push_back(absl::StrCat("p", digit));
    absl::StrAppend(&text, "  p", digit, ": {values: [0.5, ", digit + 1, ".25]}\n");
  }
  absl::StrAppend(&text, "constraints:\n");
  for (int i = 0; i < constraints; ++i) {
    std::string sum = absl::StrCat(i, ".5");
    for (int k = 0; sum.size() < characters; ++k) {
      absl::StrAppend(&sum, k % 2 == 0 ? " + " : " * ", names[(i + k) % names.size()]);
    }
    absl::StrAppend(&text, "  - \"", sum, " > 0.25\"\n");
  }
  return text;
}

TEST(PointCompleter, GivesWhatOnePointAloneGives) {
  const absl::StatusOr<SweepSpec> spec = Parse(
      "name: a\nmodel: cnn-18718\nmethod: random\nrun_cap: 5\nparameters:\n"
      "  lr: {values: [0.1, 0.2]}\n  batch_size: {values: [16, 64]}\n"
      "constraints: [\"lr * batch_size < 10\", \"parameters > 1000\"]\n");
  ASSERT_TRUE(spec.ok()) << spec.status();
  std::vector<ParameterMap> chosen;
  for (int i = 0; i < 200; ++i) {
    chosen.push_back(
        {{"lr", i % 2 == 0 ? 0.1 : 0.2}, {"batch_size", std::int64_t{i % 3 == 0 ? 64 : 16}}});
  }
  chosen.push_back({{"lr", 0.1}, {"nobody", true}});
  const std::vector<PointCompleter::Result> together = PointCompleter(&*spec).Complete(9, chosen);
  ASSERT_EQ(together.size(), chosen.size());
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    const auto alone = spec->CompleteIfAllowed(9, chosen[i]);
    ASSERT_EQ(together[i].status(), alone.status());
    if (!alone.ok()) continue;
    ASSERT_EQ(together[i]->has_value(), alone->has_value()) << i;
    if (!alone->has_value()) continue;
    EXPECT_EQ((*together[i])->number, 9);
    EXPECT_EQ((*together[i])->resolved, (*alone)->resolved);
  }
  EXPECT_FALSE(together.back().ok());
}

TEST(PointCompleter, APointThatOneConstraintExcludesMayFailAnother) {
  const absl::StatusOr<SweepSpec> spec = Parse(
      "name: a\nprogram: [\"true\"]\nmethod: grid\nparameters:\n  lr: {values: [0.1, 0.2]}\n"
      "  depth: {values: [0, 2]}\nconstraints: [\"depth == 0 or 1 / depth < 1\", \"lr < 0.15\"]\n");
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->points, 2);
}

std::clock_t ProcessorTime(const std::function<void()>& work) {
  const std::clock_t start = std::clock();
  work();
  return std::clock() - start;
}

// A block of points must take less than a third of the processor time of its points one by one.
// Both are measured together, so a loaded machine or a sanitizer does not matter.
void ExpectFasterThanOneByOne(const SweepSpec& spec, const std::vector<ParameterMap>& chosen) {
  std::vector<PointCompleter::Result> results;
  const std::clock_t together =
      ProcessorTime([&] { results = PointCompleter(&spec).Complete(1, chosen); });
  const std::clock_t alone = ProcessorTime([&] {
    for (const ParameterMap& point : chosen) EXPECT_TRUE(spec.CompleteIfAllowed(1, point).ok());
  });
  for (const PointCompleter::Result& result : results) EXPECT_TRUE(result.ok()) << result.status();
  EXPECT_LT(together * 3, alone);
}

TEST(PointCompleter, TestsLongConstraintsFasterThanOneByOne) {
  const absl::StatusOr<SweepSpec> spec = Parse(LongConstraints(8, 16, 3400));
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->points, 256);
  std::vector<ParameterMap> chosen(PointCompleter::kBlock);
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    chosen[i]["lr"] = 0.1;
    for (int digit = 0; digit < 8; ++digit) {
      chosen[i][absl::StrCat("p", digit)] = (i >> digit) % 2 == 0 ? 0.5 : digit + 1.25;
    }
  }
  ExpectFasterThanOneByOne(*spec, chosen);
}

// A grid of 2^count points whose parameters each have a long `when` that refers to `reach` others.
std::string LongConditions(int reach, int count) {
  std::string text = "name: long\nprogram: [\"true\"]\nmethod: grid\nparameters:\n";
  for (int i = 0; i < count; ++i) {
    absl::StrAppend(&text, "  p", i, ": {values: [1, 2]");
    if (i >= reach) {
      std::string sum = "p0";
      for (int k = 1; sum.size() < 3800; ++k) absl::StrAppend(&sum, " + p", k % reach);
      absl::StrAppend(&text, ", when: \"", sum, " > 0\"");
    }
    absl::StrAppend(&text, "}\n");
  }
  return text;
}

TEST(PointCompleter, TestsLongConditionsFasterThanOneByOne) {
  const absl::StatusOr<SweepSpec> spec = Parse(LongConditions(2, 10));
  ASSERT_TRUE(spec.ok()) << spec.status();
  EXPECT_EQ(spec->points, 1024);
  std::vector<ParameterMap> chosen(PointCompleter::kBlock);
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    for (int k = 0; k < 10; ++k) {
      chosen[i][absl::StrCat("p", k)] = static_cast<std::int64_t>((i >> k) % 2 + 1);
    }
  }
  ExpectFasterThanOneByOne(*spec, chosen);
}

TEST(PointCompleter, BoundsWhatConditionsCost) {
  const absl::StatusOr<SweepSpec> spec = Parse(LongConditions(15, 16));
  ASSERT_FALSE(spec.ok());
  EXPECT_THAT(std::string(spec.status().message()), HasSubstr("'when' of 'p15' is too costly"));
}

// Values of several kinds force the slow way at each point; the limit is only for reading a file.
TEST(PointCompleter, OneThatServesASweepHasNoBound) {
  std::string when = "p0 == p0";
  while (when.size() < 3900) absl::StrAppend(&when, " and p0 == p0");
  const absl::StatusOr<SweepSpec> spec =
      Parse(absl::StrCat("name: a\nprogram: [\"true\"]\nmethod: grid\nparameters:\n"
                         "  p0: {values: [a, 1]}\n  p1: {values: [1, 2], when: \"",
                         when, "\"}\n"));
  ASSERT_TRUE(spec.ok()) << spec.status();
  const std::vector<ParameterMap> chosen(PointCompleter::kBlock,
                                         {{"p0", std::int64_t{1}}, {"p1", std::int64_t{1}}});
  std::vector<ParameterMap> mixed = chosen;
  mixed.front()["p0"] = std::string("a");
  PointCompleter bounded(&*spec, 100 * 4000);
  EXPECT_FALSE(bounded.Complete(1, mixed).back().ok());
  PointCompleter unbounded(&*spec);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(unbounded.Complete(1, mixed).back().ok());
}

TEST(PointCompleter, ListingPointsEndsWhenNobodyWaitsForIt) {
  int asked = 0;
  const absl::StatusOr<SweepSpec> spec = Parse(LongConditions(2, 16), [&] { return ++asked > 3; });
  EXPECT_TRUE(absl::IsCancelled(spec.status())) << spec.status();
  EXPECT_LT(asked, 10);
}

// Conditions that refer to other parameters, in the file's order and against it.
TEST(PointCompleter, TellsWhatExistsAsOnePointAloneDoes) {
  const absl::StatusOr<SweepSpec> spec = Parse(
      "name: a\nprogram: [\"true\"]\nmethod: grid\nparameters:\n"
      "  c: {values: [1, 2, 3], when: \"b == 'y'\"}\n"
      "  b: {values: [x, y], when: {a: [1, 2]}}\n"
      "  a: {values: [0, 1, 2]}\n"
      "  d: {values: [1, 2], when: \"c > 1\"}\n"
      "constraints: [\"a < 2 or epochs == 19\"]\n");
  // `b` and `c` have no default for points where they do not exist.
  ASSERT_FALSE(spec.ok());
  const absl::StatusOr<SweepSpec> whole = Parse(
      "name: a\nprogram: [\"true\"]\nmethod: grid\nparameters:\n"
      "  c: {values: [1, 2, 3], when: \"a > 0 and b == 'y'\"}\n"
      "  b: {values: [x, y], when: {a: [1, 2]}}\n"
      "  a: {values: [0, 1, 2]}\n"
      "  d: {values: [1, 2], when: \"a > 0 and b == 'y' and c > 1\"}\n");
  ASSERT_TRUE(whole.ok()) << whole.status();
  // a = 0; then b = x, and b = y with c = 1 alone and c = 2, 3 with two of d each.
  EXPECT_EQ(whole->points, 1 + 2 * (1 + 1 + 2 * 2));
  std::vector<ParameterMap> chosen;
  for (std::int64_t i = 0; i < 36; ++i) {
    chosen.push_back({{"a", i % 3},
                      {"b", std::string(i / 3 % 2 == 0 ? "x" : "y")},
                      {"c", i / 6 % 3 + 1},
                      {"d", i / 18 + 1}});
  }
  chosen.push_back({{"a", std::int64_t{1}}, {"c", std::int64_t{1}}});  // without b: an error
  const std::vector<PointCompleter::Result> together = PointCompleter(&*whole).Complete(1, chosen);
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    const absl::StatusOr<Configuration> alone = whole->Complete(1, chosen[i]);
    ASSERT_EQ(together[i].status(), alone.status()) << i;
    if (!alone.ok()) continue;
    EXPECT_EQ((*together[i])->parameters, alone->parameters) << i;
    EXPECT_EQ((*together[i])->resolved, alone->resolved) << i;
  }
}

TEST(PointCompleter, BoundsWhatConstraintsThatFailEverywhereCost) {
  std::string text =
      "name: a\nprogram: [\"true\"]\nmethod: grid\nparameters:\n  lr: {value: 0.1}\n";
  for (int digit = 0; digit < 12; ++digit) {
    absl::StrAppend(&text, "  p", digit, ": {values: [9007199254740993, 0.5]}\n");
  }
  std::string sum = "p0";
  while (sum.size() < 3900) absl::StrAppend(&sum, " + p", sum.size() % 12);
  absl::StrAppend(&text, "constraints:\n");
  for (int i = 0; i < 64; ++i) absl::StrAppend(&text, "  - \"", sum, " > ", i, "\"\n");
  const absl::StatusOr<SweepSpec> spec = Parse(text);
  ASSERT_FALSE(spec.ok());
  EXPECT_THAT(std::string(spec.status().message()), HasSubstr("too costly"));
}

TEST(PointCompleter, ReadingEndsWhenNobodyWaitsForIt) {
  int asked = 0;
  const absl::StatusOr<SweepSpec> spec =
      Parse(LongConstraints(16, 8, 200), [&] { return ++asked > 3; });
  EXPECT_TRUE(absl::IsCancelled(spec.status())) << spec.status();
  EXPECT_LT(asked, 10);
}

}  // namespace
}  // namespace sweep
