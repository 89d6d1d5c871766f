#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "common/base/counted.h"
#include "common/base/diagnostic.h"
#include "common/base/ids.h"
#include "common/base/nearest.h"
#include "common/base/philox.h"
#include "common/base/printable.h"
#include "common/base/sha256.h"
#include "common/base/shell_quote.h"
#include "common/base/utf8.h"
#include "common/base/value.h"

namespace sweep {
namespace {

// Known answers from Random123's kat_vectors for philox4x32-10.
TEST(Philox, MatchesTheKnownAnswers) {
  EXPECT_EQ(Philox4x32({0, 0, 0, 0}, 0, 0),
            (PhiloxBlock{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(Philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, 0xffffffff, 0xffffffff),
            (PhiloxBlock{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(Philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0xa4093822, 0x299f31d0),
            (PhiloxBlock{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Philox, StreamsOfOneKeyDiffer) {
  PhiloxStream a(7, 0), b(7, 1), a_again(7, 0);
  EXPECT_NE(a.NextU64(), b.NextU64());
  a_again.NextU64();
  EXPECT_EQ(a.NextU64(), a_again.NextU64());
}

TEST(Philox, NextBelowCoversItsRangeEvenly) {
  PhiloxStream stream(1, 2);
  int counts[7] = {};
  for (int i = 0; i < 70'000; ++i) ++counts[stream.NextBelow(7)];
  for (int count : counts) EXPECT_NEAR(count, 10'000, 500);
}

TEST(Philox, UniformHasTheRightMoments) {
  PhiloxStream stream(3, 0);
  double sum = 0, squares = 0;
  constexpr int kDraws = 100'000;
  for (int i = 0; i < kDraws; ++i) {
    const double u = stream.NextUniform();
    ASSERT_GE(u, 0);
    ASSERT_LT(u, 1);
    sum += u;
    squares += u * u;
  }
  EXPECT_NEAR(sum / kDraws, 0.5, 0.005);
  EXPECT_NEAR(squares / kDraws, 1.0 / 3, 0.005);
}

// FIPS 180-4 examples.
TEST(Sha256, MatchesTheStandardsExamples) {
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_TRUE(IsSha256Hex(Sha256Hex("x")));
  EXPECT_FALSE(IsSha256Hex("../../../etc/passwd"));
}

TEST(Nearest, FindsASlipAndRefusesAStranger) {
  const std::vector<std::string> keys = {"momentum", "batch_size", "dropout", "lr"};
  EXPECT_EQ(NearestMatch("momentun", keys), "momentum");
  EXPECT_EQ(NearestMatch("batchsize", keys), "batch_size");
  EXPECT_EQ(NearestMatch("rl", keys), "lr");
  EXPECT_EQ(NearestMatch("colour", keys), "");
  EXPECT_EQ(DidYouMean("dropuot", keys), "; did you mean 'dropout'?");
}

TEST(Nearest, KnowsWordsByTheirLettersInAnyCase) {
  EXPECT_EQ(NearestMatch("GRID", {"grid", "random"}), "grid");
  EXPECT_EQ(NearestMatch("ReLU", {"elu", "relu"}), "relu");
}

TEST(Nearest, TakesNoRightWordForASlip) {
  for (const char* word : {"elu", "gelu", "SELU", "relu6"})
    EXPECT_EQ(NearestMatch(word, {"relu"}), "");
  EXPECT_EQ(NearestMatch("global_max_pool", {"global_avg_pool", "max_pool"}), "");
  EXPECT_EQ(NearestMatch("median", {"mean"}), "");
  EXPECT_EQ(NearestMatch("emnist", {"mnist"}), "");
  EXPECT_EQ(NearestMatch("elu", {"elu"}), "elu") << "where there is one";
}

TEST(Value, FormatsTheShortestTextThatRoundTrips) {
  EXPECT_EQ(FormatValue(0.1), "0.1");
  EXPECT_EQ(FormatValue(std::int64_t{32}), "32");
  EXPECT_EQ(FormatValue(true), "true");
  EXPECT_EQ(FormatValue(std::string("cosine")), "cosine");
  EXPECT_EQ(FormatDouble(std::nan("")), "NaN");
}

TEST(Value, NumbersOfDifferentTypesCompareByValue) {
  EXPECT_TRUE(SameValue(std::int64_t{1}, 1.0));
  EXPECT_FALSE(SameValue(true, std::int64_t{1}));
}

TEST(Value, AListIsItsJsonWithoutSpaces) {
  const ListValue list = MakeList({Value(std::int64_t{64}), Value(1.0), Value(1e-5), Value(true),
                                   Value("a \"b\" ü"), Value(MakeList({}))});
  EXPECT_EQ(list.json, R"([64,1.0,1e-05,true,"a \"b\" ü",[]])");
  EXPECT_EQ(ParseList(" [64, 1.00, 0.00001, true,\n\"a \\u0022b\\u0022 ü\", [ ] ]"), list);
  EXPECT_EQ(FormatValue(list), list.json);
  EXPECT_EQ(TypeName(list), "list");
  EXPECT_TRUE(std::isnan(AsDouble(list)));
  EXPECT_FALSE(IsNumber(list));
}

TEST(Value, ListsAreTheSameWhenTheirItemsAre) {
  EXPECT_TRUE(SameValue(ListValue("[1,2]"), ListValue("[1,2.0]")));
  EXPECT_FALSE(SameValue(ListValue("[1,2]"), ListValue("[2,1]")));
  EXPECT_FALSE(SameValue(ListValue("[1]"), ListValue("[true]")));
  EXPECT_FALSE(SameValue(ListValue("[1]"), Value("[1]")));
}

TEST(Value, WhatIsNoListIsRefused) {
  std::string many = "[0";
  for (int i = 1; i < kMostListItems; ++i) many += ",0";
  EXPECT_TRUE(ParseList(many + "]"));
  EXPECT_TRUE(ParseList("[[[[1]]]]"));
  for (const std::string& text : {std::string(), std::string("1"), std::string("{}"),
                                  std::string("[1"), std::string("[null]"), std::string("[[{}]]"),
                                  std::string("[1e999]"), std::string("[\"\xff\"]"), many + ",0]",
                                  std::string("[[[[[1]]]]]"), std::string(100'000, '[')}) {
    EXPECT_FALSE(ParseList(text)) << text.substr(0, 60);
  }
}

TEST(Ids, AreRandomAndNamesAreSafe) {
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) seen.insert(RandomHex(16));
  EXPECT_EQ(seen.size(), 100u);
  EXPECT_TRUE(IsValidName("seed-000"));
  EXPECT_FALSE(IsValidName("../x"));
  EXPECT_FALSE(IsValidName(".hidden"));
  EXPECT_FALSE(IsValidName(""));
  EXPECT_FALSE(IsValidName(std::string(64, 'a')));
}

TEST(Utf8, ReplacesOnlyWhatIsBroken) {
  const std::string good = "a\u00e9\u2026\U0001F600z";
  EXPECT_EQ(ToUtf8(good), good);
  EXPECT_EQ(BrokenUtf8Line(good), 0);
  EXPECT_EQ(ToUtf8("a\xff\xc3"), "a\uFFFD\uFFFD");
  EXPECT_EQ(BrokenUtf8Line("one\ntwo \xed\xa0\x80"), 2) << "a surrogate";
}

TEST(Utf8, CutsBetweenCharacters) {
  EXPECT_EQ(CutUtf8("a\u2026b", 3), "a");
  EXPECT_EQ(CutUtf8("a\u2026b", 4), "a\u2026");
  EXPECT_EQ(CutUtf8("ab", 2), "ab");
}

TEST(Utf8, ShortenedTextSaysSo) {
  EXPECT_EQ(Shortened("abcdef", 6), "abcdef");
  EXPECT_EQ(Shortened("abcdef", 5), "ab\u2026");
  EXPECT_EQ(Shortened("abcdef", 0), "\u2026");
}

TEST(Utf8, LinesBecomeOneLine) {
  EXPECT_EQ(OneLine("", 9), "");
  EXPECT_EQ(OneLine("one", 9), "one");
  EXPECT_EQ(OneLine("one\r\n\n   two \n", 99), "one | two");
  EXPECT_EQ(OneLine("one\ntwo", 7), "one | t …");
}

TEST(Diagnostics, AreSortedByFileAndLine) {
  EXPECT_EQ(FormatDiagnostics({{"a.yaml", 9, "nine"}, {"a.yaml", 2, "two"}, {"a.yaml", 0, "all"}}),
            "a.yaml: all\na.yaml:2: two\na.yaml:9: nine");
}

TEST(Printable, EscapesWhatMovesTurnsOrHides) {
  EXPECT_EQ(Printable("größe 数 🚀 e\u0301 ✓"), "größe 数 🚀 e\u0301 ✓");
  EXPECT_EQ(Printable("a\u202Eb"), "a\\u202eb");
  EXPECT_EQ(Printable("\u2066x\u2069\u200B\u200D\u200E\u061C\uFEFF\u2028\u2029\u00AD"),
            "\\u2066x\\u2069\\u200b\\u200d\\u200e\\u061c\\ufeff\\u2028\\u2029\\xad");
  EXPECT_EQ(Printable("\x1b[2J\u009b31m\a\x7f\r\n\t"), "\\x1b[2J\\x9b31m\\x07\\x7f\\r\\n\\t");
  EXPECT_EQ(Printable(std::string_view("a\0b\xff\xc3", 5)), "a\\x00b\\xff\\xc3");
  EXPECT_EQ(Printable("\U000E0041"), "\\U000e0041");
  EXPECT_EQ(PrintableLines("two\nlines\tof\rtext"), "two\nlines\tof\\rtext");
}

TEST(ShellQuote, IsOneWordOfAShell) {
  EXPECT_EQ(ShellQuote("night/7"), "night/7");
  EXPECT_EQ(ShellQuote("--columns=a,b"), "--columns=a,b");
  EXPECT_EQ(ShellQuote(""), "''");
  EXPECT_EQ(ShellQuote("a b"), "'a b'");
  EXPECT_EQ(ShellQuote("$HOME `x` \"q\" *"), "'$HOME `x` \"q\" *'");
  EXPECT_EQ(ShellQuote("it's"), "'it'\\''s'");
  EXPECT_EQ(ShellQuote("~"), "'~'");
  EXPECT_EQ(ShellQuote("a\nb'\\"), "$'a\\x0ab\\'\\\\'");
  EXPECT_EQ(ShellQuote("\u202E"), "$'\\xe2\\x80\\xae'");
}

TEST(Counted, HasOneAndMany) {
  EXPECT_EQ(Counted(1, "trial"), "1 trial");
  EXPECT_EQ(Counted(0, "trial"), "0 trials");
  EXPECT_EQ(Counted(12, "slot"), "12 slots");
}

}  // namespace
}  // namespace sweep
