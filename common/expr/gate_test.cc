#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <map>
#include <string>

#include "common/expr/expression.h"

namespace sweep {
namespace {

Gate MustParse(std::string_view text) {
  const absl::StatusOr<Gate> gate = Gate::Parse("accuracy", text);
  EXPECT_TRUE(gate.ok()) << gate.status();
  return gate.ok() ? *gate : Gate{};
}

std::string Error(std::string_view text) {
  const absl::StatusOr<Gate> gate = Gate::Parse("accuracy", text);
  EXPECT_EQ(gate.status().code(), absl::StatusCode::kInvalidArgument) << text;
  return std::string(gate.status().message());
}

TEST(Gate, ReadsWhatSweepFilesWrite) {
  const std::map<std::string, std::string> cases = {
      {">= 0.994", ">= 0.994"},   {">=99.4%", ">= 0.994"},
      {"< 20", "< 20"},           {"<=20000", "<= 20000"},
      {"> -1.5", "> -1.5"},       {"99.4%", "== 0.994"},
      {"false", "== false"},      {"!= true", "!= true"},
      {"  == 3 ", "== 3"},        {"-3", "== -3"},
      {"== 'a b'", "== 'a b'"},   {"'it'", "== 'it'"},
      {"\"it's\"", "== \"it's\""}};
  for (const auto& [text, canonical] : cases) {
    const Gate gate = MustParse(text);
    EXPECT_EQ(gate.name, "accuracy");
    EXPECT_EQ(gate.ToString(), canonical);
    EXPECT_EQ(MustParse(canonical).ToString(), canonical);
  }
  EXPECT_TRUE(std::holds_alternative<std::int64_t>(MustParse("< 20").bound));
}

TEST(Gate, RefusesTheRestAndNamesItself) {
  EXPECT_EQ(Error(""),
            "gate 'accuracy' is '': column 1: expected a number, true, false or a quoted string, "
            "found the end");
  EXPECT_EQ(Error(">= high"),
            "gate 'accuracy' is '>= high': column 4: expected a number, true, false or a quoted "
            "string, found 'high'");
  EXPECT_EQ(Error("= 3"), "gate 'accuracy' is '= 3': column 1: expected '==', found '='");
  EXPECT_EQ(Error("< true"),
            "gate 'accuracy' is '< true': column 3: '<' needs a number, found boolean true");
  EXPECT_EQ(Error("< 20 epochs"),
            "gate 'accuracy' is '< 20 epochs': column 6: expected the end, found 'epochs'");
  EXPECT_EQ(Error("- true"),
            "gate 'accuracy' is '- true': column 1: expected a number, true, false or a quoted "
            "string, found '-'");
  EXPECT_EQ(Error(std::string(257, '1')), "gate 'accuracy' has 257 characters; 256 is the most");
}

TEST(Gate, HoldsAtItsBoundAsItsOperatorSays) {
  const Value below = std::int64_t{19}, at = std::int64_t{20}, above = 20.5;
  struct Case {
    const char* text;
    bool below, at, above;
  };
  for (const Case& c : {Case{"< 20", true, false, false}, Case{"<= 20", true, true, false},
                        Case{"> 20", false, false, true}, Case{">= 20", false, true, true},
                        Case{"== 20", false, true, false}, Case{"!= 20", true, false, true}}) {
    const Gate gate = MustParse(c.text);
    EXPECT_EQ(gate.Holds(below), c.below) << c.text;
    EXPECT_EQ(gate.Holds(at), c.at) << c.text;
    EXPECT_EQ(gate.Holds(above), c.above) << c.text;
  }
}

TEST(Gate, ExactlyTheBoundMeetsIt) {
  EXPECT_TRUE(MustParse(">= 0.994").Holds(9940.0 / 10000));
  EXPECT_TRUE(MustParse(">= 99.4%").Holds(9940.0 / 10000));
  EXPECT_FALSE(MustParse(">= 0.994").Holds(9939.0 / 10000));
}

TEST(Gate, HoldsForNoNanAndNoOtherKind) {
  for (const char* text : {"< 1", ">= 1", "== 1", "!= 1"}) {
    EXPECT_FALSE(MustParse(text).Holds(std::nan(""))) << text;
    EXPECT_FALSE(MustParse(text).Holds(true)) << text;
    EXPECT_FALSE(MustParse(text).Holds(std::string("0"))) << text;
  }
  EXPECT_TRUE(MustParse("false").Holds(false));
  EXPECT_FALSE(MustParse("false").Holds(true));
  EXPECT_TRUE(MustParse("!= false").Holds(true));
  EXPECT_FALSE(MustParse("false").Holds(std::int64_t{0}));
  EXPECT_TRUE(MustParse("'cnn'").Holds(std::string("cnn")));
}

}  // namespace
}  // namespace sweep
