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
    kSmall,  // integers below 2^53, held as doubles for SIMD
    kDouble,
    kMixed,  // numbers; the integers among them lie within ±2^53, so a double holds them
    kString,
    kUnknown,  // of no type that a column can have
  };

  Type type = Type::kUnknown;
  bool has_unknown = false;  // some `unknown` is set
  double bound = 0;  // no number held as a double is larger in magnitude; infinite when not known
  union {
    std::array<std::uint8_t, kRows> booleans;
    std::array<std::int64_t, kRows> integers;
    std::array<double, kRows> doubles;
    std::array<const std::string*, kRows> strings;
  };
  std::array<std::uint8_t, kRows> unknown;  // 1: evaluate this row by Expression::Evaluate

  // Takes `values`, one per row; nullptr marks a row as unknown. Keeps pointers to strings.
  void Fill(std::span<const Value* const> values);

 private:
  void Bound(std::span<const Value* const> values);
  // False when a column of `type` cannot hold the value.
  bool Set(std::size_t row, const Value& value);
};

// Tests one expression at many points at once: each node of its tree costs a loop over numbers
// instead of a call and a variant per point. A row that it cannot decide with certainty (an error,
// numbers of several kinds beyond 2^53) is kUnknown, and the caller asks Expression::Test; every
// other verdict agrees with Expression::Test. Reuses its scratch memory, so keep one object for
// many calls. Not thread-safe.
class ColumnTester {
 public:
  enum class Verdict : std::uint8_t { kFalse, kTrue, kUnknown };
  // Returns the column of a name; nullptr when there is no such name.
  using Scope = std::function<const Column*(std::string_view name)>;

  ColumnTester();
  ~ColumnTester();

  // Writes one verdict per row of the columns of `scope`. Requires verdicts.size() <= kRows.
  void Test(const Expression& expression, const Scope& scope, std::span<Verdict> verdicts);

 private:
  class Evaluator;
  std::vector<std::unique_ptr<Column>> spare_;
};

}  // namespace sweep
