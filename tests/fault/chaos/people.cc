#include "tests/fault/chaos/people.h"

#include <grpcpp/grpcpp.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <stdexcept>
#include <utility>

#include "absl/time/clock.h"
#include "fmt/format.h"
#include "tests/fault/chaos/calls.h"

namespace sweep::chaos {
namespace {

constexpr absl::Duration kLookAgainAfter = absl::Milliseconds(200);
constexpr std::int64_t kMostExtended = 5;  // configurations

}  // namespace

People::People(const Options& options) : options_(options) {
  const auto channel = grpc::CreateChannel(options.address, grpc::InsecureChannelCredentials());
  sweeps_ = v1::SweepService::NewStub(channel);
  trials_ = v1::TrialService::NewStub(channel);
  workers_ = v1::WorkerService::NewStub(channel);
  thread_ = std::jthread([this] { Loop(); });
}

People::~People() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
}

bool People::stopping() const {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

template <typename Stub, typename Request, typename Response>
grpc::Status People::Call(Stub* stub,
                          grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                       Response*),
                          const Request& request, Response* response) {
  grpc::Status status;
  do {
    grpc::ClientContext context;
    context.set_wait_for_ready(true);
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(2));
    status = (stub->*method)(&context, request, response);
    if (!IsOpen(status)) break;
    absl::SleepFor(kRepeatAfter);
  } while (!stopping());
  return status;
}

bool People::Submit(const std::string& name, const std::string& text, std::int64_t configurations) {
  v1::CreateSweepRequest request;
  request.mutable_source()->set_file("chaos.yaml");
  request.set_keep_going(true);  // trainers are killed at random
  request.mutable_source()->set_text(text);
  v1::CreateSweepResponse response;
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(2));
  const grpc::Status status = sweeps_->CreateSweep(&context, request, &response);
  if (status.ok()) options_.ledger->SetBudget("sweeps/" + name, configurations);
  if (!status.ok() && !IsOpen(status)) throw std::runtime_error(status.error_message());
  return status.ok();
}

void People::Do(const Fault& decision) {
  const std::lock_guard lock(mutex_);
  tasks_.push_back({.run = [this, decision] { return Begin(decision); }});
  changed_.notify_all();
}

bool People::Finish(absl::Duration timeout) {
  std::unique_lock lock(mutex_);
  hurry_ = true;
  changed_.notify_all();
  return changed_.wait_for(lock, absl::ToChronoMilliseconds(timeout),
                           [&] { return tasks_.empty() && !running_task_; });
}

std::vector<std::string> People::complaints() const {
  const std::lock_guard lock(mutex_);
  return complaints_;
}

std::size_t People::done() const {
  const std::lock_guard lock(mutex_);
  return done_;
}

void People::Loop() {
  while (!stopping()) {
    if (RunOne()) continue;
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, absl::ToChronoMilliseconds(kLookAgainAfter), [&] { return stopping_; });
  }
}

bool People::RunOne() {
  std::size_t left = 0;
  {
    const std::lock_guard lock(mutex_);
    left = tasks_.size();
  }
  for (; left > 0; --left) {
    Task task;
    bool due = false;
    {
      const std::lock_guard lock(mutex_);
      task = std::move(tasks_.front());
      tasks_.pop_front();
      running_task_ = true;
      due = (hurry_ || task.due <= absl::Now()) && !stopping_;
    }
    const bool done = due && task.run();
    const std::lock_guard lock(mutex_);
    running_task_ = false;
    if (!done) tasks_.push_back(std::move(task));
    changed_.notify_all();
    if (done) return true;
  }
  return false;
}

void People::Later(const Fault& decision, std::function<bool()> run) {
  const std::lock_guard lock(mutex_);
  tasks_.push_back(
      {.due = absl::Now() + options_.longest_decision * decision.length, .run = std::move(run)});
}

void People::Settle(const std::string& sweep) {
  const std::lock_guard lock(mutex_);
  busy_.erase(sweep);
  ++done_;
}

