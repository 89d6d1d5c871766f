#include "common/expr/columns.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "common/expr/compare.h"
#include "common/expr/node.h"

namespace sweep {
namespace {

using Node = Expression::Node;
using Type = Column::Type;

// Integers up to here are doubles exactly.
constexpr std::int64_t kExact = std::int64_t{1} << 53;
constexpr std::uint64_t kMagnitude = ~(std::uint64_t{1} << 63);

bool IsExact(std::int64_t value) { return value >= -kExact && value <= kExact; }

bool IsNumeric(Type type) {
  return type == Type::kInteger || type == Type::kDouble || type == Type::kMixed;
}

// The top bit is set for infinities and NaN: adding one to an exponent of all ones reaches it. In
// integers, since the compiler makes SIMD of no reduction over doubles.
std::uint64_t NonFiniteBit(double value) {
  return (std::bit_cast<std::uint64_t>(value) & kMagnitude) + 0x0010'0000'0000'0000;
}

Type KindOf(const Value& value) {
  if (std::holds_alternative<bool>(value)) return Type::kBoolean;
  if (std::holds_alternative<std::int64_t>(value)) return Type::kInteger;
  return std::holds_alternative<double>(value) ? Type::kDouble : Type::kString;
}

// The type of a column that has both.
Type Joined(Type a, Type b) {
  if (a == b) return a;
  return IsNumeric(a) && IsNumeric(b) ? Type::kMixed : Type::kUnknown;
}

}  // namespace

void Column::Fill(std::span<const Value* const> values) {
  type = Type::kUnknown;
  bool is_first = true;
  for (const Value* value : values) {
    if (value == nullptr) continue;
    type = is_first ? KindOf(*value) : Joined(type, KindOf(*value));
    is_first = false;
  }
  has_unknown = false;
  for (std::size_t row = 0; row < values.size(); ++row) {
    unknown[row] = values[row] == nullptr || !Set(row, *values[row]) ? 1 : 0;
    has_unknown |= unknown[row] != 0;
  }
}

bool Column::Set(std::size_t row, const Value& value) {
  switch (type) {
    case Type::kBoolean:
      booleans[row] = std::get<bool>(value) ? 1 : 0;
      return true;
    case Type::kInteger:
      integers[row] = std::get<std::int64_t>(value);
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
      strings[row] = &std::get<std::string>(value);
      return true;
    case Type::kUnknown:
      return false;
  }
  return false;
}

// Evaluates one expression at `rows` points.
class ColumnTester::Evaluator {
 public:
  Evaluator(const Scope& scope, std::size_t rows, std::vector<std::unique_ptr<Column>>* spare)
      : scope_(scope), rows_(rows), spare_(*spare) {}

  // A column of the evaluator's, or one that the scope has, which is not to be written.
  class Operand {
   public:
    explicit Operand(std::unique_ptr<Column> column) : owned_(std::move(column)) {}
    explicit Operand(const Column* column) : borrowed_(column) {}
    const Column& operator*() const { return owned_ != nullptr ? *owned_ : *borrowed_; }
    const Column* operator->() const { return &**this; }
    std::unique_ptr<Column> owned_;  // null when borrowed

   private:
    const Column* borrowed_ = nullptr;
  };
  using Owned = std::unique_ptr<Column>;

  Operand Evaluate(const Node& node) {
    switch (node.kind) {
      case Node::Kind::kLiteral:
        return Operand(Literal(node.value));
      case Node::Kind::kName:
        return LookUp(node);
      case Node::Kind::kNot:
        return Operand(Not(node));
      case Node::Kind::kNegate:
        return Operand(Negate(node));
      case Node::Kind::kChain:
        return Operand(Chain(node));
      case Node::Kind::kAnd:
        return Operand(Logic(node, 0));
      case Node::Kind::kOr:
        return Operand(Logic(node, 1));
      case Node::Kind::kCompare:
        return Operand(Comparison(node));
      case Node::Kind::kIn:
        return Operand(Membership(node));
      case Node::Kind::kCall:
        return Operand(Call(node));
    }
    return Operand(MakeUnknown());
  }

  void Release(Operand operand) { Release(std::move(operand.owned_)); }
  void Release(Owned column) {
    if (column != nullptr) spare_.push_back(std::move(column));
  }

 private:
  Owned Take() {
    if (spare_.empty()) return std::make_unique<Column>();
    Owned column = std::move(spare_.back());
    spare_.pop_back();
    return column;
  }

  // A column of which every row is known, and not yet written.
  Owned Make(Type type) {
    Owned column = Take();
    column->type = type;
    column->has_unknown = false;
    std::fill_n(column->unknown.begin(), rows_, 0);
    return column;
  }

