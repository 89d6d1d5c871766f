#include <array>
#include <cstdint>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/expr/compare.h"
#include "common/expr/expression.h"
#include "common/expr/lexer.h"

namespace sweep {
namespace {

constexpr std::size_t kMaxGateCharacters = 256;
constexpr std::array<std::string_view, 6> kOpTexts = {"==", "!=", "<", "<=", ">", ">="};

bool IsOrderOp(Gate::Op op) { return op != Gate::Op::kEqual && op != Gate::Op::kNotEqual; }

// Messages lack the gate's name; Gate::Parse prepends it.
absl::StatusOr<Gate> GateFromTokens(const std::vector<Token>& tokens) {
  Gate gate;
  const Token* token = tokens.data();
  for (std::size_t i = 0; i < kOpTexts.size(); ++i) {
    if (!token->Is(kOpTexts[i])) continue;
    gate.op = static_cast<Gate::Op>(i);
    ++token;
    break;
  }
  const bool negative = token->Is("-") && token[1].kind == Token::Kind::kNumber;
  if (negative) ++token;
  if (token->Is("true") || token->Is("false")) {
    gate.bound = token->Is("true");
  } else if (token->kind == Token::Kind::kNumber || token->kind == Token::Kind::kString) {
    gate.bound = token->value;
  } else {
    return ColumnError(token->column, absl::StrCat("expected a number, true, false or a quoted "
                                                   "string, found ",
                                                   DescribeToken(*token)));
  }
  if (negative && std::holds_alternative<std::int64_t>(gate.bound)) {
    gate.bound = -std::get<std::int64_t>(gate.bound);
  } else if (negative) {
    gate.bound = -std::get<double>(gate.bound);
  }
  if (IsOrderOp(gate.op) && !IsNumber(gate.bound)) {
    return ColumnError(token->column, absl::StrCat("'", tokens[0].text, "' needs a number, found ",
                                                   DescribeValue(gate.bound)));
  }
  ++token;
  if (token->kind != Token::Kind::kEnd) {
    return ColumnError(token->column,
                       absl::StrCat("expected the end, found ", DescribeToken(*token)));
  }
  return gate;
}

// Without blanks in front of a last '%': "99.4 %" is how people write it, and a gate has no
// remainders.
std::string WithPercentClose(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t last = text.find_last_not_of(kBlanks);
  if (last == std::string_view::npos || text[last] != '%') return std::string(text);
  const std::size_t number = text.substr(0, last).find_last_not_of(kBlanks);
  return absl::StrCat(std::string(text.substr(0, number + 1)), "%");
}

}  // namespace

absl::StatusOr<Gate> Gate::Parse(std::string_view name, std::string_view text) {
  const std::string gate_name(name);
  if (text.size() > kMaxGateCharacters) {
    return absl::InvalidArgumentError(absl::StrCat("gate '", gate_name, "' has ", text.size(),
                                                   " characters; ", kMaxGateCharacters,
                                                   " is the most"));
  }
  const absl::StatusOr<std::vector<Token>> tokens = Tokenize(WithPercentClose(text));
  absl::StatusOr<Gate> gate = tokens.ok() ? GateFromTokens(*tokens) : tokens.status();
  if (!gate.ok()) {
    return absl::InvalidArgumentError(absl::StrCat("gate '", gate_name, "' is '", std::string(text),
                                                   "': ", gate.status().message()));
  }
  gate->name = gate_name;
  return gate;
}

bool Gate::Holds(const Value& value) const {
  if (!SameKind(value, bound)) return false;
  if (!IsNumber(value))
    return op == Op::kEqual ? value == bound : op == Op::kNotEqual && value != bound;
  const std::partial_ordering order = CompareNumbers(value, bound);
  if (order == std::partial_ordering::unordered) return false;
  switch (op) {
    case Op::kEqual:
      return order == 0;
    case Op::kNotEqual:
      return order != 0;
    case Op::kLess:
      return order < 0;
    case Op::kLessEqual:
      return order <= 0;
    case Op::kGreater:
      return order > 0;
    case Op::kGreaterEqual:
      return order >= 0;
  }
  return false;
}

std::string Gate::ToString() const {
  const bool is_string = std::holds_alternative<std::string>(bound);
  const std::string text = FormatValue(bound);
  const char* quote = !is_string ? "" : text.find('\'') == std::string::npos ? "'" : "\"";
  return absl::StrCat(std::string(kOpTexts[static_cast<std::size_t>(op)]), " ", quote, text, quote);
}

}  // namespace sweep
