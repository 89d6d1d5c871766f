#include "coordinator/api/watch.h"

#include <pthread.h>

#include <charconv>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "coordinator/api/convert.h"
#include "coordinator/api/reactors.h"
#include "coordinator/api/sweep_service.h"
#include "coordinator/store/queries.h"
#include "fmt/format.h"
#include "proto/names.h"

namespace sweep {
namespace {

constexpr int kPageSize = 200;
constexpr std::size_t kMaxWatches = 1000;

using Messages = std::deque<v1::WatchSweepResponse>;
using Stream = grpc::ServerWriteReactor<v1::WatchSweepResponse>;

absl::StatusOr<std::int64_t> ParseCursor(const std::string& cursor) {
  std::int64_t sequence = 0;
  const char* const end = cursor.data() + cursor.size();
  const auto [stop, error] = std::from_chars(cursor.data(), end, sequence);
  if (cursor.empty()) return 0;
  if (error != std::errc() || stop != end || sequence < 0) {
    return absl::InvalidArgumentError(
        fmt::format("cursor '{}' did not come from this stream", CutText(cursor, 64)));
  }
  return sequence;
}

}  // namespace

// One stream. At any time a write is pending (`writing_`), or the hub's thread may look for events
// (Pump), or the stream has finished. Whoever sets `finished_` calls Finish, so that it happens
// once although the client's cancellation, the end of the sweep and the server's shutdown race for
// it.
class WatchReactor final : public Stream, public std::enable_shared_from_this<WatchReactor> {
 public:
  WatchReactor(WatchHub* hub, std::string sweep, std::int64_t cursor, bool wants_progress)
      : hub_(hub),
        sweep_name_(std::move(sweep)),
        wants_progress_(wants_progress),
        cursor_(cursor) {}

  void OnSignal(EventBus::Signal signal) ABSL_LOCKS_EXCLUDED(mutex_) {
    {
      MutexLock lock(&mutex_);
      if (finished_ || (signal == EventBus::Signal::kProgress && !wants_progress_)) return;
      progress_is_due_ |= signal == EventBus::Signal::kProgress;
      if (writing_) return;  // OnWriteDone enqueues it again
    }
    hub_->Enqueue(shared_from_this());
  }

  // Runs on the hub's thread.
  void Pump() ABSL_LOCKS_EXCLUDED(mutex_) {
    bool send_progress = false;
    {
      MutexLock lock(&mutex_);
      if (finished_ || writing_) return;
      send_progress = std::exchange(progress_is_due_, false);
    }
    bool ended = false;
    const absl::Status found = Subscribe();
    absl::StatusOr<Messages> page = found.ok() ? ReadPage(send_progress, &ended) : found;
    const bool is_last = !page.ok() || (page->empty() && ended);
    {
      MutexLock lock(&mutex_);
      if (finished_) return;
      if (!is_last && page->empty()) return;  // a signal enqueues it again
      finished_ = is_last;
      writing_ = !is_last;
      if (writing_) page_ = *std::move(page);
    }
    if (is_last) {
      Finish(ToGrpcStatus(page.status()));
    } else {
      StartWrite(&page_.front());
    }
  }

  // Ends the stream with `status` once no write is pending.
  void End(const absl::Status& status) ABSL_LOCKS_EXCLUDED(mutex_) {
    {
      MutexLock lock(&mutex_);
      if (finished_) return;
      end_status_ = status;
      if (writing_) return;  // OnWriteDone ends it
      finished_ = true;
    }
    Finish(ToGrpcStatus(status));
  }

  void OnWriteDone(bool ok) override ABSL_LOCKS_EXCLUDED(mutex_) {
    std::optional<absl::Status> end;
    bool more = false;
    {
      MutexLock lock(&mutex_);
      page_.pop_front();
      end = end_status_;
      if (!ok && !end.has_value()) end = absl::CancelledError("the client is gone");
      more = !end.has_value() && !page_.empty();
      writing_ = more;
      finished_ = end.has_value();
    }
    if (end.has_value()) {
      Finish(ToGrpcStatus(*end));
    } else if (more) {
      StartWrite(&page_.front());
    } else {
      hub_->Enqueue(shared_from_this());
    }
  }

  void OnCancel() override { End(absl::CancelledError("the client is gone")); }

