#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/text_map.h"
#include "common/base/value.h"
#include "common/expr/columns.h"
#include "common/expr/expression.h"

namespace sweep {

// Tests a sweep's constraints at a block of points at once. Keeps its scratch memory between
// blocks. Not thread-safe.
class ConstraintTester {
 public:
  static constexpr std::size_t kBlock = Column::kRows;
  // Returns the value of a name at a row of the block; nullopt when there is no such name.
  using Lookup = std::function<std::optional<Value>(std::size_t row, std::string_view name)>;

  // `max_slow_characters` limits the cost of a submitted file: the total text of constraints that
  // are evaluated point by point. A tester that serves a sweep for its lifetime has no limit.
  explicit ConstraintTester(
      std::int64_t max_slow_characters = std::numeric_limits<std::int64_t>::max())
      : max_slow_characters_(max_slow_characters) {}

  // A few seconds of work.
  static constexpr std::int64_t kSlowCharactersOfAFile = 32'000'000;

  // Begins a block of `rows` <= kBlock points.
  void Begin(std::size_t rows, Lookup lookup);

  // The result of Expression::Test at each row; false, without evaluation, where `wanted` is false.
  // ResourceExhausted once the rows that need Expression::Test (errors, and values of several
  // kinds) have cost more than the limit.
  std::vector<absl::StatusOr<bool>> Test(const Expression& constraint,
                                         const std::vector<bool>& wanted);

 private:
  struct Named {
    std::vector<std::optional<Value>> values;  // the column points into these
    Column column;
  };

  const Column* Find(std::string_view name);
  absl::StatusOr<bool> TestSlowly(const Expression& constraint, std::size_t row);

  const std::int64_t max_slow_characters_;
  std::size_t rows_ = 0;
  Lookup lookup_;
  TextMap<Named> names_;  // of this block
  ColumnTester columns_;
  std::int64_t slow_characters_ = 0;
};

}  // namespace sweep
