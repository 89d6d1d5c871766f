#pragma once

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "common/expr/columns.h"

namespace sweep {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
// A double holds every integer up to this magnitude.
constexpr std::int64_t kExact = std::int64_t{1} << 53;
// Integers of a smaller magnitude are small: exact as doubles.
constexpr double kSmallBound = static_cast<double>(kExact);

// True when a double holds the integer and every integer of a smaller magnitude.
bool IsExact(std::int64_t value);

bool IsInteger(Column::Type type);
bool IsNumeric(Column::Type type);
Column::Type KindOf(const Value& value);

// Arithmetic on the first `rows` rows of columns.
class ColumnMath {
 public:
  explicit ColumnMath(std::size_t rows) : rows_(rows) {}

  void SetUnknown(Column* column) const;
  // Copies everything but the values of `other` to `column`.
  void Describe(const Column& other, Column* column) const;
  // Marks rows of `column` as unknown where `other` is.
  void Spread(const Column& other, Column* column) const;
  void ToIntegers(Column* column) const;
  // Requires that no value exceeds `bound`.
  void ToSmall(Column* column) const;
  // Turns integers into doubles; a mixed result marks those that no double holds as unknown.
  void ToDoubles(bool is_mixed, Column* column) const;
  void IntegerArithmetic(Column* a, char op, const Column& b) const;
  void DoubleArithmetic(Column* a, char op, const Column& b) const;
  // Marks values that are not finite and, in a mixed column, possible integers beyond 2^53 as
  // unknown.
  void CheckNumbers(Column* column) const;
  void CompareNumeric(const Column& a, std::string_view op, const Column& b,
                      std::uint8_t* out) const;
  // Sets *best to the smaller or the larger of the two.
  void Best(bool is_min, Column* best, Column* argument) const;
  // abs, sqrt or log10.
  void CallOneArgument(const std::string& function, Column* column) const;
  void Absolute(Column* column) const;

  template <typename IsUnknown>
  void Mark(Column* column, IsUnknown is_unknown) const {
    const std::size_t rows = rows_;
    std::uint8_t any = 0;
    for (std::size_t row = 0; row < rows; ++row) {
      column->unknown[row] |= is_unknown(row) ? 1 : 0;
      any |= column->unknown[row];
    }
    column->has_unknown = any != 0;
  }

  template <typename Number, typename Right>
  void CompareRows(const Number* x, std::string_view op, Right right, std::uint8_t* out) const {
    // A local copy: the compiler must assume that writing a byte to `out` could change rows_.
    const std::size_t rows = rows_;
    const auto run = [=](auto holds) {
      for (std::size_t row = 0; row < rows; ++row) out[row] = holds(x[row], right(row)) ? 1 : 0;
    };
    if (op == "==") return run([](Number m, Number n) { return m == n; });
    if (op == "!=") return run([](Number m, Number n) { return m != n; });
    if (op == "<") return run([](Number m, Number n) { return m < n; });
    if (op == "<=") return run([](Number m, Number n) { return m <= n; });
    if (op == ">") return run([](Number m, Number n) { return m > n; });
    run([](Number m, Number n) { return m >= n; });
  }

 protected:
  const std::size_t rows_;

 private:
  static double Order(std::int64_t a, double b);

  template <typename Number>
  void Choose(bool is_min, const Number* argument, Number* best) const {
    for (std::size_t row = 0; row < rows_; ++row) {
      const bool is_better = is_min ? argument[row] < best[row] : argument[row] > best[row];
      best[row] = is_better ? argument[row] : best[row];
    }
  }
};

}  // namespace sweep