  void OnDone() override {
    std::uint64_t subscription = 0;
    {
      MutexLock lock(&mutex_);
      subscription = subscription_;
      is_done_ = true;
    }
    if (subscription != 0) hub_->scheduler_->events().Unsubscribe(subscription);
    hub_->Remove(this);
  }

 private:
  // Looks up the sweep's name once. Subscribes to its events before reading them, so that no event
  // is missed.
  absl::Status Subscribe() {
    if (sweep_id_ != 0) return absl::OkStatus();
    const absl::StatusOr<SweepRow> sweep = hub_->store_->Read(FindSweep, sweep_name_);
    if (!sweep.ok()) return sweep.status();
    sweep_id_ = sweep->id;
    const std::uint64_t subscription = hub_->scheduler_->events().Subscribe(
        sweep_id_, [weak = weak_from_this()](EventBus::Signal signal) {
          const std::shared_ptr<WatchReactor> watch = weak.lock();
          if (watch != nullptr) watch->OnSignal(signal);
        });
    {
      MutexLock lock(&mutex_);
      subscription_ = subscription;
      if (!is_done_) return absl::OkStatus();
    }
    hub_->scheduler_->events().Unsubscribe(subscription);  // OnDone was called before
    return absl::CancelledError("the client is gone");
  }

  // The next events and, after the last one, the progress. Sets `*ended` when the sweep has ended
  // and no events can follow these.
  absl::StatusOr<Messages> ReadPage(bool send_progress, bool* ended) {
    const absl::StatusOr<SweepRow> sweep = hub_->store_->Read(FindSweepById, sweep_id_);
    if (absl::IsNotFound(sweep.status())) {
      return absl::NotFoundError(fmt::format("sweep '{}' was deleted", sweep_name_));
    }
    if (!sweep.ok()) return sweep.status();
    sweep_name_ = sweep->name;
    *ended = HasEnded(sweep->state);
    const absl::StatusOr<std::vector<EventRow>> events =
        hub_->store_->Read(SelectEvents, sweep_id_, cursor_, kPageSize);
    if (!events.ok()) return events.status();
    Messages messages;
    for (const EventRow& event : *events) {
      absl::StatusOr<v1::WatchSweepResponse> message = Describe(*sweep, event);
      if (!message.ok()) return message.status();
      messages.push_back(*std::move(message));
      cursor_ = event.sequence;
    }
    // A trainer may report no progress; an epoch or the end of a trial is news too.
    send_progress = wants_progress_ && (send_progress || !messages.empty());
    if (!send_progress || *ended || std::ssize(messages) == kPageSize) return messages;
    absl::StatusOr<v1::WatchSweepResponse> progress = DescribeProgress(*sweep);
    if (!progress.ok()) return progress.status();
    messages.push_back(*std::move(progress));
    return messages;
  }

  // Describes the sweep or trial as it is after the event or later. A row read before the event
  // would be the last message about a sweep that has ended meanwhile.
  absl::StatusOr<v1::WatchSweepResponse> Describe(const SweepRow& sweep, const EventRow& event) {
    v1::WatchSweepResponse message;
    message.set_cursor(std::to_string(event.sequence));
    *message.mutable_time() = ToProto(event.time);
    if (event.kind == "epoch") {
      message.mutable_epoch()->set_trial(TrialResource(sweep_name_, event.number));
      *message.mutable_epoch()->mutable_epoch() =
          ToProto(EpochRow{.attempt = event.attempt,
                           .metrics = {.epoch = event.epoch, .values = event.values},
                           .reported = event.time});
    } else if (event.kind == "trial") {
      const absl::StatusOr<StoredSpec> stored = hub_->specs_->Show(sweep);
      if (!stored.ok()) return stored.status();
      const absl::StatusOr<TrialRow> trial = hub_->store_->Read(FindTrialById, event.trial_id);
      if (!trial.ok()) return trial.status();
      *message.mutable_trial() = ToProto(*trial, *stored->spec);
    } else {
      const absl::StatusOr<SweepRow> now = hub_->store_->Read(FindSweepById, sweep_id_);
      if (!now.ok()) return now.status();
      absl::StatusOr<v1::Sweep> described = hub_->Describe(*now);
      if (!described.ok()) return described.status();
      *message.mutable_sweep() = *std::move(described);
    }
    return message;
  }

