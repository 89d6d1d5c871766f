#include "common/expr/columns.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include "common/base/philox.h"

namespace sweep {
namespace {

using Verdict = ColumnTester::Verdict;

// Values of one name at each row.
using Table = std::map<std::string, std::vector<Value>, std::less<>>;

std::vector<Verdict> TestColumns(const Expression& expression, const Table& table,
                                 std::size_t rows) {
  std::map<std::string, Column, std::less<>> columns;
  for (const auto& [name, values] : table) {
    std::vector<const Value*> pointers;
    for (const Value& value : values) pointers.push_back(&value);
    columns[name].Fill(pointers);
  }
  std::vector<Verdict> verdicts(rows);
  ColumnTester().Test(
      expression,
      [&](std::string_view name) -> const Column* {
        const auto found = columns.find(name);
        return found == columns.end() ? nullptr : &found->second;
      },
      verdicts);
  return verdicts;
}

absl::StatusOr<bool> TestRow(const Expression& expression, const Table& table, std::size_t row) {
  return expression.Test([&](std::string_view name) -> std::optional<Value> {
    const auto found = table.find(name);
    if (found == table.end()) return std::nullopt;
    return found->second[row];
  });
}

Verdict TestOne(const std::string& text, const Value& x) {
  const absl::StatusOr<Expression> expression = Expression::Parse(text);
  EXPECT_TRUE(expression.ok()) << expression.status();
  return TestColumns(*expression, {{"x", {x}}}, 1)[0];
}

// Writes random expressions with every kind of node: valid by grammar, often wrong by type.
class Writer {
 public:
  explicit Writer(std::uint64_t seed) : stream_(DeriveKey(seed, "expressions"), 0) {}

  std::string Condition(int depth) {
    switch (depth <= 0 ? 4 : Pick(8)) {
      case 0:
        return "(" + Condition(depth - 1) + " and " + Condition(depth - 1) + ")";
      case 1:
        return "(" + Condition(depth - 1) + " or " + Condition(depth - 1) + " or " +
               Condition(depth - 1) + ")";
      case 2:
        return "not (" + Condition(depth - 1) + ")";
      case 3:
        return Number(depth - 1) + " in [" + Literal() + ", " + Literal() + "]";
      case 5:
        return Any({"flag", "word == 'a'", "word != 'b'", "flag == true", "word in ['a', 'c']",
                    "word < 'a'", "true", "1", "list == [1, 2]", "list != '[]'",
                    "list in [[1, 2], 'a']", "list == word", "list == 1"});
      default:
        return Number(depth - 1) + Any({" == ", " != ", " < ", " <= ", " > ", " >= "}) +
               Number(depth - 1);
    }
  }

 private:
  std::string Number(int depth) {
    switch (depth <= 0 ? Pick(2) : Pick(6)) {
      case 0:
        return Literal();
      case 1:
        return Any({"whole", "real", "mixed", "large", "odd", "word", "flag", "nobody"});
      case 2:
        return "-" + Number(depth - 1);
      case 3:
        return Any({"min", "max"}) + "(" + Number(depth - 1) + ", " + Number(depth - 1) + ")";
      case 4:
        return Any({"abs", "sqrt", "log10"}) + "(" + Number(depth - 1) + ")";
      default:
        return "(" + Number(depth - 1) + Any({" + ", " - ", " * ", " / ", " % "}) +
               Number(depth - 1) + ")";
    }
  }

  std::string Literal() {
    return Any(
        {"0", "1", "2", "3", "0.5", "1e300", "9007199254740993", "9223372036854775807", "7"});
  }

  std::uint32_t Pick(std::uint32_t choices) { return stream_.NextBelow(choices); }
  std::string Any(std::vector<std::string> words) {
    return words[Pick(static_cast<std::uint32_t>(words.size()))];
  }

