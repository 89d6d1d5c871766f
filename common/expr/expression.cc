#include "common/expr/expression.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/nearest.h"
#include "common/expr/compare.h"
#include "common/expr/lexer.h"
#include "common/expr/node.h"

namespace sweep {
namespace {

constexpr std::size_t kMaxCharacters = 4096;
constexpr int kMaxDepth = 64;

const std::vector<std::string>& FunctionNames() {
  static const auto* names = new std::vector<std::string>{"min", "max", "abs", "log10", "sqrt"};
  return *names;
}

bool IsKeyword(std::string_view name) {
  return name == "and" || name == "or" || name == "not" || name == "in";
}

// Recursive descent over the grammar in expression.h. After an error every Parse function returns
// null and status() has the error.
class Parser {
 public:
  using Node = Expression::Node;
  using NodePtr = std::unique_ptr<Node>;

  explicit Parser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  // The whole text; null after an error.
  NodePtr ParseAll() {
    NodePtr node = ParseOr();
    if (node == nullptr) return nullptr;
    if (Peek().kind != Token::Kind::kEnd) return Fail("expected an operator or the end");
    return node;
  }

  const absl::Status& status() const { return status_; }
  const std::set<std::string>& names() const { return names_; }

 private:
  // Counts the depth of nesting while it lives.
  class Level {
   public:
    explicit Level(int* depth) : depth_(depth) { ++*depth_; }
    ~Level() { --*depth_; }
    Level(const Level&) = delete;
    Level& operator=(const Level&) = delete;

   private:
    int* const depth_;
  };

  const Token& Peek() const { return tokens_[next_]; }
  const Token& PeekSecond() const { return tokens_[std::min(next_ + 1, tokens_.size() - 1)]; }
  Token Take() { return tokens_[next_ + 1 < tokens_.size() ? next_++ : next_]; }

  bool PeekIsOneOf(std::initializer_list<std::string_view> spellings) const {
    return std::any_of(spellings.begin(), spellings.end(),
                       [this](std::string_view spelling) { return Peek().Is(spelling); });
  }

  std::nullptr_t FailAt(int column, const std::string& message) {
    if (status_.ok()) status_ = ColumnError(column, message);
    return nullptr;
  }
  std::nullptr_t Fail(const std::string& expected) {
    return FailAt(Peek().column, absl::StrCat(expected, ", found ", DescribeToken(Peek())));
  }
  std::nullptr_t FailTooDeep() {
    return FailAt(Peek().column, absl::StrCat("nested deeper than ", kMaxDepth, " levels"));
  }

  static NodePtr MakeNode(Node::Kind kind, int column) {
    auto node = std::make_unique<Node>();
    node->kind = kind;
    node->column = column;
    return node;
  }

  // operand (operator operand)*, one node for the whole chain.
  NodePtr ParseChain(Node::Kind kind, std::initializer_list<std::string_view> operators,
                     NodePtr (Parser::*parse_operand)()) {
    NodePtr first = (this->*parse_operand)();
    if (first == nullptr || !PeekIsOneOf(operators)) return first;
    NodePtr chain = MakeNode(kind, first->column);
    chain->children.push_back(std::move(first));
    while (PeekIsOneOf(operators)) {
      const Token token = Take();
      chain->operators.push_back({.text = token.text, .column = token.column});
      NodePtr operand = (this->*parse_operand)();
      if (operand == nullptr) return nullptr;
      chain->children.push_back(std::move(operand));
    }
    return chain;
  }

  NodePtr ParseOr() {
    const Level level(&depth_);
    if (depth_ > kMaxDepth) return FailTooDeep();
    return ParseChain(Node::Kind::kOr, {"or", "||"}, &Parser::ParseAnd);
  }

  NodePtr ParseAnd() { return ParseChain(Node::Kind::kAnd, {"and", "&&"}, &Parser::ParseNot); }

  NodePtr ParseNot() {
    if (!PeekIsOneOf({"not", "!"})) return ParseComparison();
    return ParsePrefixed(Node::Kind::kNot, &Parser::ParseNot);
  }

