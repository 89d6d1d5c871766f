#include "coordinator/search/valid_point.h"

#include <utility>

namespace sweep {

std::optional<Configuration> CompleteValid(const SweepSpec& spec, std::int64_t number,
                                           const ParameterMap& chosen) {
  absl::StatusOr<Configuration> configuration = spec.Complete(number, chosen);
  if (!configuration.ok()) return std::nullopt;
  const absl::StatusOr<bool> satisfied = spec.SatisfiesConstraints(*configuration);
  if (!satisfied.ok() || !*satisfied) return std::nullopt;
  return *std::move(configuration);
}

}  // namespace sweep
