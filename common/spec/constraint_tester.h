#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/value.h"
#include "common/expr/columns.h"
#include "common/expr/expression.h"

namespace sweep {

// Tests a sweep's constraints at many points at once, a block of them at a time. Keeps its scratch
// memory between blocks; not for several threads at once.
class ConstraintTester {
 public:
  static constexpr std::size_t kBlock = Column::kRows;
  // The value of a name at a row of the block; nullopt when there is no such name.
  using Lookup = std::function<std::optional<Value>(std::size_t row, std::string_view name)>;

  // `max_slow_characters` bounds what a file that somebody sends may cost: the text of constraints
  // that are evaluated one point at a time. A tester that serves a sweep for its whole life has no
  // bound.
  explicit ConstraintTester(
      std::int64_t max_slow_characters = std::numeric_limits<std::int64_t>::max())
      : max_slow_characters_(max_slow_characters) {}

  // Some seconds' worth.
  static constexpr std::int64_t kSlowCharactersOfAFile = 32'000'000;

  // Begins a block of `rows` <= kBlock points.
  void Begin(std::size_t rows, Lookup lookup);

  // What Expression::Test says at each row; false where `wanted` is false, without looking.
  // ResourceExhausted once the rows that need Expression::Test itself (errors, and values of
  // several kinds) have cost more than the bound.
  std::vector<absl::StatusOr<bool>> Test(const Expression& constraint,
                                         const std::vector<bool>& wanted);

 private:
  struct Named {
    std::vector<std::optional<Value>> values;  // what the column refers to
    Column column;
  };

  // So that a name is looked up as it stands in the expression.
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const {
      return std::hash<std::string_view>()(name);
    }
  };

  const Column* Find(std::string_view name);
  absl::StatusOr<bool> TestSlowly(const Expression& constraint, std::size_t row);

  const std::int64_t max_slow_characters_;
  std::size_t rows_ = 0;
  Lookup lookup_;
  std::unordered_map<std::string, Named, Hash, std::equal_to<>> names_;  // of this block
  ColumnTester columns_;
  std::int64_t slow_characters_ = 0;
};

}  // namespace sweep
