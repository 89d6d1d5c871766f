#include "common/spec/point_resolver.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace sweep {

PointResolver::PointResolver(const SweepSpec* spec, std::int64_t max_slow_characters)
    : spec_(*spec), tester_(max_slow_characters) {
  for (std::size_t i = 0; i < spec_.parameters.size(); ++i) indices_[spec_.parameters[i].name] = i;
  std::set<std::size_t> entered;
  for (std::size_t i = 0; i < spec_.parameters.size(); ++i) Order(i, &entered);
}

// Depth first; the parser has refused cycles.
void PointResolver::Order(std::size_t parameter, std::set<std::size_t>* entered) {
  const std::optional<Expression>& when = spec_.parameters[parameter].when;
  if (!when || !entered->insert(parameter).second) return;
  for (const std::string& name : when->names()) {
    const auto other = indices_.find(WithoutParametersPrefix(name));
    if (other != indices_.end()) Order(other->second, entered);
  }
  conditional_.push_back(parameter);
}

std::optional<Value> PointResolver::Lookup(const Row& row, std::string_view name) const {
  name = WithoutParametersPrefix(name);
  if (const auto index = indices_.find(name);
      index != indices_.end() && row.exists[index->second]) {
    const auto chosen = row.chosen->find(index->first);
    if (chosen != row.chosen->end()) return chosen->second;
  }
  const auto base = row.base->find(std::string(name));
  if (base == row.base->end()) return std::nullopt;
  return base->second;
}

// Sets `exists`, or an error in `results` when a condition cannot be evaluated.
void PointResolver::TestConditions(std::vector<Row>* rows, std::vector<Result>* results) {
  if (conditional_.empty()) return;
  tester_.Begin(rows->size(), [&](std::size_t row, std::string_view name) -> std::optional<Value> {
    if ((*rows)[row].base == nullptr) return std::nullopt;
    return Lookup((*rows)[row], name);
  });
  std::vector<bool> open(rows->size());
  for (std::size_t row = 0; row < rows->size(); ++row) open[row] = (*results)[row].ok();
  for (const std::size_t parameter : conditional_) {
    const std::vector<absl::StatusOr<bool>> holds =
        tester_.Test(*spec_.parameters[parameter].when, open);
    for (std::size_t row = 0; row < rows->size(); ++row) {
      if (!open[row]) continue;
      (*rows)[row].exists[parameter] = holds[row].value_or(false);
      if (holds[row].ok()) continue;
      open[row] = false;
      if (absl::IsResourceExhausted(holds[row].status())) {
        (*results)[row] = absl::InvalidArgumentError(absl::StrCat(
            "'when' of '", spec_.parameters[parameter].name, "': ", holds[row].status().message()));
      } else {
        (*results)[row] = ResolvePoint(spec_, *(*rows)[row].chosen);  // for its error message
      }
    }
  }
}

std::vector<PointResolver::Result> PointResolver::Resolve(std::span<const ParameterMap> chosen) {
  std::vector<Result> results;
  std::vector<Row> rows(chosen.size());
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    const absl::StatusOr<std::string> model = ModelOfPoint(spec_, chosen[i]);
    const bool known = std::all_of(chosen[i].begin(), chosen[i].end(), [&](const auto& value) {
      return indices_.contains(value.first);
    });
    if (!model.ok() || !known) {
      results.push_back(ResolvePoint(spec_, chosen[i]));  // for its error message
      continue;
    }
    auto base = bases_.find(*model);
    if (base == bases_.end()) base = bases_.emplace(*model, BaseParameters(spec_, *model)).first;
    rows[i] = {&chosen[i], &base->second, std::vector<bool>(spec_.parameters.size(), true)};
    results.emplace_back(ResolvedPoint{*model, {}, {}});
  }
  TestConditions(&rows, &results);
  for (std::size_t i = 0; i < chosen.size(); ++i) {
    // Rows that ResolvePoint resolved are complete.
    if (!results[i].ok() || rows[i].base == nullptr || !results[i]->resolved.empty()) continue;
    results[i]->resolved = *rows[i].base;
    for (const auto& [name, value] : chosen[i]) {
      if (!rows[i].exists[indices_.find(name)->second]) continue;
      results[i]->parameters[name] = value;
      results[i]->resolved[name] = value;
    }
  }
  return results;
}

}  // namespace sweep