std::string People::NextRequest() { return fmt::format("{}-{}", getpid(), ++last_request_); }

void People::Complain(const std::string& what, const grpc::Status& status) {
  const std::lock_guard lock(mutex_);
  if (stopping_ || IsOpen(status)) return;
  complaints_.push_back(fmt::format("{}: {}", what, status.error_message()));
}

// ---- Decisions. Each returns true if it was begun, that is, acknowledged.

bool People::Begin(const Fault& decision) {
  if (decision.kind == FaultKind::kDrainWorker) return Drain(decision);
  const std::string sweep = PickSweep(decision);
  if (sweep.empty()) return false;
  {
    const std::lock_guard lock(mutex_);
    busy_.insert(sweep);
  }
  bool begun = false;
  switch (decision.kind) {
    case FaultKind::kExtend:
      begun = BeginExtend(decision, sweep);
      break;
    case FaultKind::kCancelTrial:
      begun = BeginCancelTrial(decision, sweep);
      break;
    case FaultKind::kCancelSweep:
      begun = BeginCancelSweep(decision, sweep);
      break;
    default:
      begun = BeginPause(decision, sweep);
  }
  if (!begun) {
    const std::lock_guard lock(mutex_);
    busy_.erase(sweep);
  }
  return begun;
}

std::string People::PickSweep(const Fault& decision) {
  v1::ListSweepsRequest request;
  request.set_page_size(20);
  v1::ListSweepsResponse response;
  if (!Call(sweeps_.get(), &v1::SweepService::Stub::ListSweeps, request, &response).ok()) return "";
  std::vector<std::string> names;
  for (const v1::Sweep& sweep : response.sweeps()) {
    // A completed sweep can be extended, which makes it active again.
    const bool fits =
        sweep.state() == v1::SWEEP_STATE_ACTIVE ||
        (sweep.state() == v1::SWEEP_STATE_COMPLETED && decision.kind == FaultKind::kExtend);
    const std::lock_guard lock(mutex_);
    if (fits && !busy_.contains(sweep.name())) names.push_back(sweep.name());
  }
  return names.empty() ? "" : names[Place(decision.which, names.size())];
}

bool People::BeginPause(const Fault& decision, const std::string& sweep) {
  v1::PauseSweepRequest request;
  request.set_name(sweep);
  request.set_now(decision.kind == FaultKind::kPauseNow);
  request.set_request_id(NextRequest());
  v1::PauseSweepResponse response;
  // FAILED_PRECONDITION: the sweep has just completed.
  const grpc::Status status =
      Call(sweeps_.get(), &v1::SweepService::Stub::PauseSweep, request, &response);
  if (!status.ok()) return false;
  Later(decision, [this, sweep, begin = absl::Now()] {
    v1::ResumeSweepRequest resume;
    resume.set_name(sweep);
    resume.set_request_id(NextRequest());
    v1::ResumeSweepResponse resumed;
    const Interval interval{.object = sweep, .begin = begin, .end = absl::Now()};
    // FAILED_PRECONDITION: the last trials of the sweep ended while it was paused.
    const grpc::Status status =
        Call(sweeps_.get(), &v1::SweepService::Stub::ResumeSweep, resume, &resumed);
    if (!status.ok() && status.error_code() != grpc::StatusCode::FAILED_PRECONDITION) {
      Complain("resuming " + sweep, status);
    }
    options_.ledger->AddPaused(interval);
    Settle(sweep);
    return true;
  });
  return true;
}

bool People::BeginExtend(const Fault& decision, const std::string& sweep) {
  v1::GetSweepRequest get;
  get.set_name(sweep);
  v1::GetSweepResponse got;
  if (!Call(sweeps_.get(), &v1::SweepService::Stub::GetSweep, get, &got).ok()) return false;
  v1::ExtendSweepRequest request;
  request.set_name(sweep);
  request.set_run_cap(got.sweep().planned_configurations() + 1 +
                      static_cast<std::int64_t>(decision.length * kMostExtended));
  request.set_request_id(NextRequest());
  v1::ExtendSweepResponse response;
  const grpc::Status status =
      Call(sweeps_.get(), &v1::SweepService::Stub::ExtendSweep, request, &response);
  if (!status.ok()) {
    Complain("extending " + sweep, status);
    return false;
  }
  options_.ledger->SetBudget(sweep, request.run_cap());
  Settle(sweep);
  return true;
}

