#include "common/expr/lexer.h"

#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace sweep {
namespace {

bool IsNameStart(char c) { return absl::ascii_isalpha(static_cast<unsigned char>(c)) || c == '_'; }
bool IsDigit(char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); }
bool IsNamePart(char c) { return IsNameStart(c) || IsDigit(c); }
bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool IsContinuationByte(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

std::string DescribeByte(char c) {
  if (absl::ascii_isprint(static_cast<unsigned char>(c)))
    return absl::StrCat("'", std::string(1, c), "'");
  char buffer[16];
  std::snprintf(buffer, sizeof(buffer), "the byte 0x%02X", static_cast<unsigned char>(c));
  return buffer;
}

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  absl::StatusOr<std::vector<Token>> Run() {
    std::vector<Token> tokens;
    while (true) {
      SkipSpace();
      absl::StatusOr<Token> token = Next();
      if (!token.ok()) return token.status();
      tokens.push_back(*std::move(token));
      if (tokens.back().kind == Token::Kind::kEnd) return tokens;
    }
  }

 private:
  char At(std::size_t position) const { return position < text_.size() ? text_[position] : '\0'; }

  // Moves on by `count` bytes; a column is a character, so UTF-8 continuation bytes add none.
  void Advance(std::size_t count) {
    for (; count > 0; --count, ++position_) column_ += !IsContinuationByte(text_[position_]);
  }

  void SkipSpace() {
    while (position_ < text_.size() && IsSpace(text_[position_])) Advance(1);
  }

  std::string Take(std::size_t count) {
    std::string taken(text_.substr(position_, count));
    Advance(count);
    return taken;
  }

  absl::StatusOr<Token> Next() {
    if (position_ == text_.size()) return Token{.kind = Token::Kind::kEnd, .column = column_};
    const char c = text_[position_];
    if (IsDigit(c) || (c == '.' && IsDigit(At(position_ + 1)))) return Number();
    if (IsNameStart(c)) return Name();
    if (c == '\'' || c == '"') return String();
    return Operator();
  }

  absl::StatusOr<Token> Name() {
    std::size_t end = position_;
    while (IsNamePart(At(end))) ++end;
    while (At(end) == '.' && IsNameStart(At(end + 1))) {
      ++end;
      while (IsNamePart(At(end))) ++end;
    }
    const char quote = At(end + 1);
    if (At(end) == '.' && (quote == '"' || quote == '\'')) {
      const std::size_t close = text_.find(quote, end + 2);
      if (close == std::string_view::npos) {
        return ColumnError(column_, "this quoted name has no closing quote");
      }
      const int column = column_;
      std::string name = Take(close + 1 - position_);
      std::erase(name, quote);
      return Token{.kind = Token::Kind::kName, .text = std::move(name), .column = column};
    }
    const int column = column_;
    return Token{.kind = Token::Kind::kName, .text = Take(end - position_), .column = column};
  }

  absl::StatusOr<Token> String() {
    const std::size_t end = text_.find(text_[position_], position_ + 1);
    if (end == std::string_view::npos) {
      return ColumnError(column_, "this string has no closing quote");
    }
    Token token{.kind = Token::Kind::kString, .column = column_};
    Advance(1);
    token.text = Take(end - position_);
    token.value = token.text;
    Advance(1);
    return token;
  }

  absl::StatusOr<Token> Operator() {
    static constexpr std::array<std::string_view, 19> kOperators = {
        "==", "!=", "<=", ">=", "||", "&&", "<", ">", "!", "+",
        "-",  "*",  "/",  "%",  "(",  ")",  "[", "]", ","};
    for (std::string_view op : kOperators) {
      if (text_.substr(position_, op.size()) != op) continue;
      const int column = column_;
      return Token{.kind = Token::Kind::kOperator, .text = Take(op.size()), .column = column};
    }
    const char c = text_[position_];
    if (c == '=' || c == '&' || c == '|') {
      return ColumnError(column_, absl::StrCat("expected '", std::string(2, c), "', found '",
                                               std::string(1, c), "'"));
    }
    return ColumnError(column_, absl::StrCat("unexpected ", DescribeByte(c)));
  }

  absl::StatusOr<Token> Number() {
    const std::size_t mantissa_end = MantissaEnd();
    const std::size_t end = ExponentEnd(mantissa_end);
    if (IsNamePart(At(end)) || At(end) == '.') {
      return ColumnError(
          column_, absl::StrCat("'", std::string(text_.substr(position_, end - position_ + 1)),
                                "' is no number"));
    }
    const std::string_view mantissa = text_.substr(position_, mantissa_end - position_);
    const std::string_view exponent = text_.substr(mantissa_end, end - mantissa_end);
    const bool percent = IsPercentSign(end);
    const bool integer = !percent && exponent.empty() && mantissa.find('.') == mantissa.npos;
    Token token{.kind = Token::Kind::kNumber, .column = column_};
    absl::StatusOr<Value> value =
        integer ? ParseInteger(mantissa) : ParseReal(mantissa, exponent, percent ? -2 : 0);
    if (!value.ok()) return value.status();
    token.value = *std::move(value);
    token.text = Take(end - position_ + (percent ? 1 : 0));
    return token;
  }

  std::size_t MantissaEnd() const {
    std::size_t end = position_;
    while (IsDigit(At(end))) ++end;
    if (At(end) == '.') ++end;
    while (IsDigit(At(end))) ++end;
    return end;
  }

  std::size_t ExponentEnd(std::size_t end) const {
    if (At(end) != 'e' && At(end) != 'E') return end;
    std::size_t digits = end + 1;
    if (At(digits) == '+' || At(digits) == '-') ++digits;
    if (!IsDigit(At(digits))) return end;
    while (IsDigit(At(digits))) ++digits;
    return digits;
  }

  bool IsPercentSign(std::size_t position) const {
    if (At(position) != '%') return false;
    do ++position;
    while (IsSpace(At(position)));
    const char c = At(position);
    if (IsNameStart(c)) {
      std::size_t end = position;
      while (IsNamePart(At(end))) ++end;
      const std::string_view name = text_.substr(position, end - position);
      return name == "and" || name == "or" || name == "not" || name == "in";
    }
    return !IsDigit(c) && c != '.' && c != '\'' && c != '"' && c != '(';
  }

  absl::StatusOr<Value> ParseInteger(std::string_view digits) const {
    std::int64_t value = 0;
    if (std::from_chars(digits.data(), digits.data() + digits.size(), value).ec != std::errc()) {
      return ColumnError(column_, absl::StrCat("the integer ", std::string(digits),
                                               " is out of range; write it with a decimal point"));
    }
    return value;
  }

  // A percentage shifts the decimal exponent instead of dividing, so that 99.4% and 0.994 are the
  // same double.
  absl::StatusOr<Value> ParseReal(std::string_view mantissa, std::string_view exponent,
                                  int shift) const {
    const std::string written = absl::StrCat(std::string(mantissa), std::string(exponent));
    int power = 0;
    if (!exponent.empty()) {
      exponent.remove_prefix(exponent[1] == '+' ? 2 : 1);
      if (std::from_chars(exponent.data(), exponent.data() + exponent.size(), power).ec !=
          std::errc()) {
        power = 100'000;  // out of any double's range, and reported as such below
      }
    }
    const std::string text = absl::StrCat(std::string(mantissa), "e", power + shift);
    double value = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc()) {
      return ColumnError(column_, absl::StrCat("the number ", written, " is out of range"));
    }
    return value;
  }

  const std::string_view text_;
  std::size_t position_ = 0;
  int column_ = 1;
};

}  // namespace

std::string DescribeToken(const Token& token) {
  switch (token.kind) {
    case Token::Kind::kEnd:
      return "the end";
    case Token::Kind::kString:
      return absl::StrCat("the string '", token.text, "'");
    default:
      return absl::StrCat("'", token.text, "'");
  }
}

absl::Status ColumnError(int column, const std::string& message) {
  return absl::InvalidArgumentError(absl::StrCat("column ", column, ": ", message));
}

absl::StatusOr<std::vector<Token>> Tokenize(std::string_view text) { return Lexer(text).Run(); }

}  // namespace sweep
