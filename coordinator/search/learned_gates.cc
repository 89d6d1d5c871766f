#include "coordinator/search/learned_gates.h"

#include <cmath>
#include <limits>

#include "common/trial/measures.h"

namespace sweep {
namespace {

// As where gates judge (common/stats/ranking.cc).
constexpr double kTolerance = 1e-9;

}  // namespace

LearnedGates::LearnedGates(const SweepSpec& spec) {
  for (const Gate& gate : spec.require) {
    const bool has_order = gate.op != Gate::Op::kEqual && gate.op != Gate::Op::kNotEqual;
    if (!has_order || !IsNumber(gate.bound) || !IsMeasureGate(gate) ||
        CanonicalMeasure(gate.name) == CanonicalMeasure(spec.objective().name) ||
        gates_.size() == kMost) {
      continue;
    }
    Add(gate);
  }
}

LearnedGates LearnedGates::AllOf(const SweepSpec& spec) {
  LearnedGates all;
  for (const Gate& gate : spec.require) {
    if (IsMeasureGate(gate) && IsNumber(gate.bound)) all.Add(gate);
  }
  return all;
}

void LearnedGates::Add(const Gate& gate) {
  gates_.push_back({.measure = std::string(CanonicalMeasure(gate.name)),
                    .bound = AsDouble(gate.bound),
                    .is_upper = gate.op == Gate::Op::kLess || gate.op == Gate::Op::kLessEqual,
                    .is_strict = gate.op == Gate::Op::kLess || gate.op == Gate::Op::kGreater,
                    .has_order = gate.op != Gate::Op::kEqual && gate.op != Gate::Op::kNotEqual,
                    .is_equal = gate.op == Gate::Op::kEqual});
}

double LearnedGates::Excess(std::size_t gate, double value) const {
  const Learned& one = gates_[gate];
  if (!one.has_order) {
    if (std::isnan(value)) return value;
    return (std::fabs(value - one.bound) <= kTolerance) == one.is_equal ? -1 : 1;
  }
  const double excess = one.is_upper ? value - one.bound : one.bound - value;
  if (std::fabs(excess) <= kTolerance) return one.is_strict ? kTolerance : 0;
  return excess;
}

double LearnedGates::Violation(std::size_t gate, double excess) const {
  if (std::isnan(excess)) return std::numeric_limits<double>::infinity();
  const double bound = std::fabs(gates_[gate].bound);
  return excess > 0 ? excess / (bound > 0 ? bound : 1) : 0;
}

}  // namespace sweep
