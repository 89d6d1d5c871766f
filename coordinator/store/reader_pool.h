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

// Read-only connections, each used by one reader at a time, for one short query in a transaction of
// its own. A gate keeps readers out for a moment, so that the write-ahead log can be emptied.
// Thread-safe.
class ReaderPool {
 public:
  struct Options {
    std::string path;  // as for Database::Open, as the two below
    Database::Where where = {};
    // A database in memory has no read-only mode of its own.
    Database::Mode mode = Database::Mode::kReadOnly;
    absl::Duration time_limit = absl::Seconds(10);
    // Asked before a connection is opened, when not null: what is not OK leaves those there are.
    std::function<absl::Status()> may_connect = nullptr;
    // Held for each read when not null; see Writer::Options.
    std::mutex* turns = nullptr;
  };
  // More than the threads that run long queries, so that short ones never wait for those.
  static constexpr int kMaxReaders = 8;

  explicit ReaderPool(Options options) : options_(std::move(options)), vfs_(options_.where.vfs) {}

  // Runs `query` over one snapshot and gives its status; waits while all connections are lent or
  // the gate is closed. DeadlineExceeded, naming the query, past the time limit. A query that had
  // to make way for the gate runs again, so it must not have effects.
  absl::Status Read(const std::function<absl::Status(Database&)>& query);

  // Lets no reader in any more and waits until those that read have ended: patiently at first,
  // then by stopping them. False when one is left even so. Open follows in any case.
  bool CloseGate();
  void OpenGate();
  // Closes the connections that nobody uses.
  void CloseIdle();
  // For the connections that are opened from now on; while the gate is closed and nobody reads.
  void UseVfs(Database::Vfs vfs);
  // Connections that a query uses now.
  int lent() const;

 private:
  static constexpr int kMaxAttempts = 3;
  struct Reader {
    std::unique_ptr<Database> database;
    absl::Duration deadline;  // of RealClock()->Monotonic()
    bool made_way = false;
  };

  absl::StatusOr<std::unique_ptr<Reader>> Take();
  // nullptr for one that could not be opened.
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
