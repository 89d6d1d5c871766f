// Parameters whose names have dots: nested mappings of a sweep file.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/spec/nested_names.h"
#include "common/spec/testing/sweep_testing.h"
#include "nlohmann/json.hpp"

namespace sweep {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string OfProgram(const std::string& more) {
  return "name: s\nprogram: ./train\nmethod: random\nrun_cap: 3\n" + more;
}

std::vector<std::string> NamesOf(const std::string& parameters) {
  std::vector<std::string> names;
  for (const Parameter& one : MustParse(OfProgram("parameters:\n" + parameters)).parameters) {
    names.push_back(one.name);
  }
  return names;
}

TEST(NestedParameters, HaveDottedNames) {
  EXPECT_THAT(NamesOf(R"(
  optimizer:
    parameters:
      lr: {min: 0.1, max: 0.2}
      name: {values: [sgd, adam]}
      schedule: {parameters: {kind: step}}
  batch: 3
)"),
              ElementsAre("optimizer.lr", "optimizer.name", "optimizer.schedule.kind", "batch"));
  EXPECT_THAT(NamesOf("  optimizer: {lr: {min: 0.1, max: 0.2}, momentum: 0.9, w: {d: {value: 0}}}"),
              ElementsAre("optimizer.lr", "optimizer.momentum", "optimizer.w.d"));
  EXPECT_THAT(NamesOf("  optimizer.lr: {min: 0.1, max: 0.2}"), ElementsAre("optimizer.lr"));
  EXPECT_THAT(NamesOf("  a: {parameters: {b.c: 1, parameters: 2, values: {values: [1]}}}"),
              ElementsAre("a.b.c", "a.parameters", "a.values"));
}

TEST(NestedParameters, AreTheSameSweepHoweverTheyAreWritten) {
  const std::string nested = "parameters: {a: {parameters: {b: {values: [1, 2]}, c: 3}}}\n";
  const std::string brief = "parameters: {a: {b: {values: [1, 2]}, c: 3}}\n";
  const std::string flat = "parameters: {a.b: {values: [1, 2]}, a.c: 3}\n";
  EXPECT_EQ(MustParse(OfProgram(nested)).digest, MustParse(OfProgram(flat)).digest);
  EXPECT_EQ(MustParse(OfProgram(brief)).digest, MustParse(OfProgram(flat)).digest);
}

TEST(NestedParameters, AreNamesInExpressionsAndPoints) {
  const SweepSpec spec = MustParse(OfProgram(R"(parameters:
  optimizer: {name: {values: [sgd, adam]}, lr: {min: 0.0, max: 1.0}}
  momentum.first: {values: [0.5, 0.9], when: {optimizer: {name: sgd}, optimizer.lr: [0.25, 0.5]}}
constraints: ["optimizer.lr < 0.75", "parameters.optimizer.lr * 2 < 1.5"]
try_first:
  - {optimizer: {lr: 0.5, name: sgd}, momentum.first: 0.9}
  - {optimizer.lr: 0.25, optimizer.name: adam}
)"));
  EXPECT_EQ(spec.parameters[2].when->text(),
            "optimizer.name in ['sgd'] and optimizer.lr in [0.25, 0.5]");
  EXPECT_EQ(spec.try_first[0].at("momentum.first"), Value(0.9));
  EXPECT_FALSE(spec.try_first[1].contains("momentum.first"));
  EXPECT_FALSE((*spec.CompleteIfAllowed(
                    1, {{"optimizer.name", Value("adam")}, {"optimizer.lr", Value(0.8)}}))
                   .has_value());
}

TEST(NestedParameters, ReachTheProgramNested) {
  const SweepSpec spec =
      MustParse(OfProgram("parameters: {a: {b: {c: {value: 1}}, d: x}, e: 2}\n"));
  const Configuration configuration = *spec.Complete(
      1, {{"a.b.c", Value(std::int64_t{1})}, {"a.d", Value("x")}, {"e", Value(std::int64_t{2})}});
  const std::string line = TrialSpecToJson(spec.MakeTrialSpec(configuration, 0));
  EXPECT_EQ(nlohmann::json::parse(line)["parameters"],
            nlohmann::json::parse(R"({"a":{"b":{"c":1},"d":"x"},"e":2,"epochs":19})"));
  EXPECT_EQ(TrialSpecFromJson(line, NetworkField::kOptional).parameters,
            spec.MakeTrialSpec(configuration, 0).parameters);
}

TEST(NestedParameters, AreRefusedWithTheReason) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"\n  a.b: 1\n  a: {parameters: {b: 2}}", "s.yaml:7: 'a.b' is given twice; first on line 6"},
      {"\n  a: 1\n  a.b: 2",
       "s.yaml:7: 'a.b' is nested in 'a', which has a value of its own on line 6"},
      {"\n  a: {parameters: {b: {value: 1}}}\n  a.b.c: 2",
       "s.yaml:7: 'a.b.c' is nested in 'a.b', which has a value of its own on line 6"},
      {"\n  epochs.more: 2",
       "s.yaml:6: parameter 'epochs.more' is nested in 'epochs', which has a value of its own"},
      {"{a: {parameters: {b: 1}, when: \"c == 1\"}}", "unknown key 'when' in parameter 'a'"},
      {"{a: {mim: 1, mx: 2}}", "unknown key 'mim' in parameter 'a'"},
      {"{a: {parameters: {b-c: 1}}}",
       "parameter 'a.b-c' has no valid name: letters, digits and _, at most 63, with dots for "
       "nesting; write a.b_c"},
      {"{a..b: 1}", "has no valid name"},
      {"{.a: 1}", "has no valid name"},
      {"{a.: 1}", "has no valid name"},
      {"{best: {x: {value: 1}}}", "parameter 'best.x' has a reserved name"},
      {"{a: {b: {c: {d: {e: {f: {g: {h: {i: {value: 1}}}}}}}}}}",
       "'a.b.c.d.e.f.g.h' is nested deeper than 8 levels"},
  };
  for (const auto& [parameters, complaint] : cases) {
    EXPECT_THAT(Complaints(OfProgram("parameters: " + parameters + "\n")), HasSubstr(complaint));
  }
  EXPECT_THAT(
      Complaints(Random("parameters: {optimizer: {lr: {min: 0.1, max: 0.2}}}\n")),
      HasSubstr("parameter 'optimizer.lr' is used neither by the trainer nor by the "
                "network; only a 'program' or 'trained_by: callers' takes nested parameters"));
}

TEST(NestedParameters, NamesAreBounded) {
  EXPECT_TRUE(IsParameterName("a.b_1.C"));
  EXPECT_TRUE(IsParameterName(std::string(63, 'a')));
  EXPECT_FALSE(IsParameterName(std::string(60, 'a') + ".bcd"));
  EXPECT_FALSE(IsParameterName(""));
  EXPECT_FALSE(IsParameterName("a.1"));
  EXPECT_THAT(NamesAround("a.b.c"), ElementsAre("a", "a.b"));
  EXPECT_TRUE(NamesAround("a").empty());
}

}  // namespace
}  // namespace sweep
