#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"

namespace sweep {

// One transaction of the store's writer, which answers all the writes in it.
struct BatchReport {
  std::size_t writes = 0;
  absl::Duration duration;  // from BEGIN to the end of COMMIT
  absl::Duration commit;    // of it, COMMIT with its sync
  bool stored = false;      // rows have changed, durably
  bool refused = false;     // the disk was full, or the files were gone: nothing is stored
};

// How busy a store is, and how full.
struct StoreLoad {
  std::int64_t queued_writes = 0;   // that wait for the transaction under way
  bool disk_is_full = false;        // the last transaction found no room
  bool files_are_lost = false;      // one was deleted or replaced, and writes are refused
  std::int64_t readers_in_use = 0;  // connections lent to queries
  std::int64_t most_readers = 0;
  std::int64_t database_bytes = 0;  // 0 in memory, as the two below
  std::int64_t log_bytes = 0;       // of the write-ahead log's file
  std::int64_t free_disk_bytes = 0;
};

}  // namespace sweep