  NodePtr ParsePrefixed(Node::Kind kind, NodePtr (Parser::*parse_operand)()) {
    const Level level(&depth_);
    if (depth_ > kMaxDepth) return FailTooDeep();
    NodePtr node = MakeNode(kind, Take().column);
    NodePtr operand = (this->*parse_operand)();
    if (operand == nullptr) return nullptr;
    node->children.push_back(std::move(operand));
    return node;
  }

  bool PeekIsComparison() const { return PeekIsOneOf({"==", "!=", "<", "<=", ">", ">="}); }

  NodePtr ParseComparison() {
    NodePtr left = ParseSum();
    if (left == nullptr) return nullptr;
    if (Peek().Is("in") || (Peek().Is("not") && PeekSecond().Is("in"))) {
      return ParseMembership(std::move(left));
    }
    if (!PeekIsComparison()) return left;
    const Token token = Take();
    NodePtr node = MakeNode(Node::Kind::kCompare, token.column);
    node->operators.push_back({.text = token.text, .column = token.column});
    node->children.push_back(std::move(left));
    NodePtr right = ParseSum();
    if (right == nullptr) return nullptr;
    node->children.push_back(std::move(right));
    if (PeekIsComparison()) {
      return FailAt(Peek().column, "comparisons cannot be chained; write 'a < b and b < c'");
    }
    return node;
  }

  NodePtr ParseMembership(NodePtr left) {
    const bool negated = Peek().Is("not");
    const int column = Peek().column;
    if (negated) Take();
    Take();
    NodePtr node = MakeNode(Node::Kind::kIn, column);
    node->children.push_back(std::move(left));
    if (!ParseList(&node->list)) return nullptr;
    if (!negated) return node;
    NodePtr inverse = MakeNode(Node::Kind::kNot, column);
    inverse->children.push_back(std::move(node));
    return inverse;
  }

  bool ParseList(std::vector<Value>* list) {
    if (!Peek().Is("[")) {
      Fail("expected '['");
      return false;
    }
    do {
      Take();
      const int column = Peek().column;
      std::optional<Value> value = ParseLiteral();
      if (!value) {
        Fail("expected a number, a string, true or false");
        return false;
      }
      if (!list->empty() && !SameKind(list->front(), *value)) {
        FailAt(column, absl::StrCat("a list is of one kind, and ", DescribeValue(*value),
                                    " is not of the kind of ", DescribeValue(list->front())));
        return false;
      }
      list->push_back(*std::move(value));
    } while (Peek().Is(","));
    if (Peek().Is("]")) {
      Take();
      return true;
    }
    Fail("expected ',' or ']'");
    return false;
  }

  // A number (negative too), a string, true, false or a list; else nullopt, without consuming a
  // token unless a list has an error.
  std::optional<Value> ParseLiteral() {
    if (!Peek().Is("[")) return ParseScalar();
    const std::optional<ListValue> list = ParseItems();
    if (!list) return std::nullopt;
    return list->json;
  }

  std::optional<ListValue> ParseItems() {
    const Level level(&depth_);
    if (depth_ > kMaxDepth) {
      FailTooDeep();
      return std::nullopt;
    }
    std::vector<Value> items;
    if (PeekSecond().Is("]")) Take();
    while (!Peek().Is("]")) {
      Take();  // the bracket or a comma
      std::optional<Value> item;
      if (Peek().Is("[")) {
        item = ParseItems();
      } else {
        item = ParseScalar();
      }
      if (!item) Fail("expected a number, a string, true, false or a list");
      if (item && !Peek().Is(",") && !Peek().Is("]")) Fail("expected ',' or ']'");
      if (!status_.ok()) return std::nullopt;
      items.push_back(*std::move(item));
    }
    Take();
    return MakeList(items);
  }

  std::optional<Value> ParseScalar() {
    const Token& token = Peek();
    if (token.Is("true") || token.Is("false")) return Take().Is("true");
    if (token.kind == Token::Kind::kNumber || token.kind == Token::Kind::kString) {
      return Take().value;
    }
    if (!token.Is("-") || PeekSecond().kind != Token::Kind::kNumber) return std::nullopt;
    Take();
    const Value value = Take().value;
    if (const auto* integer = std::get_if<std::int64_t>(&value)) return -*integer;
    return -std::get<double>(value);
  }

