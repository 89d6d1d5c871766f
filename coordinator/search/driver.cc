#include "coordinator/search/driver.h"

#include <pthread.h>

#include <utility>

#include "coordinator/search/search_ends.h"
#include "coordinator/search/search_race.h"
#include "coordinator/search/search_suggestions.h"

namespace sweep {
namespace {

constexpr int kThreads = 3;
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

bool SearchDriver::Await(const std::stop_token& stop, std::optional<SearchJob>* job) {
  job->reset();
  MutexLock lock(&core_.mutex);
  while (queue_.empty() && !stop.stop_requested()) {
    if (!core_.is_wanted) {
      core_.wake.Wait(&core_.mutex);
      continue;
    }
    const absl::Duration pause = next_plan_ - RealClock()->Monotonic();
    if (pause <= absl::ZeroDuration()) break;
    core_.wake.WaitFor(&core_.mutex, absl::ToChronoNanoseconds(pause));
  }
  if (stop.stop_requested()) return false;
  if (queue_.empty()) {
    core_.is_wanted = false;
    next_plan_ = RealClock()->Monotonic() + kPlanInterval;
    return true;
  }
  *job = std::move(queue_.front());
  queue_.pop_front();
  // The job may take long, and this thread may have taken the notification of other work.
  if (core_.is_wanted || !queue_.empty()) core_.wake.NotifyOne();
  return true;
}

void SearchDriver::Loop(const std::stop_token& stop) {
  pthread_setname_np(pthread_self(), "search");
  std::optional<SearchJob> job;
  while (Await(stop, &job)) {
    if (job) {
      Run(*std::exchange(job, std::nullopt));
      continue;
    }
    std::vector<SearchJob> jobs = planner_.Plan();
    MutexLock lock(&core_.mutex);
    for (SearchJob& planned : jobs) queue_.push_back(std::move(planned));
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
  return sweep.Observe(core_.options.store);
}

}  // namespace sweep
