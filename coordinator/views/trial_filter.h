#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/expr/expression.h"
#include "common/spec/sweep_spec.h"
#include "common/stats/measure_field.h"
#include "coordinator/store/store.h"

namespace sweep {

// The `filter` of ListTrials: an expression over a trial's hyperparameters, its network and its
// results. A trial that lacks something the expression refers to (no epoch yet, no epoch that met
// the gates, a hyperparameter that its configuration does not have) does not match.
class TrialFilter {
 public:
  // InvalidArgument for what does not parse or refers to an unknown name (with the nearest one).
  // `spec` is shared with the cache.
  static absl::StatusOr<TrialFilter> Parse(std::string_view text,
                                           std::shared_ptr<const SweepSpec> spec);

  // InvalidArgument when the values do not go with the expression (text compared with a number).
  absl::StatusOr<bool> Matches(const TrialRow& trial) const;

  const std::string& text() const { return expression_.text(); }

  // What it refers to, sorted, and the same with the values of these names in their order. `trial`
  // is for messages.
  const std::vector<std::string>& names() const { return expression_.names(); }
  absl::StatusOr<bool> Test(const std::vector<Value>& values, std::string_view trial) const;

 private:
  TrialFilter(Expression expression, std::shared_ptr<const SweepSpec> spec)
      : expression_(std::move(expression)), spec_(std::move(spec)) {}

  Expression expression_;
  std::shared_ptr<const SweepSpec> spec_;
};

// What a filter may refer to, sorted: fields of a trial, hyperparameters of the trainer, of the
// sweep and of its networks, and what LookUpConfiguration adds. Hyperparameters are named with
// kParametersPrefix as well, fields of the trial with kTrialPrefix.
std::vector<std::string> KnownTrialNames(const SweepSpec& spec);

inline constexpr std::string_view kTrialPrefix = "trial.";

// The part of a measure that a name (without a prefix) stands for: "best", "best_accuracy",
// "last.val/f1"; nullopt for other names, and for measures that the sweep's trials cannot report.
std::optional<MeasureField> FindMeasureField(const SweepSpec& spec, std::string_view name);

// What a name means where both a trial and its configuration can be meant.
struct TrialName {
  enum class Of { kTrial, kParameters, kEither };
  Of of = Of::kEither;
  std::string name;  // without its prefix
};
TrialName ResolveTrialName(const SweepSpec& spec, std::string_view written);

// InvalidArgument for a name that is not known, with the nearest one, and for one that stands for a
// field of every trial as well as for a hyperparameter of this sweep.
absl::Status CheckTrialName(const SweepSpec& spec, const std::string& written);

}  // namespace sweep
