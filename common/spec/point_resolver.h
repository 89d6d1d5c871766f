#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/value.h"
#include "common/spec/constraint_tester.h"
#include "common/spec/search_space.h"
#include "common/spec/sweep_spec.h"

namespace sweep {

// ResolvePoint for many points: tests each parameter's `when` on a block of points at once. The
// spec must outlive it. Not thread-safe.
class PointResolver {
 public:
  static constexpr std::size_t kBlock = ConstraintTester::kBlock;
  using Result = absl::StatusOr<ResolvedPoint>;

  // `max_slow_characters`: as for ConstraintTester.
  explicit PointResolver(const SweepSpec* spec, std::int64_t max_slow_characters =
                                                    std::numeric_limits<std::int64_t>::max());

  // One result per point of `chosen`, which has at most kBlock: that of ResolvePoint, or
  // InvalidArgument when the conditions exceed the limit for a file.
  std::vector<Result> Resolve(std::span<const ParameterMap> chosen);

 private:
  struct Row {
    const ParameterMap* chosen = nullptr;
    const ParameterMap* base = nullptr;
    std::vector<bool> exists;  // by parameter
  };

  void Order(std::size_t parameter, std::set<std::size_t>* entered);
  std::optional<Value> Lookup(const Row& row, std::string_view name) const;
  void TestConditions(std::vector<Row>* rows, std::vector<Result>* results);

  const SweepSpec& spec_;
  std::map<std::string, std::size_t, std::less<>> indices_;  // of spec_.parameters, by name
  std::vector<std::size_t> conditional_;       // parameters with `when`, in order of dependence
  std::map<std::string, ParameterMap> bases_;  // by model
  ConstraintTester tester_;
};

}  // namespace sweep
