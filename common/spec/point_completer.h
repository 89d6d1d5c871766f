#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/value.h"
#include "common/spec/constraint_tester.h"
#include "common/spec/point_resolver.h"
#include "common/spec/search_space.h"
#include "common/spec/sweep_spec.h"

namespace sweep {

// SweepSpec::CompleteIfAllowed for many points: tests constraints on a block of points at once,
// some hundred times as fast. The spec must outlive it. Not thread-safe.
class PointCompleter {
 public:
  static constexpr std::size_t kBlock = ConstraintTester::kBlock;
  using Result = absl::StatusOr<std::optional<Configuration>>;

  // `max_slow_characters`: as for ConstraintTester.
  explicit PointCompleter(const SweepSpec* spec, std::int64_t max_slow_characters =
                                                     std::numeric_limits<std::int64_t>::max());

  // One result per point of `chosen`, which has at most kBlock.
  std::vector<Result> Complete(std::int64_t number, std::span<const ParameterMap> chosen);

 private:
  struct Block;

  void Exclude(Block* block);
  void Build(std::int64_t number, Block* block);
  void Allow(Block* block);

  const SweepSpec& spec_;
  std::vector<const Expression*> of_parameters_;  // constraints without facts of a network
  std::vector<const Expression*> of_networks_;
  PointResolver resolver_;
  ConstraintTester tester_;
};

}  // namespace sweep
