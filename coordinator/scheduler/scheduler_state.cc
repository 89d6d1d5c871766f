#include "coordinator/scheduler/scheduler_state.h"

#include <algorithm>
#include <string>
#include <utility>

#include "coordinator/scheduler/trial_spec_json.h"
#include "fmt/format.h"

namespace sweep {

SchedulerState::SchedulerState(const SchedulerOptions& scheduler_options)
    : options(scheduler_options),
      effects(options.store, &events),
      no_grants_before(options.clock->Monotonic()) {}

void SchedulerState::AddSweep(const SweepRow& row, std::shared_ptr<const SweepSpec> spec) {
  options.specs->Keep(row, {.spec = spec});
  table.AddSweep(row, std::move(spec));
}

void SchedulerState::AdoptSweep(const SweepRow& row, std::shared_ptr<const SweepSpec> spec) {
  SweepEntry* sweep = table.FindSweep(row.id);
  if (sweep == nullptr) {
    if (HasEnded(row.state) || spec == nullptr) return;
    AddSweep(row, std::move(spec));
    return;
  }
  table.TakeDecisions(sweep, row);
  for (const auto& [number, trial] : sweep->trials) {
    if (trial.held()) table.MarkChanged(trial.row.worker);
  }
}

TrialEntry* SchedulerState::RestoreTrial(const SweepSpec& spec, const TrialRow& row,
                                         bool needs_json) {
  std::shared_ptr<const std::string> json;  // shared with answers
  if (needs_json) {
    absl::StatusOr<std::string> built = BuildTrialSpecJson(spec, row);
    if (!built.ok()) {
      effects.DeferLog(spdlog::level::err, fmt::format("trial not resumed reason={:?}",
                                                       std::string(built.status().message())));
      return nullptr;
    }
    json = std::make_shared<const std::string>(*std::move(built));
  }
  TrialEntry* const trial = table.Apply(row, Now() + options.lease_term);
  if (trial != nullptr) trial->spec_json = std::move(json);
  return trial;
}

void SchedulerState::ApplyReport(TrialRow row, const LeaseToken& token) {
  const std::int64_t sweep_id = row.sweep_id;
  if (const TrialEntry* const before = table.FindTrial(TrialKey{row.sweep_id, row.number})) {
    const int known = std::max(before->row.result.epoch, row.start_epoch);
    counted.epochs += std::max(0, row.result.epoch - known);
  }
  TrialEntry* const trial = table.Apply(std::move(row), Now() + options.lease_term);
  if (trial != nullptr && trial->held()) trial->secret = token.secret;
  EndIfDone(sweep_id);
  SignalEvents(sweep_id);
}

void SchedulerState::EndIfDone(std::int64_t sweep_id) {
  const SweepEntry* const sweep = table.FindSweep(sweep_id);
  if (sweep == nullptr) return;
  const std::string name = sweep->name;
  std::shared_ptr<const SweepSpec> spec = sweep->spec;  // outlives the entry
  if (!table.RemoveIfEnded(sweep_id)) return;
  options.specs->Release(sweep_id);
  effects.DeferLog(spdlog::level::info, fmt::format("sweep completed sweep={}", name));
  ended.Add(name, std::move(spec));
}

}  // namespace sweep
