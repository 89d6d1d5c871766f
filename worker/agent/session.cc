#include "worker/agent/session.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "spdlog/spdlog.h"
#include "worker/agent/backoff.h"

namespace sweep {
namespace {

constexpr int kContractVersion = 1;
// The contract's longest parking time, plus time for the answer to arrive.
constexpr absl::Duration kParkedTimeout = absl::Seconds(20 + 10);
constexpr absl::Duration kLongestPause = absl::Seconds(20);
// The pause after a call that brought nothing, so that a coordinator that answers at once is not
// called in a busy loop.
constexpr absl::Duration kShortestPause = absl::Milliseconds(20);

absl::Duration FromProto(const google::protobuf::Duration& duration) {
  return absl::Seconds(duration.seconds()) + absl::Nanoseconds(duration.nanos());
}

}  // namespace

Session::Session(CoordinatorClient* client, LeaseTable* leases, v1::Worker worker, std::string id)
    : client_(client), leases_(leases), id_(std::move(id)), worker_(std::move(worker)) {}

Session::~Session() {
  Stop();
  if (thread_.joinable()) thread_.join();
}

absl::Status Session::Connect(const std::string& address, absl::Duration patience) {
  const absl::Time until = absl::Now() + patience;
  absl::Status status =
      Call(/*no_wait=*/true, {.timeout = patience, .for_connection = false}).status;
  // Report the first error, but keep trying: the coordinator may be starting.
  const std::string reason(status.message());
  while (IsRetryable(status) && absl::Now() < until) {
    if (!Pause(kShortestPause)) break;
    status = Call(/*no_wait=*/true, {.timeout = until - absl::Now()}).status;
  }
  if (status.ok()) return status;
  const std::string coordinator = absl::StrCat("coordinator ", address, ": ");
  if (!IsRetryable(status)) {
    return absl::Status(status.code(), absl::StrCat(coordinator, std::string(status.message())));
  }
  return absl::UnavailableError(absl::StrCat(coordinator, "cannot be reached within ",
                                             absl::FormatDuration(patience), ": ", reason));
}

void Session::Start(Events events) {
  events_ = std::move(events);
  thread_ = std::jthread([this] { Run(); });
}

void Session::SetDraining() {
  {
    MutexLock lock(&mutex_);
    if (draining_) return;
    draining_ = hurry_ = true;
    if (parked_ != nullptr) parked_->TryCancel();
  }
  changed_.NotifyAll();
}

void Session::DataChanged(const std::string& sha256) {
  {
    MutexLock lock(&mutex_);
    changed_data_.insert(sha256);
    hurry_ = true;
    if (parked_ != nullptr) parked_->TryCancel();
  }
  changed_.NotifyAll();
}

void Session::Stop() {
  {
    MutexLock lock(&mutex_);
    stopped_ = true;
    if (parked_ != nullptr) parked_->TryCancel();
  }
  changed_.NotifyAll();
}

void Session::AddDevice(const std::string& device) {
  MutexLock lock(&mutex_);
  if (!devices_.insert(device).second) return;
  worker_.clear_devices();
  for (const std::string& name : devices_) worker_.add_devices(name);
}

v1::SynchronizeRequest Session::MakeRequest(bool no_wait) {
  v1::SynchronizeRequest request;
  request.set_session(id_);
  request.set_worker(worker_.name());
  *request.mutable_description() = worker_;
  request.set_protocol(kContractVersion);
  request.set_draining(draining_);
  request.set_no_wait(no_wait || hurry_);
  hurry_ = false;
  for (const std::string& sha256 : changed_data_) request.add_changed_data_sha256(sha256);
  for (v1::LeaseToken& token : leases_->Held()) *request.add_held() = std::move(token);
  return request;
}

Session::Outcome Session::Call(bool no_wait, const SynchronizeWait& wait) {
  grpc::ClientContext context;
  v1::SynchronizeRequest request;
  {
    // The request and its context are set under one lock: SetDraining comes either before, and the
    // request says so, or after, and cancels this call.
    MutexLock lock(&mutex_);
    if (stopped_) return {.status = absl::CancelledError("the session was stopped")};
    request = MakeRequest(no_wait);
    parked_ = &context;
  }
  Outcome outcome{.draining = request.draining()};
  outcome.status = client_->Synchronize(&context, wait, request, &outcome.answer);
  {
    MutexLock lock(&mutex_);
    parked_ = nullptr;
    if (outcome.status.ok()) {
      for (const std::string& said : request.changed_data_sha256()) changed_data_.erase(said);
    }
  }
  if (!outcome.status.ok()) return outcome;
  const std::vector<v1::LeaseToken> said(request.held().begin(), request.held().end());
  outcome.changed = leases_->Apply(outcome.answer, said);
  return outcome;
}

void Session::Run() {
  pthread_setname_np(pthread_self(), "session");
  Backoff backoff;
  bool connected = true;
  while (!stopped()) {
    const Outcome outcome = Call(/*no_wait=*/!connected, {.timeout = kParkedTimeout});
    if (stopped()) return;
    if (outcome.status.ok()) {
      if (!connected) spdlog::info("coordinator is back");
      connected = true;
      backoff.Reset();
      OnAnswer(outcome);
      const absl::Duration asked = FromProto(outcome.answer.next_call());
      const absl::Duration shortest = outcome.changed ? absl::ZeroDuration() : kShortestPause;
      if (!Pause(std::clamp(asked, shortest, kLongestPause))) return;
    } else if (IsRetryable(outcome.status)) {
      if (hurried()) continue;  // SetDraining has cancelled it
      if (connected) spdlog::warn("coordinator lost error={}", outcome.status.ToString());
      connected = false;
      if (!Pause(backoff.Next())) return;
    } else {
      return events_.refused(outcome.status);
    }
  }
}

void Session::OnAnswer(const Outcome& outcome) {
  if (outcome.changed) events_.leases_changed();
  if (outcome.draining) events_.drain_acknowledged();
  std::set<LeaseKey> stop;  // before give_back: a lease in both sets is stopped
  for (const v1::LeaseToken& token : outcome.answer.stop()) stop.insert(KeyOf(token));
  if (stop != stopped_leases_) events_.stop(stop);
  stopped_leases_ = std::move(stop);
  std::set<LeaseKey> give_back;
  for (const v1::LeaseToken& token : outcome.answer.give_back()) give_back.insert(KeyOf(token));
  if (give_back != given_back_) events_.give_back(give_back);
  given_back_ = std::move(give_back);
  if (!outcome.answer.drain()) return;
  {
    MutexLock lock(&mutex_);
    if (draining_) return;
    draining_ = hurry_ = true;
  }
  events_.drain_asked();
}

bool Session::Pause(absl::Duration duration) {
  const auto until = std::chrono::steady_clock::now() + absl::ToChronoMilliseconds(duration);
  MutexLock lock(&mutex_);
  while (!stopped_ && !hurry_) {
    const auto left = until - std::chrono::steady_clock::now();
    if (left <= left.zero()) break;
    changed_.WaitFor(&mutex_, left);
  }
  return !stopped_;
}

bool Session::hurried() {
  MutexLock lock(&mutex_);
  return hurry_;
}

bool Session::stopped() {
  MutexLock lock(&mutex_);
  return stopped_;
}

}  // namespace sweep
