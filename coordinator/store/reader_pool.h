#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/mutex.h"
#include "coordinator/store/sqlite.h"

namespace sweep {

// Read-only connections. Each runs one short query at a time, in its own transaction. While the
// gate is closed no query runs, so that the write-ahead log can be emptied. Thread-safe.
class ReaderPool {
 public:
  struct Options {
    std::string path;  // this and the next two: as for Database::Open
    Database::Where where = {};
    // A database in memory cannot be opened read-only.
    Database::Mode mode = Database::Mode::kReadOnly;
    absl::Duration time_limit = absl::Seconds(10);
    // When not null, called before a connection is opened. Unless it returns OK, none is added.
    std::function<absl::Status()> may_connect = nullptr;
    // Held for each read when not null; see Writer::Options.
    std::mutex* turns = nullptr;
  };
  // More than there are threads with long queries, so that short queries never wait for those.
  static constexpr int kMaxReaders = 8;

  explicit ReaderPool(Options options) : options_(std::move(options)), vfs_(options_.where.vfs) {}

  // Runs `query` in one snapshot and returns its status. Waits while all connections are in use or
  // the gate is closed. DeadlineExceeded, naming the query, after the time limit. A query that was
  // stopped by CloseGate runs again, so it must not have effects.
  absl::Status Read(const std::function<absl::Status(Database&)>& query);

  // Starts no more queries and waits for the running ones. Stops those that take too long. False
  // when one is still running after that. The caller has to call OpenGate in either case.
  bool CloseGate();
  void OpenGate();
  // Closes unused connections.
  void CloseIdle();
  // For connections opened from now on. Requires a closed gate and no running query.
  void UseVfs(Database::Vfs vfs);
  // The number of running queries.
  int lent() const;

 private:
  static constexpr int kMaxAttempts = 3;
  struct Reader {
    std::unique_ptr<Database> database;
    absl::Duration deadline;  // of RealClock()->Monotonic()
    bool made_way = false;
  };

  absl::StatusOr<std::unique_ptr<Reader>> Take();
  // With nullptr for a connection that could not be opened.
  void Return(std::unique_ptr<Reader> reader);
  absl::StatusOr<std::unique_ptr<Reader>> Connect();
  absl::Status MayGoOn(Reader* reader) const;
  absl::Status InTransaction(Database& database,
                             const std::function<absl::Status(Database&)>& query);

  const Options options_;
  std::atomic<Database::Vfs> vfs_;
  std::atomic<bool> make_way_{false};
  mutable Mutex mutex_;
  CondVar changed_;
  std::vector<std::unique_ptr<Reader>> idle_ ABSL_GUARDED_BY(mutex_);
  int lent_ ABSL_GUARDED_BY(mutex_) = 0;
  bool gate_closed_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace sweep
