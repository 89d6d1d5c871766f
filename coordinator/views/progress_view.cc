// The progress of running trials.

#include <algorithm>
#include <map>
#include <utility>

#include "coordinator/store/queries.h"
#include "coordinator/views/fitting_rows.h"
#include "coordinator/views/time_left.h"
#include "coordinator/views/view_context.h"

namespace sweep {
namespace {

// `message` is empty when the trainer has not reported within this epoch.
documents::ProgressRow DescribeProgress(const TrialRow& trial, const Objective& objective,
                                        const ProgressMessage& message, absl::Time now) {
  const int done = std::max(trial.result.epoch, trial.start_epoch);
  const int epoch = std::max(message.epoch, std::min(done + 1, trial.epochs));
  const bool is_known = message.epoch == epoch && message.steps > 0;
  const double within = is_known ? static_cast<double>(message.step) / message.steps : 0;
  const double share = trial.ShareAfter(epoch - 1 + within);
  documents::ProgressRow row;
  row.set_trial(trial.number);
  row.set_epoch(epoch);
  row.set_epochs(trial.epochs);
  if (is_known) {
    row.set_step(message.step);
    row.set_steps(message.steps);
    row.set_loss(message.loss);
  }
  if (message.images_per_second > 0) row.set_images_per_second(message.images_per_second);
  row.set_best(trial.result.Best(objective));
  row.set_worker(trial.worker);
  // The time left is unknown before the trial has done anything.
  if (share > 0) {
    row.set_seconds_left(absl::ToDoubleSeconds(trial.AttemptTime(now)) * (1 - share) / share);
  }
  *row.mutable_parameters() = NamedValues(trial.parameters);
  row.set_model(trial.model);
  return row;
}

}  // namespace

absl::StatusOr<documents::ProgressView> ProgressDocument(const ViewContext& context,
                                                         const SweepRow& sweep) {
  Store* const store = context.options.store;
  const absl::Time now = context.options.clock->Now();
  std::map<std::int64_t, ProgressMessage> messages;
  for (TrialProgress& item : context.options.scheduler->insight().Progress(sweep.name)) {
    messages[item.number] = std::move(item.message);
  }
  const absl::StatusOr<StoredSpec> stored = context.options.specs->Show(sweep);
  if (!stored.ok()) return stored.status();
  const Objective& objective = stored->spec->objective();
  documents::ProgressView view;
  FittingRows rows(view);
  for (const TrialState state : {TrialState::kRunning, TrialState::kLeased}) {
    const absl::StatusOr<std::vector<TrialRow>> trials =
        store->Read(SelectTrials, {.sweep = sweep.name, .state = state, .limit = kMaxRunning});
    if (!trials.ok()) return trials.status();
    for (const TrialRow& trial : *trials) {
      documents::ProgressRow row = DescribeProgress(trial, objective, messages[trial.number], now);
      if (!rows.Add(row)) break;
      *view.add_progress() = std::move(row);
    }
  }
  return view;
}

}  // namespace sweep
