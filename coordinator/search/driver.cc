#include "coordinator/search/driver.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

#include "coordinator/search/search_ends.h"
#include "coordinator/search/search_race.h"
#include "coordinator/search/search_suggestions.h"

namespace sweep {
namespace {

// One is left to methods that do not learn, and another one to models that are not slow.
constexpr int kThreads = 4, kForLearning = 3, kForSlow = 2;
// Trials may change several thousand times a second; one plan answers all changes of this time.
constexpr absl::Duration kPlanInterval = absl::Milliseconds(2);

}  // namespace

SearchDriver::SearchDriver(const Options& options, Host host)
    : core_{.options = options, .host = std::move(host)} {}

void SearchDriver::StartThreads() {
  for (int i = 0; i < kThreads; ++i) {
    threads_.emplace_back([this](const std::stop_token& stop) { Loop(stop); });
  }
  threads_.emplace_back([this](const std::stop_token& stop) { stand_ins_.Loop(stop); });
}

void SearchDriver::Wake() {
  MutexLock lock(&core_.mutex);
  core_.Want();
}

void SearchDriver::Stop() {
  for (std::jthread& thread : threads_) thread.request_stop();
  {
    MutexLock lock(&core_.mutex);
    core_.wake.NotifyAll();
    stand_ins_.Wake();
  }
  threads_.clear();  // joins
}

std::string SearchDriver::WaitsFor(std::int64_t sweep_id) const {
  MutexLock lock(&core_.mutex);
  const DrivenSweep::Shared* const shared = core_.Find(sweep_id);
  return shared == nullptr ? "" : shared->waits_for.value_or("");
}

bool SearchDriver::Turn() {
  const std::vector<SearchJob> jobs = planner_.Plan();
  for (const SearchJob& job : jobs) Run(job);
  return !jobs.empty();
}

std::deque<SearchDriver::Waiting>::iterator SearchDriver::NextJob() {
  return std::find_if(queue_.begin(), queue_.end(), [this](const Waiting& one) {
    core_.mutex.AssertHeld();
    if (core_.Of(*one.job.sweep).stands_in) return false;  // until that is stored
    return (!one.learns || learning_ < kForLearning) && (!one.is_slow || slow_ < kForSlow);
  });
}

void SearchDriver::Enqueue(SearchJob job) {
  const bool learns = job.sweep->spec->method->learns;
  const bool is_slow = core_.Of(*job.sweep).is_slow;
  // No slot waits for a thread longer than for a model that thinks.
  if (job.sweep->stand_ins != nullptr) core_.Of(*job.sweep).thinks_since = core_.Now();
  // Otherwise a model whose slots are quicker than its turn would never be asked.
  const bool is_first = std::exchange(core_.Of(*job.sweep).was_overtaken, false);
  queue_.insert(is_first ? queue_.begin() : queue_.end(),
                {.job = std::move(job), .learns = learns, .is_slow = is_slow});
}

std::optional<SearchDriver::Waiting> SearchDriver::Dequeue(std::deque<Waiting>::iterator next) {
  Waiting waiting = std::move(*next);
  queue_.erase(next);
  DrivenSweep::Shared& shared = core_.Of(*waiting.job.sweep);
  shared.thinks_since.reset();
  if (shared.stored > waiting.job.demand.configurations) {  // by what stood in
    shared.is_busy = false;
    shared.was_overtaken = true;
    core_.Want();
    return std::nullopt;
  }
  if (waiting.learns) ++learning_;
  if (waiting.is_slow) ++slow_;
  return waiting;
}

bool SearchDriver::Await(const std::stop_token& stop, std::optional<Waiting>* job) {
  job->reset();
  MutexLock lock(&core_.mutex);
  auto next = NextJob();
  while (next == queue_.end() && !stop.stop_requested()) {
    if (core_.is_wanted) {
      const absl::Duration pause = next_plan_ - RealClock()->Monotonic();
      if (pause <= absl::ZeroDuration()) break;
      core_.wake.WaitFor(&core_.mutex, absl::ToChronoNanoseconds(pause));
    } else {
      core_.wake.Wait(&core_.mutex);
    }
    next = NextJob();
  }
  if (stop.stop_requested()) return false;
  if (next == queue_.end()) {
    core_.is_wanted = false;
    next_plan_ = RealClock()->Monotonic() + kPlanInterval;
    return true;
  }
  *job = Dequeue(next);
  if (!*job) return true;
  // The job may take long, and this thread may have taken the notification of other work.
  if (core_.is_wanted || NextJob() != queue_.end()) core_.wake.NotifyOne();
  return true;
}

void SearchDriver::Loop(const std::stop_token& stop) {
  pthread_setname_np(pthread_self(), "search");
  std::optional<Waiting> next;
  while (Await(stop, &next)) {
    if (const std::optional<Waiting> taken = std::exchange(next, std::nullopt)) {
      Run(taken->job);
      MutexLock lock(&core_.mutex);
      if (taken->learns) --learning_;
      if (taken->is_slow) --slow_;
      continue;
    }
    std::vector<SearchJob> jobs = planner_.Plan();
    MutexLock lock(&core_.mutex);
    for (SearchJob& planned : jobs) Enqueue(std::move(planned));
    // This thread takes the first.
    for (std::size_t i = 1; i < jobs.size(); ++i) core_.wake.NotifyOne();
  }
}

void SearchDriver::Run(const SearchJob& job) {
  DrivenSweep& sweep = *job.sweep;
  if (!sweep.Prepare(core_.options) || !Observe(job)) {
    MutexLock lock(&core_.mutex);
    core_.Of(sweep).has_news = true;
    return core_.EndTurn(sweep, /*ok=*/false);
  }
  IssueDecisions(core_, job);
  if (job.demand.only_on_hold) return EndIfDecided(core_, job);
  if (EndSearchByRule(core_, job)) return;
  sweep.IsRacing(job.demand) ? RunRace(core_, job) : MakeSuggestions(core_, job);
}

bool SearchDriver::Observe(const SearchJob& job) {
  DrivenSweep& sweep = *job.sweep;
  {
    MutexLock lock(&core_.mutex);
    DrivenSweep::Shared& shared = core_.Of(sweep);
    for (const std::int64_t trial_id : std::exchange(shared.refused, {})) {
      sweep.judge.Refuse(trial_id);
    }
    if (!std::exchange(shared.has_news, false)) return true;
    shared.waits_for.reset();
  }
  if (sweep.spec->method->may_resume) sweep.end_reason.clear();
  const absl::Duration start = core_.Now();
  const bool ok = sweep.Observe(core_.options.store);
  if (core_.Now() - start >= DriverCore::kSlowThought) core_.RestartWaits(sweep);
  return ok;
}

}  // namespace sweep
