#pragma once

#include <cstdint>
#include <string>
#include <thread>

#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "coordinator/store/blob_store.h"
#include "coordinator/store/store.h"

namespace sweep {

// Removes blobs that nothing refers to: checkpoints that were replaced, and uploads that nobody
// reported on. Works on a thread of its own, a little at a time.
//
// Why nothing is removed that is or will be referred to:
// - A report can refer only to a blob with a row, and refreshes the row's time in the same
//   transaction, as do storing it (again) and letting go of it. A row is deleted only while its
//   time is `min_age` old. So what was unused when the collector looked and has been referred to
//   since has a fresh time, and stays.
// - Whoever stores a blob holds it from before the look whether its file is there until its row is
//   committed. A file is removed only by one who has the right to remove it, which nobody gets
//   while it is held, and who finds no row while having that right. So no row is ever without its
//   file.
// - A worker may have stored a blob and been cut off before its report. It has `min_age` of the
//   coordinator's uptime to come back: rows are left alone for so long after the start.
class BlobCollector {
 public:
  struct Options {
    absl::Duration min_age = absl::Hours(1);
    absl::Duration period = absl::Minutes(10);
    bool thread = true;  // false: only Turn does anything
  };
  // All must outlive the object.
  BlobCollector(Store* store, BlobStore* blobs, Clock* clock, const Options& options);
  // After the turn that is under way, which notices soon.
  ~BlobCollector();

  // Looks once through everything; how many blobs it has removed.
  std::int64_t Turn();

 private:
  void Loop(const std::stop_token& stop);
  std::int64_t CollectRows();
  std::int64_t CollectFilesWithoutRow();
  bool Stopping();

  Store& store_;
  BlobStore& blobs_;
  Clock& clock_;
  const Options options_;
  const absl::Duration started_;

  Mutex mutex_;
  CondVar wake_;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  std::jthread thread_;  // last, so that it starts when all else is there
};

// What to do when a blob that the database knows turns out to be damaged or missing: its file is
// put aside, so that the right bytes can be stored again, and trials that have it as their
// checkpoint begin anew. Logged as an error.
void GiveUpBlob(Store* store, BlobStore* blobs, const std::string& sha256,
                const absl::Status& reason);

}  // namespace sweep
