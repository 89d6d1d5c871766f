#include "worker/agent/dataset_cache.h"

#include <cstdint>
#include <exception>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "common/protocol/uploaded_data.h"
#include "spdlog/spdlog.h"

namespace sweep {
namespace {

// Attempts to read files that change meanwhile.
constexpr int kMostReadings = 3;

// Logs the progress of a download every two seconds. One download per data set runs at a time, and
// the downloading thread calls the callback.
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

DatasetCache::DatasetCache(DataOptions options, UploadCache* uploads)
    : options_(std::move(options)), uploads_(uploads) {}

void DatasetCache::Shutdown() {
  shut_down_ = true;
  if (uploads_ != nullptr) uploads_->Shutdown();
}

std::string DatasetCache::Ensure(const DatasetSpec& dataset) {
  DataOptions options = options_;
  options.progress = [this, show = options_.progress ? options_.progress : LogProgress()](
                         std::string_view file, std::int64_t done, std::int64_t total) {
    if (shut_down_) throw DataError("the download was ended: the worker stops");
    show(file, done, total);
  };
  return EnsureDataset(dataset, options);
}

DataSource DatasetCache::Read(const DatasetSpec& dataset, const std::string& folder) {
  for (int i = 0; i < kMostReadings; ++i) {
    const DataStamp before = DataStamp::Take(dataset, folder);
    const std::string sha256 = DataDigest(dataset, folder);
    if (DataStamp::Take(dataset, folder) != before) continue;
    spdlog::info("data set read name={} folder={:?} sha256={}", dataset.name, folder, sha256);
    return {.folder = folder, .sha256 = sha256, .stamp = before};
  }
  throw DataError(folder + ": its files are being changed");
}

absl::StatusOr<DataSource> DatasetCache::Find(const DatasetSpec& dataset,
                                              const UploadCache::IsOver& is_over,
                                              std::optional<DataSource> known) {
  absl::StatusOr<UploadCache::InUse> upload = UploadCache::InUse();
  if (uploads_ != nullptr && IsUploaded(dataset))
    upload = uploads_->Get(ManifestOf(dataset), is_over);
  if (!upload.ok()) return upload.status();
  try {
    const bool same =
        known && known->stamp.settled() && DataStamp::Take(dataset, known->folder) == known->stamp;
    if (!same) known = Read(dataset, upload->folder.empty() ? Ensure(dataset) : upload->folder);
  } catch (const std::exception& error) {
    return absl::NotFoundError(error.what());
  }
  known->hold = std::move(upload->hold);
  return *known;
}

absl::StatusOr<DataSource> DatasetCache::Get(const DatasetSpec& dataset,
                                             const UploadCache::IsOver& is_over) {
  const std::string key = absl::StrCat(dataset.name, "\n", dataset.path, "\n", dataset.train_size,
                                       "\n", dataset.test_size);
  std::optional<DataSource> known;
  {
    MutexLock lock(&mutex_);
    Entry& entry = entries_[key];
    while (entry.busy) changed_.Wait(&mutex_);
    entry.busy = true;
    known = std::exchange(entry.known, std::nullopt);
  }
  absl::StatusOr<DataSource> found = Find(dataset, is_over, std::move(known));
  MutexLock lock(&mutex_);
  Entry& entry = entries_[key];
  entry.busy = false;
  if (found.ok()) {
    entry.known = *found;
    entry.known->hold = nullptr;  // what no trial uses may be removed
  }
  changed_.NotifyAll();
  return found;
}

}  // namespace sweep
