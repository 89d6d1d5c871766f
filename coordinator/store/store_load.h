#pragma once

#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"

namespace sweep {

// One transaction of the store's writer, with all the writes that it answered.
struct BatchReport {
  std::size_t writes = 0;
  absl::Duration duration;  // from BEGIN to the end of COMMIT
  absl::Duration commit;    // the part of COMMIT, including its sync
  bool stored = false;      // it changed rows, durably
  bool refused = false;     // nothing is stored: the disk was full, or files were gone
};

// How busy and how full a store is.
struct StoreLoad {
  std::int64_t queued_writes = 0;   // waiting for the current transaction
  bool disk_is_full = false;        // in the last transaction
  bool files_are_lost = false;      // a file was deleted or replaced; writes are refused
  std::int64_t readers_in_use = 0;  // connections that run a query
  std::int64_t most_readers = 0;
  std::int64_t database_bytes = 0;  // 0 in memory, as the two below
  std::int64_t log_bytes = 0;       // of the write-ahead log's file
  std::int64_t free_disk_bytes = 0;
};

}  // namespace sweep
