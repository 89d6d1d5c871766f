#pragma once

#include <cstdint>
#include <optional>

#include "absl/time/time.h"
#include "coordinator/store/reader_pool.h"
#include "coordinator/store/sqlite.h"

namespace sweep {

// Keeps the write-ahead log short. SQLite restarts the log only when all of it has been copied into
// the database and no reader uses it, so overlapping readers would let it grow without end. Above a
// quarter of the limit the log is copied at intervals while readers go on. At the limit readers
// have to wait while the log is emptied. A long read of another process can prevent this; that is
// logged. Used only by the writer's thread.
class Checkpointer {
 public:
  struct Options {
    std::int64_t limit_bytes = 64 << 20;
  };
  // Both must outlive the object; `database` is the writer's.
  Checkpointer(Database* database, ReaderPool* readers, Options options);

  // Called between two transactions.
  void AfterCommit();
  // True when the next AfterCommit would write into the database.
  bool wants_work() const;

 private:
  void CopyBesideReaders();
  void EmptyWithoutReaders();
  void Complain(const absl::Status& status);

  Database& database_;
  ReaderPool& readers_;
  const int limit_pages_;
  const int step_pages_;
  int last_pages_ = 0;
  int next_pages_;  // the log size at which to act next
  std::optional<absl::Duration> complained_;
};

}  // namespace sweep
