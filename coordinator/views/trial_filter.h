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
// results. A trial that lacks a value of the expression does not match: for example one without an
// epoch, without an epoch that met the gates, or without that hyperparameter.
class TrialFilter {
 public:
  // InvalidArgument for a syntax error or an unknown name; the message has the nearest known name.
  // `spec` is shared with the cache.
  static absl::StatusOr<TrialFilter> Parse(std::string_view text,
                                           std::shared_ptr<const SweepSpec> spec);

  // InvalidArgument when values cannot be compared, such as a text with a number.
  absl::StatusOr<bool> Matches(const TrialRow& trial) const;

  const std::string& text() const { return expression_.text(); }

  // The names in the expression, sorted. Test takes their values in this order; `trial` is for
  // messages.
  const std::vector<std::string>& names() const { return expression_.names(); }
  absl::StatusOr<bool> Test(const std::vector<Value>& values, std::string_view trial) const;

 private:
  TrialFilter(Expression expression, std::shared_ptr<const SweepSpec> spec)
      : expression_(std::move(expression)), spec_(std::move(spec)) {}

  Expression expression_;
  std::shared_ptr<const SweepSpec> spec_;
};

// All names for filters, sorted: fields of a trial, hyperparameters of the trainer, the sweep and
// its networks, and facts of the network. Hyperparameters also appear with kParametersPrefix and
// fields with kTrialPrefix.
std::vector<std::string> KnownTrialNames(const SweepSpec& spec);

inline constexpr std::string_view kTrialPrefix = "trial.";

// Parses a name without a prefix as a part of a measure: "best", "best_accuracy", "last.val/f1".
// Nullopt for other names and for measures that the sweep's trials cannot report.
std::optional<MeasureField> FindMeasureField(const SweepSpec& spec, std::string_view name);

// Whether a name means a field of the trial, a hyperparameter, or either.
struct TrialName {
  enum class Of { kTrial, kParameters, kEither };
  Of of = Of::kEither;
  std::string name;  // without its prefix
};
TrialName ResolveTrialName(const SweepSpec& spec, std::string_view written);

// InvalidArgument for an unknown name, with the nearest known one, and for a name that is both a
// field of every trial and a hyperparameter of this sweep.
absl::Status CheckTrialName(const SweepSpec& spec, const std::string& written);

}  // namespace sweep
