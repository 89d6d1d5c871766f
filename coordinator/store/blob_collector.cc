#include "coordinator/store/blob_collector.h"

#include <pthread.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "coordinator/store/queries.h"
#include "fmt/format.h"
#include "fmt/ranges.h"
#include "spdlog/spdlog.h"

namespace sweep {
namespace {

// Rows per turn and per transaction. Transactions are small because the search for references takes
// the writer some time in a large database.
constexpr int kRowsPerTurn = 1000;
constexpr std::size_t kRowsPerWrite = 8;

}  // namespace

BlobCollector::BlobCollector(Store* store, BlobStore* blobs, Clock* clock, const Options& options)
    : store_(*store),
      blobs_(*blobs),
      clock_(*clock),
      options_(options),
      started_(clock->Monotonic()) {
  if (options_.thread) {
    thread_ = std::jthread([this](const std::stop_token& stop) { Loop(stop); });
  }
}

BlobCollector::~BlobCollector() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
  }
  wake_.NotifyAll();
}

bool BlobCollector::Stopping() {
  MutexLock lock(&mutex_);
  return stopping_;
}

void BlobCollector::Loop(const std::stop_token&) {
  pthread_setname_np(pthread_self(), "collector");
  const auto period = absl::ToChronoMilliseconds(options_.period);
  while (!Stopping()) {
    Turn();
    MutexLock lock(&mutex_);
    const auto end = std::chrono::steady_clock::now() + period;
    while (!stopping_) {
      const auto left = end - std::chrono::steady_clock::now();
      if (left <= left.zero() || !wake_.WaitFor(&mutex_, left)) break;
    }
  }
}

std::int64_t BlobCollector::Turn() {
  // If another database has replaced ours, its blobs are in the folder.
  if (!store_.files().Check().ok()) return 0;
  std::int64_t removed = CollectFilesWithoutRow();
  if (clock_.Monotonic() - started_ >= options_.min_age) removed += CollectRows();
  if (removed > 0) spdlog::info("blobs collected count={}", removed);
  return removed;
}

std::int64_t BlobCollector::CollectRows() {
  const absl::Time before = clock_.Now() - options_.min_age;
  const absl::StatusOr<std::vector<std::string>> unused =
      store_.Read(SelectUnusedBlobs, before, kRowsPerTurn);
  if (!unused.ok()) {
    spdlog::warn("unused blobs not found reason={:?}", std::string(unused.status().message()));
    return 0;
  }
  std::int64_t removed = 0;
  for (std::size_t first = 0; first < unused->size() && !Stopping(); first += kRowsPerWrite) {
    std::vector<std::string> names;
    std::vector<std::unique_ptr<BlobStore::Removal>> removals;
    for (std::size_t i = first; i < std::min(first + kRowsPerWrite, unused->size()); ++i) {
      std::unique_ptr<BlobStore::Removal> removal = blobs_.BeginRemoval((*unused)[i]);
      if (removal == nullptr) continue;  // it is being stored again
      names.push_back((*unused)[i]);
      removals.push_back(std::move(removal));
    }
    std::vector<std::string> forgotten;
    const absl::Status status = store_.WriteAndWait([&](WriteTransaction& transaction) {
      auto result = transaction.ForgetUnusedBlobs(names, before);
      if (result.ok()) forgotten = *std::move(result);
      return result.status();
    });
    if (!status.ok()) {
      spdlog::warn("unused blobs not forgotten reason={:?}", std::string(status.message()));
      return removed;
    }
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (std::find(forgotten.begin(), forgotten.end(), names[i]) == forgotten.end()) continue;
      // A file left behind has no row; a later turn removes it.
      if (removals[i]->Remove().ok()) ++removed;
    }
  }
  return removed;
}

std::int64_t BlobCollector::CollectFilesWithoutRow() {
  std::int64_t removed = 0;
  for (int folder = 0; folder < 256 && !Stopping(); ++folder) {
    const std::string digits = fmt::format("{:02x}", folder);
    // Not the Clock: files have the system's time.
    std::vector<std::string> files = blobs_.List(digits, absl::Now() - options_.min_age);
    if (files.empty()) continue;
    const absl::StatusOr<std::vector<std::string>> known = store_.Read(SelectBlobs, digits);
    if (!known.ok()) return removed;
    std::erase_if(files, [&](const std::string& name) {
      return std::binary_search(known->begin(), known->end(), name);
    });
    for (const std::string& name : files) {
      const std::unique_ptr<BlobStore::Removal> removal = blobs_.BeginRemoval(name);
      if (removal == nullptr) continue;
      // An upload may have added a row before this removal began.
      const auto size = store_.Read(FindBlobSize, name);
      if (size.ok() && !size->has_value() && removal->Remove().ok()) ++removed;
    }
  }
  return removed;
}

void GiveUpBlob(Store* store, BlobStore* blobs, const std::string& sha256,
                const absl::Status& reason) {
  const absl::StatusOr<std::string> aside = blobs->PutAside(sha256);
  auto trials = std::make_shared<std::vector<std::string>>();  // shared by write and completion
  store->Write(
      [sha256, trials](WriteTransaction& transaction) {
        auto result = transaction.ForgetLostBlob(sha256);
        if (result.ok()) *trials = *std::move(result);
        return result.status();
      },
      [=](const absl::Status& status) {
        spdlog::error(
            "blob lost sha256={} reason={:?} put_aside={:?} restarted_trials=\"{}\" "
            "forgotten={}",
            sha256, std::string(reason.message()), aside.value_or(""), fmt::join(*trials, " "),
            status.ok());
      });
}

}  // namespace sweep
