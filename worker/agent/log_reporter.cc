#include "worker/agent/log_reporter.h"

#include <pthread.h>

#include <algorithm>
#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "common/base/utf8.h"
#include "spdlog/spdlog.h"
#include "worker/agent/backoff.h"

namespace sweep {
namespace {

constexpr std::chrono::seconds kLogPeriod{1};
constexpr std::string_view kCut = "…";

std::string LineText(std::string_view line) {
  std::string text = ToUtf8(line.substr(0, LogReporter::kMostLineBytes + 1));
  if (line.size() <= LogReporter::kMostLineBytes && text.size() <= LogReporter::kMostLineBytes) {
    return text;
  }
  text.resize(CutUtf8(text, LogReporter::kMostLineBytes - kCut.size()).size());
  return text.append(kCut);
}

void SetNow(google::protobuf::Timestamp* time) {
  const std::int64_t nanoseconds = absl::ToUnixNanos(absl::Now());
  time->set_seconds(nanoseconds / 1'000'000'000);
  time->set_nanos(static_cast<int>(nanoseconds % 1'000'000'000));
}

}  // namespace

LogReporter::LogReporter(CoordinatorClient* client) : client_(client) {
  thread_ = std::jthread([this] { Run(); });
}

LogReporter::~LogReporter() {
  Shutdown();
  thread_.join();
}

void LogReporter::Begin(const v1::LeaseToken& token) {
  MutexLock lock(&mutex_);
  sources_[KeyOf(token)] = {.token = token};
}

void LogReporter::Add(const LeaseKey& lease, std::string_view line) {
  {
    MutexLock lock(&mutex_);
    const auto found = sources_.find(lease);
    if (off_ || found == sources_.end() || found->second.over) return;
    Source& source = found->second;
    ++source.lines;
    if (source.queue.size() >= kMostLines || source.bytes >= kMostBytes) {
      ++source.dropped;
      return;
    }
    v1::LogLine& news = source.queue.emplace_back();
    news.set_attempt(lease.attempt);
    news.set_line(source.lines);
    news.set_text(LineText(line));
    SetNow(news.mutable_time());
    source.bytes += news.text().size();
    if (source.queue.size() > 1) return;  // the thread knows of the queue
  }
  changed_.NotifyAll();
}

void LogReporter::Flush(const LeaseKey& lease, absl::Duration patience) {
  const auto until = std::chrono::steady_clock::now() + absl::ToChronoMilliseconds(patience);
  MutexLock lock(&mutex_);
  while (!stopping_) {
    const auto found = sources_.find(lease);
    if (found == sources_.end() || found->second.queue.empty()) return;
    const auto left = until - std::chrono::steady_clock::now();
    if (left <= left.zero()) return;
    hurry_ = true;
    changed_.NotifyAll();
    changed_.WaitFor(&mutex_, left);
  }
}

void LogReporter::End(const LeaseKey& lease) {
  MutexLock lock(&mutex_);
  const auto found = sources_.find(lease);
  if (found == sources_.end()) return;
  const Source& source = found->second;
  if (source.dropped > 0) {
    spdlog::warn("log lines dropped trial={} attempt={} dropped={} of={}", lease.trial,
                 lease.attempt, source.dropped, source.lines);
  }
  sources_.erase(found);
}

void LogReporter::Shutdown() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
  }
  changed_.NotifyAll();
}

bool LogReporter::Pending() const {
  return std::any_of(sources_.begin(), sources_.end(),
                     [](const auto& source) { return !source.second.queue.empty(); });
}

bool LogReporter::WaitForTurn() {
  MutexLock lock(&mutex_);
  while (!stopping_) {
    const auto left = next_send_ - std::chrono::steady_clock::now();
    if (!Pending()) {
      changed_.Wait(&mutex_);
    } else if (!hurry_ && left > left.zero()) {
      changed_.WaitFor(&mutex_, left);
    } else {
      break;
    }
  }
  hurry_ = false;
  for (auto& [lease, source] : sources_) source.turn_end = source.lines;
  return !stopping_;
}

void LogReporter::Run() {
  pthread_setname_np(pthread_self(), "logs");
  Backoff backoff;
  while (WaitForTurn()) {
    std::chrono::milliseconds pause = kLogPeriod;
    if (SendTurn()) {
      backoff.Reset();
    } else {
      pause = absl::ToChronoMilliseconds(backoff.Next());
    }
    MutexLock lock(&mutex_);
    next_send_ = std::chrono::steady_clock::now() + pause;
  }
}

bool LogReporter::SendTurn() {
  while (true) {
    const v1::AppendLogsRequest batch = NextBatch();
    if (batch.lines().empty()) return true;
    const absl::Status status = client_->AppendLogs(batch);
    if (IsRetryable(status)) {
      spdlog::debug("log lines not sent error={}", status.ToString());
      return false;
    }
    OnAnswer(batch, status);
  }
}

v1::AppendLogsRequest LogReporter::NextBatch() {
  v1::AppendLogsRequest batch;
  MutexLock lock(&mutex_);
  for (const auto& [lease, source] : sources_) {
    if (source.queue.empty() || source.queue.front().line() > source.turn_end) continue;
    *batch.mutable_token() = source.token;
    for (const v1::LogLine& line : source.queue) {
      if (batch.lines_size() == kLinesPerCall || line.line() > source.turn_end) break;
      *batch.add_lines() = line;
    }
    break;
  }
  return batch;
}

void LogReporter::OnAnswer(const v1::AppendLogsRequest& batch, const absl::Status& status) {
  {
    MutexLock lock(&mutex_);
    if (absl::IsUnimplemented(status)) {
      spdlog::info("the coordinator keeps no logs");
      off_ = true;
      sources_.clear();
    }
    const auto found = sources_.find(KeyOf(batch.token()));
    if (found != sources_.end()) {
      Source& source = found->second;
      // Only this thread removes lines, and new ones go to the end. But the lease may have begun
      // anew.
      for (const v1::LogLine& line : batch.lines()) {
        if (source.queue.empty() || source.queue.front().line() != line.line()) break;
        source.bytes -= source.queue.front().text().size();
        source.queue.pop_front();
      }
      if (!status.ok()) {
        spdlog::debug("log lines refused trial={} error={}", batch.token().trial(),
                      status.ToString());
        source.over = true;
        source.queue.clear();
        source.bytes = 0;
      }
    }
  }
  changed_.NotifyAll();
}

}  // namespace sweep
