#include "common/yaml/scalar.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>

#include "common/yaml/yaml_reader.h"

namespace sweep {
namespace {

constexpr std::int64_t kLargest = std::numeric_limits<std::int64_t>::max();

TEST(PlainScalar, IsWhatTheCoreSchemaSays) {
  // clang-format off
  const std::pair<const char*, Value> table[] = {
      {"true", true}, {"True", true}, {"TRUE", true}, {"false", false}, {"False", false},
      {"FALSE", false}, {"0", std::int64_t{0}}, {"-1", std::int64_t{-1}}, {"+1", std::int64_t{1}},
      {"9223372036854775807", kLargest}, {"0x10", std::int64_t{16}}, {"0xFf", std::int64_t{255}},
      {"0o17", std::int64_t{15}}, {"1.", 1.0}, {".5", 0.5}, {"-.5", -0.5}, {"+.5", 0.5},
      {"1e3", 1000.0}, {"1E-3", 0.001}, {"1.5e+3", 1500.0}, {"1.e2", 100.0}, {"0.0", 0.0},
      {"-0.0", -0.0}, {"0e5", 0.0}, {"4.94e-324", 4.94e-324},
      {"step", std::string("step")}, {"none", std::string("none")}, {".", std::string(".")},
      {"-", std::string("-")}, {"+", std::string("+")}, {"e5", std::string("e5")},
      {"1e", std::string("1e")}, {"1.2.3", std::string("1.2.3")}, {"0x", std::string("0x")},
      {"don't", std::string("don't")}, {"a, b", std::string("a, b")}, {"3x3", std::string("3x3")},
      {"3.141592653589793", 3.141592653589793}, {"0.10000000000000000000", 0.1},
      {"9007199254740992.0", 9007199254740992.0}, {"conv-3", std::string("conv-3")},
      {"a(b", std::string("a(b")}, {"f (x)", std::string("f (x)")}, {"2d", std::string("2d")},
      {"a/b.txt", std::string("a/b.txt")}, {"\u00FCber", std::string("\u00FCber")},
  };
  // clang-format on
  for (const auto& [text, value] : table) {
    const PlainScalar read = ReadPlainScalar(text);
    EXPECT_EQ(read.refusal, "") << text;
    EXPECT_EQ(read.warning, "") << text;
    EXPECT_TRUE(read.value == value)
        << text << " is " << FormatValue(read.value) << ", " << std::string(TypeName(read.value));
  }
}

TEST(PlainScalar, WhatCannotBeKeptIsRefused) {
  const std::pair<const char*, const char*> table[] = {
      {".inf", "JSON"},
      {".Inf", "JSON"},
      {".INF", "JSON"},
      {"+.inf", "JSON"},
      {"-.INF", "JSON"},
      {".nan", "JSON"},
      {".NaN", "JSON"},
      {".NAN", "JSON"},
      {"12345678901234567890", "64 bits"},
      {"-9223372036854775809", "64 bits"},
      {"0xFFFFFFFFFFFFFFFFF", "64 bits"},
      {"1e400", "largest"},
      {"-1e400", "largest"},
      {"1e-400", "from 0"},
      {"0.0000001e-320", "from 0"},
      {"0.1\u00A0", "U+00A0"},
      {"\u22121", "U+2212"},
      {"1\u20131", ""},
      {"1e\u22123", "U+2212"},
      {"true\u200B", "U+200B"},
      {"1\u202F000.5", ""},
      {"\uFF11\uFF0E\uFF15", "write 1.5"},
      {"\u0661\u0662", "write 12"},
      {"\uFF0D1", "U+FF0D"},
      {"\u0967", "write 1"},
  };
  for (const auto& [text, why] : table) {
    const PlainScalar read = ReadPlainScalar(text);
    if (*why == '\0') {
      EXPECT_EQ(read.refusal, "") << text;
      continue;
    }
    EXPECT_NE(read.refusal.find(why), std::string::npos) << text << ": " << read.refusal;
    EXPECT_EQ(FormatValue(read.value), text);
  }
}

TEST(PlainScalar, WhatOtherReadersTakeForAValueIsTextWithAWarning) {
  for (const char* text : {"yes",
                           "Yes",
                           "NO",
                           "on",
                           "Off",
                           "y",
                           "N",
                           "tRUE",
                           "fALSE",
                           "None",
                           "nULL",
                           "nan",
                           "NaN",
                           "inf",
                           "-inf",
                           "Infinity",
                           ".Nan",
                           ".iNF",
                           "1_000",
                           "1_0.5",
                           "0b101",
                           "-0x10",
                           "0X1F",
                           "0x_1",
                           "0o18",
                           "1,000",
                           "0,5",
                           "1'000",
                           "1:30",
                           "1:30:00",
                           "1:30.5",
                           "2026-01-01",
                           "2026-1-1 10:00:00",
                           "2026-01-01T10:00:00Z",
                           "1 000",
                           "64 32",
                           "64, 32",
                           "64; 32",
                           "64|32",
                           "64\uFF0C32",
                           "64\u300132",
                           "1..5",
                           "1-5",
                           "1/2",
                           "2**10",
                           "10^-3",
                           "3*4",
                           "10%",
                           "0.5%",
                           "1.0f",
                           "5L",
                           "2j",
                           "range(1, 5)",
                           "np.logspace(-3, -1, 3)",
                           "(64, 32)",
                           "()",
                           "\u201Ca\u201D",
                           "\u2018a\u2019",
                           "\u00ABa\u00BB"}) {
    const PlainScalar read = ReadPlainScalar(text);
    EXPECT_EQ(read.refusal, "") << text;
    EXPECT_NE(read.warning, "") << text;
    EXPECT_TRUE(read.value == Value(std::string(text))) << text;
  }
  // All readers see a number, but not the same one.
  EXPECT_TRUE(ReadPlainScalar("0777").value == Value(std::int64_t{777}));
  EXPECT_NE(ReadPlainScalar("0777").warning, "");
  EXPECT_NE(ReadPlainScalar("000").warning, "");
}

TEST(PlainScalar, DigitsThatAreLostAreWarnedOf) {
  for (const char* text :
       {"9007199254740993.0", "0.12345678901234567890123", "123456789012345678.5",
        "1.00000000000000000000001", "-12345678901234567890.0"}) {
    const PlainScalar read = ReadPlainScalar(text);
    EXPECT_TRUE(std::holds_alternative<double>(read.value)) << text;
    EXPECT_NE(read.warning.find("more digits"), std::string::npos) << text << read.warning;
  }
  // The full decimal expansion of a double.
  EXPECT_EQ(ReadPlainScalar("0.1000000000000000055511151231257827").warning, "");
  EXPECT_NE(ReadPlainScalar("0." + std::string(2000, '1')).warning, "");
}

TEST(PlainScalar, WhatAWarningAdvisesIsAValueWithoutOne) {
  for (const char* text : {"true", "false", "1000", "0o17", "777"}) {
    EXPECT_EQ(ReadPlainScalar(text).warning, "") << text;
  }
  EXPECT_NE(ReadPlainScalar("0_1").warning.find("write 1;"), std::string::npos);
}

TEST(PlainScalar, StoredOnesKeepTheirFirstReading) {
  EXPECT_TRUE(ReadPlainScalarAsStored("0x10") == Value(16.0));
  EXPECT_TRUE(ReadPlainScalarAsStored("0o17") == Value(std::string("0o17")));
  EXPECT_TRUE(ReadPlainScalarAsStored(".inf") == Value(std::string(".inf")));
  EXPECT_TRUE(ReadPlainScalarAsStored("12345678901234567890") == Value(12345678901234567890.0));
  EXPECT_TRUE(ReadPlainScalarAsStored("1e3") == Value(1000.0));
}

TEST(BracketBalance, FindsWhatHasNoPartner) {
  for (const char* text : {"(64", "64)", "[1", "a]", "{a", ")(", "\"a", "a\"", "'a", "f(x"}) {
    EXPECT_NE(BracketBalance(text), 0) << text;
  }
  for (const char* text : {"", "(64, 32)", "a", "it's", "[(a)]", "\"a\"", "5'10"}) {
    EXPECT_EQ(BracketBalance(text), 0) << text;
  }
}

// The messages for `text`, which has a value or a list under `a`.
std::string Said(const std::string& text) {
  Diagnostics diagnostics;
  YamlReader reader("f", &diagnostics);
  const auto document = reader.Load(text);
  if (document) {
    for (const YamlEntry& entry : reader.Entries(*document, 1, "the file")) {
      if (entry.value.IsSequence()) {
        reader.Scalars(entry);
      } else {
        reader.Scalar(entry);
      }
    }
  }
  return FormatDiagnostics(diagnostics);
}

TEST(YamlReader, RefusesTuplesWithHowToWriteThem) {
  EXPECT_EQ(Said("a: [(64, 32), (128, 16)]"),
            "f:1: YAML has no tuples: an item of 'a' ends at its comma; write the text in quotes: "
            "\"(64, 32)\"\n"
            "f:1: YAML has no tuples: an item of 'a' ends at its comma; write the text in quotes: "
            "\"(128, 16)\"");
  EXPECT_EQ(Said("a: [\"(64, 32)\", \"(128, 16)\"]"), "");
  EXPECT_NE(Said("a: [(64]").find("without its partner"), std::string::npos);
  EXPECT_NE(Said("a: [x)]").find("without its partner"), std::string::npos);
  EXPECT_NE(Said("a: (64").find("without its partner"), std::string::npos);
  EXPECT_NE(Said("a: [[64, 32]]").find("put it in quotes"), std::string::npos);
  EXPECT_NE(Said("a: [{x, y}]").find("put it in quotes"), std::string::npos);
}

TEST(YamlReader, NamesWhatIsNull) {
  for (const char* text : {"a: [~]", "a: [null]", "a: [Null]", "a: [NULL]", "a:\n  -\n"}) {
    EXPECT_NE(Said(text).find("null or empty"), std::string::npos) << text << Said(text);
  }
  for (const char* text : {"a: ~", "a: null", "a:"}) EXPECT_EQ(Said(text), "f:1: 'a' has no value");
}

TEST(YamlReader, KnowsTheTagsOfTheCoreSchemaOnly) {
  EXPECT_EQ(Said("a: !!str 5"), "");
  EXPECT_EQ(Said("a: !!float 5"), "");
  EXPECT_EQ(Said("a: !!int 5"), "");
  EXPECT_NE(Said("a: !!int five").find("tag"), std::string::npos);
  EXPECT_NE(Said("a: !!python/tuple [1, 2]").find("the tag"), std::string::npos);
  EXPECT_NE(Said("a: !custom 5").find("the tag"), std::string::npos);
  EXPECT_NE(Said("a: !!set {x, y}").find("the tag"), std::string::npos);
}

TEST(YamlReader, RefusesKeysThatMerge) {
  EXPECT_NE(Said("a: &x {b: 1}\n<<: *x\n").find("'<<' merges"), std::string::npos);
}

TEST(YamlReader, WarnsOnceAndRefusesNothing) {
  EXPECT_EQ(
      Said("a: yes"),
      "f:1: warning: 'a': 'yes' is a text; YAML 1.1 reads it as true: write true, or quote it");
  EXPECT_EQ(Said("a: 'yes'"), "");
  EXPECT_EQ(Said("a:\n  - -1\n  - 1e-3\n"), "");
}

}  // namespace
}  // namespace sweep
