#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "common/expr/expression.h"
#include "common/spec/sweep_spec.h"

namespace sweep {

// The gates of a sweep that a search learns: those on measures other than the objective, which the
// search improves anyway, by `<`, `<=`, `>` or `>=`. Facts of the network and the number of epochs
// are no measures. At most kMost, the first of the file.
class LearnedGates {
 public:
  static constexpr std::size_t kMost = 8;

  explicit LearnedGates(const SweepSpec& spec);
  // All gates on measures, also those on the objective and those by `==` or `!=`, of which the
  // excess is 1 or -1.
  static LearnedGates AllOf(const SweepSpec& spec);

  bool empty() const { return gates_.empty(); }
  std::size_t size() const { return gates_.size(); }
  // Canonical.
  const std::string& measure(std::size_t gate) const { return gates_[gate].measure; }
  // By how much a value misses the gate: above 0, or at most 0 when it meets it. NaN for NaN.
  double Excess(std::size_t gate, double value) const;
  // That as a share of the gate's bound, or as it is where the bound is 0; 0 when it meets it,
  // infinite for NaN.
  double Violation(std::size_t gate, double excess) const;

 private:
  struct Learned {
    std::string measure;
    double bound = 0;
    bool is_upper = false;   // < or <=
    bool is_strict = false;  // < or >
    bool has_order = true;   // false: == or !=
    bool is_equal = false;   // ==
  };
  LearnedGates() = default;
  void Add(const Gate& gate);

  std::vector<Learned> gates_;
};

}  // namespace sweep
