#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/value.h"

namespace sweep {

// Looks a name up; nullopt when there is no such name.
using Scope = std::function<std::optional<Value>(std::string_view name)>;

// A hyperparameter is referred to as NAME or as "parameters.NAME". The second form also works for a
// name that is a word of the language or has another meaning in the same place.
inline constexpr std::string_view kParametersPrefix = "parameters.";
// The name without that prefix.
std::string_view WithoutParametersPrefix(std::string_view name);
// True for a word with another use in the grammar: and, or, not, in, true, false.
bool IsExpressionWord(std::string_view word);

// A parsed expression of the one small grammar used by `constraints`, `when`, `--where`:
//
//   or      := and (("or" | "||") and)*
//   and     := not (("and" | "&&") not)*
//   not     := ("not" | "!") not | compare
//   compare := sum (("==" | "!=" | "<" | "<=" | ">" | ">=") sum | ["not"] "in" "[" literal, … "]")?
//   sum     := product (("+" | "-") product)*
//   product := unary (("*" | "/" | "%") unary)*
//   unary   := "-" unary | primary
//   primary := number | 'string' | "string" | true | false
//            | "[" literal, … "]" | name | (min|max|abs|log10|sqrt) "(" or, … ")" | "(" or ")"
//   name    := word ("." word)* ["." ('string' | "string")]
//
// A last part that is no word stands in quotes: best."val/f1" is the name "best.val/f1".
//
// "99.4%" is 0.994: a '%' right behind a number is a percentage unless an operand follows it (a
// number, name, string or opening parenthesis; a minus sign is none), so "7%2" and "7 % 2" are
// remainders. Strings have no escapes.
//
// A list, [64, 32], also one that the scope gives, is the string of its JSON without spaces,
// '[64,32]'; its items are numbers, strings, true, false and lists.
//
// Values are booleans, integers, doubles and strings. Comparing or adding values of different kinds
// is an error; integer and double mix, and compare exactly. "/" always gives a double; "%" has the
// sign of its left side. Arithmetic that overflows, divides by zero or gives no number is an error,
// never undefined behaviour; comparing with a NaN that came from the scope is false, except "!=".
// "and" and "or" stop at the first operand that decides. Immutable after Parse; safe to share
// between threads. Depth and length are bounded (64 levels, 4,096 characters), so that hostile
// input cannot exhaust the stack.
class Expression {
 public:
  struct Node;

  // InvalidArgument with the column and what was expected.
  static absl::StatusOr<Expression> Parse(std::string_view text);

  // InvalidArgument with the column for an unknown name, a type error or impossible arithmetic. The
  // caller may suggest similar names: see names().
  absl::StatusOr<Value> Evaluate(const Scope& scope) const;

  // Evaluate, and require a boolean.
  absl::StatusOr<bool> Test(const Scope& scope) const;

  // Every name the expression refers to, sorted, each once.
  const std::vector<std::string>& names() const { return names_; }
  const std::string& text() const { return text_; }
  // The tree; nullptr when nothing has been parsed.
  const Node* root() const { return root_.get(); }

 private:
  std::string text_;
  std::vector<std::string> names_;
  std::shared_ptr<const Node> root_;  // shared: copies of an immutable tree
};

// One condition of `require:`: ">= 0.994", "< 20"; a value alone ("99.4%", true, false) means "==".
struct Gate {
  enum class Op { kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual };
  std::string name;  // the measure to compare: "accuracy", "epochs", "parameters", …
  Op op = Op::kEqual;
  Value bound;

  // InvalidArgument naming the gate and the text. "99.4 %" and "99.4%" are the same.
  static absl::StatusOr<Gate> Parse(std::string_view name, std::string_view text);
  // False for NaN and for a value of another kind than the bound.
  bool Holds(const Value& value) const;
  // ">= 0.994"; Parse reads it back.
  std::string ToString() const;
};

}  // namespace sweep
