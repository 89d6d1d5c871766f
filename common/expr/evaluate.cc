#include <cmath>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/expr/compare.h"
#include "common/expr/lexer.h"
#include "common/expr/node.h"

namespace sweep {
namespace {

using Node = Expression::Node;

absl::StatusOr<Value> Finite(double value, const Node::Operator& op) {
  if (std::isfinite(value)) return value;
  return ColumnError(op.column, absl::StrCat("'", op.text, "' gives ", FormatDouble(value),
                                             ", which is not a finite number"));
}

absl::StatusOr<Value> IntegerArithmetic(std::int64_t a, const Node::Operator& op, std::int64_t b) {
  std::int64_t result = 0;
  bool overflow = false;
  switch (op.text[0]) {
    case '+':
      overflow = __builtin_add_overflow(a, b, &result);
      break;
    case '-':
      overflow = __builtin_sub_overflow(a, b, &result);
      break;
    case '*':
      overflow = __builtin_mul_overflow(a, b, &result);
      break;
    default:  // '%'; the smallest integer % -1 would trap
      result = b == -1 ? 0 : a % b;
  }
  if (overflow) {
    return ColumnError(op.column,
                       absl::StrCat("the integer ", a, " ", op.text, " ", b, " is out of range"));
  }
  return result;
}

absl::StatusOr<Value> Arithmetic(const Value& a, const Node::Operator& op, const Value& b) {
  for (const Value* value : {&a, &b}) {
    if (!IsNumber(*value)) {
      return ColumnError(
          op.column, absl::StrCat("'", op.text, "' needs numbers, found ", DescribeValue(*value)));
    }
  }
  const bool divides = op.text == "/" || op.text == "%";
  if (divides && AsDouble(b) == 0) return ColumnError(op.column, "division by zero");
  const auto* a_integer = std::get_if<std::int64_t>(&a);
  const auto* b_integer = std::get_if<std::int64_t>(&b);
  if (a_integer != nullptr && b_integer != nullptr && op.text != "/") {
    return IntegerArithmetic(*a_integer, op, *b_integer);
  }
  const double x = AsDouble(a);
  const double y = AsDouble(b);
  switch (op.text[0]) {
    case '+':
      return Finite(x + y, op);
    case '-':
      return Finite(x - y, op);
    case '*':
      return Finite(x * y, op);
    case '/':
      return Finite(x / y, op);
    default:
      return Finite(std::fmod(x, y), op);
  }
}

absl::StatusOr<Value> Compare(const Value& a, const Node::Operator& op, const Value& b) {
  if (!SameKind(a, b)) {
    return ColumnError(
        op.column, absl::StrCat("cannot compare ", DescribeValue(a), " with ", DescribeValue(b)));
  }
  const bool numbers = IsNumber(a);
  if (op.text == "==") return numbers ? CompareNumbers(a, b) == 0 : a == b;
  if (op.text == "!=") return numbers ? CompareNumbers(a, b) != 0 : a != b;
  if (!numbers) {
    return ColumnError(op.column,
                       absl::StrCat("'", op.text, "' needs numbers, found ", DescribeValue(a)));
  }
  const std::partial_ordering order = CompareNumbers(a, b);
  if (op.text == "<") return order < 0;
  if (op.text == "<=") return order <= 0;
  if (op.text == ">") return order > 0;
  return order >= 0;
}

absl::StatusOr<Value> Negate(const Value& value, int column) {
  return Arithmetic(std::int64_t{0}, {.text = "-", .column = column}, value);
}

absl::StatusOr<Value> CallOneArgument(const std::string& function, const Value& argument,
                                      int column) {
  const Node::Operator op{.text = function, .column = column};
  const double x = AsDouble(argument);
  if (function == "abs") {
    if (x < 0) return Negate(argument, column);
    return argument;
  }
  return Finite(function == "sqrt" ? std::sqrt(x) : std::log10(x), op);
}

class Evaluator {
 public:
  explicit Evaluator(const Scope& scope) : scope_(scope) {}

  absl::StatusOr<Value> Evaluate(const Node& node) const {
    switch (node.kind) {
      case Node::Kind::kLiteral:
        return node.value;
      case Node::Kind::kName:
        return LookUp(node);
      case Node::Kind::kNot:
        return Not(node);
      case Node::Kind::kNegate:
        return NegateChild(node);
      case Node::Kind::kChain:
        return Chain(node);
      case Node::Kind::kAnd:
        return Logic(node, false);
      case Node::Kind::kOr:
        return Logic(node, true);
      case Node::Kind::kCompare:
        return Comparison(node);
      case Node::Kind::kIn:
        return Membership(node);
      case Node::Kind::kCall:
        return Call(node);
    }
    return absl::InternalError("an expression's node has no kind");
  }