  absl::StatusOr<v1::WatchSweepResponse> DescribeProgress(const SweepRow& sweep) {
    v1::WatchSweepResponse message;
    *message.mutable_time() = ToProto(absl::Now());
    for (const TrialProgress& item : hub_->scheduler_->insight().Progress(sweep_name_)) {
      *message.mutable_progress()->add_progress() = ToProto(item);
    }
    absl::StatusOr<v1::Sweep> described = hub_->Describe(sweep);
    if (!described.ok()) return described.status();
    *message.mutable_progress()->mutable_sweep() = *std::move(described);
    return message;
  }

  WatchHub* const hub_;
  std::int64_t sweep_id_ = 0;  // used by the hub's thread; 0: not looked up yet
  std::string sweep_name_;     // likewise; the sweep may be renamed
  const bool wants_progress_;
  std::int64_t cursor_;  // used by the hub's thread
  Mutex mutex_;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  bool progress_is_due_ ABSL_GUARDED_BY(mutex_) = false;
  bool is_done_ ABSL_GUARDED_BY(mutex_) = false;
  std::uint64_t subscription_ ABSL_GUARDED_BY(mutex_) = 0;  // 0: not subscribed
  std::optional<absl::Status> end_status_ ABSL_GUARDED_BY(mutex_);
  Messages page_;  // used by the thread that set writing_, then by OnWriteDone
};

WatchHub::WatchHub(Store* store, Scheduler* scheduler, SpecCache* specs, TimeLeft* time_left)
    : store_(store), scheduler_(scheduler), specs_(specs), time_left_(time_left), thread_([this] {
        PumpThread();
      }) {}

WatchHub::~WatchHub() {
  Stop();
  {
    MutexLock lock(&mutex_);
    ending_ = true;
    wake_.NotifyAll();
  }
  thread_.join();
}

Stream* WatchHub::Open(grpc::CallbackServerContext* context, const v1::WatchSweepRequest& request) {
  const absl::StatusOr<std::string> name = ParseSweepResource(request.name());
  if (!name.ok()) return new RefusedStream<Stream>(context, name.status());
  const absl::StatusOr<std::int64_t> cursor = ParseCursor(request.cursor());
  if (!cursor.ok()) return new RefusedStream<Stream>(context, cursor.status());
  auto watch = std::make_shared<WatchReactor>(this, *name, *cursor, request.progress());
  absl::Status refusal;
  {
    MutexLock lock(&mutex_);
    if (stopped_) {
      refusal = absl::UnavailableError("the coordinator is shutting down");
    } else if (open_.size() >= kMaxWatches) {
      refusal = absl::ResourceExhaustedError(
          fmt::format("{} watchers are connected; no more are possible", kMaxWatches));
    } else {
      open_[watch.get()] = watch;
    }
  }
  if (!refusal.ok()) return new RefusedStream<Stream>(context, refusal);
  WatchReactor* const stream = watch.get();
  Enqueue(std::move(watch));
  return stream;
}

void WatchHub::Stop() {
  std::vector<std::shared_ptr<WatchReactor>> watches;
  {
    MutexLock lock(&mutex_);
    stopped_ = true;
    for (const auto& [pointer, watch] : open_) watches.push_back(watch);
  }
  for (const auto& watch : watches) {
    watch->End(absl::UnavailableError("the coordinator is shutting down"));
  }
}

void WatchHub::Enqueue(std::shared_ptr<WatchReactor> watch) {
  MutexLock lock(&mutex_);
  if (!queued_.insert(watch.get()).second) return;
  queue_.push_back(std::move(watch));
  wake_.NotifyAll();
}

void WatchHub::Remove(WatchReactor* watch) {
  std::shared_ptr<WatchReactor> last;  // destroyed after the lock is released
  MutexLock lock(&mutex_);
  const auto found = open_.find(watch);
  if (found == open_.end()) return;
  last = std::move(found->second);
  open_.erase(found);
}

absl::StatusOr<v1::Sweep> WatchHub::Describe(const SweepRow& sweep) {
  return DescribeSweep(sweep, store_, specs_, time_left_);
}

void WatchHub::PumpThread() {
  pthread_setname_np(pthread_self(), "watch");
  while (true) {
    std::shared_ptr<WatchReactor> watch;
    {
      MutexLock lock(&mutex_);
      while (queue_.empty() && !ending_) wake_.Wait(&mutex_);
      if (ending_) return;
      watch = std::move(queue_.front());
      queue_.pop_front();
      queued_.erase(watch.get());
    }
    watch->Pump();
  }
}

}  // namespace sweep
