// The list of all attempts of a sweep's trials.

#include "common/base/utf8.h"
#include "coordinator/store/queries.h"
#include "coordinator/views/attempt_outcome.h"
#include "coordinator/views/view_context.h"

namespace sweep {

documents::Attempt DescribeAttempt(const AttemptRow& attempt, std::size_t reason_bytes) {
  documents::Attempt made;
  made.set_attempt(attempt.attempt);
  made.set_worker(attempt.worker);
  made.set_start_time(TimeText(attempt.started));
  if (attempt.ended) made.set_end_time(TimeText(*attempt.ended));
  made.set_outcome(OutcomeWord(attempt));
  made.set_reason(Shortened(attempt.reason, reason_bytes));
  return made;
}

absl::StatusOr<documents::AttemptsView> AttemptsDocument(const ViewContext& context,
                                                         const SweepRow& sweep,
                                                         const ViewQuery& query) {
  const absl::StatusOr<PageRange> range = query.Page();
  if (!range.ok()) return range.status();
  const absl::StatusOr<AttemptPage> page = context.options.store->Read(
      SelectAttemptsOf, sweep.id, range->offset, static_cast<int>(range->limit));
  if (!page.ok()) return page.status();
  documents::AttemptsView view;
  for (const TimedAttempt& item : page->attempts) {
    documents::AttemptRow* const row = view.add_rows();
    row->set_trial(item.number);
    *row->mutable_attempt() = DescribeAttempt(item.attempt, kMaxReasonBytes);
  }
  view.set_total(page->total);
  return view;
}

}  // namespace sweep
