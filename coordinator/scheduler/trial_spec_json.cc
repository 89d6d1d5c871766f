#include "coordinator/scheduler/trial_spec_json.h"

#include <exception>

#include "common/protocol/trial_spec.h"
#include "fmt/format.h"

namespace sweep {

absl::StatusOr<std::string> BuildTrialSpecJson(const SweepSpec& spec, const TrialRow& trial) {
  const absl::StatusOr<Configuration> configuration =
      spec.Complete(trial.configuration, trial.parameters);
  if (!configuration.ok()) {
    return absl::InternalError(fmt::format("trial {}: its configuration does not resolve: {}",
                                           trial.short_name(),
                                           std::string(configuration.status().message())));
  }
  TrialSpec resolved = spec.MakeTrialSpec(*configuration, trial.replicate);
  resolved.trial = trial.short_name();
  resolved.seed = trial.seed;  // an edit may have changed how further ones get theirs
  resolved.target_epoch = trial.target_epoch;
  resolved.start_epoch = trial.start_epoch;
  try {
    return TrialSpecToJson(resolved);
  } catch (const std::exception& error) {  // the JSON library refuses text that is not UTF-8
    return absl::InternalError(fmt::format("trial {}: {}", trial.short_name(), error.what()));
  }
}

}  // namespace sweep
