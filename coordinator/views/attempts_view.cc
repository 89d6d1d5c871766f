// The ledger of a sweep: every lease that was ever granted on one of its trials.

#include "coordinator/store/queries.h"
#include "coordinator/views/attempt_outcome.h"
#include "coordinator/views/view_context.h"

namespace sweep {
namespace {

Json AttemptJson(const TimedAttempt& item) {
  const AttemptRow& attempt = item.attempt;
  return {{"trial", item.number},
          {"attempt", attempt.attempt},
          {"worker", attempt.worker},
          {"start_time", TimeJson(attempt.started)},
          {"end_time", TimeJson(attempt.ended)},
          {"outcome", ShownOutcome(attempt)},
          {"reason", Shortened(attempt.reason, kMaxReasonBytes)}};
}

}  // namespace

absl::StatusOr<Json> AttemptsDocument(const ViewContext& context, const SweepRow& sweep,
                                      const ViewQuery& query) {
  const absl::StatusOr<PageRange> range = query.Page();
  if (!range.ok()) return range.status();
  const absl::StatusOr<AttemptPage> page = context.options.store->Read(
      SelectAttemptsOf, sweep.id, range->offset, static_cast<int>(range->limit));
  if (!page.ok()) return page.status();
  Json rows = Json::array();
  for (const TimedAttempt& item : page->attempts) rows.push_back(AttemptJson(item));
  return Json{{"rows", rows}, {"total", page->total}};
}

}  // namespace sweep