  Owned MakeUnknown() {
    Owned column = Take();
    SetUnknown(column.get());
    return column;
  }

  void SetUnknown(Column* column) const {
    column->type = Type::kUnknown;
    column->has_unknown = true;
    std::fill_n(column->unknown.begin(), rows_, 1);
  }

  // A column that may be written: the operand's own, or a copy of the scope's.
  Owned Own(Operand operand) {
    if (operand.owned_ != nullptr) return std::move(operand.owned_);
    Owned copy = Take();
    copy->type = operand->type;
    copy->has_unknown = operand->has_unknown;
    std::copy_n(operand->unknown.begin(), rows_, copy->unknown.begin());
    const bool is_narrow = copy->type == Type::kBoolean;
    std::memcpy(&copy->integers, &operand->integers, rows_ * (is_narrow ? 1 : 8));
    return copy;
  }

  // Rows that are unknown in `other` become unknown in `column`.
  void Spread(const Column& other, Column* column) const {
    if (other.has_unknown) Mark(column, [&](std::size_t row) { return other.unknown[row] != 0; });
  }

  template <typename IsUnknown>
  void Mark(Column* column, IsUnknown is_unknown) const {
    std::uint8_t any = 0;
    for (std::size_t row = 0; row < rows_; ++row) {
      column->unknown[row] |= is_unknown(row) ? 1 : 0;
      any |= column->unknown[row];
    }
    column->has_unknown = any != 0;
  }

  Owned Literal(const Value& value) {
    Owned result = Make(KindOf(value));
    switch (result->type) {
      case Type::kBoolean:
        std::fill_n(result->booleans.begin(), rows_, std::get<bool>(value) ? 1 : 0);
        break;
      case Type::kInteger:
        std::fill_n(result->integers.begin(), rows_, std::get<std::int64_t>(value));
        break;
      case Type::kDouble:
        std::fill_n(result->doubles.begin(), rows_, std::get<double>(value));
        break;
      default:
        std::fill_n(result->strings.begin(), rows_, &std::get<std::string>(value));
    }
    return result;
  }

  Operand LookUp(const Node& node) {
    const Column* const column = scope_ ? scope_(node.text) : nullptr;
    return column == nullptr ? Operand(MakeUnknown()) : Operand(column);
  }

  Owned Not(const Node& node) {
    Owned result = Own(Evaluate(*node.children[0]));
    if (result->type == Type::kBoolean) {
      for (std::size_t row = 0; row < rows_; ++row) result->booleans[row] ^= 1;
    } else {
      SetUnknown(result.get());
    }
    return result;
  }

  Owned Negate(const Node& node) {
    Owned result = Literal(Value(std::int64_t{0}));
    Arithmetic(result.get(), '-', Evaluate(*node.children[0]));
    return result;
  }

  // A row takes part until a child decides it, as when the children are evaluated one by one.
  Owned Logic(const Node& node, std::uint8_t deciding) {
    Owned result = Make(Type::kBoolean);
    std::fill_n(result->booleans.begin(), rows_, deciding ^ 1);
    for (const auto& child : node.children) {
      Operand operand = Evaluate(*child);
      const bool is_open = Decide(*operand, deciding, result.get());
      Release(std::move(operand));
      if (!is_open) break;
    }
    return result;
  }

  // Whether some row is still undecided.
  bool Decide(const Column& operand, std::uint8_t deciding, Column* result) const {
    const bool is_boolean = operand.type == Type::kBoolean;
    std::uint8_t open = 0;
    std::uint8_t unknown = 0;
    for (std::size_t row = 0; row < rows_; ++row) {
      const std::uint8_t was_open = (result->booleans[row] ^ deciding) & (result->unknown[row] ^ 1);
      const std::uint8_t fails = is_boolean ? operand.unknown[row] : 1;
      const std::uint8_t decides = is_boolean ? (operand.booleans[row] ^ deciding ^ 1) : 0;
      result->unknown[row] |= was_open & fails;
      result->booleans[row] ^= was_open & (fails ^ 1) & decides;
      open |= was_open & (fails ^ 1) & (decides ^ 1);
      unknown |= result->unknown[row];
    }
    result->has_unknown = unknown != 0;
    return open != 0;
  }

  Owned Chain(const Node& node) {
    Owned result = Own(Evaluate(*node.children[0]));
    for (std::size_t i = 0; i < node.operators.size(); ++i) {
      Arithmetic(result.get(), node.operators[i].text[0], Evaluate(*node.children[i + 1]));
    }
    return result;
  }

