#include "common/spec/sweep_name.h"

#include "common/spec/sweep_spec.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace sweep {
namespace {

TEST(SweepName, OnlyTheNameIsReplaced) {
  const std::string rest = "  # mine\nmodel: cnn-18718\nlabels: {name: night}\n";
  EXPECT_EQ(*WithSweepName("name: night" + rest, "day"), "name: day" + rest);
  EXPECT_EQ(*WithSweepName("name: \"night\"" + rest, "day"), "name: day" + rest);
  EXPECT_EQ(*WithSweepName("name: 'night'" + rest, "day"), "name: day" + rest);
  EXPECT_EQ(*WithSweepName("# é\r\n{name: night, seed: 1}\r\n", "day"),
            "# é\r\n{name: day, seed: 1}\r\n");
  EXPECT_EQ(*WithSweepName("seed: 1\n\"name\":\n  night\n", "day"), "seed: 1\n\"name\":\n  day\n");
}

TEST(SweepName, AWordThatIsNoTextIsQuoted) {
  EXPECT_EQ(*WithSweepName("name: night\n", "2024"), "name: \"2024\"\n");
  EXPECT_EQ(*WithSweepName("name: night\n", "true"), "name: \"true\"\n");
  EXPECT_EQ(*WithSweepName("name: night\n", "1e3"), "name: \"1e3\"\n");
  EXPECT_EQ(*WithSweepName("name: night\n", "n2.5-b"), "name: n2.5-b\n");
}

TEST(SweepName, AnAliasIsRefused) {
  const auto changed = WithSweepName("description: &n night\nname: *n\n", "day");
  EXPECT_EQ(changed.status().code(), absl::StatusCode::kFailedPrecondition) << *changed;
  EXPECT_FALSE(WithSweepName("model: cnn-18718\n", "day").ok());
  EXPECT_FALSE(WithSweepName("", "day").ok());
}

TEST(DatasetPath, OnlyThePathIsReplaced) {
  const std::string name = "sha256:" + std::string(64, 'a');
  const std::string written = '"' + name + '"';
  for (const std::string path :
       {"data/fashion", "'data/it''s'", "\"data/a \\\" b\"", "/srv/with blanks", "data/é"}) {
    for (const std::string rest : {"", ", train: 100"}) {
      const std::string begin = "# é\nname: a\ndataset: {format: idx, path: ";
      const std::string end = rest + "}  # ours\nlabels: {path: x}\n";
      EXPECT_EQ(*WithDatasetPath(begin + path + end, name), begin + written + end);
    }
    EXPECT_EQ(*WithDatasetPath("dataset:\r\n  path: " + path + "  # x\r\n  format: idx\r\n", name),
              "dataset:\r\n  path: " + written + "  # x\r\n  format: idx\r\n");
  }
}

TEST(DatasetPath, AnAliasOrSeveralLinesAreRefused) {
  for (const std::string text :
       {"description: &n data\ndataset: {format: idx, path: *n}\n", "dataset: mnist\n", "",
        "dataset:\n  format: idx\n  path: >\n    data\n    more\n",
        "dataset:\n  format: idx\n  path: data\n    more\n"}) {
    const auto changed = WithDatasetPath(text, "sha256:x");
    EXPECT_TRUE(absl::IsFailedPrecondition(changed.status())) << *changed;
  }
}

// A file without a seed derives it from the name; renaming must not change the points.
TEST(SweepName, ARenamedSweepKeepsItsSeed) {
  for (const std::string text :
       {"name: night\nmodel: cnn-18718\nmethod: random\nrun_cap: 3\n",
        "{name: night, model: cnn-18718, method: random, run_cap: 3}\n",
        "name: night\nmodel: cnn-18718\nmethod: random\nrun_cap: 3\nseed: 4"}) {
    SweepSource source{.text = text};
    Diagnostics diagnostics;
    const auto before = SweepSpec::Parse(source, &diagnostics);
    ASSERT_TRUE(before.ok()) << FormatDiagnostics(diagnostics);
    const auto renamed = RenamedSource(source, before->digest, "day");
    ASSERT_TRUE(renamed.ok()) << renamed.status();
    const auto after = SweepSpec::Parse(*renamed, &diagnostics);
    ASSERT_TRUE(after.ok()) << FormatDiagnostics(diagnostics);
    EXPECT_EQ(after->name, "day");
    EXPECT_EQ(after->seed, before->seed);
    EXPECT_EQ(after->digest, before->digest);
  }
}

TEST(SweepName, CopiesAreNumberedWithinTheLimit) {
  EXPECT_EQ(NumberedName("night", 2), "night-2");
  EXPECT_EQ(NumberedName(std::string(63, 'a'), 12), std::string(60, 'a') + "-12");
}

}  // namespace
}  // namespace sweep
