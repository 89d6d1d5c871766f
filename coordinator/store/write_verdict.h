#pragma once

#include <span>

namespace sweep {

// How an error of SQLite is handled during a write. docs/reliability.md has the same table.
enum class WriteVerdict {
  kNoError,
  // This write is refused with its reason; the rest of the batch continues. At COMMIT, where such
  // an error is not expected and its meaning is unknown, the process ends.
  kRefuse,
  // The whole batch is refused as Unavailable, and the next one tries again. Nothing of the batch
  // is stored, earlier batches are intact, and the cause may pass.
  kWait,
  // kWait when the errno means a full or read-only disk, otherwise kEnd.
  kWaitForRoom,
  // The process ends. The state of the disk is unknown, so nothing more may be acknowledged.
  kEnd,
};

struct WriteVerdictOfCode {
  int code;
  const char* name;
  WriteVerdict verdict;
};

// Every code of SQLite, primary and extended.
std::span<const WriteVerdictOfCode> WriteVerdicts();

// The verdict for an (extended) code and its errno; never kWaitForRoom. A code that is missing in
// the table counts as its primary code.
WriteVerdict VerdictOfWrite(int code, int system_error);

// True when the error means that there was no room. SQLite does not pass on the errno of the
// write-ahead log's index.
bool MeansDiskFull(int code, int system_error);

}  // namespace sweep
