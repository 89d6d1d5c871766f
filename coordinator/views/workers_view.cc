// Documents of workers and of what ran where.

#include <algorithm>

#include "coordinator/store/queries.h"
#include "coordinator/views/attempt_outcome.h"
#include "coordinator/views/view_context.h"
#include "fmt/format.h"

namespace sweep {
namespace {

constexpr std::size_t kMaxWorkers = 500;
constexpr std::size_t kMaxTrials = 64;
constexpr std::size_t kMaxOtherData = 16;
constexpr std::int64_t kMaxMinutes = 10080;
constexpr int kMaxSpans = 2000;

std::string_view StateOf(const WorkerInfo& worker) {
  if (!worker.connected) return "lost";
  if (worker.draining) return "draining";
  return worker.put_aside ? "put aside" : "connected";
}

Json WorkerJson(const WorkerInfo& worker) {
  std::vector<std::string> trials = worker.trials;
  if (trials.size() > kMaxTrials) trials.resize(kMaxTrials);
  Json put_aside;
  if (worker.put_aside) {
    put_aside = {{"failures", worker.put_aside->failures},
                 {"reason", worker.put_aside->reason},
                 {"until_time", TimeJson(worker.put_aside->until)}};
  }
  Json other_data = Json::array();
  for (const OtherData& data : worker.other_data) {
    if (other_data.size() == kMaxOtherData) break;
    other_data.push_back({{"sweep", data.sweep},
                          {"data_sha256", data.sha256},
                          {"path", data.place},
                          {"sweep_data_sha256", data.sweep_sha256}});
  }
  const WorkerDescription& description = worker.description;
  return {{"worker", worker.name},
          {"state", StateOf(worker)},
          {"host", description.host},
          {"pid", description.pid},
          {"slots", description.slots},
          {"devices", description.devices},
          {"build", description.build},
          {"labels", description.labels},
          {"images_per_second", NumberJson(worker.images_per_second)},
          {"completed", worker.completed},
          {"failed", worker.failed},
          {"trials", trials},
          {"last_seen_time", TimeJson(worker.last_seen)},
          {"put_aside", put_aside},
          {"other_data", other_data}};
}

}  // namespace

Json WorkersDocument(const ViewContext& context) {
  Json rows = Json::array();
  for (const WorkerInfo& worker : context.options.scheduler->insight().Workers()) {
    if (rows.size() == kMaxWorkers) break;
    rows.push_back(WorkerJson(worker));
  }
  return {{"workers", rows}, {"now", TimeJson(context.options.clock->Now())}};
}

absl::StatusOr<Json> TimelineDocument(const ViewContext& context, const ViewQuery& query) {
  const absl::StatusOr<std::int64_t> minutes = query.Int("minutes", 60, 1, kMaxMinutes);
  if (!minutes.ok()) return minutes.status();
  const absl::Time now = context.options.clock->Now();
  const absl::Time from = now - absl::Minutes(*minutes);
  const absl::StatusOr<AttemptPage> page =
      context.options.store->Read(SelectAttemptsSince, from, kMaxSpans);
  if (!page.ok()) return page.status();
  Json spans = Json::array();
  for (const TimedAttempt& item : page->attempts) {
    spans.push_back({{"worker", item.attempt.worker},
                     {"trial", fmt::format("{}/{}", item.sweep, item.number)},
                     {"attempt", item.attempt.attempt},
                     {"start", TimeJson(item.attempt.started)},
                     {"end", TimeJson(item.attempt.ended)},
                     {"outcome", ShownOutcome(item.attempt)}});
  }
  const std::int64_t left_out = page->total - std::ssize(page->attempts);
  return Json{{"from", TimeJson(from)},
              {"to", TimeJson(now)},
              {"spans", spans},
              {"left_out", std::max<std::int64_t>(left_out, 0)}};
}

}  // namespace sweep
