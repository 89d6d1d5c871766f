#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/value.h"

namespace sweep {

// A piece of an expression's text.
struct Token {
  enum class Kind { kEnd, kNumber, kString, kName, kOperator };
  Kind kind = Kind::kEnd;
  std::string text;  // as written; of a string, without its quotes
  Value value;       // kNumber, kString
  int column = 1;    // 1-based, in characters

  // True for an operator, bracket or keyword of that spelling.
  bool Is(std::string_view spelling) const {
    return (kind == Kind::kOperator || kind == Kind::kName) && text == spelling;
  }
};

// "'>='", "the string 'abc'", "the end": a token in a message.
std::string DescribeToken(const Token& token);

// InvalidArgument "column 9: …".
absl::Status ColumnError(int column, const std::string& message);

// Cuts `text` into tokens; the last one is kEnd. InvalidArgument for a character that belongs to
// no token, a number out of range and a string without its closing quote.
//
// '%' right behind a number makes it a percentage unless an operand follows (a number, a name other
// than and, or, not, in, a string, or an opening parenthesis): "99.4%" and "99.4% - x" are
// percentages, "7%2" and "7% 2" are remainders.
absl::StatusOr<std::vector<Token>> Tokenize(std::string_view text);

}  // namespace sweep
