#include "common/expr/expression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <string>

#include "common/base/philox.h"

namespace sweep {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::optional<Value> LookUp(std::string_view name) {
  static const auto* values =
      new ParameterMap{{"lr", 0.05},
                       {"batch_size", std::int64_t{64}},
                       {"nesterov", true},
                       {"schedule", std::string("cosine")},
                       {"nan", std::nan("")},
                       {"infinity", std::numeric_limits<double>::infinity()},
                       {"largest", std::numeric_limits<std::int64_t>::max()},
                       {"smallest", std::numeric_limits<std::int64_t>::min()},
                       {"min", std::int64_t{3}}};
  const auto found = values->find(std::string(name));
  if (found == values->end()) return std::nullopt;
  return found->second;
}

absl::StatusOr<Value> Evaluate(std::string_view text) {
  absl::StatusOr<Expression> expression = Expression::Parse(text);
  if (!expression.ok()) return expression.status();
  return expression->Evaluate(LookUp);
}

// "integer 3", or the error's message.
std::string Result(std::string_view text) {
  const absl::StatusOr<Value> value = Evaluate(text);
  if (value.ok()) return std::string(TypeName(*value)) + " " + FormatValue(*value);
  EXPECT_EQ(value.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(value.status().message());
}

TEST(Expression, LiteralsHaveTheirTypes) {
  EXPECT_EQ(Result("3"), "integer 3");
  EXPECT_EQ(Result("3.0"), "number 3");
  EXPECT_EQ(Result(".5"), "number 0.5");
  EXPECT_EQ(Result("5."), "number 5");
  EXPECT_EQ(Result("1e-3"), "number 0.001");
  EXPECT_EQ(Result("2E+2"), "number 200");
  EXPECT_EQ(Result("true"), "boolean true");
  EXPECT_EQ(Result("'a \"b\"'"), "string a \"b\"");
  EXPECT_EQ(Result("\"it's\""), "string it's");
  EXPECT_EQ(Result(" \t\n 9223372036854775807 "), "integer 9223372036854775807");
}

TEST(Expression, NamesWithOtherSignsStandInQuotes) {
  const absl::StatusOr<Expression> expression =
      Expression::Parse("best.\"val/f1\" > 0.9 and parameters.'a b' == 1");
  ASSERT_TRUE(expression.ok()) << expression.status();
  EXPECT_THAT(expression->names(), testing::ElementsAre("best.val/f1", "parameters.a b"));
  EXPECT_THAT(Expression::Parse("parameters.a.b.c + a.in.not + b.c.'d/e' + 1.5")->names(),
              testing::ElementsAre("a.in.not", "b.c.d/e", "parameters.a.b.c"));
  EXPECT_FALSE(Expression::Parse("a.b.").ok());
  const Scope scope = [](std::string_view name) -> std::optional<Value> {
    if (name == "best.val/f1") return Value(0.95);
    if (name == "parameters.a b") return Value(std::int64_t{1});
    return std::nullopt;
  };
  EXPECT_TRUE(*expression->Test(scope));
  EXPECT_FALSE(Expression::Parse("best.\"val > 1").ok());
}

TEST(Expression, AListIsTheTextOfItsJson) {
  EXPECT_EQ(Result("[64, 32]"), "string [64,32]");
  EXPECT_EQ(Result("[]"), "string []");
  EXPECT_EQ(Result("[1.0, -2, 'a', true, [[]]]"), "string [1.0,-2,\"a\",true,[[]]]");
  const Scope scope = [](std::string_view name) -> std::optional<Value> {
    if (name == "layers") return ListValue("[64,32]");
    return std::nullopt;
  };
  const auto holds = [&](const char* text) { return *Expression::Parse(text)->Test(scope); };
  EXPECT_TRUE(holds("layers == [64, 32]"));
  EXPECT_TRUE(holds("layers == '[64,32]'"));
  EXPECT_FALSE(holds("layers != [64, 32]"));
  EXPECT_FALSE(holds("layers == [32, 64]"));
  EXPECT_TRUE(holds("layers in [[1], [64, 32]]"));
  EXPECT_TRUE(holds("layers not in [[1], []]"));
  EXPECT_FALSE(Expression::Parse("layers < [1]")->Test(scope).ok());
  EXPECT_FALSE(Expression::Parse("layers == 64")->Test(scope).ok());
  for (const char* text : {"[1", "[1,]", "[,]", "[1 2]", "[lr]", "[1, [2]", "x in [[1], 2]"}) {
    EXPECT_FALSE(Expression::Parse(text).ok()) << text;
  }
  EXPECT_FALSE(Expression::Parse(std::string(500, '[')).ok()) << "no endless recursion";
}

TEST(Expression, PrecedenceIsThatOfTheGrammar) {
  EXPECT_EQ(Result("1 + 2 * 3"), "integer 7");
  EXPECT_EQ(Result("(1 + 2) * 3"), "integer 9");
  EXPECT_EQ(Result("10 - 4 - 3"), "integer 3");
  EXPECT_EQ(Result("100 / 10 / 5"), "number 2");
  EXPECT_EQ(Result("-2 * 3 + 1"), "integer -5");
  EXPECT_EQ(Result("2 * -3"), "integer -6");
  EXPECT_EQ(Result("--2"), "integer 2");
  EXPECT_EQ(Result("1 + 1 == 2"), "boolean true");
  EXPECT_EQ(Result("not 1 == 2"), "boolean true");
  EXPECT_EQ(Result("true or false and false"), "boolean true");
  EXPECT_EQ(Result("(true or false) and false"), "boolean false");
  EXPECT_EQ(Result("not true or true"), "boolean true");
  EXPECT_EQ(Result("not (true or true)"), "boolean false");
  EXPECT_EQ(Result("!false && !false || false"), "boolean true");
}

TEST(Expression, ArithmeticKeepsIntegersExceptInDivision) {
  EXPECT_EQ(Result("7 / 2"), "number 3.5");
  EXPECT_EQ(Result("6 / 2"), "number 3");
  EXPECT_EQ(Result("7 % 4"), "integer 3");
  EXPECT_EQ(Result("-7 % 4"), "integer -3");
  EXPECT_EQ(Result("7.5 % 2"), "number 1.5");
  EXPECT_EQ(Result("2 + 0.5"), "number 2.5");
  EXPECT_EQ(Result("batch_size * 2"), "integer 128");
}

TEST(Expression, APercentSignIsAPercentageUnlessAnOperandFollows) {
  EXPECT_EQ(Result("99.4%"), "number 0.994");
  EXPECT_EQ(Result("99.4% == 0.994"), "boolean true");
  EXPECT_EQ(Result("5%"), "number 0.05");
  EXPECT_EQ(Result("1e2%"), "number 1");
  EXPECT_EQ(Result("(50%)"), "number 0.5");
  EXPECT_EQ(Result("50% and true"), "column 1: 'and' needs true or false, found number 0.5");
  EXPECT_EQ(Result("lr < 50% and true"), "boolean true");
  EXPECT_EQ(Result("0.5 in [25%, 50%]"), "boolean true");
  EXPECT_EQ(Result("50% not in [0.5]"), "boolean false");
  EXPECT_EQ(Result("50% - 0.25"), "number 0.25");
  EXPECT_EQ(Result("50%-0.25"), "number 0.25");
  EXPECT_EQ(Result("50% * 2"), "number 1");
  EXPECT_EQ(Result("7 % 2"), "integer 1");
  EXPECT_EQ(Result("7%2"), "integer 1");
  EXPECT_EQ(Result("7% 2"), "integer 1");
  EXPECT_EQ(Result("7%(2)"), "integer 1");
  EXPECT_EQ(Result("70%batch_size"), "integer 6");
  EXPECT_EQ(Result("70%inner"), "column 4: unknown name 'inner'");
  EXPECT_EQ(Result("7 %"), "column 4: expected a value, found the end");
  EXPECT_EQ(Result("batch_size%"), "column 12: expected a value, found the end");
}

TEST(Expression, IntegersAndDoublesCompareExactly) {
  EXPECT_EQ(Result("1 == 1.0"), "boolean true");
  EXPECT_EQ(Result("1 < 1.5"), "boolean true");
  EXPECT_EQ(Result("1.5 > 1"), "boolean true");
  EXPECT_EQ(Result("-1 > -1.5"), "boolean true");
  EXPECT_EQ(Result("-2 < -1.5"), "boolean true");
  EXPECT_EQ(Result("9007199254740993 == 9007199254740992.0"), "boolean false");
  EXPECT_EQ(Result("9007199254740993 > 9007199254740992.0"), "boolean true");
  EXPECT_EQ(Result("9007199254740992.0 < 9007199254740993"), "boolean true");
  EXPECT_EQ(Result("largest < 9223372036854775808.0"), "boolean true");
  EXPECT_EQ(Result("smallest == -9223372036854775808.0"), "boolean true");
  EXPECT_EQ(Result("smallest > -1e300"), "boolean true");
  EXPECT_EQ(Result("largest < infinity"), "boolean true");
  EXPECT_EQ(Result("2 <= 2 and 2 >= 2.0 and 2 != 3"), "boolean true");
}

TEST(Expression, StringsAndBooleansCompareForEqualityOnly) {
  EXPECT_EQ(Result("schedule == 'cosine'"), "boolean true");
  EXPECT_EQ(Result("schedule != \"cosine\""), "boolean false");
  EXPECT_EQ(Result("nesterov == true"), "boolean true");
  EXPECT_EQ(Result("schedule < 'd'"), "column 10: '<' needs numbers, found string 'cosine'");
  EXPECT_EQ(Result("true > false"), "column 6: '>' needs numbers, found boolean true");
}

TEST(Expression, DifferentKindsAreErrorsThatShowTheValues) {
  EXPECT_EQ(Result("lr == 'cosine'"), "column 4: cannot compare number 0.05 with string 'cosine'");
  EXPECT_EQ(Result("nesterov == 1"), "column 10: cannot compare boolean true with integer 1");
  EXPECT_EQ(Result("lr + schedule"), "column 4: '+' needs numbers, found string 'cosine'");
  EXPECT_EQ(Result("'a' + 'b'"), "column 5: '+' needs numbers, found string 'a'");
  EXPECT_EQ(Result("-nesterov"), "column 1: '-' needs numbers, found boolean true");
  EXPECT_EQ(Result("lr and true"), "column 1: 'and' needs true or false, found number 0.05");
  EXPECT_EQ(Result("true and (false or 1)"),
            "column 20: 'or' needs true or false, found integer 1");
  EXPECT_EQ(Result("not 1"), "column 5: 'not' needs true or false, found integer 1");
  EXPECT_EQ(Result("lr in ['x']"), "column 4: cannot compare number 0.05 with string 'x'");
}

TEST(Expression, MembershipTakesListsOfOneKind) {
  EXPECT_EQ(Result("schedule in ['constant', 'cosine']"), "boolean true");
  EXPECT_EQ(Result("schedule in [\"step\"]"), "boolean false");
  EXPECT_EQ(Result("schedule not in ['step']"), "boolean true");
  EXPECT_EQ(Result("batch_size in [32, 64.0]"), "boolean true");
  EXPECT_EQ(Result("-1 in [-1, -0.5]"), "boolean true");
  EXPECT_EQ(Result("nesterov in [true, false]"), "boolean true");
  EXPECT_EQ(Result("not batch_size in [64]"), "boolean false");
  EXPECT_EQ(Result("1 in []"), "column 7: expected a number, a string, true or false, found ']'");
  EXPECT_EQ(Result("1 in [lr]"),
            "column 7: expected a number, a string, true or false, found 'lr'");
  EXPECT_EQ(Result("1 in [1, 'a']"),
            "column 10: a list is of one kind, and string 'a' is not of the kind of integer 1");
  EXPECT_EQ(Result("1 in 2"), "column 6: expected '[', found '2'");
  EXPECT_EQ(Result("1 in [1"), "column 8: expected ',' or ']', found the end");
}

TEST(Expression, FunctionsWork) {
  EXPECT_EQ(Result("min(3, 2.5, 4)"), "number 2.5");
  EXPECT_EQ(Result("max(3, 2.5, 4)"), "integer 4");
  EXPECT_EQ(Result("abs(-3)"), "integer 3");
  EXPECT_EQ(Result("abs(3)"), "integer 3");
  EXPECT_EQ(Result("abs(-0.5)"), "number 0.5");
  EXPECT_EQ(Result("log10(1000)"), "number 3");
  EXPECT_EQ(Result("sqrt(2 + 2)"), "number 2");
  EXPECT_EQ(Result("min + 1"), "integer 4") << "a name is a function only before a parenthesis";
}

TEST(Expression, FunctionsRefuseWhatHasNoValue) {
  EXPECT_THAT(Result("log10(0)"), HasSubstr("column 1: 'log10' gives -Infinity"));
  EXPECT_THAT(Result("sqrt(-1)"), HasSubstr("column 1: 'sqrt' gives"));
  EXPECT_EQ(Result("sqrt('a')"), "column 6: 'sqrt' needs numbers, found string 'a'");
  EXPECT_EQ(Result("min(1, nan)"), "column 8: 'min' needs numbers, found number NaN");
  EXPECT_EQ(Result("abs(1, 2)"), "column 1: 'abs' takes one value, not 2");
  EXPECT_EQ(Result("min()"), "column 5: expected a value, found ')'");
  EXPECT_THAT(Result("mim(1)"), HasSubstr("column 1: there is no function 'mim'"));
  EXPECT_THAT(Result("mim(1)"), HasSubstr("did you mean 'min'?"));
}

TEST(Expression, ArithmeticNeverOverflowsSilently) {
  EXPECT_EQ(Result("largest + 1"), "column 9: the integer 9223372036854775807 + 1 is out of range");
  EXPECT_EQ(Result("smallest - 1"),
            "column 10: the integer -9223372036854775808 - 1 is out of range");
  EXPECT_THAT(Result("largest * 2"), HasSubstr("out of range"));
  EXPECT_THAT(Result("-smallest"), HasSubstr("out of range"));
  EXPECT_THAT(Result("abs(smallest)"), HasSubstr("out of range"));
  EXPECT_EQ(Result("smallest % -1"), "integer 0");
  EXPECT_EQ(Result("smallest / -1"), "number 9223372036854775808");
  EXPECT_THAT(Result("1e308 * 10"), HasSubstr("column 7: '*' gives Infinity"));
  EXPECT_THAT(Result("infinity - infinity"), HasSubstr("column 10: '-' gives"));
  EXPECT_EQ(Result("9223372036854775808"),
            "column 1: the integer 9223372036854775808 is out of range; write it with a decimal "
            "point");
  EXPECT_EQ(Result("1e999"), "column 1: the number 1e999 is out of range");
  EXPECT_EQ(Result("1e-99999999999999999999"),
            "column 1: the number 1e-99999999999999999999 is out of range");
}

TEST(Expression, DivisionByZeroIsAnError) {
  for (const char* text : {"1 / 0", "1 % 0", "1 / 0.0", "1.5 % 0", "lr / (batch_size - 64)"}) {
    EXPECT_THAT(Result(text), HasSubstr("division by zero")) << text;
  }
}

TEST(Expression, ComparingWithNanIsFalse) {
  EXPECT_EQ(Result("nan < 1 or nan >= 1 or nan == nan or 1 > nan"), "boolean false");
  EXPECT_EQ(Result("nan != 1"), "boolean true");
  EXPECT_THAT(Result("nan + 1"), HasSubstr("column 5: '+' gives NaN"));
}

TEST(Expression, LogicLooksNoFurtherThanItMust) {
  EXPECT_EQ(Result("false and 1 / 0 > 1"), "boolean false");
  EXPECT_EQ(Result("true or unheard_of"), "boolean true");
  EXPECT_EQ(Result("true and unheard_of"), "column 10: unknown name 'unheard_of'");
}

TEST(Expression, SyntaxErrorsSayWhereAndWhat) {
  const std::map<std::string, std::string> cases = {
      {"", "column 1: expected a value, found the end"},
      {"lr > (1 )) ", "column 10: expected an operator or the end, found ')'"},
      {"1 < 2 + )", "column 9: expected a value, found ')'"},
      {"(1 + 2", "column 7: expected ')', found the end"},
      {"lr 3", "column 4: expected an operator or the end, found '3'"},
      {"lr 'x'", "column 4: expected an operator or the end, found the string 'x'"},
      {"lr = 3", "column 4: expected '==', found '='"},
      {"true & false", "column 6: expected '&&', found '&'"},
      {"true | false", "column 6: expected '||', found '|'"},
      {"0 < lr < 1", "column 8: comparisons cannot be chained; write 'a < b and b < c'"},
      {"'open", "column 1: this string has no closing quote"},
      {"1 + and", "column 5: expected a value, found 'and'"},
      {"not in [1]", "column 5: expected a value, found 'in'"},
      {"+1", "column 1: expected a value, found '+'"},
      {"1.2.3", "column 1: '1.2.' is no number"},
      {"12abc", "column 1: '12a' is no number"},
      {"1 ; 2", "column 3: unexpected ';'"},
      {"'é' ≥ 1", "column 5: unexpected the byte 0xE2"},
      {std::string("1\0", 2), "column 2: unexpected the byte 0x00"},
  };
  for (const auto& [text, message] : cases) EXPECT_EQ(Result(text), message) << text;
}

TEST(Expression, NestingIsBounded) {
  const std::string opening(63, '('), closing(63, ')');
  EXPECT_EQ(Result(opening + "1" + closing), "integer 1");
  EXPECT_EQ(Result("(" + opening + "1" + closing + ")"), "column 65: nested deeper than 64 levels");
  for (const std::string piece : {"(", "-", "!", "not ", "abs(", "-(", "1+(", "1 in [", "min(1,"}) {
    std::string text;
    while (text.size() + piece.size() <= 4096) text += piece;
    EXPECT_THAT(Result(text), HasSubstr("column")) << piece;
  }
}

TEST(Expression, LongChainsAreNoNesting) {
  std::string text = "1";
  while (text.size() + 2 <= 4096) text += "+1";
  EXPECT_EQ(Result(text), "integer 2048");
  std::string conditions = "true";
  while (conditions.size() + 9 <= 4096) conditions += " and true";
  EXPECT_EQ(Result(conditions), "boolean true");
}

TEST(Expression, LengthIsBounded) {
  EXPECT_EQ(Result(std::string(4097, ' ')), "the expression has 4097 characters; 4096 is the most");
  EXPECT_EQ(Result("1" + std::string(4095, ' ')), "integer 1");
}

// Random token soup must give a value or an error, never a crash (run under the sanitizers).
TEST(Expression, TokenSoupIsHarmless) {
  const std::vector<std::string> pieces = {
      "(",  ")",  "[", "]",   ",",   "+",   "-",   "*",  "/",       "%",        "<",
      ">=", "==", "!", "=",   "and", "or",  "not", "in", "true",    "lr",       "nan",
      "1",  "0",  ".", "'a'", "min", "9e9", "5%",  "'",  "largest", "smallest", "-1"};
  constexpr std::uint64_t kSeed = 42;
  PhiloxStream random(kSeed, 0);
  int values = 0;
  for (int i = 0; i < 50'000; ++i) {
    std::string text;
    for (std::uint32_t n = random.NextBelow(12); n > 0; --n) {
      text += pieces[random.NextBelow(static_cast<std::uint32_t>(pieces.size()))];
      if (random.NextBelow(2) == 0) text += ' ';
    }
    const absl::StatusOr<Value> value = Evaluate(text);
    if (value.ok()) {
      ++values;
    } else {
      ASSERT_EQ(value.status().code(), absl::StatusCode::kInvalidArgument) << text;
      ASSERT_FALSE(value.status().message().empty()) << text;
    }
  }
  EXPECT_GT(values, 100) << "seed " << kSeed;
}

TEST(Expression, KnowsItsNamesAndText) {
  const auto expression = Expression::Parse("lr < 1 and min(batch_size, lr) > 2 or flag");
  ASSERT_TRUE(expression.ok()) << expression.status();
  EXPECT_THAT(expression->names(), ElementsAre("batch_size", "flag", "lr"));
  EXPECT_EQ(expression->text(), "lr < 1 and min(batch_size, lr) > 2 or flag");
  const Expression copy = *expression;
  EXPECT_TRUE(copy.Test(LookUp).ok() == expression->Test(LookUp).ok());
}

TEST(Expression, TestWantsACondition) {
  const auto condition = Expression::Parse("lr < 1");
  const auto number = Expression::Parse("lr + 1");
  ASSERT_TRUE(condition.ok() && number.ok());
  const auto holds = condition->Test(LookUp);
  ASSERT_TRUE(holds.ok()) << holds.status();
  EXPECT_TRUE(*holds);
  EXPECT_EQ(number->Test(LookUp).status().message(),
            "'lr + 1' is number 1.05; expected a condition that is true or false");
  EXPECT_EQ(condition->Test(nullptr).status().message(), "column 1: unknown name 'lr'");
  EXPECT_FALSE(Expression().Test(LookUp).ok());
}

}  // namespace
}  // namespace sweep
