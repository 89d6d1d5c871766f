// What runs, and how far it is.

#include <algorithm>
#include <map>

#include "absl/time/clock.h"
#include "coordinator/views/fitting_rows.h"
#include "coordinator/views/view_context.h"

namespace sweep {
namespace {

constexpr int kMaxRunning = 1000;

// How long a trial still takes if it goes on as fast; nullopt before it has done anything.
std::optional<double> TrialSecondsLeft(Store* store, const TrialRow& trial, double share_done) {
  if (share_done <= 0) return std::nullopt;
  const absl::StatusOr<std::vector<AttemptRow>> attempts =
      store->ListAttempts(trial.sweep, trial.number);
  if (!attempts.ok()) return std::nullopt;
  absl::Duration trained;
  for (const AttemptRow& attempt : *attempts) {
    trained += attempt.ended.value_or(absl::Now()) - attempt.started;
  }
  return absl::ToDoubleSeconds(trained) * (1 - share_done) / share_done;
}

// `message` is empty where the trainer has said nothing within its epoch.
Json ProgressRowJson(Store* store, const TrialRow& trial, const ProgressMessage& message) {
  const int epoch = std::max(message.epoch, std::min(trial.result.epoch + 1, trial.epochs));
  const bool is_known = message.epoch == epoch && message.steps > 0;
  const double within = is_known ? static_cast<double>(message.step) / message.steps : 0;
  const double share = trial.epochs > 0 ? std::min(1.0, (epoch - 1 + within) / trial.epochs) : 0;
  const std::optional<double> left = TrialSecondsLeft(store, trial, share);
  return {{"trial", trial.number},
          {"epoch", epoch},
          {"epochs", trial.epochs},
          {"step", is_known ? message.step : 0},
          {"steps", is_known ? message.steps : 0},
          {"loss", is_known ? NumberJson(message.loss) : Json(nullptr)},
          {"images_per_second",
           message.images_per_second > 0 ? NumberJson(message.images_per_second) : Json(nullptr)},
          {"best_accuracy", MeasuredJson(trial.result.epoch, trial.result.best_accuracy)},
          {"worker", trial.worker},
          {"seconds_left", left ? RoundedJson(*left) : Json(nullptr)},
          {"parameters", ParametersJson(trial.parameters)},
          {"model", trial.model}};
}

}  // namespace

absl::StatusOr<Json> ProgressDocument(const ViewContext& context, const SweepRow& sweep) {
  Store* const store = context.options.store;
  std::map<std::int64_t, ProgressMessage> messages;
  for (TrialProgress& item : context.options.scheduler->Progress(sweep.name)) {
    messages[item.number] = std::move(item.message);
  }
  Json document = {{"progress", Json::array()}};
  FittingRows rows(document);
  for (const TrialState state : {TrialState::kRunning, TrialState::kLeased}) {
    const absl::StatusOr<std::vector<TrialRow>> trials =
        store->ListTrials({.sweep = sweep.name, .state = state, .limit = kMaxRunning});
    if (!trials.ok()) return trials.status();
    for (const TrialRow& trial : *trials) {
      if (!rows.Add(ProgressRowJson(store, trial, messages[trial.number]))) break;
    }
  }
  document["progress"] = rows.Take();
  return document;
}

}  // namespace sweep