 private:
  absl::StatusOr<Value> LookUp(const Node& node) const {
    std::optional<Value> value;
    if (scope_) value = scope_(node.text);
    if (value && std::holds_alternative<ListValue>(*value)) return FormatValue(*value);
    if (value) return *std::move(value);
    return ColumnError(node.column, absl::StrCat("unknown name '", node.text, "'"));
  }

  absl::StatusOr<bool> Condition(const Node& node, std::string_view wanted_by) const {
    absl::StatusOr<Value> value = Evaluate(node);
    if (!value.ok()) return value.status();
    if (const bool* holds = std::get_if<bool>(&*value)) return *holds;
    return ColumnError(node.column,
                       absl::StrCat("'", std::string(wanted_by), "' needs true or false, found ",
                                    DescribeValue(*value)));
  }

  absl::StatusOr<Value> Not(const Node& node) const {
    const absl::StatusOr<bool> holds = Condition(*node.children[0], "not");
    if (!holds.ok()) return holds.status();
    return !*holds;
  }

  absl::StatusOr<Value> NegateChild(const Node& node) const {
    const absl::StatusOr<Value> value = Evaluate(*node.children[0]);
    if (!value.ok()) return value.status();
    return Negate(*value, node.column);
  }

  // Evaluates children until one decides, so that "epochs > 0 and 1 / epochs < 0.1" is safe.
  absl::StatusOr<Value> Logic(const Node& node, bool deciding) const {
    for (const auto& child : node.children) {
      const absl::StatusOr<bool> holds = Condition(*child, node.operators[0].text);
      if (!holds.ok()) return holds.status();
      if (*holds == deciding) return deciding;
    }
    return !deciding;
  }

  absl::StatusOr<Value> Chain(const Node& node) const {
    absl::StatusOr<Value> result = Evaluate(*node.children[0]);
    for (std::size_t i = 0; result.ok() && i < node.operators.size(); ++i) {
      const absl::StatusOr<Value> operand = Evaluate(*node.children[i + 1]);
      if (!operand.ok()) return operand.status();
      result = Arithmetic(*result, node.operators[i], *operand);
    }
    return result;
  }

  absl::StatusOr<Value> Comparison(const Node& node) const {
    const absl::StatusOr<Value> left = Evaluate(*node.children[0]);
    if (!left.ok()) return left.status();
    const absl::StatusOr<Value> right = Evaluate(*node.children[1]);
    if (!right.ok()) return right.status();
    return Compare(*left, node.operators[0], *right);
  }

  absl::StatusOr<Value> Membership(const Node& node) const {
    const absl::StatusOr<Value> value = Evaluate(*node.children[0]);
    if (!value.ok()) return value.status();
    const Node::Operator equals{.text = "==", .column = node.column};
    for (const Value& candidate : node.list) {
      const absl::StatusOr<Value> same = Compare(*value, equals, candidate);
      if (!same.ok() || std::get<bool>(*same)) return same;
    }
    return false;
  }

  absl::StatusOr<Value> Call(const Node& node) const {
    std::vector<Value> arguments;
    for (const auto& child : node.children) {
      absl::StatusOr<Value> argument = Evaluate(*child);
      if (!argument.ok()) return argument.status();
      if (!IsNumber(*argument) || std::isnan(AsDouble(*argument))) {
        return ColumnError(child->column, absl::StrCat("'", node.text, "' needs numbers, found ",
                                                       DescribeValue(*argument)));
      }
      arguments.push_back(*std::move(argument));
    }
    if (node.text != "min" && node.text != "max") {
      return CallOneArgument(node.text, arguments[0], node.column);
    }
    Value best = arguments[0];
    for (const Value& argument : arguments) {
      const std::partial_ordering order = CompareNumbers(argument, best);
      if (node.text == "min" ? order < 0 : order > 0) best = argument;
    }
    return best;
  }

  const Scope& scope_;
};

}  // namespace

absl::StatusOr<Value> EvaluateNode(const Expression::Node& node, const Scope& scope) {
  return Evaluator(scope).Evaluate(node);
}

}  // namespace sweep
