#include "common/expr/columns.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <utility>

#include "common/expr/column_math.h"
#include "common/expr/node.h"

namespace sweep {
namespace {

using Node = Expression::Node;
using Type = Column::Type;

// Leaves room below the largest double for rounding errors.
constexpr double kDoubleBound = 1e300;

// A number that the expression itself contains, the same in every row.
struct Scalar {
  double value;
  bool is_small;  // an integer that kSmall could hold
};

std::optional<Scalar> ScalarOf(const Node& node) {
  if (node.kind == Node::Kind::kNegate) {
    std::optional<Scalar> scalar = ScalarOf(*node.children[0]);
    if (scalar) scalar->value = 0 - scalar->value;
    return scalar;
  }
  if (node.kind != Node::Kind::kLiteral) return std::nullopt;
  if (const auto* number = std::get_if<double>(&node.value)) return Scalar{*number, false};
  const auto* integer = std::get_if<std::int64_t>(&node.value);
  if (integer == nullptr || *integer <= -kExact || *integer >= kExact) return std::nullopt;
  return Scalar{static_cast<double>(*integer), true};
}

// The result type of an operation on doubles.
Type ResultOf(Type a, Type b) {
  if (a == Type::kDouble || b == Type::kDouble) return Type::kDouble;
  return a == Type::kSmall && b == Type::kSmall ? Type::kSmall : Type::kMixed;
}

// The bound of an operation's results when it proves that all of them are finite and, if they may
// be integers, exact; nullopt when the results must be checked. Rounding is harmless: a bound that
// is rounded to a value below 2^53 was not above 2^53.
std::optional<double> BoundOf(Type type, double a, char op, double b) {
  if (op != '+' && op != '-' && op != '*') return std::nullopt;
  const double bound = op == '*' ? a * b : a + b;
  if (!(bound < (type == Type::kDouble ? kDoubleBound : kSmallBound))) return std::nullopt;
  return bound;
}

}  // namespace

// Evaluates one expression at `rows` points.
class ColumnTester::Evaluator : private ColumnMath {
 public:
  Evaluator(const Scope& scope, std::size_t rows, std::vector<std::unique_ptr<Column>>* spare)
      : ColumnMath(rows), scope_(scope), spare_(*spare) {}

  // A column of the evaluator, or a read-only column of the scope.
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

  // A column with all rows known and their values unset.
  Owned Make(Type type) {
    Owned column = Take();
    column->type = type;
    column->bound = kInfinity;
    column->has_unknown = false;
    std::fill_n(column->unknown.begin(), rows_, 0);
    return column;
  }

  Owned MakeUnknown() {
    Owned column = Take();
    SetUnknown(column.get());
    return column;
  }

  // A writable column: the operand's own, or a copy of the scope's.
  Owned Own(Operand operand) {
    if (operand.owned_ != nullptr) return std::move(operand.owned_);
    Owned copy = Take();
    Describe(*operand, copy.get());
    const bool is_narrow = copy->type == Type::kBoolean;
    std::memcpy(&copy->integers, &operand->integers, rows_ * (is_narrow ? 1 : 8));
    return copy;
  }

