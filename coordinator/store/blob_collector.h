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

// Removes blobs that nothing refers to: checkpoints that were replaced, and uploads that no report
// mentioned. Works on its own thread in small steps.
//
// A blob that is referred to, or soon will be, is never removed:
// - A report can refer only to a blob that has a row. It refreshes the row's time in the same
//   transaction. Storing the blob again and dropping a reference to it refresh the time too. The
//   collector deletes a row only if its time is at least `min_age` old, so a blob that was referred
//   to after the collector looked has a fresh time and stays.
// - An upload takes a Hold before it checks whether the file exists, and keeps it until the row is
//   committed. The collector removes a file only with a Removal, which cannot coexist with a Hold,
//   and only if it finds no row while it has the Removal. So every row has its file.
// - A worker may have stored a blob and lost the connection before its report. The collector
//   deletes no row until the coordinator has run for `min_age`, so that the worker can come back.
class BlobCollector {
 public:
  struct Options {
    absl::Duration min_age = absl::Hours(1);
    absl::Duration period = absl::Minutes(10);
    bool thread = true;  // false: blobs are removed only by calls of Turn
  };
  // All must outlive the object.
  BlobCollector(Store* store, BlobStore* blobs, Clock* clock, const Options& options);
  // Waits for the current turn, which stops early.
  ~BlobCollector();

  // Checks all blobs once. Returns the number of removed ones.
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
  std::jthread thread_;  // last: it starts when the other members exist
};

// Handles a blob that has a row but whose file is damaged or missing. Puts the file aside, so that
// the right bytes can be stored again, and restarts the trials that have it as their checkpoint.
// Logs an error.
void GiveUpBlob(Store* store, BlobStore* blobs, const std::string& sha256,
                const absl::Status& reason);

}  // namespace sweep
