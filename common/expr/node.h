#pragma once

#include <memory>
#include <string>
#include <vector>

#include "common/base/value.h"
#include "common/expr/expression.h"

namespace sweep {

// One node of an expression's tree. A chain of operators of one precedence is one node with many
// children, so that the parser's bound on nesting also bounds the depth of the tree.
struct Expression::Node {
  enum class Kind {
    kLiteral,  // value
    kName,     // text
    kNot,      // children[0]
    kNegate,   // children[0]
    kChain,  // children[0] operators[0] children[1] …, of one arithmetic precedence, from the left
    kAnd,    // children, up to the first that is false
    kOr,     // children, up to the first that is true
    kCompare,  // children[0] operators[0] children[1]
    kIn,       // children[0] in list
    kCall,     // text(children…)
  };
  struct Operator {
    std::string text;
    int column = 1;
  };

  Kind kind = Kind::kLiteral;
  int column = 1;
  Value value;
  std::string text;
  std::vector<std::unique_ptr<const Node>> children;
  std::vector<Operator> operators;
  std::vector<Value> list;
};

// Computes the tree's value in `scope`; the body of Expression::Evaluate.
absl::StatusOr<Value> EvaluateNode(const Expression::Node& node, const Scope& scope);

}  // namespace sweep
