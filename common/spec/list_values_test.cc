// Lists as values of a program's hyperparameters.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "common/spec/dimensions.h"
#include "common/spec/testing/sweep_testing.h"

namespace sweep {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

std::string WithLists(const std::string& more) {
  return "name: s\nprogram: ./train\nmethod: random\nrun_cap: 3\n" + more;
}

Value List(const char* json) { return ListValue(json); }

TEST(ListValues, AreChoicesAndConstants) {
  const SweepSpec spec = MustParse(WithLists(R"(parameters:
  layers: {values: [[64, 32], [128], [], 5, "[5]", [[1, 2.5], [true, "a \"b\""]]]}
  betas: {value: [0.9, 1.0, 0x10, 1e-5]}
)"));
  EXPECT_THAT(spec.parameters[0].values,
              ElementsAre(List("[64,32]"), List("[128]"), List("[]"), Value(std::int64_t{5}),
                          Value("[5]"), List(R"([[1,2.5],[true,"a \"b\""]])")));
  EXPECT_THAT(spec.parameters[1].values, ElementsAre(List("[0.9,1.0,16,1e-05]")));
  EXPECT_EQ(spec.parameters[0].OwnValue(List("[64.0,32]")), List("[64,32]"));
  EXPECT_FALSE(spec.parameters[0].OwnValue(Value("[64,32]"))) << "a text is no list";
}

TEST(ListValues, HaveNoOrder) {
  const SweepSpec spec =
      MustParse(WithLists("parameters: {a: {values: [[1], [2], [3]]}, b: {values: [1, 2, 3]}}\n"));
  EXPECT_FALSE(DimensionOf(spec.parameters[0]).ordered);
  EXPECT_TRUE(DimensionOf(spec.parameters[1]).ordered);
}

TEST(ListValues, HaveProbabilities) {
  const SweepSpec spec =
      MustParse(WithLists("parameters: {a: {values: [[1], [2]], probabilities: [0.25, 0.75]}}\n"));
  EXPECT_EQ(spec.parameters[0].Quantile(0.2), List("[1]"));
  EXPECT_EQ(spec.parameters[0].Quantile(0.3), List("[2]"));
  EXPECT_EQ(spec.parameters[0].PlaceOf(List("[2]")), 0.625);
}

TEST(ListValues, BelongToTheContent) {
  const auto digest = [](const char* values) {
    return MustParse(WithLists(absl::StrCat("parameters: {a: {values: ", values, "}}\n"))).digest;
  };
  EXPECT_EQ(digest("[[1, 2], [3]]"), digest("[ [ 1,2 ], [0x3] ]"));
  EXPECT_NE(digest("[[1, 2], [3]]"), digest("[\"[1,2]\", [3]]")) << "a list is no text";
  EXPECT_NE(digest("[[1, 2], [3]]"), digest("[[2, 1], [3]]"));
  EXPECT_EQ(digest("[[1, 2], [3]]"), digest("[[1.0, 2], [3.0]]")) << "as 1 and 1.0 alone";
  EXPECT_EQ(digest("[[1, [2]]]"), digest("[[1, [2.0]]]"));
  EXPECT_NE(digest("[[1, 2], [3]]"), digest("[[1.5, 2], [3]]"));
}

TEST(ListValues, StandInConditionsConstraintsAndPoints) {
  const SweepSpec spec = MustParse(WithLists(R"(parameters:
  layers: {values: [[64, 32], [128], ["it's"]]}
  depth: {values: [1, 2], when: {layers: [[128], ["it's"]]}}
constraints: ["layers != [64, 32]"]
try_first: [{layers: [128], depth: 2}, {layers: ["it's"]}]
)"));
  EXPECT_EQ(spec.try_first[0].at("depth"), Value(std::int64_t{2}));
  EXPECT_EQ(spec.try_first[1].at("layers"), List("[\"it's\"]"));
  EXPECT_TRUE(spec.try_first[1].contains("depth"));
  EXPECT_FALSE((*spec.CompleteIfAllowed(1, {{"layers", List("[64,32]")}})).has_value());
}

TEST(ListValues, StandInPointsThatCallersTrain) {
  const SweepSpec spec = MustParse(
      "name: s\ntrained_by: callers\nmethod: random\nrun_cap: 3\n"
      "parameters: {a: {values: [[64, 32], [128]]}}\ntry_first: [{a: [128]}]\n");
  EXPECT_EQ(spec.try_first[0].at("a"), List("[128]"));
}

// The texts of an expression have no escapes.
TEST(ListValues, WithBothQuotesStandInNoMapping) {
  const auto complaints = [](const char* values) {
    return Complaints(
        WithLists(absl::StrCat("parameters:\n  a: {values: ", values,
                               "}\n  b: {values: [1, 2], when: {a: ", values, "}}\n")));
  };
  for (const char* values : {R"([["it's \"x\""]])", R"([["it's\n"]])", R"(["it's \"x\""])"}) {
    EXPECT_THAT(
        complaints(values),
        AllOf(HasSubstr("s.yaml:7: parameter 'b' has a 'when' with "),
              HasSubstr("; an item with both ' and \" cannot be used there"), Not(HasSubstr("\n"))))
        << values;
  }
  MustParse(WithLists(R"(parameters:
  a: {values: [["it's"], ["a \"b\""], ["x\n"]]}
  b: {values: [1, 2], when: {a: [["it's"], ["a \"b\""], ["x\n"]]}}
)"));
}

TEST(ListValues, ReachTheProgramAsLists) {
  const SweepSpec spec = MustParse(WithLists("parameters: {a: {b: {value: [1, [2.0, x]]}}}\n"));
  const Configuration configuration = *spec.Complete(1, {{"a.b", List(R"([1,[2.0,"x"]])")}});
  const std::string line = TrialSpecToJson(spec.MakeTrialSpec(configuration, 0));
  EXPECT_THAT(line, HasSubstr(R"("parameters":{"a":{"b":[1,[2.0,"x"]]},"epochs":19})"));
  EXPECT_EQ(TrialSpecFromJson(line, NetworkField::kOptional).parameters.at("a.b"),
            List(R"([1,[2.0,"x"]])"));
}

TEST(ListValues, AreRefusedWithTheReason) {
  const std::string many = [] {
    std::string list = "[[0";
    for (int i = 0; i < 256; ++i) list += ", 1";
    return list + "]]";
  }();
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"{a: {values: [[1], [1.0]]}}", "parameter 'a' lists [1.0] twice"},
      {"{a: {values: [[[[[[1]]]]]]}}", "has lists in lists in more than 4 levels"},
      {"{a: {values: " + many + "}}", "'values' of parameter 'a' has more than 256 items"},
      {"{a: {values: [[{b: 1}]]}}", "must be a single value or a list, not a mapping"},
      {"{a: {values: [[~]]}}", "must be a single value or a list, not null or empty"},
      {"{a: {values: [[.nan]]}}", "a number that JSON does not have"},
      {"{a: [1, 2]}", "parameter 'a' is a list; write {values: […]}"},
      {"{epochs: {values: [[1]]}}", "parameter 'epochs' has a list as a value"},
  };
  for (const auto& [parameters, complaint] : cases) {
    EXPECT_THAT(Complaints(WithLists("parameters: " + parameters + "\n")), HasSubstr(complaint));
  }
  EXPECT_THAT(Complaints(Random("parameters: {lr: {values: [[0.1], [0.2]]}}\n")),
              HasSubstr("parameter 'lr' has a list as a value, which only a hyperparameter of a "
                        "'program' or of 'trained_by: callers' can be"));
  EXPECT_THAT(Complaints(Random("parameters: {lr: {value: [0.1]}}\n")),
              HasSubstr("parameter 'lr' has a list as a value"));
  EXPECT_THAT(Complaints(WithLists("parameters: {a: {values: [[1], [2]]}}\ntry_first: [{a: [3]}]")),
              HasSubstr("'a' of point 1 of 'try_first' is [3]; it must be one of [1], [2]"));
}

}  // namespace
}  // namespace sweep
