// How the sweep desk replaces the file of a sweep.

#include <cstdint>
#include <optional>
#include <utility>

#include "coordinator/scheduler/once.h"
#include "coordinator/scheduler/sweep_desk.h"
#include "fmt/format.h"
#include "spdlog/spdlog.h"

namespace sweep {
namespace {

// The first time that a request is carried out.
absl::StatusOr<SweepRow> Edit(WriteTransaction& transaction, const EditRequest& request) {
  if (!request.plan.refusal().ok()) return request.plan.refusal();
  const absl::StatusOr<SweepRow> row = transaction.GetSweep(request.name);
  if (!row.ok()) return row.status();
  if (row->digest != request.plan.before_digest()) {
    return absl::AbortedError(
        fmt::format("the file of sweep '{}' was changed meanwhile; try again", row->name));
  }
  EditPlan plan = request.plan;
  if (plan.needs_points() && plan.counted() < row->configurations) {
    const absl::StatusOr<std::vector<MadePoint>> made =
        transaction.GetMadePoints(row->id, plan.counted() + 1, row->configurations);
    if (!made.ok()) return made.status();
    for (const MadePoint& one : *made) plan.Count(one);
  }
  const absl::StatusOr<std::int64_t> planned = plan.Planned(*row);
  if (!planned.ok()) return planned.status();
  return transaction.EditSweep({.spec = request.spec.get(),
                                .source = &request.source,
                                .replaces_sha256 = request.replaces_sha256,
                                .planned_configurations = *planned,
                                .keep_going = plan.keep_going()});
}

}  // namespace

void SweepDesk::EditSweep(const EditRequest& request, SweepCallback callback) {
  struct Result {
    SweepRow sweep;
    std::optional<SweepRow> edited;  // by this request, now
  };
  auto result = std::make_shared<Result>();  // shared by the write and its completion
  state_.effects.Write(
      [=](WriteTransaction& transaction) -> absl::Status {
        *result = {};  // of an earlier run
        const absl::Status status = Once(transaction, "edit", request.name, request.request_id,
                                         [&]() -> absl::StatusOr<std::int64_t> {
                                           absl::StatusOr<SweepRow> row =
                                               Edit(transaction, request);
                                           if (!row.ok()) return row.status();
                                           result->edited = *std::move(row);
                                           return result->edited->revision;
                                         })
                                        .status();
        if (!status.ok()) return status;
        absl::StatusOr<SweepRow> row = transaction.GetSweep(request.name);
        if (row.ok()) result->sweep = *std::move(row);
        return row.status();
      },
      [this, result, spec = request.spec, callback](const absl::Status& status) {
        if (!status.ok()) return callback(status);
        if (result->edited.has_value()) OnEdited(*result->edited, spec);
        callback(result->sweep);
      });
}

void SweepDesk::OnEdited(const SweepRow& row, std::shared_ptr<const SweepSpec> spec) {
  spdlog::info("sweep edited sweep={} revision={} configurations={} of={}", row.name, row.revision,
               row.configurations, row.planned_configurations);
  MutexLock lock(&state_.effects.mutex);
  state_.options.specs->Replace(row, {.spec = spec});
  state_.ended.Forget(row.name);
  SweepEntry* const sweep = state_.table.FindSweep(row.id);
  if (sweep != nullptr) {
    state_.table.TakeFile(sweep, row, std::move(spec));
    state_.EndIfDone(row.id);
  } else if (!HasEnded(row.state)) {
    state_.AddSweep(row, std::move(spec));
  } else {
    state_.ended.Add(row.name, std::move(spec));
  }
  state_.SignalEvents(row.id);
  leases_.React();
}

}  // namespace sweep
