// What runs, and how far it is.

#include <algorithm>
#include <map>

#include "coordinator/store/queries.h"
#include "coordinator/views/fitting_rows.h"
#include "coordinator/views/time_left.h"
#include "coordinator/views/view_context.h"

namespace sweep {
namespace {

// How long a trial still takes if it goes on as fast; null before it has done anything.
Json SecondsLeftJson(const TrialRow& trial, double share_done, absl::Time now) {
  if (share_done <= 0) return nullptr;
  return RoundedJson(absl::ToDoubleSeconds(trial.AttemptTime(now)) * (1 - share_done) / share_done);
}

// `message` is empty where the trainer has said nothing within its epoch.
Json ProgressRowJson(const TrialRow& trial, const Objective& objective,
                     const ProgressMessage& message, absl::Time now) {
  const int epoch = std::max(message.epoch, std::min(trial.result.epoch + 1, trial.epochs));
  const bool is_known = message.epoch == epoch && message.steps > 0;
  const double within = is_known ? static_cast<double>(message.step) / message.steps : 0;
  const double share = trial.epochs > 0 ? std::min(1.0, (epoch - 1 + within) / trial.epochs) : 0;
  return {{"trial", trial.number},
          {"epoch", epoch},
          {"epochs", trial.epochs},
          {"step", is_known ? message.step : 0},
          {"steps", is_known ? message.steps : 0},
          {"loss", is_known ? NumberJson(message.loss) : Json(nullptr)},
          {"images_per_second",
           message.images_per_second > 0 ? NumberJson(message.images_per_second) : Json(nullptr)},
          {"best", NumberJson(trial.result.Best(objective))},
          {"worker", trial.worker},
          {"seconds_left", SecondsLeftJson(trial, share, now)},
          {"parameters", ParametersJson(trial.parameters)},
          {"model", trial.model}};
}

}  // namespace

absl::StatusOr<Json> ProgressDocument(const ViewContext& context, const SweepRow& sweep) {
  Store* const store = context.options.store;
  const absl::Time now = context.options.clock->Now();
  std::map<std::int64_t, ProgressMessage> messages;
  for (TrialProgress& item : context.options.scheduler->insight().Progress(sweep.name)) {
    messages[item.number] = std::move(item.message);
  }
  const absl::StatusOr<StoredSpec> stored = context.options.specs->Show(sweep);
  if (!stored.ok()) return stored.status();
  const Objective& objective = stored->spec->objective();
  Json document = {{"progress", Json::array()}};
  FittingRows rows(document);
  for (const TrialState state : {TrialState::kRunning, TrialState::kLeased}) {
    const absl::StatusOr<std::vector<TrialRow>> trials =
        store->Read(SelectTrials, {.sweep = sweep.name, .state = state, .limit = kMaxRunning});
    if (!trials.ok()) return trials.status();
    for (const TrialRow& trial : *trials) {
      if (!rows.Add(ProgressRowJson(trial, objective, messages[trial.number], now))) break;
    }
  }
  document["progress"] = rows.Take();
  return document;
}

}  // namespace sweep
