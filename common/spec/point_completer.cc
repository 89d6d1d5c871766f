#include "common/spec/point_completer.h"

#include <algorithm>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace sweep {

struct PointCompleter::Block {
  std::vector<ResolvedPoint> points;
  std::vector<Result> results;
  std::vector<bool> open;  // neither excluded nor in error
  // For each row, the error of the first constraint, in the file's order, that could not be
  // evaluated.
  std::vector<absl::Status> errors;
};

namespace {

absl::Status ConstraintError(const Expression& constraint, const absl::Status& status) {
  return absl::InvalidArgumentError(
      absl::StrCat("constraint '", constraint.text(), "': ", status.message()));
}

std::vector<const Expression*> ConstraintsWithFacts(const SweepSpec& spec, bool with_facts) {
  const std::vector<std::string>& facts = NetworkFactNames();
  const auto is_fact = [&](const std::string& name) {
    return std::find(facts.begin(), facts.end(), name) != facts.end();
  };
  std::vector<const Expression*> found;
  for (const Expression& constraint : spec.constraints) {
    const std::vector<std::string>& names = constraint.names();
    if (std::any_of(names.begin(), names.end(), is_fact) == with_facts)
      found.push_back(&constraint);
  }
  return found;
}

}  // namespace

PointCompleter::PointCompleter(const SweepSpec* spec, std::int64_t max_slow_characters)
    : spec_(*spec),
      of_parameters_(ConstraintsWithFacts(spec_, false)),
      of_networks_(ConstraintsWithFacts(spec_, true)),
      resolver_(spec, max_slow_characters),
      tester_(max_slow_characters) {}

std::vector<PointCompleter::Result> PointCompleter::Complete(std::int64_t number,
                                                             std::span<const ParameterMap> chosen) {
  Block block;
  for (PointResolver::Result& point : resolver_.Resolve(chosen)) {
    block.open.push_back(point.ok());
    block.results.push_back(point.ok() ? Result(std::nullopt) : Result(point.status()));
    block.points.push_back(point.ok() ? *std::move(point) : ResolvedPoint());
  }
  block.errors.resize(chosen.size());
  Exclude(&block);
  Build(number, &block);
  Allow(&block);
  return std::move(block.results);
}

// Closes the rows that a constraint on hyperparameters alone excludes; their networks need not fit.
// A constraint that cannot be evaluated excludes nothing.
void PointCompleter::Exclude(Block* block) {
  if (of_parameters_.empty()) return;
  tester_.Begin(block->points.size(),
                [&](std::size_t row, std::string_view name) -> std::optional<Value> {
                  const ParameterMap& resolved = block->points[row].resolved;
                  const auto found = resolved.find(std::string(WithoutParametersPrefix(name)));
                  if (found == resolved.end()) return std::nullopt;
                  return found->second;
                });
  for (const Expression* constraint : of_parameters_) {
    const std::vector<absl::StatusOr<bool>> holds = tester_.Test(*constraint, block->open);
    for (std::size_t row = 0; row < holds.size(); ++row) {
      if (!block->open[row]) continue;
      if (!holds[row].ok()) {
        block->errors[row].Update(ConstraintError(*constraint, holds[row].status()));
      } else if (!*holds[row]) {
        block->open[row] = false;
      }
    }
    if (std::find(block->open.begin(), block->open.end(), true) == block->open.end()) return;
  }
}

void PointCompleter::Build(std::int64_t number, Block* block) {
  for (std::size_t row = 0; row < block->points.size(); ++row) {
    if (!block->open[row]) continue;
    absl::StatusOr<Configuration> built =
        BuildConfiguration(spec_, number, std::move(block->points[row]));
    block->open[row] = built.ok();
    block->results[row] = built.ok() ? Result(*std::move(built)) : Result(built.status());
  }
}

// Tests the constraints on networks, then reports the rows with constraints that could not be
// evaluated.
void PointCompleter::Allow(Block* block) {
  tester_.Begin(block->results.size(),
                [&](std::size_t row, std::string_view name) -> std::optional<Value> {
                  const Result& result = block->results[row];
                  if (!result.ok() || !*result) return std::nullopt;
                  return LookUpConfiguration(**result, name);
                });
  for (const Expression* constraint : of_networks_) {
    const std::vector<absl::StatusOr<bool>> holds = tester_.Test(*constraint, block->open);
    for (std::size_t row = 0; row < holds.size(); ++row) {
      if (!block->open[row]) continue;
      if (!holds[row].ok()) {
        block->errors[row].Update(ConstraintError(*constraint, holds[row].status()));
      } else if (!*holds[row]) {
        block->open[row] = false;
        block->results[row] = std::nullopt;
      }
    }
  }
  for (std::size_t row = 0; row < block->results.size(); ++row) {
    if (block->open[row] && !block->errors[row].ok()) block->results[row] = block->errors[row];
  }
}

}  // namespace sweep
