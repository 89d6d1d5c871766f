// Workers and their attempts over time.

#include <algorithm>

#include "absl/strings/str_join.h"
#include "coordinator/store/queries.h"
#include "coordinator/views/attempt_outcome.h"
#include "coordinator/views/view_context.h"
#include "fmt/format.h"

namespace sweep {
namespace {

constexpr int kMaxWorkers = 500;
constexpr int kMaxTrials = 64;
constexpr int kMaxOtherData = 16;
constexpr std::int64_t kMaxMinutes = 10080;
constexpr int kMaxSpans = 2000;

documents::WorkerRow::State StateOf(const WorkerInfo& worker) {
  if (!worker.connected) return documents::WorkerRow::STATE_LOST;
  if (worker.draining) return documents::WorkerRow::STATE_DRAINING;
  return worker.put_aside ? documents::WorkerRow::STATE_PUT_ASIDE
                          : documents::WorkerRow::STATE_CONNECTED;
}

void Describe(const WorkerInfo& worker, documents::WorkerRow* row) {
  const WorkerDescription& description = worker.description;
  row->set_worker(worker.name);
  row->set_state(StateOf(worker));
  row->set_host(description.host);
  row->set_pid(description.pid);
  row->set_slots(description.slots);
  row->set_device(absl::StrJoin(description.devices, ", "));
  row->set_build(description.build);
  if (!worker.expected_build.empty()) row->set_expected_build(worker.expected_build);
  *row->mutable_labels() = NamedTexts(description.labels);
  row->set_images_per_second(worker.images_per_second);
  row->set_completed(worker.completed);
  row->set_failed(worker.failed);
  for (const std::string& trial : worker.trials) {
    if (row->trials_size() == kMaxTrials) break;
    row->add_trials(trial);
  }
  row->set_last_seen_time(TimeText(worker.last_seen));
  if (worker.put_aside) {
    documents::WorkerRow::PutAside* const put_aside = row->mutable_put_aside();
    put_aside->set_failures(worker.put_aside->failures);
    put_aside->set_reason(worker.put_aside->reason);
    put_aside->set_until_time(TimeText(worker.put_aside->until));
  }
  for (const OtherData& data : worker.other_data) {
    if (row->other_data_size() == kMaxOtherData) break;
    documents::WorkerRow::OtherData* const made = row->add_other_data();
    made->set_sweep(data.sweep);
    made->set_data_sha256(data.sha256);
    made->set_path(data.place);
    made->set_sweep_data_sha256(data.sweep_sha256);
  }
}

}  // namespace

documents::WorkersView WorkersDocument(const ViewContext& context) {
  documents::WorkersView view;
  for (const WorkerInfo& worker : context.options.scheduler->insight().Workers()) {
    if (view.workers_size() == kMaxWorkers) break;
    Describe(worker, view.add_workers());
  }
  view.set_now(TimeText(context.options.clock->Now()));
  return view;
}

absl::StatusOr<documents::TimelineView> TimelineDocument(const ViewContext& context,
                                                         const ViewQuery& query) {
  const absl::StatusOr<std::int64_t> minutes = query.Int("minutes", 60, 1, kMaxMinutes);
  if (!minutes.ok()) return minutes.status();
  const absl::Time now = context.options.clock->Now();
  const absl::Time from = now - absl::Minutes(*minutes);
  const absl::StatusOr<AttemptPage> page =
      context.options.store->Read(SelectAttemptsSince, from, kMaxSpans);
  if (!page.ok()) return page.status();
  documents::TimelineView view;
  view.set_from(TimeText(from));
  view.set_to(TimeText(now));
  for (const TimedAttempt& item : page->attempts) {
    documents::TimelineView::Span* const span = view.add_spans();
    span->set_worker(item.attempt.worker);
    span->set_trial(fmt::format("{}/{}", item.sweep, item.number));
    span->set_attempt(item.attempt.attempt);
    span->set_start(TimeText(item.attempt.started));
    if (item.attempt.ended) span->set_end(TimeText(*item.attempt.ended));
    span->set_outcome(OutcomeWord(item.attempt));
  }
  const std::int64_t left_out = page->total - std::ssize(page->attempts);
  view.set_left_out(std::max<std::int64_t>(left_out, 0));
  return view;
}

}  // namespace sweep
