#include "common/expr/column_math.h"

#include <algorithm>
#include <bit>
#include <compare>

#include "common/expr/compare.h"

namespace sweep {
namespace {

using Type = Column::Type;

// All bits of a double but its sign.
constexpr std::uint64_t kMagnitude = ~(std::uint64_t{1} << 63);

// Sets the top bit for infinities and NaN only: adding one to an exponent of all ones carries into
// it. Integers, because the compiler does not vectorise reductions over doubles.
std::uint64_t NonFiniteBit(double value) {
  return (std::bit_cast<std::uint64_t>(value) & kMagnitude) + 0x0010'0000'0000'0000;
}

// Of a string or a list.
const std::string* TextOf(const Value& value) {
  const auto* const list = std::get_if<ListValue>(&value);
  return list == nullptr ? &std::get<std::string>(value) : &list->json;
}

// The type of a column with values of both types.
Type Joined(Type a, Type b) {
  if (a == b) return a;
  return IsNumeric(a) && IsNumeric(b) ? Type::kMixed : Type::kUnknown;
}

}  // namespace

bool IsExact(std::int64_t value) { return value >= -kExact && value <= kExact; }

bool IsInteger(Type type) { return type == Type::kInteger || type == Type::kSmall; }

bool IsNumeric(Type type) {
  return IsInteger(type) || type == Type::kDouble || type == Type::kMixed;
}

Type KindOf(const Value& value) {
  if (std::holds_alternative<bool>(value)) return Type::kBoolean;
  if (std::holds_alternative<std::int64_t>(value)) return Type::kInteger;
  return std::holds_alternative<double>(value) ? Type::kDouble : Type::kString;
}

void Column::Fill(std::span<const Value* const> values) {
  type = Type::kUnknown;
  bool is_first = true;
  for (const Value* value : values) {
    if (value == nullptr) continue;
    type = is_first ? KindOf(*value) : Joined(type, KindOf(*value));
    is_first = false;
  }
  if (IsNumeric(type)) Bound(values);
  has_unknown = false;
  std::fill_n(integers.begin(), values.size(), 0);  // so that unknown rows hold valid numbers too
  for (std::size_t row = 0; row < values.size(); ++row) {
    unknown[row] = values[row] == nullptr || !Set(row, *values[row]) ? 1 : 0;
    has_unknown |= unknown[row] != 0;
  }
}

// Sets `bound`, and turns a column of integers into kSmall where possible.
void Column::Bound(std::span<const Value* const> values) {
  bound = 0;
  for (const Value* value : values) {
    if (value == nullptr) continue;
    const double magnitude = std::abs(AsDouble(*value));
    bound = std::isfinite(magnitude) ? std::max(bound, magnitude) : kInfinity;
  }
  if (type == Type::kInteger && bound < kSmallBound) type = Type::kSmall;
}

bool Column::Set(std::size_t row, const Value& value) {
  switch (type) {
    case Type::kBoolean:
      booleans[row] = std::get<bool>(value) ? 1 : 0;
      return true;
    case Type::kInteger:
      integers[row] = std::get<std::int64_t>(value);
      return true;
    case Type::kSmall:
      doubles[row] = AsDouble(value);
      return true;
    case Type::kDouble:
      doubles[row] = std::get<double>(value);
      return true;
    case Type::kMixed: {
      doubles[row] = AsDouble(value);
      const auto* integer = std::get_if<std::int64_t>(&value);
      return integer == nullptr || IsExact(*integer);
    }
    case Type::kString:
      strings[row] = TextOf(value);
      return true;
    case Type::kUnknown:
      return false;
  }
  return false;
}

void ColumnMath::SetUnknown(Column* column) const {
  column->type = Type::kUnknown;
  column->has_unknown = true;
  std::fill_n(column->unknown.begin(), rows_, 1);
}

void ColumnMath::Describe(const Column& other, Column* column) const {
  column->type = other.type;
  column->bound = other.bound;
  column->has_unknown = other.has_unknown;
  std::copy_n(other.unknown.begin(), rows_, column->unknown.begin());
}

void ColumnMath::Spread(const Column& other, Column* column) const {
  if (other.has_unknown) Mark(column, [&](std::size_t row) { return other.unknown[row] != 0; });
}

void ColumnMath::ToIntegers(Column* column) const {
  if (column->type != Type::kSmall) return;
  column->type = Type::kInteger;
  for (std::size_t row = 0; row < rows_; ++row) {
    column->integers[row] = static_cast<std::int64_t>(column->doubles[row]);
  }
}

void ColumnMath::ToSmall(Column* column) const {
  column->type = Type::kSmall;
  for (std::size_t row = 0; row < rows_; ++row) {
    column->doubles[row] = static_cast<double>(column->integers[row]);
  }
}

void ColumnMath::ToDoubles(bool is_mixed, Column* column) const {
  if (column->type == Type::kInteger) {
    if (is_mixed) Mark(column, [&](std::size_t row) { return !IsExact(column->integers[row]); });
    for (std::size_t row = 0; row < rows_; ++row) {
      column->doubles[row] = static_cast<double>(column->integers[row]);
    }
    column->bound = kInfinity;
  }
  column->type = is_mixed ? Type::kMixed : Type::kDouble;
}

void ColumnMath::IntegerArithmetic(Column* a, char op, const Column& b) const {
  std::int64_t* const x = a->integers.data();
  const std::int64_t* const y = b.integers.data();
  std::array<std::uint8_t, Column::kRows> failed;
  const auto run = [&](auto compute) {
    std::uint8_t any = 0;
    for (std::size_t row = 0; row < rows_; ++row) {
      failed[row] = compute(x[row], y[row], &x[row]) ? 1 : 0;
      any |= failed[row];
    }
    if (any != 0) Mark(a, [&](std::size_t row) { return failed[row] != 0; });
  };
  using Integer = std::int64_t;
  switch (op) {
    case '+':
      return run([](Integer m, Integer n, Integer* r) { return __builtin_add_overflow(m, n, r); });
    case '-':
      return run([](Integer m, Integer n, Integer* r) { return __builtin_sub_overflow(m, n, r); });
    case '*':
      return run([](Integer m, Integer n, Integer* r) { return __builtin_mul_overflow(m, n, r); });
    default:  // '%'; the smallest integer % -1 would trap
      return run([](Integer m, Integer n, Integer* r) {
        *r = n == 0 || n == -1 ? 0 : m % n;
        return n == 0;
      });
  }
}

void ColumnMath::DoubleArithmetic(Column* a, char op, const Column& b) const {
  double* const x = a->doubles.data();
  const double* const y = b.doubles.data();
  const auto run = [&](auto compute) {
    for (std::size_t row = 0; row < rows_; ++row) x[row] = compute(x[row], y[row]);
  };
  switch (op) {
    case '+':
      run([](double m, double n) { return m + n; });
      break;
    case '-':
      run([](double m, double n) { return m - n; });
      break;
    case '*':
      run([](double m, double n) { return m * n; });
      break;
    case '/':  // by zero gives infinity or NaN, which is marked
      run([](double m, double n) { return m / n; });
      break;
    default:
      run([](double m, double n) { return std::fmod(m, n); });
  }
  a->bound = kInfinity;
  CheckNumbers(a);
}

void ColumnMath::CheckNumbers(Column* column) const {
  const double* const x = column->doubles.data();
  std::uint64_t bits = 0;
  for (std::size_t row = 0; row < rows_; ++row) bits |= NonFiniteBit(x[row]);
  if ((bits >> 63) != 0) Mark(column, [&](std::size_t row) { return !std::isfinite(x[row]); });
  if (column->type != Type::kMixed) return;
  Mark(column, [&](std::size_t row) { return std::fabs(x[row]) > static_cast<double>(kExact); });
}

void ColumnMath::CompareNumeric(const Column& a, std::string_view op, const Column& b,
                                std::uint8_t* out) const {
  if (a.type == Type::kInteger && b.type == Type::kInteger) {
    const std::int64_t* const y = b.integers.data();
    return CompareRows(a.integers.data(), op, [y](std::size_t row) { return y[row]; }, out);
  }
  if (a.type != Type::kInteger && b.type != Type::kInteger) {
    const double* const y = b.doubles.data();
    return CompareRows(a.doubles.data(), op, [y](std::size_t row) { return y[row]; }, out);
  }
  // An integer against a double: compare the sign of their exact order with zero.
  std::array<double, Column::kRows> order;
  for (std::size_t row = 0; row < rows_; ++row) {
    order[row] = a.type == Type::kInteger ? Order(a.integers[row], b.doubles[row])
                                          : -Order(b.integers[row], a.doubles[row]);
  }
  CompareRows(order.data(), op, [](std::size_t) { return 0.0; }, out);
}

// -1, 0, 1, or NaN when the two have no order.
double ColumnMath::Order(std::int64_t a, double b) {
  if (IsExact(a) && !std::isnan(b)) {
    const double x = static_cast<double>(a);
    return static_cast<double>((x > b) - (x < b));
  }
  const std::partial_ordering order = CompareNumbers(Value(a), Value(b));
  if (order == std::partial_ordering::unordered) return std::nan("");
  return order < 0 ? -1 : order > 0 ? 1 : 0;
}

void ColumnMath::Best(bool is_min, Column* best, Column* argument) const {
  if (!IsNumeric(best->type) || !IsNumeric(argument->type)) return SetUnknown(best);
  if (best->type != argument->type && IsInteger(best->type) && IsInteger(argument->type)) {
    ToIntegers(best);
    ToIntegers(argument);
  } else if (best->type != argument->type) {
    ToDoubles(true, best);
    ToDoubles(true, argument);
  }
  best->bound = std::max(best->bound, argument->bound);
  Spread(*argument, best);
  if (best->type == Type::kInteger) {
    return Choose(is_min, argument->integers.data(), best->integers.data());
  }
  Choose(is_min, argument->doubles.data(), best->doubles.data());
}

void ColumnMath::CallOneArgument(const std::string& function, Column* column) const {
  if (function == "abs") return Absolute(column);
  ToDoubles(false, column);
  double* const x = column->doubles.data();
  for (std::size_t row = 0; row < rows_; ++row) {
    x[row] = function == "sqrt" ? std::sqrt(x[row]) : std::log10(x[row]);
  }
  column->bound = kInfinity;
  CheckNumbers(column);
}

void ColumnMath::Absolute(Column* column) const {
  if (column->type == Type::kInteger) {
    constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();
    std::int64_t* const x = column->integers.data();
    Mark(column, [&](std::size_t row) { return x[row] == kLeast; });
    for (std::size_t row = 0; row < rows_; ++row) {
      x[row] = x[row] < 0 && x[row] != kLeast ? -x[row] : x[row];
    }
    return;
  }
  double* const x = column->doubles.data();
  for (std::size_t row = 0; row < rows_; ++row) x[row] = x[row] < 0 ? 0 - x[row] : x[row];
  if (column->type != Type::kSmall) CheckNumbers(column);
}

}  // namespace sweep
