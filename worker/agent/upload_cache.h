#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/mutex.h"

namespace sweep {

// $XDG_CACHE_HOME/sweep/data, or else ~/.cache/sweep/data; "" when neither variable is set.
std::string DefaultUploadCache();

// Uploaded data sets (proto/data_manifest.h) in a folder of this machine, each fetched once.
// Several workers may share the folder.
//
//   NAME/        a whole data set: its files, and `manifest`. NAME is the SHA-256 of the manifest
//   NAME.part/   one that is being fetched, or whose download was broken off. Its files have their
//                full size from the start, which reserves their place under the limit. Which pieces
//                are there is found by their digests, so nothing else has to be kept
//   NAME.lock    locked shared by who uses NAME, and alone by who fetches or removes it. Its time
//   is
//                that of the last use. The kernel unlocks it when its holder dies
//   lock         locked by who makes room
//
// A set appears under its name by one rename, after its files were synced. The least recently used
// sets that nobody uses are removed to make room for another one. Thread-safe.
class UploadCache {
 public:
  struct Options {
    std::string folder;                         // "": DefaultUploadCache
    std::int64_t limit_bytes = 20'000'000'000;  // of all sets together
  };
  // Hands the bytes of a blob to `take`, in order, and returns its error, if any; else the reason
  // why the blob cannot be had. Called on the threads that call Get.
  using Take = std::function<absl::Status(std::string_view bytes)>;
  using Fetch = std::function<absl::Status(const std::string& sha256, const Take& take)>;
  // Asked now and then: true when nobody waits for the result any more.
  using IsOver = std::function<bool()>;

  UploadCache(const Options& options, Fetch fetch);

  struct InUse {
    std::string folder;
    // The set is not removed while a copy of this exists; shared by the trials that use it.
    std::shared_ptr<const void> hold;
  };
  // Finds or fetches the data set. The pieces of a set that this object sees for the first time are
  // checked, and damaged ones fetched again. Waits while another thread or process fetches the set.
  //
  // FailedPrecondition, naming the data set and the folder, when the set is larger than the limit
  // or the folder cannot be written; ResourceExhausted while sets that are in use leave no room for
  // it; Cancelled after Shutdown and once `is_over`, if set, returns true; otherwise the error of
  // `fetch`. A later call goes on where this one ended.
  absl::StatusOr<InUse> Get(const std::string& sha256, const IsOver& is_over = {});

  // Ends running calls of Get.
  void Shutdown() { shut_down_ = true; }

 private:
  class Lock;
  struct Set;

  absl::Status Fill(const Set& set);
  absl::Status FetchPieces(const Set& set);
  absl::Status FetchPiece(const Set& set, const std::string& piece, int fd, std::int64_t offset);
  // Makes the files with their sizes, and room for them.
  absl::Status Reserve(const Set& set);
  absl::Status MakeRoom(const Set& set);
  bool IsVerified(const std::string& sha256);
  bool Verify(const Set& set);
  absl::Status Stopped(const Set& set) const;

  const std::string folder_;
  const std::int64_t limit_bytes_;
  const Fetch fetch_;
  std::atomic<bool> shut_down_ = false;
  Mutex mutex_;
  std::set<std::string> verified_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace sweep
