#include "coordinator/scheduler/edit_plan.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "absl/strings/str_join.h"
#include "common/base/counted.h"
#include "common/spec/known_points.h"
#include "common/spec/sweep_edit.h"
#include "coordinator/search/point_identity.h"
#include "coordinator/search/search_start.h"
#include "fmt/format.h"

namespace sweep {
namespace {

constexpr std::int64_t kNoCap = std::numeric_limits<std::int64_t>::max();

}  // namespace

EditPlan EditPlan::Refused(absl::Status refusal) {
  EditPlan plan;
  plan.refusal_ = std::move(refusal);
  return plan;
}

absl::StatusOr<EditPlan> EditPlan::Make(Store* store, const SweepRow& row,
                                        std::shared_ptr<const SweepSpec> before,
                                        std::shared_ptr<const SweepSpec> after) {
  EditPlan plan;
  plan.before_ = std::move(before);
  plan.after_ = std::move(after);
  const std::vector<std::string> refusals = EditRefusals(*plan.before_, *plan.after_);
  if (!refusals.empty()) {
    plan.refusal_ = absl::FailedPreconditionError(fmt::format(
        "sweep '{}' cannot be changed so:\n  {}", row.name, absl::StrJoin(refusals, "\n  ")));
    return plan;
  }
  if (!plan.needs_points()) return plan;
  absl::Status counted = ReadMadePoints(store, row.id, 1, row.configurations,
                                        [&](const MadePoint& made) { plan.Count(made); });
  if (!counted.ok()) return counted;
  return plan;
}

void EditPlan::Count(const MadePoint& made) {
  ++counted_;
  const absl::StatusOr<ParameterMap> point = PointIn(*after_, made.chosen, made.trained);
  if (!point.ok()) return;
  const auto allowed = after_->CompleteIfAllowed(counted_, *point);
  if (allowed.ok() && allowed->has_value()) inside_.insert(PointIdentity(*point));
}

std::optional<bool> EditPlan::keep_going() const {
  if (before_->keep_going == after_->keep_going) return std::nullopt;
  return after_->keep_going;
}

absl::Status EditPlan::CheckRule(const SweepRow& row) const {
  const std::optional<EarlyTerminate>&rule = before_->early_terminate,
        &other = after_->early_terminate;
  if (!rule || !rule->Holds() || (other && other->Canonical() == rule->Canonical())) {
    return absl::OkStatus();
  }
  // Their target epochs are that rule's; nobody else would promote them.
  const std::int64_t open = row.counts.pending + row.counts.running + row.counts.on_hold;
  if (open == 0) return absl::OkStatus();
  return absl::FailedPreconditionError(fmt::format(
      "sweep '{}' cannot be changed so:\n  early_terminate: {} that {} not ended wait{} "
      "for promotion by the present rule",
      row.name, Counted(open, "trial"), open == 1 ? "has" : "have", open == 1 ? "s" : ""));
}

absl::StatusOr<std::int64_t> EditPlan::Planned(const SweepRow& row) const {
  if (absl::Status rule = CheckRule(row); !rule.ok()) return rule;
  std::int64_t planned = after_->run_cap > 0 ? after_->run_cap : kNoCap;
  // A sweep that was extended keeps that while the file says what it said.
  const bool is_extended = row.planned_configurations > before_->run_cap;
  if (planned == before_->run_cap && is_extended) planned = row.planned_configurations;
  if (planned < row.configurations) {
    return absl::FailedPreconditionError(
        fmt::format("sweep '{}' cannot be changed so:\n  run_cap: {} is less than the {} "
                    "configurations that it has made",
                    row.name, planned, row.configurations));
  }
  if (!needs_points()) return planned;
  return std::min(planned, row.configurations + *after_->points - std::ssize(inside_));
}

}  // namespace sweep