  Owned Literal(const Value& value) {
    const auto* const integer = std::get_if<std::int64_t>(&value);
    if (integer != nullptr && *integer > -kExact && *integer < kExact) {
      Owned small = Make(Type::kSmall);
      small->bound = std::abs(static_cast<double>(*integer));
      std::fill_n(small->doubles.begin(), rows_, static_cast<double>(*integer));
      return small;
    }
    Owned result = Make(KindOf(value));
    switch (result->type) {
      case Type::kBoolean:
        std::fill_n(result->booleans.begin(), rows_, std::get<bool>(value) ? 1 : 0);
        break;
      case Type::kInteger:
        std::fill_n(result->integers.begin(), rows_, std::get<std::int64_t>(value));
        break;
      case Type::kDouble:
        result->bound = std::abs(std::get<double>(value));
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
    Operand zero(Literal(Value(std::int64_t{0})));
    Operand operand = Evaluate(*node.children[0]);
    if (Unchecked(&zero, '-', *operand)) {
      Release(std::move(operand));
      return std::move(zero.owned_);
    }
    Arithmetic(zero.owned_.get(), '-', std::move(operand));
    return std::move(zero.owned_);
  }

  // A row stays open until a child decides it, as when the children are evaluated one by one.
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

  // True while some row is undecided.
  bool Decide(const Column& operand, std::uint8_t deciding, Column* result) const {
    if (operand.type == Type::kBoolean && !operand.has_unknown && !result->has_unknown) {
      return DecideKnown(operand.booleans.data(), deciding, result->booleans.data());
    }
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

  // The same when no row is unknown.
  bool DecideKnown(const std::uint8_t* operand, std::uint8_t deciding, std::uint8_t* result) const {
    const std::size_t rows = rows_;
    std::uint8_t open = 0;
    for (std::size_t row = 0; row < rows; ++row) {
      const std::uint8_t decided =
          deciding != 0 ? result[row] | operand[row] : result[row] & operand[row];
      result[row] = decided;
      open |= decided ^ deciding;
    }
    return open != 0;
  }

  Owned Chain(const Node& node) {
    Operand left = Evaluate(*node.children[0]);
    for (std::size_t i = 0; i < node.operators.size(); ++i) {
      const char op = node.operators[i].text[0];
      if (WithScalar(&left, op, *node.children[i + 1])) continue;
      Operand right = Evaluate(*node.children[i + 1]);
      if (Unchecked(&left, op, *right)) {
        Release(std::move(right));
        continue;
      }
      Owned result = Own(std::move(left));
      Arithmetic(result.get(), op, std::move(right));
      left = Operand(std::move(result));
    }
    return Own(std::move(left));
  }

  // left = left op a literal number, if no result needs a check; else returns false.
  bool WithScalar(Operand* left, char op, const Node& right) {
    const std::optional<Scalar> scalar = ScalarOf(right);
    const Type type = (*left)->type;
    if (!scalar || !IsNumeric(type) || type == Type::kInteger) return false;
    const Type result = ResultOf(type, scalar->is_small ? Type::kSmall : Type::kDouble);
    const auto bound = BoundOf(result, (*left)->bound, op, std::abs(scalar->value));
    if (!bound) return false;
    Combine(left, op, [value = scalar->value](std::size_t) { return value; });
    left->owned_->type = result;
    left->owned_->bound = *bound;
    return true;
  }

  // left = left op right, if no result needs a check; else returns false.
  bool Unchecked(Operand* left, char op, const Column& right) {
    const Type type = (*left)->type;
    if (!IsNumeric(type) || !IsNumeric(right.type)) return false;
    if (type == Type::kInteger || right.type == Type::kInteger) return false;
    const Type result = ResultOf(type, right.type);
    const auto bound = BoundOf(result, (*left)->bound, op, right.bound);
    if (!bound) return false;
    const double* const y = right.doubles.data();
    Combine(left, op, [y](std::size_t row) { return y[row]; });
    left->owned_->type = result;
    left->owned_->bound = *bound;
    Spread(right, left->owned_.get());
    return true;
  }

  // left = left op right(row); does not copy a column of the scope first.
  template <typename Right>
  void Combine(Operand* left, char op, Right right) {
    Operand source = std::move(*left);
    Owned target;
    const double* const x = source->doubles.data();
    if (source.owned_ != nullptr) {
      target = std::move(source.owned_);
    } else {
      target = Take();
      Describe(*source, target.get());
    }
    double* const out = target->doubles.data();
    const auto run = [&](auto compute) {
      for (std::size_t row = 0; row < rows_; ++row) out[row] = compute(x[row], right(row));
    };
    if (op == '+') {
      run([](double m, double n) { return m + n; });
    } else if (op == '-') {
      run([](double m, double n) { return m - n; });
    } else {
      run([](double m, double n) { return m * n; });
    }
    *left = Operand(std::move(target));
  }

  void Arithmetic(Column* a, char op, Operand b) {
    if (!IsNumeric(a->type) || !IsNumeric(b->type)) {
      SetUnknown(a);
    } else if (IsInteger(a->type) && IsInteger(b->type) && op != '/') {
      const bool stays_small = op == '%' && a->type == Type::kSmall && b->type == Type::kSmall;
      ToIntegers(a);
      if (b->type == Type::kSmall) {
        Owned other = Own(std::move(b));
        ToIntegers(other.get());
        b = Operand(std::move(other));
      }
      IntegerArithmetic(a, op, *b);
      if (stays_small) ToSmall(a);
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

  Owned Comparison(const Node& node) {
    Operand left = Evaluate(*node.children[0]);
    const std::optional<Scalar> scalar = ScalarOf(*node.children[1]);
    if (scalar && IsNumeric(left->type) && left->type != Type::kInteger) {
      Owned decided = Make(Type::kBoolean);
      CompareRows(
          left->doubles.data(), node.operators[0].text,
          [value = scalar->value](std::size_t) { return value; }, decided->booleans.data());
      Spread(*left, decided.get());
      Release(std::move(left));
      return decided;
    }
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

  // Marks NaN as unknown: an argument must be a number.
  Owned Argument(const Node& node) {
    Owned column = Own(Evaluate(node));
    if (!IsNumeric(column->type)) {
      SetUnknown(column.get());
    } else if (!IsInteger(column->type)) {
      const double* const x = column->doubles.data();
      Mark(column.get(), [&](std::size_t row) { return std::isnan(x[row]); });
    }
    return column;
  }

  const Scope& scope_;
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
