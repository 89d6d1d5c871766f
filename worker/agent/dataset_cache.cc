#include "worker/agent/dataset_cache.h"

#include <cstdint>
#include <exception>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "spdlog/spdlog.h"

namespace sweep {
namespace {

// Says every two seconds how far a download is. One download runs at a time per data set, and the
// callback is called by the thread that downloads.
DownloadProgress LogProgress() {
  return [last = absl::InfinitePast()](std::string_view file, std::int64_t done,
                                       std::int64_t total) mutable {
    const absl::Time now = absl::Now();
    if (now - last < absl::Seconds(2) && done != total) return;
    last = now;
    spdlog::info("downloading file={} bytes={} of={}", file, done, total);
  };
}

}  // namespace

DatasetCache::DatasetCache(DataOptions options) : options_(std::move(options)) {}

absl::StatusOr<std::string> DatasetCache::Ensure(const DatasetSpec& dataset) {
  DataOptions options = options_;
  options.progress = [this, show = options_.progress ? options_.progress : LogProgress()](
                         std::string_view file, std::int64_t done, std::int64_t total) {
    if (shut_down_) throw DataError("the download was ended: the worker stops");
    show(file, done, total);
  };
  try {
    return EnsureDataset(dataset, options);
  } catch (const std::exception& error) {
    return absl::NotFoundError(error.what());
  }
}

absl::StatusOr<std::string> DatasetCache::Folder(const DatasetSpec& dataset) {
  const std::string key = absl::StrCat(dataset.name, "\n", dataset.path);
  {
    MutexLock lock(&mutex_);
    Entry& entry = entries_[key];
    while (entry.busy) changed_.Wait(&mutex_);
    if (entry.known) return entry.folder;
    entry.busy = true;
  }
  absl::StatusOr<std::string> folder = Ensure(dataset);
  MutexLock lock(&mutex_);
  Entry& entry = entries_[key];
  entry.busy = false;
  entry.known = folder.ok();
  if (folder.ok()) entry.folder = *folder;
  changed_.NotifyAll();
  return folder;
}

}  // namespace sweep
