#include "worker/agent/progress_reporter.h"

#include <pthread.h>

#include <chrono>
#include <utility>

#include "spdlog/spdlog.h"

namespace sweep {
namespace {

constexpr std::chrono::seconds kProgressPeriod{1};

}  // namespace

ProgressReporter::ProgressReporter(CoordinatorClient* client, std::string session)
    : client_(client), session_(std::move(session)) {
  thread_ = std::jthread([this] { Run(); });
}

ProgressReporter::~ProgressReporter() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
  }
  changed_.NotifyAll();
  thread_.join();
}

void ProgressReporter::Update(int slot, v1::Progress progress) {
  {
    MutexLock lock(&mutex_);
    news_[slot] = std::move(progress);
  }
  changed_.NotifyAll();
}

void ProgressReporter::Remove(int slot) {
  MutexLock lock(&mutex_);
  news_.erase(slot);
}

bool ProgressReporter::WaitForNews(v1::ReportProgressRequest* request) {
  MutexLock lock(&mutex_);
  while (!stopping_ && news_.empty()) changed_.Wait(&mutex_);
  for (auto& [slot, progress] : news_) *request->add_progress() = std::move(progress);
  news_.clear();
  return !stopping_;
}

void ProgressReporter::Run() {
  pthread_setname_np(pthread_self(), "progress");
  while (true) {
    v1::ReportProgressRequest request;
    if (!WaitForNews(&request)) return;
    request.set_session(session_);
    if (const absl::Status status = client_->ReportProgress(request); !status.ok()) {
      spdlog::debug("progress not reported error={}", status.ToString());
    }
    const auto until = std::chrono::steady_clock::now() + kProgressPeriod;
    MutexLock lock(&mutex_);
    while (!stopping_) {
      const auto left = until - std::chrono::steady_clock::now();
      if (left <= left.zero()) break;
      changed_.WaitFor(&mutex_, left);
    }
  }
}

}  // namespace sweep
