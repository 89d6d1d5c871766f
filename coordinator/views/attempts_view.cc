// The ledger of a sweep: every lease that was ever granted on one of its trials.

#include "coordinator/views/view_context.h"

namespace sweep {
namespace {

constexpr int kMaxRows = 200;
constexpr std::size_t kMaxReasonBytes = 300;

Json AttemptJson(const TimedAttempt& item) {
  const AttemptRow& attempt = item.attempt;
  return {{"trial", item.number},
          {"attempt", attempt.attempt},
          {"worker", attempt.worker},
          {"start_time", TimeJson(attempt.started)},
          {"end_time", TimeJson(attempt.ended)},
          {"outcome", attempt.outcome},
          {"reason", Shortened(attempt.reason, kMaxReasonBytes)}};
}

}  // namespace

absl::StatusOr<Json> AttemptsDocument(const ViewContext& context, const SweepRow& sweep,
                                      const ViewQuery& query) {
  const absl::StatusOr<std::int64_t> offset = query.Int("offset", 0, 0, INT64_MAX / 2);
  if (!offset.ok()) return offset.status();
  const absl::StatusOr<std::int64_t> limit = query.Int("limit", 50, 1, kMaxRows);
  if (!limit.ok()) return limit.status();
  const absl::StatusOr<AttemptPage> page =
      context.options.store->ListAttemptsOf(sweep.id, *offset, static_cast<int>(*limit));
  if (!page.ok()) return page.status();
  Json rows = Json::array();
  for (const TimedAttempt& item : page->attempts) rows.push_back(AttemptJson(item));
  return Json{{"rows", rows}, {"total", page->total}};
}

}  // namespace sweep
