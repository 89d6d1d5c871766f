#include "worker/agent/data_watch.h"

#include <pthread.h>

#include <utility>

#include "spdlog/spdlog.h"
#include "worker/data/data_digest.h"

namespace sweep {

DataWatch::DataWatch(std::function<void(const std::string&)> changed,
                     std::chrono::milliseconds period)
    : changed_(std::move(changed)), period_(period), thread_([this] { Run(); }) {}

DataWatch::~DataWatch() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
  }
  wake_.NotifyAll();
}

void DataWatch::Add(const DatasetSpec& dataset, const DataSource& source) {
  {
    MutexLock lock(&mutex_);
    added_.push_back({.dataset = dataset, .source = source});
  }
  wake_.NotifyAll();
}

bool DataWatch::HasChanged(Refused* refused) {
  DataSource& source = refused->source;
  try {
    const DataStamp now = DataStamp::Take(refused->dataset, source.folder);
    if (now == source.stamp && source.stamp.settled()) return false;
    // Files that are still being copied are left alone.
    if (!now.settled()) return false;
    const bool same = DataDigest(refused->dataset, source.folder) == source.sha256;
    if (DataStamp::Take(refused->dataset, source.folder) != now) return false;
    source.stamp = now;
    return !same;
  } catch (const DataError&) {  // a file is missing or incomplete, as during a copy
    return false;
  }
}

void DataWatch::Run() {
  pthread_setname_np(pthread_self(), "data");
  while (true) {
    {
      MutexLock lock(&mutex_);
      while (!stopping_ && refused_.empty() && added_.empty()) wake_.Wait(&mutex_);
      if (!stopping_) wake_.WaitFor(&mutex_, period_);
      if (stopping_) return;
      refused_.splice(refused_.end(), added_);
    }
    for (auto one = refused_.begin(); one != refused_.end();) {
      if (!HasChanged(&*one)) {
        ++one;
        continue;
      }
      spdlog::info("refused data was replaced folder={:?} sha256={}", one->source.folder,
                   one->source.sha256);
      changed_(one->source.sha256);
      one = refused_.erase(one);
    }
  }
}

}  // namespace sweep
