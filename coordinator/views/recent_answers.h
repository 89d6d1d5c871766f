#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <utility>

#include "common/base/mutex.h"

namespace sweep {

// A cache of recent documents by etag, so that viewers of the same page share one. Thread-safe.
class RecentAnswers {
 public:
  bool Find(const std::string& etag, std::string* text) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    for (const auto& [known, answer] : answers_) {
      if (known != etag) continue;
      *text = answer;
      return true;
    }
    return false;
  }
  void Put(const std::string& etag, const std::string& text) ABSL_LOCKS_EXCLUDED(mutex_) {
    MutexLock lock(&mutex_);
    if (answers_.size() >= kMaxAnswers) answers_.pop_front();
    answers_.emplace_back(etag, text);
  }

 private:
  static constexpr std::size_t kMaxAnswers = 32;
  Mutex mutex_;
  std::deque<std::pair<std::string, std::string>> answers_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sweep
