#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>

#include "common/spec/testing/sweep_testing.h"

namespace sweep {
namespace {

constexpr char kSweep[] = R"(name: s
model: nets/widths.yaml
method: random
dataset: synthetic
metric: {name: accuracy, goal: maximize}
parameters:
  lr: {values: [0.1, 0.2]}
  momentum: {min: 0.5, max: 0.9}
constraints: ["lr > 0.01", "parameters < 20000"]
epochs: 5
require: {accuracy: ">= 0.9", epochs: "< 20"}
run_cap: 4
)";

std::string Replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

std::string DigestWith(const std::string& from, const std::string& to) {
  return MustParse(Replaced(kSweep, from, to)).digest;
}

TEST(Digest, IsSha256InHexadecimal) {
  const std::string digest = MustParse(kSweep).digest;
  EXPECT_EQ(digest.size(), 64u);
  EXPECT_EQ(digest.find_first_not_of("0123456789abcdef"), std::string::npos);
}

TEST(Digest, WhatMeansTheSameHasTheSame) {
  const std::string digest = MustParse(kSweep).digest;
  EXPECT_EQ(MustParse("# a comment\n" + std::string(kSweep) + "\n\n# another\n").digest, digest);
  EXPECT_EQ(DigestWith("{values: [0.1, 0.2]}", "{values: [ 0.10,2e-1 ] }  # spacing"), digest);
  EXPECT_EQ(DigestWith("{values: [0.1, 0.2]}", "\n    values:\n    - 0.1\n    - 0.2"), digest);
  EXPECT_EQ(DigestWith("name: s", "name: renamed\nseed: 5"),
            DigestWith("name: s", "name: s\nseed: 5"));
  EXPECT_NE(DigestWith("name: s", "name: renamed"), digest) << "whose seed is another";
  EXPECT_EQ(DigestWith("name: s", "name: s\ndescription: why\nlabels: {a: b}"), digest);
  EXPECT_EQ(DigestWith("epochs: 5\n", ""), DigestWith("epochs: 5\n", "recipe: seed\n"));
  EXPECT_EQ(
      DigestWith("run_cap: 4", "run_cap: 4\nreplicates: 1\nevaluate: test\nrepeat_points: false"),
      digest)
      << "what is said is what holds anyway";
  EXPECT_EQ(DigestWith("dataset: synthetic", "dataset: {name: synthetic, train: 4096}"), digest);
  EXPECT_EQ(DigestWith("\">= 0.9\"", "'>=90%'"), digest);
  EXPECT_EQ(DigestWith("[0.1, 0.2]", "[0.1, 0.2], probabilities: [0.5, 0.5]"), digest);
  EXPECT_EQ(DigestWith("[0.1, 0.2]", "[0.1, 0.2], ordered: true"), digest);
}

TEST(Digest, PointsToTryFirstCountAsTheyAreTried) {
  const std::string whole =
      DigestWith("epochs: 5\n", "epochs: 5\ntry_first: [{lr: 0.1, momentum: 0.7}]\n");
  EXPECT_EQ(DigestWith("epochs: 5\n", "epochs: 5\ntry_first:\n  - lr: 0.10\n"), whole);
}

TEST(Digest, TheOrderOfKeysDoesNotCount) {
  EXPECT_EQ(MustParse(R"(run_cap: 4
require: {epochs: "< 20", accuracy: ">= 0.9"}
epochs: 5
constraints: ["parameters < 20000", "lr > 0.01"]
parameters:
  momentum: {max: 0.9, min: 0.5}
  lr: {values: [0.1, 0.2]}
metric: {goal: maximize, name: accuracy}
dataset: synthetic
method: random
model: nets/widths.yaml
name: s
)")
                .digest,
            MustParse(kSweep).digest);
}

TEST(Digest, TheOrderOfParametersCountsWhereItDecidesWhatACutGridLeavesOut) {
  const std::string lr = "  lr: {values: [0.1, 0.2]}\n",
                    momentum = "  momentum: {values: [0, 0.5]}\n";
  const auto digest = [](const std::string& parameters, const std::string& more) {
    return MustParse(Grid("parameters:\n" + parameters + more)).digest;
  };
  EXPECT_EQ(digest(lr + momentum, ""), digest(momentum + lr, ""));
  EXPECT_NE(digest(lr + momentum, "run_cap: 3\n"), digest(momentum + lr, "run_cap: 3\n"));
}

TEST(Digest, WhatMeansSomethingElseHasAnother) {
  std::set<std::string> digests = {MustParse(kSweep).digest};
  const auto differs = [&](const std::string& from, const std::string& to) {
    EXPECT_TRUE(digests.insert(DigestWith(from, to)).second) << from << " → " << to;
  };
  differs("model: nets/widths.yaml", "model: cnn-18718");
  differs("model: nets/widths.yaml", "model: {values: [nets/widths.yaml, cnn-18718]}");
  differs("model: nets/widths.yaml", "model: nets/widths.yaml\nrecipe: tuned");
  differs("method: random", "method: random\nseed: 2");
  differs("method: random", "method: random\nreplicates: 2");
  differs("method: random", "method: random\nreplicates: auto");
  differs("method: random", "method: random\nreplicates: {max: 5}");
  differs("method: random", "method: random\nreplicates: {min: 2}");
  differs("method: random", "method: random\nreplicates: {extra: 9}");
  differs("method: random", "method: random\nreplicates: {within: 0.001}");
  differs("method: random", "method: random\nreplicates: 10\ngate_on: mean");
  differs("method: random", "method: random\ngate_on: last");
  differs("method: random", "method: random\nmax_failures: 2");
  differs("method: random", "method: random\nevaluate: {holdout: 100}");
  differs("dataset: synthetic", "dataset: mnist");
  differs("dataset: synthetic", "dataset: {name: synthetic, train: 4097}");
  differs("dataset: synthetic", "dataset: {name: synthetic, test: 999}");
  differs("{name: accuracy, goal: maximize}", "loss");
  differs("[0.1, 0.2]", "[0.1, 0.3]");
  differs("[0.1, 0.2]", "[0.2, 0.1]");
  differs("[0.1, 0.2]", "[0.1, 0.2], probabilities: [0.4, 0.6]");
  differs("[0.1, 0.2]", "[0.1, 0.2], probabilities: [0.6, 0.4]");
  differs("{values: [0.1, 0.2]}", "{values: [0.1, 0.2], when: \"momentum > 0.6\"}");
  differs("max: 0.9", "max: 0.8");
  differs("{min: 0.5, max: 0.9}", "{distribution: normal, mu: 0.7, sigma: 0.1, min: 0, max: 0.9}");
  differs("{min: 0.5, max: 0.9}", "{distribution: normal, mu: 0.6, sigma: 0.1, min: 0, max: 0.9}");
  differs("{min: 0.5, max: 0.9}", "{distribution: normal, mu: 0.6, sigma: 0.2, min: 0, max: 0.9}");
  differs("{min: 0.5, max: 0.9}", "{distribution: log_uniform_values, min: 0.5, max: 0.9}");
  differs("{min: 0.5, max: 0.9}", "{distribution: q_uniform, min: 0.5, max: 0.9, q: 0.1}");
  differs("epochs: 5\n", "epochs: 5\ntry_first: [{lr: 0.1}]\n");
  differs("epochs: 5\n", "epochs: 5\ntry_first: [{lr: 0.1, momentum: 0.6}]\n");
  differs("epochs: 5\n", "epochs: 5\ntry_first: [{lr: 0.2}, {lr: 0.1}]\n");
  differs("epochs: 5\n", "epochs: 5\ntry_first: [{lr: 0.1}, {lr: 0.2}]\n");
  differs("lr > 0.01", "lr > 0.02");
  differs("epochs: 5\n", "epochs: 6\n");
  differs("epochs: 5\n", "");
  differs(">= 0.9", "> 0.9");
  differs(", epochs: \"< 20\"", "");
  differs("run_cap: 4", "run_cap: 3");
  differs("run_cap: 4", "run_cap: 4\nrepeat_points: true");
  differs("[0.1, 0.2]", "[0.1, 0.2], ordered: false");
}

TEST(Digest, TheNetworksLayersCountButNotItsComments) {
  const auto digest = [](const std::string& network) {
    Diagnostics diagnostics;
    SweepSource source = SourceOf(kSweep);
    source.network_files["nets/widths.yaml"] = network;
    const auto spec = SweepSpec::Parse(source, &diagnostics);
    EXPECT_TRUE(spec.ok()) << FormatDiagnostics(diagnostics);
    return spec.ok() ? spec->digest : "";
  };
  const std::string network = kWidthsNetwork;
  EXPECT_EQ(digest("# comment\n" + network), digest(network));
  // Plain YAML cannot read a reference inside braces.
  const std::string bare = Replaced(network, "\"${width}\"", "${width}");
  EXPECT_EQ(digest("# comment\n" + bare), digest(bare));
  EXPECT_NE(digest(Replaced(network, "linear: 10", "linear: 11")), digest(network));
  EXPECT_NE(digest(Replaced(network, "lr: 0.07", "lr: 0.08")), digest(network));
}

// Databases contain these digests, written by builds that stored the method as a number.
TEST(Digest, WhatEarlierBuildsStoredIsStillTheSameSweep) {
  const std::string grid = Grid(
      "parameters:\n  lr: {values: [0.1, 0.2]}\n  momentum: {values: [0, 0.5]}\nrun_cap: 3\n"
      "gate_on: mean\nrequire: {accuracy: \">= 0.9\", epochs: \"< 20\"}\n");
  const std::pair<std::string, std::string> stored[] = {
      {kSweep, "59b72bcdfe395b4eca3d89908534798a6d4f468ded7de8eba1162b7701b9e2c9"},
      {grid, "7571ef92acbdaa05aa094316d8addb430ab443c3cdc2f07d8d056213859ee421"},
  };
  for (const auto& [text, digest] : stored) {
    const SweepSpec spec = MustParse(text);
    EXPECT_NE(spec.digest, digest);
    EXPECT_TRUE(spec.IsStoredAs(digest));
    EXPECT_TRUE(spec.IsStoredAs(spec.digest));
    EXPECT_FALSE(spec.IsStoredAs(""));
    Diagnostics diagnostics;
    const auto read = SweepSpec::ParseStored(SourceOf(text), digest, &diagnostics);
    ASSERT_TRUE(read.ok());
    EXPECT_EQ(read->digest, digest) << "as it is stored";
  }
}

}  // namespace
}  // namespace sweep
