// Which hyperparameters matter.

#include <cmath>
#include <limits>

#include "common/stats/importance.h"
#include "coordinator/views/view_context.h"
#include "fmt/format.h"

namespace sweep {
namespace {

constexpr std::int64_t kLeastTrials = 20;
constexpr std::int64_t kManyTrials = 50;

bool IsOver(TrialState state) {
  return state == TrialState::kCompleted || state == TrialState::kStopped;
}

double ValueOf(const ViewDimension& dimension, const std::optional<Value>& value) {
  if (!value) return std::numeric_limits<double>::quiet_NaN();
  if (dimension.kind != "category") return AsDouble(*value);
  for (std::size_t i = 0; i < dimension.categories.size(); ++i) {
    if (SameValue(dimension.categories[i], *value)) return static_cast<double>(i);
  }
  return std::numeric_limits<double>::quiet_NaN();
}

ImportanceDimension Measure(const SweepIndex& index, const ViewDimension& dimension,
                            const std::vector<std::size_t>& rows) {
  const Parameter& parameter = index.spec().parameters[dimension.parameter];
  ImportanceDimension result{.name = dimension.name,
                             .categories = dimension.categories.size(),
                             .low = dimension.min,
                             .high = dimension.max,
                             .log = dimension.kind == "log",
                             .integer = dimension.integer};
  if (parameter.distribution == Distribution::kIntUniform) result.step = 1;
  if (parameter.distribution == Distribution::kQUniform) result.step = parameter.q;
  result.values.reserve(rows.size());
  for (const std::size_t row : rows) {
    result.values.push_back(ValueOf(dimension, index.ParameterOf(row, dimension.parameter)));
  }
  return result;
}

std::string Note(std::int64_t trials, bool enough) {
  if (!enough) {
    return fmt::format("{} completed trials; {} are needed to say anything", trials, kLeastTrials);
  }
  if (trials < kManyTrials) return "few trials: take it as a hint";
  return "what sets the best tenth of the trials apart from the others";
}

Json Importances(const SweepIndex& index) {
  const bool is_loss = index.spec().metric == "loss";
  std::vector<std::size_t> rows;
  std::vector<double> costs;
  for (std::size_t row = 0; row < index.trials().size(); ++row) {
    const IndexedTrial& trial = index.trials()[row];
    const double cost = is_loss ? trial.best_loss : -trial.best_accuracy;
    if (!IsOver(trial.state) || trial.epoch == 0 || std::isnan(cost)) continue;
    rows.push_back(row);
    costs.push_back(cost);
  }
  std::vector<Importance> importances;
  if (std::ssize(rows) >= kLeastTrials) {
    std::vector<ImportanceDimension> dimensions;
    for (const ViewDimension& dimension : DimensionsOf(index.spec())) {
      dimensions.push_back(Measure(index, dimension, rows));
    }
    importances = PedAnova(dimensions, costs);
  }
  Json items = Json::array();
  for (const Importance& importance : importances) {
    items.push_back({{"name", importance.name}, {"importance", NumberJson(importance.share)}});
  }
  return {{"method", "PED-ANOVA"},
          {"metric", is_loss ? "loss" : "accuracy"},
          {"trials", rows.size()},
          {"enough", !importances.empty()},
          {"importances", items},
          {"note", Note(std::ssize(rows), std::ssize(rows) >= kLeastTrials)}};
}

}  // namespace

absl::StatusOr<Json> ImportanceDocument(const LookedAt& looked) {
  return looked.index.entry->Look([](const SweepIndex& index) { return Importances(index); });
}

}  // namespace sweep