  NodePtr ParseSum() { return ParseChain(Node::Kind::kChain, {"+", "-"}, &Parser::ParseProduct); }

  NodePtr ParseProduct() {
    return ParseChain(Node::Kind::kChain, {"*", "/", "%"}, &Parser::ParseUnary);
  }

  NodePtr ParseUnary() {
    if (!Peek().Is("-")) return ParsePrimary();
    return ParsePrefixed(Node::Kind::kNegate, &Parser::ParseUnary);
  }

  NodePtr ParsePrimary() {
    const Token& token = Peek();
    if (token.Is("(")) {
      Take();
      NodePtr node = ParseOr();
      if (node == nullptr) return nullptr;
      if (!Peek().Is(")")) return Fail("expected ')'");
      Take();
      return node;
    }
    const bool is_name = token.kind == Token::Kind::kName && !IsKeyword(token.text);
    if (is_name && PeekSecond().Is("(")) return ParseCall();
    NodePtr node = MakeNode(Node::Kind::kLiteral, token.column);
    if (std::optional<Value> value = ParseLiteral()) {
      node->value = *std::move(value);
      return node;
    }
    if (!is_name) return Fail("expected a value");
    node->kind = Node::Kind::kName;
    node->text = Take().text;
    names_.insert(node->text);
    return node;
  }

  NodePtr ParseCall() {
    const Token name = Take();
    const std::vector<std::string>& known = FunctionNames();
    if (std::find(known.begin(), known.end(), name.text) == known.end()) {
      return FailAt(name.column, absl::StrCat("there is no function '", name.text,
                                              "'; they are min, max, abs, log10, sqrt",
                                              DidYouMean(name.text, known)));
    }
    NodePtr node = MakeNode(Node::Kind::kCall, name.column);
    node->text = name.text;
    do {
      Take();
      NodePtr argument = ParseOr();
      if (argument == nullptr) return nullptr;
      node->children.push_back(std::move(argument));
    } while (Peek().Is(","));
    if (!Peek().Is(")")) return Fail("expected ',' or ')'");
    Take();
    const bool takes_many = name.text == "min" || name.text == "max";
    if (!takes_many && node->children.size() != 1) {
      return FailAt(name.column,
                    absl::StrCat("'", name.text, "' takes one value, not ", node->children.size()));
    }
    return node;
  }

  const std::vector<Token> tokens_;
  std::size_t next_ = 0;
  int depth_ = 0;
  absl::Status status_;
  std::set<std::string> names_;
};

}  // namespace

std::string_view WithoutParametersPrefix(std::string_view name) {
  if (name.starts_with(kParametersPrefix)) name.remove_prefix(kParametersPrefix.size());
  return name;
}

bool IsExpressionWord(std::string_view word) {
  return IsKeyword(word) || word == "true" || word == "false";
}

absl::StatusOr<Expression> Expression::Parse(std::string_view text) {
  if (text.size() > kMaxCharacters) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the expression has ", text.size(), " characters; ", kMaxCharacters, " is the most"));
  }
  absl::StatusOr<std::vector<Token>> tokens = Tokenize(text);
  if (!tokens.ok()) return tokens.status();
  Parser parser(*std::move(tokens));
  Parser::NodePtr root = parser.ParseAll();
  if (root == nullptr) return parser.status();
  Expression expression;
  expression.text_ = std::string(text);
  expression.names_.assign(parser.names().begin(), parser.names().end());
  expression.root_ = std::move(root);
  return expression;
}

absl::StatusOr<Value> Expression::Evaluate(const Scope& scope) const {
  if (root_ == nullptr) return absl::InvalidArgumentError("the expression is empty");
  return EvaluateNode(*root_, scope);
}

absl::StatusOr<bool> Expression::Test(const Scope& scope) const {
  absl::StatusOr<Value> value = Evaluate(scope);
  if (!value.ok()) return value.status();
  if (const bool* holds = std::get_if<bool>(&*value)) return *holds;
  return absl::InvalidArgumentError(absl::StrCat("'", text_, "' is ", DescribeValue(*value),
                                                 "; expected a condition that is true or false"));
}

}  // namespace sweep
