#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/value.h"
#include "common/expr/expression.h"

namespace sweep {

// The values of one name, or of one subexpression, at up to kRows points.
class Column {
 public:
  static constexpr std::size_t kRows = 256;
  enum class Type : std::uint8_t {
    kBoolean,
    kInteger,
    kSmall,  // integers below 2^53, held as doubles, which processors take several of at once
    kDouble,
    kMixed,  // numbers; those that are integers lie within ±2^53, so that a double holds them
    kString,
    kUnknown,  // of no kind that a column can have
  };

  Type type = Type::kUnknown;
  bool has_unknown = false;  // some `unknown` is set
  double bound = 0;  // above all magnitudes of numbers held as doubles; infinite when not known
  union {
    std::array<std::uint8_t, kRows> booleans;
    std::array<std::int64_t, kRows> integers;
    std::array<double, kRows> doubles;
    std::array<const std::string*, kRows> strings;
  };
  std::array<std::uint8_t, kRows> unknown;  // 1: evaluate this row by Expression::Evaluate

  // Takes `values`, one per row; a row without one (nullptr) is unknown. Strings are referred to,
  // not copied.
  void Fill(std::span<const Value* const> values);

 private:
  void Bound(std::span<const Value* const> values);
  // False when a column of `type` cannot hold the value.
  bool Set(std::size_t row, const Value& value);
};

// Tests one expression at many points at once: a node of its tree costs a loop over numbers instead
// of a call and a variant per point. Rows that it cannot decide with certainty (an error, numbers
// of several kinds beyond 2^53) are kUnknown, and Expression::Test has the answer; where it does
// decide, it agrees with Expression::Test. Keeps its scratch memory, so use one object for many
// calls; not for several threads at once.
class ColumnTester {
 public:
  enum class Verdict : std::uint8_t { kFalse, kTrue, kUnknown };
  // The column of a name; nullptr when there is no such name.
  using Scope = std::function<const Column*(std::string_view name)>;

  ColumnTester();
  ~ColumnTester();

  // One verdict per row of the columns that `scope` gives. Requires verdicts.size() <= kRows.
  void Test(const Expression& expression, const Scope& scope, std::span<Verdict> verdicts);

 private:
  class Evaluator;
  std::vector<std::unique_ptr<Column>> spare_;
};

}  // namespace sweep
