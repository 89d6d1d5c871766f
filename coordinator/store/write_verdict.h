#pragma once

#include <span>

namespace sweep {

// What becomes of a write that met an error of SQLite. docs/reliability.md has the same table.
enum class WriteVerdict {
  kNoError,
  // This write is refused with its reason and the others of its group go on. At COMMIT it ends the
  // process: none of these can come there, so nobody knows what it means.
  kRefuse,
  // The whole group is refused as Unavailable, and each later one tries anew. Nothing of it was
  // stored, nothing before it is in doubt, and the cause may pass by.
  kWait,
  // kWait when the system's error says that there is no room or that the disk is read-only, else
  // kEnd.
  kWaitForRoom,
  // The process ends: what the disk has kept is not known, so nothing more may be acknowledged.
  kEnd,
};

struct WriteVerdictOfCode {
  int code;
  const char* name;
  WriteVerdict verdict;
};

// Every code of SQLite, primary and extended.
std::span<const WriteVerdictOfCode> WriteVerdicts();

// For an (extended) code and the errno that came with it; never kWaitForRoom. A code that is not
// in the table counts as its primary code.
WriteVerdict VerdictOfWrite(int code, int system_error);

// Whether it says that there was no room. The errno of the write-ahead log's index is lost on its
// way through SQLite.
bool MeansDiskFull(int code, int system_error);

}  // namespace sweep