  PhiloxStream stream_;
};

Table MakeTable(std::size_t rows) {
  const std::vector<Value> large = {std::numeric_limits<std::int64_t>::max(),
                                    std::numeric_limits<std::int64_t>::min(),
                                    (std::int64_t{1} << 53) + 1, std::int64_t{-1}};
  const std::vector<Value> odd = {std::nan(""), std::numeric_limits<double>::infinity(), -0.0, 3.0};
  const std::vector<Value> mixed = {std::int64_t{2}, 2.5, (std::int64_t{1} << 53) + 1, 0.0,
                                    std::int64_t{-3}};
  Table table;
  for (std::size_t row = 0; row < rows; ++row) {
    table["whole"].push_back(static_cast<std::int64_t>(row % 5) - 2);
    table["real"].push_back(static_cast<double>(row) / 7 - 1);
    table["mixed"].push_back(mixed[row % mixed.size()]);
    table["large"].push_back(large[row % large.size()]);
    table["odd"].push_back(odd[row % odd.size()]);
    table["flag"].push_back(row % 3 == 0);
    table["word"].push_back(std::string(1, static_cast<char>('a' + row % 3)));
    table["list"].push_back(row % 3 == 0   ? Value(ListValue("[1,2]"))
                            : row % 3 == 1 ? Value(ListValue("[]"))
                                           : Value("a"));
  }
  return table;
}

TEST(ColumnTester, AgreesWithOneRowAtATimeWhereverItDecides) {
  constexpr std::size_t kRows = 40;
  const Table table = MakeTable(kRows);
  Writer writer(20261128);
  int decided = 0;
  int left_open = 0;
  for (int i = 0; i < 5'000; ++i) {
    const absl::StatusOr<Expression> expression = Expression::Parse(writer.Condition(4));
    ASSERT_TRUE(expression.ok()) << expression.status();
    const std::vector<Verdict> verdicts = TestColumns(*expression, table, kRows);
    for (std::size_t row = 0; row < kRows; ++row) {
      const absl::StatusOr<bool> expected = TestRow(*expression, table, row);
      if (verdicts[row] == Verdict::kUnknown) {
        left_open += expected.ok() ? 1 : 0;
        continue;
      }
      ++decided;
      ASSERT_TRUE(expected.ok()) << expression->text() << " at row " << row << ": "
                                 << expected.status();
      ASSERT_EQ(verdicts[row] == Verdict::kTrue, *expected)
          << expression->text() << " at row " << row;
    }
  }
  EXPECT_GT(decided, 50'000);
  // Only numbers of two kinds near or beyond 2^53 are left to the slow way.
  EXPECT_LT(left_open, decided / 10);
}

TEST(ColumnTester, LeavesErrorsToTheSlowWay) {
  const std::int64_t largest = std::numeric_limits<std::int64_t>::max();
  for (const char* text : {"x + 1 > 0", "x * 2 > 0", "1 / (x - x) > 0", "x % (x - x) == 0",
                           "sqrt(-x) > 0", "x == 'a'", "x and true", "nobody > 1", "x"}) {
    EXPECT_EQ(TestOne(text, largest), Verdict::kUnknown) << text;
  }
}

TEST(ColumnTester, ALaterOperandDoesNotMatterOnceARowIsDecided) {
  const std::int64_t zero = 0;
  EXPECT_EQ(TestOne("x > 0 and 1 / x < 0.1", zero), Verdict::kFalse);
  EXPECT_EQ(TestOne("x == 0 or 1 / x < 0.1", zero), Verdict::kTrue);
  EXPECT_EQ(TestOne("1 / x < 0.1 or x == 0", zero), Verdict::kUnknown);
  EXPECT_EQ(TestOne("x in [0, 1]", zero), Verdict::kTrue);
}

TEST(ColumnTester, ComparesIntegersBeyondDoublesExactly) {
  const std::int64_t above = (std::int64_t{1} << 53) + 1;
  EXPECT_EQ(TestOne("x > 9007199254740992.0", above), Verdict::kTrue);
  EXPECT_EQ(TestOne("9007199254740992.0 < x", above), Verdict::kTrue);
  EXPECT_EQ(TestOne("x == 9007199254740992.0", above), Verdict::kFalse);
}

}  // namespace
}  // namespace sweep
