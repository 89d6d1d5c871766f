#include "cli/help/suggestions.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "absl/strings/numbers.h"
#include "cli/calls.h"
#include "cli/present/present.h"
#include "common/base/nearest.h"
#include "common/stats/measure_field.h"
#include "proto/names.h"

namespace sweep::cli {
namespace {

absl::Status With(const absl::Status& status, const std::string& more) {
  return absl::Status(status.code(), fmt::format("{}{}", std::string(status.message()), more));
}

// True when the sweep will create the trial "s/30" later.
bool IsNotMadeYet(const std::string& trial, const v1::Sweep& sweep) {
  std::int64_t number = 0;
  const std::size_t slash = trial.find('/');
  if (slash == std::string::npos || !absl::SimpleAtoi(trial.substr(slash + 1), &number)) {
    return false;
  }
  const bool goes_on =
      sweep.state() == v1::SWEEP_STATE_ACTIVE || sweep.state() == v1::SWEEP_STATE_PAUSED;
  return goes_on && number > MadeTrials(sweep.counts()) &&
         number <= std::max(sweep.planned_trials(), sweep.most_trials());
}

}  // namespace

absl::Status WithNearestSweep(Connection& connection, const absl::Status& status,
                              const std::string& name) {
  if (!absl::IsNotFound(status)) return status;
  const absl::StatusOr<std::vector<v1::Sweep>> sweeps = ListSweeps(connection, /*archived=*/true);
  if (!sweeps.ok()) return status;
  const std::string shown = ShortName(name);
  const std::string sweep_name = shown.substr(0, shown.find('/'));
  std::vector<std::string> names;
  for (const v1::Sweep& sweep : *sweeps) {
    names.push_back(ShortName(sweep.name()));
    if (names.back() != sweep_name) continue;
    const std::int64_t made = MadeTrials(sweep.counts());
    if (made > 0 && IsNotMadeYet(shown, sweep)) {
      return absl::NotFoundError(fmt::format(
          "trial {} is not made yet: sweep {} has trials 1 to {} of {}, and makes more as workers "
          "take them",
          shown, sweep_name, made, std::max(sweep.planned_trials(), sweep.most_trials())));
    }
    return With(status, made == 0 ? "; its first trials are being made"
                                  : fmt::format("; sweep {} has trials 1 to {}", sweep_name, made));
  }
  if (names.empty()) return With(status, "; there are no sweeps yet");
  return With(status, DidYouMean(sweep_name, names));
}

absl::Status WithNearestWorker(Connection& connection, const absl::Status& status,
                               const std::string& name) {
  if (!absl::IsNotFound(status)) return status;
  const absl::StatusOr<std::vector<v1::Worker>> workers = ListWorkers(connection);
  if (!workers.ok()) return status;
  std::vector<std::string> names;
  for (const v1::Worker& worker : *workers) names.push_back(ShortName(worker.name()));
  if (names.empty()) return With(status, "; no worker has ever connected");
  return With(status, DidYouMean(ShortName(name), names));
}

const std::vector<std::string>& SortKeys() {
  static const auto* const keys = [] {
    auto* const all = new std::vector<std::string>{"number", "best", "epochs_to_target"};
    for (const std::string& field : PredefinedMeasureFields()) all->push_back(field);
    return all;
  }();
  return *keys;
}

absl::Status WithNearestSortKey(Connection& connection, const absl::Status& status,
                                const std::string& sweep, const std::string& key) {
  if (!absl::IsInvalidArgument(status) || key.empty()) return status;
  std::vector<std::string> keys = SortKeys();
  const absl::StatusOr<std::vector<v1::Trial>> first = ListTrials(connection, sweep, {.limit = 1});
  if (!first.ok()) return status;
  for (const v1::Trial& trial : *first) {
    for (const auto& [name, value] : trial.parameters()) keys.push_back(name);
    for (const auto& [name, summary] : trial.measures()) {
      for (const char* const part : {"best.", "last."}) keys.push_back(part + name);
    }
  }
  return With(status, DidYouMean(key.substr(key.starts_with("-") ? 1 : 0), keys));
}

}  // namespace sweep::cli
