#include "common/spec/constraint_tester.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace sweep {
namespace {

using Verdict = ColumnTester::Verdict;

}  // namespace

void ConstraintTester::Begin(std::size_t rows, Lookup lookup) {
  rows_ = rows;
  lookup_ = std::move(lookup);
  names_.clear();
}

const Column* ConstraintTester::Find(std::string_view name) {
  if (const auto found = names_.find(name); found != names_.end()) return &found->second.column;
  Named& named = names_[std::string(name)];
  std::vector<const Value*> pointers(rows_, nullptr);
  named.values.reserve(rows_);
  for (std::size_t row = 0; row < rows_; ++row) {
    named.values.push_back(lookup_(row, name));
    if (named.values.back()) pointers[row] = &*named.values.back();
  }
  named.column.Fill(pointers);
  return &named.column;
}

std::vector<absl::StatusOr<bool>> ConstraintTester::Test(const Expression& constraint,
                                                         const std::vector<bool>& wanted) {
  std::vector<Verdict> verdicts(rows_);
  columns_.Test(constraint, [this](std::string_view name) { return Find(name); }, verdicts);
  std::vector<absl::StatusOr<bool>> results;
  results.reserve(rows_);
  for (std::size_t row = 0; row < rows_; ++row) {
    if (wanted[row] && verdicts[row] == Verdict::kUnknown) {
      results.push_back(TestSlowly(constraint, row));
    } else {
      results.emplace_back(wanted[row] && verdicts[row] == Verdict::kTrue);
    }
  }
  return results;
}

absl::StatusOr<bool> ConstraintTester::TestSlowly(const Expression& constraint, std::size_t row) {
  slow_characters_ += static_cast<std::int64_t>(constraint.text().size());
  if (slow_characters_ > max_slow_characters_) {
    return absl::ResourceExhaustedError(
        "too costly to evaluate at so many points, since it fails there or mixes kinds of numbers");
  }
  return constraint.Test([&](std::string_view name) { return lookup_(row, name); });
}

}  // namespace sweep