bool People::BeginCancelTrial(const Fault& decision, const std::string& sweep) {
  v1::ListTrialsRequest list;
  list.set_parent(sweep);
  list.set_page_size(1000);
  v1::ListTrialsResponse trials;
  if (!Call(trials_.get(), &v1::TrialService::Stub::ListTrials, list, &trials).ok()) return false;
  std::vector<std::string> names;
  for (const v1::Trial& trial : trials.trials()) {
    if (trial.state() <= v1::TRIAL_STATE_RUNNING) names.push_back(trial.name());
  }
  if (names.empty()) return false;
  const std::string name = names[Place(decision.which, names.size())];
  v1::CancelTrialRequest request;
  request.set_name(name);
  request.set_request_id(NextRequest());
  v1::CancelTrialResponse response;
  // FAILED_PRECONDITION: the trial has just completed.
  const grpc::Status status =
      Call(trials_.get(), &v1::TrialService::Stub::CancelTrial, request, &response);
  if (!status.ok()) return false;
  Later(decision, [this, name, sweep, begin = absl::Now()] {
    v1::RetryTrialRequest retry;
    retry.set_name(name);
    retry.set_request_id(NextRequest());
    v1::RetryTrialResponse retried;
    const Interval interval{.object = name, .begin = begin, .end = absl::Now()};
    const grpc::Status status =
        Call(trials_.get(), &v1::TrialService::Stub::RetryTrial, retry, &retried);
    if (!status.ok()) Complain("retrying " + name, status);
    options_.ledger->AddCancelled(interval);
    Settle(sweep);
    return true;
  });
  return true;
}

bool People::BeginCancelSweep(const Fault& decision, const std::string& sweep) {
  v1::CancelSweepRequest request;
  request.set_name(sweep);
  request.set_request_id(NextRequest());
  v1::CancelSweepResponse response;
  // FAILED_PRECONDITION: the sweep has just completed.
  const grpc::Status status =
      Call(sweeps_.get(), &v1::SweepService::Stub::CancelSweep, request, &response);
  if (!status.ok()) return false;
  Later(decision, [this, sweep, begin = absl::Now()] {
    v1::RetrySweepRequest retry;
    retry.set_name(sweep);
    retry.set_cancelled(true);
    retry.set_request_id(NextRequest());
    v1::RetrySweepResponse retried;
    const Interval interval{.object = sweep, .begin = begin, .end = absl::Now()};
    const grpc::Status status =
        Call(sweeps_.get(), &v1::SweepService::Stub::RetrySweep, retry, &retried);
    if (!status.ok()) Complain("retrying " + sweep, status);
    options_.ledger->AddCancelled(interval);
    Settle(sweep);
    return true;
  });
  return true;
}

bool People::Drain(const Fault& decision) {
  v1::ListWorkersRequest list;
  list.set_page_size(20);
  v1::ListWorkersResponse workers;
  if (!Call(workers_.get(), &v1::WorkerService::Stub::ListWorkers, list, &workers).ok())
    return false;
  std::vector<std::string> names;
  for (const v1::Worker& worker : workers.workers()) {
    if (worker.connected() && !worker.draining()) names.push_back(worker.name());
  }
  if (names.empty()) return false;
  v1::DrainWorkerRequest request;
  request.set_name(names[Place(decision.which, names.size())]);
  v1::DrainWorkerResponse response;
  // Refused when the worker is gone by now, or unknown after a restart of the coordinator.
  const grpc::Status status =
      Call(workers_.get(), &v1::WorkerService::Stub::DrainWorker, request, &response);
  if (status.ok()) Settle("");
  return status.ok();
}

}  // namespace sweep::chaos
