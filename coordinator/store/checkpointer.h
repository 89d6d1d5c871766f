#pragma once

#include <cstdint>
#include <optional>

#include "absl/time/time.h"
#include "coordinator/store/reader_pool.h"
#include "coordinator/store/sqlite.h"

namespace sweep {

// Keeps the write-ahead log short. SQLite starts the log anew only when it has been copied into the
// database and nobody reads from it, so readers that overlap all the time would let it grow without
// end. From a quarter of the limit on it is copied now and then beside the readers; at the limit
// the readers are kept out for a moment and the log is emptied. Only another process that reads on
// and on can keep it from that, which is logged. Used by the writer's thread alone.
class Checkpointer {
 public:
  struct Options {
    std::int64_t limit_bytes = 64 << 20;
  };
  // Both must outlive the object; `database` is the writer's.
  Checkpointer(Database* database, ReaderPool* readers, Options options);

  // Between two transactions.
  void AfterCommit();
  // Whether AfterCommit would write into the database.
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
  int next_pages_;  // when to do something next
  std::optional<absl::Duration> complained_;
};

}  // namespace sweep