  void Arithmetic(Column* a, char op, Operand b) {
    if (!IsNumeric(a->type) || !IsNumeric(b->type)) {
      SetUnknown(a);
    } else if (a->type == Type::kInteger && b->type == Type::kInteger && op != '/') {
      IntegerArithmetic(a, op, *b);
    } else {
      const bool is_mixed = op != '/' && a->type != Type::kDouble && b->type != Type::kDouble;
      ToDoubles(is_mixed, a);
      if (b->type == Type::kInteger) {
        Owned other = Own(std::move(b));
        ToDoubles(is_mixed, other.get());
        b = Operand(std::move(other));
      }
      DoubleArithmetic(a, op, *b);
    }
    Spread(*b, a);
    Release(std::move(b));
  }

  // Integers become doubles; in a mixed result those that no double holds are unknown.
  void ToDoubles(bool is_mixed, Column* column) const {
    if (column->type == Type::kInteger) {
      if (is_mixed) Mark(column, [&](std::size_t row) { return !IsExact(column->integers[row]); });
      for (std::size_t row = 0; row < rows_; ++row) {
        column->doubles[row] = static_cast<double>(column->integers[row]);
      }
    }
    column->type = is_mixed ? Type::kMixed : Type::kDouble;
  }

  void IntegerArithmetic(Column* a, char op, const Column& b) const {
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

  void DoubleArithmetic(Column* a, char op, const Column& b) const {
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
    CheckNumbers(a);
  }

  // Marks what is no finite number, and in a mixed column what might be an integer beyond 2^53.
  void CheckNumbers(Column* column) const {
    const double* const x = column->doubles.data();
    std::uint64_t bits = 0;
    for (std::size_t row = 0; row < rows_; ++row) bits |= NonFiniteBit(x[row]);
    if ((bits >> 63) != 0) Mark(column, [&](std::size_t row) { return !std::isfinite(x[row]); });
    if (column->type != Type::kMixed) return;
    Mark(column, [&](std::size_t row) { return std::fabs(x[row]) > static_cast<double>(kExact); });
  }

  Owned Comparison(const Node& node) {
    Operand left = Evaluate(*node.children[0]);
    Operand right = Evaluate(*node.children[1]);
    Owned result = Compare(*left, node.operators[0].text, *right);
    Release(std::move(left));
    Release(std::move(right));
    return result;
  }

  Owned Compare(const Column& a, std::string_view op, const Column& b) {
    Owned result = Make(Type::kBoolean);
    std::uint8_t* const out = result->booleans.data();
    if (IsNumeric(a.type) && IsNumeric(b.type)) {
      CompareNumeric(a, op, b, out);
    } else if (a.type != b.type || a.type == Type::kUnknown || (op != "==" && op != "!=")) {
      SetUnknown(result.get());
      return result;
    } else {
      const bool is_boolean = a.type == Type::kBoolean;
      for (std::size_t row = 0; row < rows_; ++row) {
        if (a.unknown[row] != 0 || b.unknown[row] != 0) continue;
        const bool is_same =
            is_boolean ? a.booleans[row] == b.booleans[row] : *a.strings[row] == *b.strings[row];
        out[row] = is_same == (op == "==") ? 1 : 0;
      }
    }
    Spread(a, result.get());
    Spread(b, result.get());
    return result;
  }

  void CompareNumeric(const Column& a, std::string_view op, const Column& b,
                      std::uint8_t* out) const {
    if (a.type == Type::kInteger && b.type == Type::kInteger) {
      return CompareRows(a.integers.data(), op, b.integers.data(), out);
    }
    if (a.type != Type::kInteger && b.type != Type::kInteger) {
      return CompareRows(a.doubles.data(), op, b.doubles.data(), out);
    }
    // An integer and a double: the sign of their exact order, against zeros.
    std::array<double, Column::kRows> order;
    std::array<double, Column::kRows> zeros;
    for (std::size_t row = 0; row < rows_; ++row) {
      order[row] = a.type == Type::kInteger ? Order(a.integers[row], b.doubles[row])
                                            : -Order(b.integers[row], a.doubles[row]);
      zeros[row] = 0;
    }
    CompareRows(order.data(), op, zeros.data(), out);
  }

  // -1, 0, 1, or NaN when the two have no order.
  static double Order(std::int64_t a, double b) {
    if (IsExact(a) && !std::isnan(b)) {
      const double x = static_cast<double>(a);
      return static_cast<double>((x > b) - (x < b));
    }
    const std::partial_ordering order = CompareNumbers(Value(a), Value(b));
    if (order == std::partial_ordering::unordered) return std::nan("");
    return order < 0 ? -1 : order > 0 ? 1 : 0;
  }

  template <typename Number>
  void CompareRows(const Number* x, std::string_view op, const Number* y,
                   std::uint8_t* out) const {
    const auto run = [&](auto holds) {
      for (std::size_t row = 0; row < rows_; ++row) out[row] = holds(x[row], y[row]) ? 1 : 0;
    };
    if (op == "==") return run([](Number m, Number n) { return m == n; });
    if (op == "!=") return run([](Number m, Number n) { return m != n; });
    if (op == "<") return run([](Number m, Number n) { return m < n; });
    if (op == "<=") return run([](Number m, Number n) { return m <= n; });
    if (op == ">") return run([](Number m, Number n) { return m > n; });
    run([](Number m, Number n) { return m >= n; });
  }

  Owned Membership(const Node& node) {
    Operand value = Evaluate(*node.children[0]);
    Owned result = Make(Type::kBoolean);
    std::fill_n(result->booleans.begin(), rows_, 0);
    for (const Value& candidate : node.list) {
      Owned literal = Literal(candidate);
      Owned same = Compare(*value, "==", *literal);
      const bool is_open = Decide(*same, 1, result.get());
      Release(std::move(literal));
      Release(std::move(same));
      if (!is_open) break;
    }
    Release(std::move(value));
    return result;
  }

  Owned Call(const Node& node) {
    Owned result = Argument(*node.children[0]);
    const bool is_min = node.text == "min";
    if (!is_min && node.text != "max") {
      if (IsNumeric(result->type)) CallOneArgument(node.text, result.get());
      return result;
    }
    for (std::size_t i = 1; i < node.children.size(); ++i) {
      Owned argument = Argument(*node.children[i]);
      Best(is_min, result.get(), argument.get());
      Release(std::move(argument));
    }
    return result;
  }

  // An argument is a number, and not NaN.
  Owned Argument(const Node& node) {
    Owned column = Own(Evaluate(node));
    if (!IsNumeric(column->type)) {
      SetUnknown(column.get());
    } else if (column->type != Type::kInteger) {
      const double* const x = column->doubles.data();
      Mark(column.get(), [&](std::size_t row) { return std::isnan(x[row]); });
    }
    return column;
  }

  void Best(bool is_min, Column* best, Column* argument) const {
    if (!IsNumeric(best->type) || !IsNumeric(argument->type)) return SetUnknown(best);
    if (best->type != argument->type) {
      ToDoubles(true, best);
      ToDoubles(true, argument);
    }
    Spread(*argument, best);
    if (best->type == Type::kInteger) {
      return Choose(is_min, argument->integers.data(), best->integers.data());
    }
    Choose(is_min, argument->doubles.data(), best->doubles.data());
  }

  template <typename Number>
  void Choose(bool is_min, const Number* argument, Number* best) const {
    for (std::size_t row = 0; row < rows_; ++row) {
      const bool is_better = is_min ? argument[row] < best[row] : argument[row] > best[row];
      best[row] = is_better ? argument[row] : best[row];
    }
  }

  void CallOneArgument(const std::string& function, Column* column) const {
    if (function == "abs") return Absolute(column);
    ToDoubles(false, column);
    double* const x = column->doubles.data();
    for (std::size_t row = 0; row < rows_; ++row) {
      x[row] = function == "sqrt" ? std::sqrt(x[row]) : std::log10(x[row]);
    }
    CheckNumbers(column);
  }

  void Absolute(Column* column) const {
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
    CheckNumbers(column);
  }

  const Scope& scope_;
  const std::size_t rows_;
  std::vector<std::unique_ptr<Column>>& spare_;
};

ColumnTester::ColumnTester() = default;
ColumnTester::~ColumnTester() = default;

void ColumnTester::Test(const Expression& expression, const Scope& scope,
                        std::span<Verdict> verdicts) {
  std::fill(verdicts.begin(), verdicts.end(), Verdict::kUnknown);
  if (expression.root() == nullptr) return;
  Evaluator evaluator(scope, verdicts.size(), &spare_);
  Evaluator::Operand result = evaluator.Evaluate(*expression.root());
  if (result->type == Type::kBoolean) {
    for (std::size_t row = 0; row < verdicts.size(); ++row) {
      if (result->unknown[row] != 0) continue;
      verdicts[row] = result->booleans[row] != 0 ? Verdict::kTrue : Verdict::kFalse;
    }
  }
  evaluator.Release(std::move(result));
}

}  // namespace sweep
