// The importance of hyperparameters.

#include <cmath>
#include <limits>
#include <optional>

#include "common/stats/importance.h"
#include "common/stats/objective.h"
#include "coordinator/views/view_context.h"
#include "fmt/format.h"

namespace sweep {
namespace {

constexpr std::int64_t kLeastTrials = 20;
constexpr std::int64_t kManyTrials = 50;

// The cost of a trial's hyperparameters, lower is better; nullopt for a trial without a result. A
// trial that diverged costs most.
std::optional<double> WhatItCosts(const IndexedTrial& trial, const Objective& objective) {
  if (trial.state == TrialState::kDiverged) return std::numeric_limits<double>::infinity();
  if (trial.state != TrialState::kCompleted && trial.state != TrialState::kStopped) {
    return std::nullopt;
  }
  if (std::isnan(trial.best)) return std::nullopt;
  return CostOf(objective, trial.best);
}

double ValueOf(const ViewDimension& dimension, const std::optional<Value>& value) {
  if (!value) return std::numeric_limits<double>::quiet_NaN();
  if (dimension.kind != documents::Dimension::KIND_CATEGORY) return AsDouble(*value);
  for (std::size_t i = 0; i < dimension.categories.size(); ++i) {
    if (SameValue(dimension.categories[i], *value)) return static_cast<double>(i);
  }
  return std::numeric_limits<double>::quiet_NaN();
}

ImportanceDimension ImportanceOf(const SweepIndex& index, const ViewDimension& dimension,
                                 const std::vector<std::size_t>& rows) {
  const Parameter& parameter = index.spec().parameters[dimension.parameter];
  ImportanceDimension result{.name = dimension.name,
                             .categories = dimension.categories.size(),
                             .low = dimension.min,
                             .high = dimension.max,
                             .log = dimension.kind == documents::Dimension::KIND_LOG,
                             .integer = dimension.integer};
  if (parameter.distribution == Distribution::kIntUniform) result.step = 1;
  if (parameter.distribution == Distribution::kQUniform ||
      parameter.distribution == Distribution::kQNormal) {
    result.step = parameter.q;
  }
  result.values.reserve(rows.size());
  for (const std::size_t row : rows) {
    result.values.push_back(ValueOf(dimension, index.ParameterOf(row, dimension.parameter)));
  }
  return result;
}

std::string Note(std::int64_t trials, std::int64_t diverged, bool has_importances) {
  const std::string worst =
      diverged == 0 ? "" : fmt::format(" ({} diverged: counted as the worst)", diverged);
  if (trials < kLeastTrials) {
    return fmt::format("{} trial{} ended with a result{}; {} are needed to say anything", trials,
                       trials == 1 ? "" : "s", worst, kLeastTrials);
  }
  if (!has_importances) return fmt::format("the {} trials do not differ{}", trials, worst);
  if (trials < kManyTrials)
    return fmt::format("from {} trials only{}: a rough hint", trials, worst);
  return "what sets the best tenth of the trials apart from the others" + worst;
}

documents::ImportanceView Importances(const SweepIndex& index) {
  const Objective& objective = index.spec().objective();
  std::vector<std::size_t> rows;
  std::vector<double> costs;
  std::int64_t diverged = 0;
  for (std::size_t row = 0; row < index.trials().size(); ++row) {
    const IndexedTrial& trial = index.trials()[row];
    const std::optional<double> cost = WhatItCosts(trial, objective);
    if (!cost) continue;
    if (trial.state == TrialState::kDiverged) ++diverged;
    rows.push_back(row);
    costs.push_back(*cost);
  }
  std::vector<Importance> importances;
  if (std::ssize(rows) >= kLeastTrials) {
    std::vector<ImportanceDimension> dimensions;
    for (const ViewDimension& dimension : DimensionsOf(index.spec())) {
      dimensions.push_back(ImportanceOf(index, dimension, rows));
    }
    importances = PedAnova(dimensions, costs);
  }
  documents::ImportanceView view;
  view.set_method(documents::ImportanceView::METHOD_PED_ANOVA);
  view.set_metric(objective.name);
  view.set_trials(std::ssize(rows));
  view.set_diverged(diverged);
  view.set_enough(!importances.empty());
  for (const Importance& importance : importances) {
    documents::ImportanceView::Importance* const made = view.add_importances();
    made->set_name(importance.name);
    made->set_importance(importance.share);
  }
  view.set_note(Note(std::ssize(rows), diverged, !importances.empty()));
  return view;
}

}  // namespace

documents::ImportanceView ImportanceDocument(const LookedAt& looked) {
  return looked.index.entry->Look([](const SweepIndex& index) { return Importances(index); });
}

}  // namespace sweep
